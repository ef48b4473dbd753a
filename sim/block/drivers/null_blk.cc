// SPDX-License-Identifier: Apache-2.0
#include "sim/block/drivers/null_blk.h"

#include <memory>
#include <vector>

#include "sim/block/blk_core.h"
#include "sim/block/blk_mq.h"
#include "sim/block/drivers/disk_model.h"
#include "sim/kernel/hrtimer.h"

namespace kpath {
namespace {

constexpr unsigned kNullMajor = 252;

struct nullb;

// v4.19 drivers/block/null_blk.h: struct nullb_queue
struct nullb_queue {
  nullb_device* dev = nullptr;
  nullb* owner = nullptr;
};

// The part of a request that is the driver's. v4.19 drivers/block/null_blk.h: struct nullb_cmd
struct nullb_cmd {
  hrtimer timer;
  request* rq = nullptr;
  nullb_queue* nq = nullptr;
  blk_status_t error = BLK_STS_OK;
};

// v4.19 drivers/block/null_blk.h: struct nullb
struct nullb {
  nullb_device dev;
  std::vector<nullb_queue> queues;
  blk_mq_tag_set tag_set;
  gendisk* disk = nullptr;
  unsigned timeout_count = 0;         // requests, if some are to be lost
  std::unique_ptr<DiskModel> memory;  // null: what is written is forgotten
};

struct null_globals {
  std::vector<std::unique_ptr<nullb>> devices;
};
KernelGlobal<null_globals> nulls;

// v4.19 drivers/block/null_blk_main.c: end_cmd
void end_cmd(nullb_cmd* cmd) {
  FUNCTION(cmd->rq);
  blk_mq_end_request(cmd->rq, cmd->error);
}

// v4.19 drivers/block/null_blk_main.c: null_cmd_timer_expired
hrtimer_restart null_cmd_timer_expired(hrtimer* timer) {
  FUNCTION(timer);
  end_cmd(container_of(timer, &nullb_cmd::timer));
  return fn.Return(HRTIMER_NORESTART);
}

// v4.19 drivers/block/null_blk_main.c: null_cmd_end_timer
void null_cmd_end_timer(nullb_cmd* cmd) {
  hrtimer_start(&cmd->timer, cmd->nq->dev->completion_nsec, HRTIMER_MODE_REL);
}

// v4.19 drivers/block/null_blk_main.c: null_softirq_done_fn
void null_softirq_done_fn(request* rq) {
  FUNCTION(rq);
  end_cmd(blk_mq_rq_to_pdu<nullb_cmd>(rq));
}

// v4.19 drivers/block/null_blk_main.c: null_handle_rq. Moves the data to or from the disk's memory,
// now, whenever the request ends.
int null_handle_rq(nullb_cmd* cmd) {
  FUNCTION(cmd->rq);
  DiskModel* memory = cmd->nq->owner->memory.get();
  Machine& machine = *current->machine;
  bool ok = true;
  rq_for_each_segment(cmd->rq, [&](const bio_vec& bv, sector_t sector) {
    uint64_t offset = sector << SECTOR_SHIFT;
    ForEachDmaPart(machine, bvec_to_phys(bv), bv.bv_len, [&](absl::Span<uint8_t> part) {
      ok &= rq_is_write(cmd->rq) ? memory->Write(offset, part) : memory->Read(offset, part);
      offset += part.size();
    });
  });
  return fn.Return(ok ? 0 : -EIO);
}

// v4.19 drivers/block/null_blk_main.c: null_handle_cmd
blk_status_t null_handle_cmd(nullb_cmd* cmd) {
  FUNCTION(cmd->rq);
  int err = 0;
  if (cmd->nq->dev->memory_backed) err = null_handle_rq(cmd);
  cmd->error = errno_to_blk_status(err);
  switch (cmd->nq->dev->irqmode) {
    case NULL_IRQ_SOFTIRQ:
      blk_mq_complete_request(cmd->rq);
      break;
    case NULL_IRQ_NONE:
      end_cmd(cmd);
      break;
    case NULL_IRQ_TIMER:
      null_cmd_end_timer(cmd);
      break;
  }
  return fn.Return(BLK_STS_OK);
}

// v4.19 drivers/block/null_blk_main.c: should_timeout_request. lib/fault-inject.c: should_fail
bool should_timeout_request(nullb* nullb) {
  const unsigned interval = nullb->dev.timeout_interval;
  return interval != 0 && ++nullb->timeout_count % interval == 0;
}

// v4.19 drivers/block/null_blk_main.c: null_queue_rq
blk_status_t null_queue_rq(blk_mq_hw_ctx* hctx, const blk_mq_queue_data* bd) {
  FUNCTION(hctx, bd->rq, bd->last);
  auto* cmd = blk_mq_rq_to_pdu<nullb_cmd>(bd->rq);
  auto* nq = static_cast<nullb_queue*>(hctx->driver_data);
  if (nq->dev->irqmode == NULL_IRQ_TIMER) {
    hrtimer_init(&cmd->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
    cmd->timer.function = null_cmd_timer_expired;
  }
  cmd->rq = bd->rq;
  cmd->nq = nq;
  blk_mq_start_request(bd->rq);
  if (should_timeout_request(nq->owner)) {
    STEP("nothing will be heard of it", bd->rq);
    return fn.Return(BLK_STS_OK);
  }
  return fn.Return(null_handle_cmd(cmd));
}

// v4.19 drivers/block/null_blk_main.c: null_timeout_rq
blk_eh_timer_return null_timeout_rq(request* rq, bool) {
  FUNCTION(rq);
  blk_mq_complete_request(rq);
  return fn.Return(BLK_EH_DONE);
}

// v4.19 drivers/block/null_blk_main.c: null_init_hctx
int null_init_hctx(blk_mq_hw_ctx* hctx, void* driver_data, unsigned hctx_idx) {
  hctx->driver_data = &static_cast<nullb*>(driver_data)->queues[hctx_idx];
  return 0;
}

constexpr blk_mq_ops null_mq_ops = {
    .name = "null_mq_ops",
    .queue_rq = null_queue_rq,
    .timeout = null_timeout_rq,
    .complete = null_softirq_done_fn,
    .init_hctx = null_init_hctx,
};

void MakeQueues(nullb* made) {
  made->queues.resize(made->dev.submit_queues);
  for (nullb_queue& queue : made->queues) queue = {&made->dev, made};
  if (made->dev.memory_backed) made->memory = std::make_unique<DiskModel>(made->dev.size, 0);
}

}  // namespace

gendisk* null_add_dev(const nullb_device& dev) {
  FUNCTION(dev.submit_queues, dev.hw_queue_depth, dev.irqmode);
  nulls->devices.push_back(std::make_unique<nullb>());
  nullb* made = nulls->devices.back().get();
  made->dev = dev;
  MakeQueues(made);
  blk_mq_tag_set& set = made->tag_set;
  set.ops = &null_mq_ops;
  set.nr_hw_queues = dev.submit_queues;
  set.queue_depth = dev.hw_queue_depth;
  set.flags = BLK_MQ_F_SHOULD_MERGE;
  set.driver_data = made;
  BlkMqPdu<nullb_cmd>(&set);
  if (blk_mq_alloc_tag_set(&set) != 0) return nullptr;
  request_queue* q = blk_mq_init_queue(&set);
  if (q == nullptr) return nullptr;
  q->queuedata = made;
  blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
  blk_queue_logical_block_size(q, dev.blocksize);
  blk_queue_physical_block_size(q, dev.blocksize);
  made->disk = alloc_disk(1);
  if (made->disk == nullptr) return nullptr;
  made->disk->queue = q;
  made->disk->major = kNullMajor;
  made->disk->first_minor = static_cast<unsigned>(nulls->devices.size() - 1);
  made->disk->disk_name = dev.disk_name;
  made->disk->private_data = made;
  set_capacity(made->disk, dev.size >> SECTOR_SHIFT);
  add_disk(made->disk);
  return made->disk;
}

}  // namespace kpath
