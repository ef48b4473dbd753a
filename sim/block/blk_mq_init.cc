// SPDX-License-Identifier: Apache-2.0
//
// Making and unmaking queues and tags. v4.19 block/blk-mq.c, blk-mq-tag.c, blk-mq-cpumap.c,
// blk-core.c
#include <algorithm>

#include "sim/block/blk_internal.h"
#include "sim/kernel/percpu_ref.h"
#include "sim/machine/check.h"

namespace kpath {
namespace {

constexpr unsigned kDefaultTimeout = 30 * HZ;
constexpr int BIO_POOL_SIZE = 2;

// What a driver's per-CPU areas look like to who sorts by address: a unit for each CPU.
constexpr uint64_t kPcpuBase = 0xffffe8ffffc00000;
constexpr uint64_t kPcpuUnit = 0x40000;
constexpr uint64_t kCtxBytes = 256;

struct hw_ctx_object {
  static constexpr const char* kSlabName = "blk_mq_hw_ctx";
  blk_mq_hw_ctx hctx;
};
struct ctx_object {
  static constexpr const char* kSlabName = "blk_mq_ctx";
  blk_mq_ctx ctx;
};
struct split_bio {
  static constexpr const char* kSlabName = "bio-0";
  struct bio bio;
};

struct queue_globals {
  int made = 0;
};
KernelGlobal<queue_globals> queues;

// v4.19 block/blk-mq-cpumap.c: blk_mq_map_queues. CPU i is served by queue i modulo their number.
void blk_mq_map_queues(blk_mq_tag_set* set) {
  FUNCTION(set->nr_hw_queues);
  set->mq_map.clear();
  for (int cpu = 0; cpu < current->machine->cpus(); ++cpu) {
    set->mq_map.push_back(static_cast<unsigned>(cpu) % set->nr_hw_queues);
  }
}

// v4.19 block/blk-mq.c: blk_mq_alloc_rq_map, blk_mq_alloc_rqs. The tags of one hardware queue and
// the requests that go with them. Null: the driver cannot prepare one.
std::unique_ptr<blk_mq_tags> AllocateTags(blk_mq_tag_set* set, unsigned hctx_idx) {
  auto tags = std::make_unique<blk_mq_tags>();
  tags->nr_tags = set->queue_depth;
  tags->nr_reserved_tags = set->reserved_tags;
  sbitmap_queue_init_node(&tags->bitmap_tags, set->queue_depth - set->reserved_tags);
  sbitmap_queue_init_node(&tags->breserved_tags, set->reserved_tags);
  tags->rqs.resize(set->queue_depth);
  tags->static_rqs = std::make_unique<request[]>(set->queue_depth);
  constexpr size_t kAlign = alignof(std::max_align_t);
  const size_t stride = (set->cmd_size + kAlign - 1) / kAlign * kAlign;
  tags->pdus = std::make_unique<std::byte[]>(stride * set->queue_depth + 1);
  for (unsigned i = 0; i < set->queue_depth; ++i) {
    request* rq = &tags->static_rqs[i];
    rq->pdu = tags->pdus.get() + i * stride;
    if (set->make_pdu != nullptr) set->make_pdu(rq->pdu);
    if (set->ops->init_request != nullptr && set->ops->init_request(set, rq, hctx_idx) != 0) {
      return nullptr;
    }
  }
  return tags;
}

// v4.19 block/blk-mq.c: blk_mq_init_cpu_queues
void InitCpuQueues(request_queue* q) {
  for (int cpu = 0; cpu < current->machine->cpus(); ++cpu) {
    const kptr<ctx_object> object = kzalloc<ctx_object>(GFP_KERNEL);
    if (!object) return;
    blk_mq_ctx* ctx = &object->ctx;
    spin_lock_init(&ctx->lock);
    ctx->cpu = cpu;
    ctx->queue = q;
    ctx->address = kPcpuBase + static_cast<uint64_t>(cpu) * kPcpuUnit +
                   static_cast<uint64_t>(q->id) * kCtxBytes;
    q->queue_ctx.push_back(ctx);
  }
}

// v4.19 block/blk-mq.c: blk_mq_init_hctx
int blk_mq_init_hctx(request_queue* q, blk_mq_tag_set* set, blk_mq_hw_ctx* hctx, unsigned number) {
  FUNCTION(q, number);
  spin_lock_init(&hctx->lock);
  INIT_DELAYED_WORK(&hctx->run_work, blk_mq_run_work_fn);
  hctx->queue = q;
  hctx->queue_num = number;
  hctx->flags = set->flags;
  hctx->tags = set->tags[number].get();
  hctx->fq = blk_alloc_flush_queue(set, number);
  if (hctx->fq == nullptr) return fn.Return(Fail(ENOMEM, "no memory for a flush"));
  if (set->ops->init_hctx == nullptr) return fn.Return(0);
  return fn.Return(set->ops->init_hctx(hctx, set->driver_data, number));
}

// v4.19 block/blk-mq.c: blk_mq_realloc_hw_ctxs
int InitHwQueues(request_queue* q, blk_mq_tag_set* set) {
  for (unsigned i = 0; i < set->nr_hw_queues; ++i) {
    const kptr<hw_ctx_object> object = kzalloc<hw_ctx_object>(GFP_KERNEL);
    if (!object) return -ENOMEM;
    q->queue_hw_ctx.push_back(&object->hctx);
    const int error = blk_mq_init_hctx(q, set, &object->hctx, i);
    if (error != 0) return error;
  }
  return 0;
}

// v4.19 block/blk-mq.c: blk_mq_map_swqueue. Which software queues each hardware queue serves.
void blk_mq_map_swqueue(request_queue* q) {
  FUNCTION(q);
  for (blk_mq_ctx* ctx : q->queue_ctx) {
    blk_mq_hw_ctx* hctx = blk_mq_map_queue(q, ctx->cpu);
    hctx->cpus |= cpumask_of(ctx->cpu);
    ctx->index_hw = static_cast<unsigned>(hctx->ctxs.size());
    hctx->ctxs.push_back(ctx);
  }
  for (blk_mq_hw_ctx* hctx : q->queue_hw_ctx) {
    sbitmap_init_node(&hctx->ctx_map, static_cast<unsigned>(hctx->ctxs.size()), -1);
    if (hctx->cpus != 0) hctx->next_cpu = __builtin_ctzll(hctx->cpus);
  }
}

// v4.19 block/blk-core.c: blk_queue_usage_counter_release. The last one has left a frozen queue.
void blk_queue_usage_counter_release(percpu_ref* ref) {
  request_queue* q = container_of(ref, &request_queue::q_usage_counter);
  wake_up_all(&q->mq_freeze_wq);
}

// v4.19 block/blk-core.c: blk_alloc_queue_node
request_queue* blk_alloc_queue() {
  FUNCTION();
  const kptr<request_queue> object = kzalloc<request_queue>(GFP_KERNEL);
  if (!object) return nullptr;
  request_queue* q = object.get();
  q->id = queues->made;
  const bool ok =
      bioset_init(&q->bio_split, BIO_POOL_SIZE, BioSetOf<split_bio, &split_bio::bio>()) == 0;
  if (!ok || percpu_ref_init(&q->q_usage_counter, blk_queue_usage_counter_release,
                             PERCPU_REF_INIT_ATOMIC, GFP_KERNEL) != 0) {
    if (ok) mempool_exit(&q->bio_split.bio_pool);
    if (ok) mempool_exit(&q->bio_split.bvec_pool);
    kfree(object);
    return nullptr;
  }
  ++queues->made;
  init_waitqueue_head(&q->mq_freeze_wq);
  timer_setup(&q->timeout, blk_rq_timed_out_timer);
  INIT_WORK(&q->timeout_work, blk_mq_timeout_work);
  INIT_DELAYED_WORK(&q->requeue_work, blk_mq_requeue_work);
  spin_lock_init(&q->requeue_lock);
  return q;
}

void FreeQueue(request_queue* q) {
  for (blk_mq_ctx* ctx : q->queue_ctx) kfree(kptr<ctx_object>(container_of(ctx, &ctx_object::ctx)));
  for (blk_mq_hw_ctx* hctx : q->queue_hw_ctx) {
    if (hctx->fq != nullptr) blk_free_flush_queue(hctx->fq);
    kfree(kptr<hw_ctx_object>(container_of(hctx, &hw_ctx_object::hctx)));
  }
  percpu_ref_exit(&q->q_usage_counter);
  mempool_exit(&q->bio_split.bio_pool);
  mempool_exit(&q->bio_split.bvec_pool);
  kfree(kptr<request_queue>(q));
}

}  // namespace

blk_mq_tag_set::~blk_mq_tag_set() {
  if (unmake_pdu == nullptr) return;
  for (const auto& of_queue : tags) {
    if (of_queue == nullptr) continue;
    for (unsigned i = 0; i < of_queue->nr_tags; ++i) unmake_pdu(of_queue->static_rqs[i].pdu);
  }
}

// v4.19 block/blk-mq.c: blk_mq_alloc_tag_set
int blk_mq_alloc_tag_set(blk_mq_tag_set* set) {
  FUNCTION(set->nr_hw_queues, set->queue_depth);
  if (set->nr_hw_queues == 0 || set->queue_depth == 0 ||
      set->queue_depth < set->reserved_tags + 1 || set->ops == nullptr ||
      set->ops->queue_rq == nullptr) {
    return fn.Return(Fail(EINVAL, "$0 queues of $1 tags, $2 of them reserved", set->nr_hw_queues,
                          set->queue_depth, set->reserved_tags));
  }
  set->queue_depth = std::min(set->queue_depth, BLK_MQ_MAX_DEPTH);
  // More queues than CPUs are of no use.
  set->nr_hw_queues = std::min(set->nr_hw_queues, static_cast<unsigned>(current->machine->cpus()));
  blk_mq_map_queues(set);
  for (unsigned i = 0; i < set->nr_hw_queues; ++i) {
    std::unique_ptr<blk_mq_tags> tags = AllocateTags(set, i);
    if (tags == nullptr) {
      set->tags.clear();
      return fn.Return(Fail(ENOMEM, "the driver cannot prepare requests"));
    }
    set->tags.push_back(std::move(tags));
  }
  return fn.Return(0);
}

// v4.19 block/blk-mq.c: blk_mq_init_queue, blk_mq_init_allocated_queue
request_queue* blk_mq_init_queue(blk_mq_tag_set* set) {
  FUNCTION(set->nr_hw_queues);
  request_queue* q = blk_alloc_queue();
  if (q == nullptr) return nullptr;
  q->mq_ops = set->ops;
  q->tag_set = set;
  q->mq_map = set->mq_map;
  InitCpuQueues(q);
  if (q->queue_ctx.size() != q->mq_map.size() || InitHwQueues(q, set) != 0) {
    FreeQueue(q);
    return nullptr;
  }
  q->nr_hw_queues = set->nr_hw_queues;
  q->nr_requests = set->queue_depth;
  q->rq_timeout = set->timeout != 0 ? set->timeout : kDefaultTimeout;
  blk_queue_flag_set(QUEUE_FLAG_IO_STAT, q);
  blk_queue_flag_set(QUEUE_FLAG_SAME_COMP, q);
  q->make_request_fn = blk_mq_make_request;
  blk_mq_map_swqueue(q);
  // As blk_register_queue does when the disk is added.
  percpu_ref_switch_to_percpu(&q->q_usage_counter);
  return q;
}

// v4.19 block/blk-mq.c: blk_freeze_queue_start, blk_mq_freeze_queue_wait
void blk_mq_freeze_queue(request_queue* q) {
  FUNCTION(q);
  if (++q->mq_freeze_depth == 1) {
    percpu_ref_kill(&q->q_usage_counter);
    blk_mq_run_hw_queues(q, false);
  }
  wait_event(&q->mq_freeze_wq, [q] { return percpu_ref_is_zero(&q->q_usage_counter); });
}

// v4.19 block/blk-mq.c: blk_mq_unfreeze_queue
void blk_mq_unfreeze_queue(request_queue* q) {
  FUNCTION(q);
  KPATH_CHECK(q->mq_freeze_depth > 0, "the queue is not frozen");
  if (--q->mq_freeze_depth != 0) return;
  percpu_ref_reinit(&q->q_usage_counter);
  wake_up_all(&q->mq_freeze_wq);
}

// v4.19 block/blk-mq.c: blk_mq_quiesce_queue
void blk_mq_quiesce_queue(request_queue* q) {
  FUNCTION(q);
  blk_queue_flag_set(QUEUE_FLAG_QUIESCED, q);
  synchronize_rcu();
}

// v4.19 block/blk-mq.c: blk_mq_unquiesce_queue
void blk_mq_unquiesce_queue(request_queue* q) {
  FUNCTION(q);
  blk_queue_flag_clear(QUEUE_FLAG_QUIESCED, q);
  blk_mq_run_hw_queues(q, true);
}

void blk_cleanup_queue(request_queue* q) {
  FUNCTION(q);
  blk_queue_flag_set(QUEUE_FLAG_DYING, q);
  wake_up_all(&q->mq_freeze_wq);
  blk_mq_freeze_queue(q);
  del_timer_sync(&q->timeout);
  cancel_work_sync(&q->timeout_work);
  cancel_delayed_work_sync(&q->requeue_work);
  for (blk_mq_hw_ctx* hctx : q->queue_hw_ctx) cancel_delayed_work_sync(&hctx->run_work);
  FreeQueue(q);
}

}  // namespace kpath
