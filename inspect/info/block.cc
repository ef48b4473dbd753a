// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/block.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "inspect/info/address.h"
#include "inspect/info/text.h"
#include "sim/block/blk_mq.h"
#include "sim/block/blk_plug.h"
#include "sim/block/genhd.h"
#include "sim/machine/context.h"

namespace kpath {
namespace {

std::vector<const request*> RequestsIn(const list_head& list) {
  std::vector<const request*> requests;
  for (list_head* at = list.next; at != &list; at = at->next) {
    requests.push_back(list_entry_rq(at));
  }
  return requests;
}

bool IsIn(const list_head& list, const request* rq) {
  const std::vector<const request*> all = RequestsIn(list);
  return std::find(all.begin(), all.end(), rq) != all.end();
}

unsigned BiosOf(const request* rq) {
  unsigned count = 0;
  // One that has ended may have been freed.
  for (const bio* bio = rq->bio; bio != nullptr && bio->magic == bio::kMagic; bio = bio->bi_next) {
    ++count;
  }
  return count;
}

std::string OpName(const request* rq) {
  static const auto& flags = *new std::vector<BitName>{
      {REQ_SYNC, "SYNC"},         {REQ_META, "META"},     {REQ_FUA, "FUA"},
      {REQ_PREFLUSH, "PREFLUSH"}, {REQ_RAHEAD, "RAHEAD"}, {REQ_NOWAIT, "NOWAIT"},
      {REQ_NOMERGE, "NOMERGE"},   {REQ_IDLE, "IDLE"},     {REQ_BACKGROUND, "BACKGROUND"}};
  static const auto& names =
      *new std::map<unsigned, const char*>{{REQ_OP_READ, "READ"},
                                           {REQ_OP_WRITE, "WRITE"},
                                           {REQ_OP_FLUSH, "FLUSH"},
                                           {REQ_OP_DISCARD, "DISCARD"},
                                           {REQ_OP_DRV_IN, "DRV_IN"},
                                           {REQ_OP_DRV_OUT, "DRV_OUT"},
                                           {REQ_OP_WRITE_ZEROES, "WRITE_ZEROES"}};
  const auto found = names.find(req_op(rq));
  const std::string op = found != names.end() ? found->second : absl::StrCat("op ", req_op(rq));
  const std::string rest = BitNames(rq->cmd_flags & ~REQ_OP_MASK, flags, "|", "");
  return absl::StrCat(op, rest.empty() ? "" : "|", rest);
}

std::string SectorsOf(const request* rq) {
  if (blk_rq_sectors(rq) == 0) return "none";
  return absl::StrCat(blk_rq_pos(rq), "-", blk_rq_pos(rq) + blk_rq_sectors(rq) - 1);
}

std::string DiskName(const request* rq) {
  return rq->rq_disk != nullptr ? rq->rq_disk->disk_name : absl::StrCat("queue ", rq->q->id);
}

unsigned HardwareQueueOf(const request* rq) {
  return blk_mq_map_queue(rq->q, rq->mq_ctx->cpu)->queue_num;
}

// Which task's plug the request is in; null: none.
const task_struct* PluggedBy(const View& view, const request* rq) {
  for (const task_struct* task : AllTasks(view.machine)) {
    if (task->plug != nullptr && IsIn(task->plug->mq_list, rq)) return task;
  }
  return nullptr;
}

std::string PlaceOf(const View& view, const blk_mq_hw_ctx* hctx, const request* rq) {
  if (const task_struct* task = PluggedBy(view, rq); task != nullptr) {
    return absl::StrCat("in the plug of ", TaskName(*task));
  }
  if (IsIn(hctx->dispatch, rq)) return "in the dispatch list";
  for (const blk_mq_ctx* ctx : hctx->ctxs) {
    if (IsIn(ctx->rq_list, rq)) return absl::StrCat("in the software queue of CPU ", ctx->cpu);
  }
  if (IsIn(rq->q->requeue_list, rq)) return "in the requeue list";
  switch (rq->state) {
    case MQ_RQ_IN_FLIGHT:
      return "in flight";
    case MQ_RQ_COMPLETE:
      return "completed, about to end";
    case MQ_RQ_IDLE:
      break;
  }
  return "on its way";
}

std::string HctxState(const blk_mq_hw_ctx* hctx) {
  static const auto& names =
      *new std::vector<BitName>{{1 << BLK_MQ_S_STOPPED, "stopped"},
                                {1 << BLK_MQ_S_TAG_ACTIVE, "active"},
                                {1 << BLK_MQ_S_SCHED_RESTART, "run again when a request ends"}};
  return BitNames(hctx->state, names, ", ", "idle");
}

std::string DescribeHctx(const View& view, const blk_mq_hw_ctx* hctx) {
  const blk_mq_tags& tags = *hctx->tags;
  std::string line =
      absl::StrCat("  hardware queue ", hctx->queue_num, ": ", sbitmap_weight(&tags.bitmap_tags.sb),
                   " of ", tags.nr_tags - tags.nr_reserved_tags, " tags used, ",
                   Count(RequestsIn(hctx->dispatch).size(), "request"), " in the dispatch list, ",
                   HctxState(hctx));
  for (const blk_mq_ctx* ctx : hctx->ctxs) {
    absl::StrAppend(&line, "; CPU ", ctx->cpu, ": ", RequestsIn(ctx->rq_list).size());
  }
  std::string text = Wrap(line, view.width, 6) + "\n";
  Table table(
      {"TAG", "OP", "SECTORS", "BYTES", "BIOS", "WHERE"},
      {Align::kRight, Align::kLeft, Align::kLeft, Align::kRight, Align::kRight, Align::kLeft});
  sbitmap_for_each_set(&tags.bitmap_tags.sb, [&](unsigned bit) {
    const size_t tag = bit + tags.nr_reserved_tags;
    const request* rq = tag < tags.rqs.size() ? tags.rqs[tag] : nullptr;
    if (rq == nullptr || rq->tag != static_cast<int>(tag) || rq->q != hctx->queue) {
      table.Add({absl::StrCat(tag), "", "", "", "", "just taken"});
    } else {
      table.Add({absl::StrCat(tag), OpName(rq), SectorsOf(rq), absl::StrCat(blk_rq_bytes(rq)),
                 absl::StrCat(BiosOf(rq)), PlaceOf(view, hctx, rq)});
    }
    return true;
  });
  return table.empty() ? text : text + table.ToString(view.width, 4);
}

}  // namespace

std::string InfoPlug(const View& view) {
  const task_struct& task = TaskOf(view);
  if (task.plug == nullptr) return absl::StrCat(TaskName(task), " has no plug.\n");
  const std::vector<const request*> requests = RequestsIn(task.plug->mq_list);
  if (requests.empty()) return absl::StrCat("The plug of ", TaskName(task), " is empty.\n");
  struct Sum {
    unsigned requests = 0, bios = 0;
  };
  std::map<std::pair<std::string, unsigned>, Sum> sums;
  Table table({"DISK", "QUEUE", "TAG", "OP", "SECTORS", "BYTES", "BIOS"},
              {Align::kLeft, Align::kRight, Align::kRight, Align::kLeft, Align::kLeft,
               Align::kRight, Align::kRight});
  for (const request* rq : requests) {
    table.Add({DiskName(rq), absl::StrCat(HardwareQueueOf(rq)), absl::StrCat(rq->tag), OpName(rq),
               SectorsOf(rq), absl::StrCat(blk_rq_bytes(rq)), absl::StrCat(BiosOf(rq))});
    Sum& sum = sums[{DiskName(rq), HardwareQueueOf(rq)}];
    ++sum.requests;
    sum.bios += BiosOf(rq);
  }
  std::string text = absl::StrCat("The plug of ", TaskName(task), " holds back ",
                                  Count(requests.size(), "request"), ":\n");
  for (const auto& [place, sum] : sums) {
    absl::StrAppend(&text, "  ", place.first, ", hardware queue ", place.second, ": ",
                    Count(sum.requests, "request"), ", ", Count(sum.bios, "bio"), ", ",
                    sum.bios > sum.requests ? sum.bios - sum.requests : 0, " merged\n");
  }
  return text + table.ToString(view.width);
}

std::string InfoRequests(const View& view) {
  EnterMachine enter(view.machine);
  std::string text;
  for (const gendisk* disk : AllDisks()) {
    const request_queue* queue = disk->queue;
    absl::StrAppend(&text,
                    Wrap(absl::StrCat(disk->disk_name, ", ", queue->mq_ops->name, ": ",
                                      queue->stats.in_flight, " in flight; ", DescribeDisk(disk)),
                         view.width, 4),
                    "\n");
    for (const blk_mq_hw_ctx* hctx : queue->queue_hw_ctx) text += DescribeHctx(view, hctx);
  }
  return text.empty() ? "There are no disks.\n" : text;
}

}  // namespace kpath
