// SPDX-License-Identifier: Apache-2.0
//
// block/*.c: plugs, bios, requests, queues, disks.
#include "inspect/objects/block.h"

#include "absl/strings/str_cat.h"
#include "inspect/objects/names.h"
#include "inspect/types_of.h"
#include "sim/block/bio.h"
#include "sim/block/blk_mq.h"
#include "sim/block/blk_plug.h"
#include "sim/vfs/fs.h"

namespace kpath {
namespace {

// A bio knows the slab object that it is part of, wherever in it it lies. One that has been freed
// has another mark: its memory stays the slab's.
bool IsBio(const void* object) { return static_cast<const bio*>(object)->magic == bio::kMagic; }
const SlabHeader* HeaderOfBio(const void* object) { return static_cast<const bio*>(object)->slab; }

bool VectorsOf(const Look&, const Datum& object, Datum* value);

std::string OpsName(const void* object) { return static_cast<const blk_mq_ops*>(object)->name; }

std::string DeviceName(const void* object) {
  const auto* bdev = static_cast<const block_device*>(object);
  return absl::StrCat("block device ", bdev->bd_disk == nullptr ? "" : bdev->bd_disk->disk_name);
}

std::string PlugName(const void* object) {
  const list_head* head = &static_cast<const blk_plug*>(object)->mq_list;
  size_t count = 0;
  for (const list_head* at = head->next; at != head; at = at->next) ++count;
  return absl::StrCat("plug of ", count, count == 1 ? " request" : " requests");
}

std::string TagsName(const void* object) {
  return absl::StrCat(static_cast<const blk_mq_tags*>(object)->nr_tags, " tags");
}

std::string TagSetName(const void* object) {
  const auto* set = static_cast<const blk_mq_tag_set*>(object);
  return absl::StrCat("tag set of ", set->ops == nullptr ? "no driver" : set->ops->name);
}

// ---- A bio's pages ----
const bio& BioAt(const Datum& list) { return *static_cast<const bio*>(list.host); }

size_t CountVectors(const Look&, const Datum& list) { return BioAt(list).bi_vcnt; }
Datum VectorAt(const Look&, const Datum& list, size_t index) {
  Datum value;
  Load(StructTypeOf<bio_vec>(), BioAt(list).bi_io_vec + index, 0, &value);
  return value;
}
constexpr Sequence kVectors = {CountVectors, VectorAt};

bool VectorsOf(const Look&, const Datum& object, Datum* value) {
  value->type = &SequenceType<kVectors>();
  value->host = object.host;
  return true;
}

// ---- A request's bios ----
const request& RequestAt(const Datum& object) { return *static_cast<const request*>(object.host); }

size_t CountBios(const Look&, const Datum& list) { return CountBios(RequestAt(list)); }
Datum BioOf(const Look&, const Datum& list, size_t index) {
  const bio* at = RequestAt(list).bio;
  for (; index > 0; --index) at = at->bi_next;
  Datum value;
  FollowPlain(StructTypeOf<bio>(), at, &value);
  return value;
}
constexpr Sequence kBios = {CountBios, BioOf};

bool BiosOf(const Look&, const Datum& object, Datum* value) {
  value->type = &SequenceType<kBios>();
  value->host = object.host;
  return true;
}

bool FirstBio(const Look&, const Datum& object, Datum* value) {
  FollowPlain(StructTypeOf<bio>(), RequestAt(object).bio, value);
  return true;
}
// A request that has ended keeps what was its last bio.
bool LastBio(const Look&, const Datum& object, Datum* value) {
  const request& rq = RequestAt(object);
  FollowPlain(StructTypeOf<bio>(), rq.bio == nullptr ? nullptr : rq.biotail, value);
  return true;
}

// ---- Tags: the requests that have one now ----
const blk_mq_tags& TagsAt(const Datum& list) { return *static_cast<const blk_mq_tags*>(list.host); }
size_t CountTags(const Look&, const Datum& list) {
  size_t count = 0;
  for (size_t tag = 0; tag < TagsAt(list).rqs.size(); ++tag) count += HasTag(TagsAt(list), tag);
  return count;
}
size_t TagOf(const Datum& list, size_t index) {
  size_t tag = 0;
  while (!HasTag(TagsAt(list), tag) || index-- != 0) ++tag;
  return tag;
}
Datum TaggedAt(const Look&, const Datum& list, size_t index) {
  return MakePointer(StructTypeOf<request>(), TagsAt(list).rqs[TagOf(list, index)]);
}
std::string TagText(const Datum& list, size_t index) { return absl::StrCat(TagOf(list, index)); }
size_t FindTag(const Look& look, const Datum& list, uint64_t tag) {
  if (!HasTag(TagsAt(list), tag)) return CountTags(look, list);
  size_t index = 0;
  for (size_t before = 0; before < tag; ++before) index += HasTag(TagsAt(list), before);
  return index;
}
constexpr Sequence kTags = {CountTags, TaggedAt, TagText, FindTag};

bool RequestsWithTags(const Look&, const Datum& object, Datum* value) {
  value->type = &SequenceType<kTags>();
  value->host = object.host;
  return true;
}

}  // namespace

template <>
const Type& StructTypeOf<blk_plug>() {
  using S = blk_plug;
  static constexpr Field kFields[] = {
      KPATH_COMPUTED("mq_list", RequestsIn<blk_plug, &blk_plug::mq_list>),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct blk_plug", kFields);
    type.show = ShowPlug;
    type.identity = PlugName;
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<bio_vec>() {
  using S = bio_vec;
  static constexpr Field kFields[] = {
      KPATH_FIELD(bv_page),
      KPATH_FIELD(bv_len),
      KPATH_FIELD(bv_offset),
  };
  static constexpr Type kType = StructType<S>("struct bio_vec", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<bvec_iter>() {
  using S = bvec_iter;
  static constexpr Field kFields[] = {
      KPATH_FIELD(bi_sector),
      KPATH_FIELD(bi_size),
      KPATH_FIELD(bi_idx),
      KPATH_FIELD(bi_bvec_done),
  };
  static constexpr Type kType = StructType<S>("struct bvec_iter", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<bio_list>() {
  using S = bio_list;
  static constexpr Field kFields[] = {
      KPATH_FIELD(head),
  };
  static constexpr Type kType = StructType<S>("struct bio_list", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<bio>() {
  using S = bio;
  static constexpr Field kFields[] = {
      KPATH_FIELD(bi_next),
      KPATH_FIELD(bi_disk),
      KPATH_FIELD_AS(bi_opf, NamedType<unsigned, kOpfNames>),
      KPATH_FIELD_AS(bi_flags, NamedType<uint16_t, kBioFlagNames>),
      KPATH_FIELD(bi_ioprio),
      KPATH_FIELD(bi_write_hint),
      KPATH_FIELD_AS(bi_status, NamedType<uint8_t, kBlkStatusNames>),
      KPATH_FIELD(bi_partno),
      KPATH_FIELD(bi_phys_segments),
      KPATH_FIELD(bi_iter),
      KPATH_FIELD(__bi_remaining),
      KPATH_FIELD(bi_end_io),
      KPATH_FIELD(bi_private),
      KPATH_FIELD(bi_vcnt),
      KPATH_FIELD(bi_max_vecs),
      KPATH_FIELD(__bi_cnt),
      KPATH_COMPUTED("bi_io_vec", VectorsOf),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct bio", kFields);
    type.header = HeaderOfBio;
    type.alive = IsBio;
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<request>() {
  using S = request;
  static constexpr Field kFields[] = {
      KPATH_FIELD(q),
      KPATH_FIELD(mq_ctx),
      KPATH_FIELD_AS(cmd_flags, NamedType<unsigned, kOpfNames>),
      KPATH_FIELD_AS(rq_flags, NamedType<unsigned, kRequestFlagNames>),
      KPATH_FIELD(tag),
      KPATH_FIELD(internal_tag),
      KPATH_FIELD(__data_len),
      KPATH_FIELD(__sector),
      KPATH_COMPUTED("bio", FirstBio),
      KPATH_COMPUTED("biotail", LastBio),
      KPATH_COMPUTED("bios", BiosOf),
      KPATH_FIELD(rq_disk),
      KPATH_FIELD(part),
      KPATH_FIELD(start_time_ns),
      KPATH_FIELD(nr_phys_segments),
      KPATH_FIELD(write_hint),
      KPATH_FIELD(ioprio),
      KPATH_FIELD_AS(state, NamedType<unsigned, kRequestStateNames>),
      KPATH_FIELD(ref),
      KPATH_FIELD(timeout),
      KPATH_FIELD(deadline),
      KPATH_FIELD(end_io),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct request", kFields);
    type.identity = DescribeRequest;
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<queue_limits>() {
  using S = queue_limits;
  static constexpr Field kFields[] = {
      KPATH_FIELD(max_sectors),
      KPATH_FIELD(max_hw_sectors),
      KPATH_FIELD(chunk_sectors),
      KPATH_FIELD(max_segments),
      KPATH_FIELD(max_segment_size),
      KPATH_FIELD_AS(seg_boundary_mask, HexType<unsigned long>),
      KPATH_FIELD_AS(virt_boundary_mask, HexType<unsigned long>),
      KPATH_FIELD(logical_block_size),
      KPATH_FIELD(physical_block_size),
      KPATH_FIELD(io_min),
      KPATH_FIELD(cluster),
  };
  static constexpr Type kType = StructType<S>("struct queue_limits", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<request_queue>() {
  using S = request_queue;
  static constexpr Field kFields[] = {
      KPATH_FIELD(id),
      KPATH_FIELD_AS(queue_flags, NamedType<unsigned long, kQueueFlagNames>),
      KPATH_FIELD(limits),
      KPATH_FIELD(nr_requests),
      KPATH_FIELD(nr_hw_queues),
      KPATH_FIELD(mq_ops),
      KPATH_FIELD(make_request_fn),
      KPATH_FIELD(queue_hw_ctx),
      KPATH_FIELD(queue_ctx),
      KPATH_FIELD(mq_map),
      KPATH_FIELD(tag_set),
      KPATH_FIELD(q_usage_counter),
      KPATH_FIELD(mq_freeze_depth),
      KPATH_FIELD(mq_freeze_wq),
      KPATH_FIELD(rq_timeout),
      KPATH_FIELD(timeout),
      KPATH_FIELD(timeout_work),
      KPATH_FIELD(requeue_work),
      KPATH_COMPUTED("requeue_list", RequestsIn<request_queue, &request_queue::requeue_list>),
      KPATH_FIELD(requeue_lock),
  };
  static constexpr Type kType = StructType<S>("struct request_queue", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<blk_mq_ctx>() {
  using S = blk_mq_ctx;
  static constexpr Field kFields[] = {
      KPATH_FIELD(lock),
      KPATH_COMPUTED("rq_list", RequestsIn<blk_mq_ctx, &blk_mq_ctx::rq_list>),
      KPATH_FIELD(cpu),
      KPATH_FIELD(index_hw),
      KPATH_FIELD(rq_dispatched),
      KPATH_FIELD(rq_merged),
      KPATH_FIELD(rq_completed),
      KPATH_FIELD(queue),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct blk_mq_ctx", kFields, true);
    type.slab_name = "blk_mq_ctx";
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<blk_mq_hw_ctx>() {
  using S = blk_mq_hw_ctx;
  static constexpr Field kFields[] = {
      KPATH_FIELD(lock),
      KPATH_COMPUTED("dispatch", RequestsIn<blk_mq_hw_ctx, &blk_mq_hw_ctx::dispatch>),
      KPATH_FIELD_AS(state, NamedType<unsigned long, kHctxStateNames>),
      KPATH_FIELD(run_work),
      KPATH_FIELD_OF(cpus, "cpumask", &HexType<cpumask>),
      KPATH_FIELD(next_cpu),
      KPATH_FIELD(next_cpu_batch),
      KPATH_FIELD_AS(flags, NamedType<unsigned, kHctxFlagNames>),
      KPATH_FIELD(queue),
      KPATH_FIELD(dispatch_from),
      KPATH_FIELD(dispatch_busy),
      KPATH_FIELD(ctxs),
      KPATH_FIELD(ctx_map),
      KPATH_FIELD(tags),
      KPATH_FIELD(queue_num),
      KPATH_FIELD(queued),
      KPATH_FIELD(run),
      KPATH_FIELD(dispatched),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct blk_mq_hw_ctx", kFields, true);
    type.slab_name = "blk_mq_hw_ctx";
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<blk_mq_ops>() {
  using S = blk_mq_ops;
  static constexpr Field kFields[] = {
      KPATH_FIELD(name),       KPATH_FIELD(queue_rq), KPATH_FIELD(get_budget),
      KPATH_FIELD(put_budget), KPATH_FIELD(timeout),  KPATH_FIELD(complete),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct blk_mq_ops", kFields);
    type.identity = OpsName;
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<blk_mq_tags>() {
  using S = blk_mq_tags;
  static constexpr Field kFields[] = {
      KPATH_FIELD(nr_tags),
      KPATH_FIELD(nr_reserved_tags),
      KPATH_FIELD(bitmap_tags),
      KPATH_FIELD(breserved_tags),
      KPATH_COMPUTED("rqs", RequestsWithTags),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct blk_mq_tags", kFields);
    type.identity = TagsName;
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<blk_mq_tag_set>() {
  using S = blk_mq_tag_set;
  static constexpr Field kFields[] = {
      KPATH_FIELD(mq_map),        KPATH_FIELD(ops),
      KPATH_FIELD(nr_hw_queues),  KPATH_FIELD(queue_depth),
      KPATH_FIELD(reserved_tags), KPATH_FIELD(cmd_size),
      KPATH_FIELD(timeout),       KPATH_FIELD_AS(flags, NamedType<unsigned, kHctxFlagNames>),
      KPATH_FIELD(tags),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct blk_mq_tag_set", kFields);
    type.identity = TagSetName;
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<disk_stats>() {
  using S = disk_stats;
  static constexpr Field kFields[] = {
      KPATH_FIELD(nsecs),  KPATH_FIELD(sectors),  KPATH_FIELD(ios),
      KPATH_FIELD(merges), KPATH_FIELD(io_ticks), KPATH_FIELD(time_in_queue),
  };
  static constexpr Type kType = StructType<S>("struct disk_stats", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<hd_struct>() {
  using S = hd_struct;
  static constexpr Field kFields[] = {
      KPATH_FIELD(start_sect), KPATH_FIELD(nr_sects), KPATH_FIELD(policy),
      KPATH_FIELD(partno),     KPATH_FIELD(dkstats),
  };
  static constexpr Type kType = StructType<S>("struct hd_struct", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<gendisk>() {
  using S = gendisk;
  static constexpr Field kFields[] = {
      KPATH_FIELD(major),     KPATH_FIELD(first_minor), KPATH_FIELD(minors),
      KPATH_FIELD(disk_name), KPATH_FIELD(part0),       KPATH_FIELD(queue),
  };
  static constexpr Type kType = StructType<S>("struct gendisk", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<block_device>() {
  using S = block_device;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(bd_dev, HexType<uint64_t>),
      KPATH_FIELD(bd_openers),
      KPATH_FIELD(bd_inode),
      KPATH_FIELD(bd_disk),
      KPATH_FIELD(bd_part),
      KPATH_FIELD(bd_partno),
      KPATH_FIELD(bd_block_size),
      KPATH_FIELD(bd_queue),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct block_device", kFields);
    type.identity = DeviceName;
    return type;
  }();
  return kType;
}

}  // namespace kpath
