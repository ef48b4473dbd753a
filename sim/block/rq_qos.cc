// SPDX-License-Identifier: Apache-2.0
#include "sim/block/rq_qos.h"

namespace kpath {

// v4.19 block/blk-rq-qos.c: rq_qos_throttle
void rq_qos_throttle(request_queue* q, bio* bio) { FUNCTION(q, bio); }
// v4.19 block/blk-rq-qos.c: rq_qos_track
void rq_qos_track(request_queue* q, request* rq, bio* bio) { FUNCTION(q, rq, bio); }
// v4.19 block/blk-rq-qos.c: rq_qos_cleanup
void rq_qos_cleanup(request_queue* q, bio* bio) { FUNCTION(q, bio); }
// v4.19 block/blk-rq-qos.c: rq_qos_requeue
void rq_qos_requeue(request_queue* q, request* rq) { FUNCTION(q, rq); }
// v4.19 block/blk-rq-qos.c: rq_qos_done
void rq_qos_done(request_queue* q, request* rq) { FUNCTION(q, rq); }
// v4.19 block/blk-rq-qos.c: rq_qos_done_bio
void rq_qos_done_bio(request_queue* q, bio* bio) { FUNCTION(q, bio); }

}  // namespace kpath
