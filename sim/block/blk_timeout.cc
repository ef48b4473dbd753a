// SPDX-License-Identifier: Apache-2.0
//
// Requests that do not end. v4.19 block/blk-timeout.c, block/blk-mq.c
#include "sim/block/blk_internal.h"

namespace kpath {
namespace {

// v4.19 block/blk-timeout.c: blk_rq_timeout. Not too late: later requests may have to end sooner.
unsigned long blk_rq_timeout(unsigned long timeout) {
  FUNCTION(timeout);
  const unsigned long maxt = round_jiffies_up(jiffies + BLK_MAX_TIMEOUT);
  return fn.Return(time_after(timeout, maxt) ? maxt : timeout);
}

struct NextExpiry {
  bool any = false;
  unsigned long at = 0;
};

// v4.19 block/blk-mq.c: blk_mq_req_expired
bool blk_mq_req_expired(const request* rq, NextExpiry* next) {
  if (rq->state != MQ_RQ_IN_FLIGHT || (rq->rq_flags & RQF_TIMED_OUT) != 0) return false;
  if (time_after_eq(jiffies, rq->deadline)) return true;
  if (!next->any || time_after(next->at, rq->deadline)) *next = {true, rq->deadline};
  return false;
}

// v4.19 block/blk-mq.c: blk_mq_rq_timed_out
void blk_mq_rq_timed_out(request* rq, bool reserved) {
  rq->rq_flags |= RQF_TIMED_OUT;
  ++rq->q->stats.timeouts;
  STEP("timed out", rq, rq->deadline);
  const auto timeout = rq->q->mq_ops->timeout;
  if (timeout != nullptr && timeout(rq, reserved) == BLK_EH_DONE) return;
  blk_add_timer(rq);
}

// v4.19 block/blk-mq.c: blk_mq_check_expired
void blk_mq_check_expired(blk_mq_hw_ctx*, request* rq, void* priv, bool reserved) {
  FUNCTION(rq);
  auto* next = static_cast<NextExpiry*>(priv);
  if (!blk_mq_req_expired(rq, next)) return;
  // It may be ending just now: hold it, and look again.
  if (rq->ref == 0) return;
  ++rq->ref;
  if (blk_mq_req_expired(rq, next)) blk_mq_rq_timed_out(rq, reserved);
  if (--rq->ref == 0) __blk_mq_free_request(rq);
}

}  // namespace

// v4.19 block/blk-timeout.c: blk_add_timer
void blk_add_timer(request* rq) {
  FUNCTION(rq);
  request_queue* q = rq->q;
  if (rq->timeout == 0) rq->timeout = q->rq_timeout;
  rq->rq_flags &= ~RQF_TIMED_OUT;
  rq->deadline = jiffies + rq->timeout;
  const unsigned long expiry = blk_rq_timeout(round_jiffies_up(rq->deadline));
  // Timers fire a little late; to move one for that would never end.
  if (timer_pending(&q->timeout) &&
      (!time_before(expiry, q->timeout.expires) ||
       q->timeout.expires - expiry < static_cast<unsigned long>(HZ) / 2)) {
    return;
  }
  mod_timer(&q->timeout, expiry);
}

// v4.19 block/blk-core.c: blk_rq_timed_out_timer
void blk_rq_timed_out_timer(timer_list* timer) {
  request_queue* q = container_of(timer, &request_queue::timeout);
  FUNCTION(q);
  kblockd_schedule_work(&q->timeout_work);
}

// v4.19 block/blk-mq.c: blk_mq_timeout_work
void blk_mq_timeout_work(work_struct* work) {
  request_queue* q = container_of(work, &request_queue::timeout_work);
  FUNCTION(q);
  if (!percpu_ref_tryget(&q->q_usage_counter)) return;
  NextExpiry next;
  blk_mq_queue_tag_busy_iter(q, blk_mq_check_expired, &next);
  if (next.any) mod_timer(&q->timeout, next.at);
  blk_queue_exit(q);
}

}  // namespace kpath
