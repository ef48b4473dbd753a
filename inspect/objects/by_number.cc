// SPDX-License-Identifier: Apache-2.0
#include "inspect/objects/by_number.h"

#include "inspect/objects/block.h"
#include "inspect/types_of.h"
#include "sim/block/blk_mq.h"
#include "sim/block/genhd.h"

namespace kpath {
namespace {

// Calls fn for each hardware queue of each disk.
template <typename Fn>
void ForEachHwQueue(Fn fn) {
  for (const gendisk* disk : AllDisks()) {
    if (disk->queue == nullptr) continue;
    for (blk_mq_hw_ctx* hctx : disk->queue->queue_hw_ctx) {
      if (hctx != nullptr) fn(hctx);
    }
  }
}

// A pointer to the one that was found; false: none was, or several.
class Found {
 public:
  void Add(const Type& type, const void* object) {
    if (object == host_) return;
    several_ = host_ != nullptr;
    host_ = object;
    type_ = &type;
  }
  bool Get(Datum* pointer) const {
    if (host_ == nullptr || several_) return false;
    FollowPlain(*type_, host_, pointer);
    return true;
  }

 private:
  const void* host_ = nullptr;
  const Type* type_ = nullptr;
  bool several_ = false;
};

void FindRequest(uint64_t tag, Found* found) {
  ForEachHwQueue([&](const blk_mq_hw_ctx* hctx) {
    if (hctx->tags != nullptr && HasTag(*hctx->tags, tag)) {
      found->Add(StructTypeOf<request>(), hctx->tags->rqs[tag]);
    }
  });
}

}  // namespace

bool MayBeByNumber(absl::string_view name) {
  return name == "rq" || name == "req" || name == "q" || name == "hctx";
}

bool FindByNumber(const Look&, absl::string_view name, uint64_t number, Datum* pointer) {
  Found found;
  if (name == "rq" || name == "req") {
    FindRequest(number, &found);
  } else if (name == "q") {
    for (const gendisk* disk : AllDisks()) {
      if (disk->queue != nullptr && static_cast<uint64_t>(disk->queue->id) == number) {
        found.Add(StructTypeOf<request_queue>(), disk->queue);
      }
    }
  } else if (name == "hctx") {
    ForEachHwQueue([&](const blk_mq_hw_ctx* hctx) {
      if (hctx->queue_num == number) found.Add(StructTypeOf<blk_mq_hw_ctx>(), hctx);
    });
  }
  *pointer = Datum();
  return found.Get(pointer);
}

}  // namespace kpath
