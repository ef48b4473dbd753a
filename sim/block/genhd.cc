// SPDX-License-Identifier: Apache-2.0
#include "sim/block/genhd.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "sim/block/blk_internal.h"
#include "sim/machine/check.h"

namespace kpath {
namespace {

struct genhd_globals {
  std::map<uint64_t, gendisk*> disks;  // by the device number of its first minor
};
KernelGlobal<genhd_globals> genhd;

// v4.19 block/genhd.c: part_round_stats_single
void part_round_stats_single(hd_struct* part, unsigned long now, unsigned inflight) {
  FUNCTION(part->partno, inflight);
  if (inflight != 0) {
    part->dkstats.time_in_queue += inflight * (now - part->stamp);
    part->dkstats.io_ticks += now - part->stamp;
  }
  part->stamp = now;
}

}  // namespace

// v4.19 block/genhd.c: __alloc_disk_node
gendisk* alloc_disk(int minors) {
  FUNCTION(minors);
  const kptr<gendisk> disk = kzalloc<gendisk>(GFP_KERNEL);
  if (!disk) return nullptr;
  disk->minors = minors;
  return disk.get();
}

// v4.19 block/genhd.c: device_add_disk. Departs: v4.19 reads from the disk, to find its partitions;
// here all that is left of this is the queue's timer, which such a read starts and which the next
// requests therefore find running.
void add_disk(gendisk* disk) {
  FUNCTION(disk->first_minor);
  const bool is_new = genhd->disks.emplace(MKDEV(disk->major, disk->first_minor), disk).second;
  KPATH_CHECK(is_new, disk->disk_name);
  mod_timer(&disk->queue->timeout, round_jiffies_up(jiffies + BLK_MAX_TIMEOUT));
}

gendisk* get_gendisk(uint64_t dev) {
  FUNCTION(dev);
  const auto found = genhd->disks.find(dev);
  return found == genhd->disks.end() ? nullptr : found->second;
}

std::vector<gendisk*> AllDisks() {
  std::vector<gendisk*> disks;
  for (const auto& [dev, disk] : genhd->disks) disks.push_back(disk);
  return disks;
}

std::string DescribeDisk(const gendisk* disk) {
  const BlockStats& stats = disk->queue->stats;
  const disk_stats& times = disk->part0.dkstats;
  const uint64_t ended = times.ios[0] + times.ios[1];
  const uint64_t mean = ended == 0 ? 0 : (times.nsecs[0] + times.nsecs[1]) / ended;
  return absl::StrCat(
      stats.bios, " bios, ", stats.requests, " requests; merged ", stats.plug_merges, " in plugs, ",
      stats.queue_merges, " in queues, split ", stats.splits, "; issued ", stats.issued_directly,
      " directly, ", stats.dispatched, " by way of a queue, refused ", stats.busy,
      "; plugs flushed ", stats.plug_flushes, ", by a sleep ", stats.plug_schedule_flushes,
      "; slept for a tag ", stats.tag_waits, "; at most ", stats.max_in_flight, " in flight, ",
      mean, " ns each; errors ", stats.errors, ", timeouts ", stats.timeouts);
}

// v4.19 block/genhd.c: disk_map_sector_rcu. The partition that the sector is in.
hd_struct* disk_map_sector_rcu(gendisk* disk, sector_t sector) {
  FUNCTION(sector);
  return &disk->part0;
}

// v4.19 block/genhd.c: part_inc_in_flight. Of a multi-queue device the tags tell.
void part_inc_in_flight(request_queue* q, hd_struct* part, int rw) {
  FUNCTION(q, part->partno, rw);
}

// v4.19 block/genhd.c: part_dec_in_flight
void part_dec_in_flight(request_queue* q, hd_struct* part, int rw) {
  FUNCTION(q, part->partno, rw);
}

// v4.19 block/genhd.c: part_in_flight
void part_in_flight(request_queue* q, hd_struct* part, unsigned inflight[2]) {
  FUNCTION(q, part->partno);
  blk_mq_in_flight(q, part, inflight);
}

// v4.19 block/genhd.c: part_round_stats
void part_round_stats(request_queue* q, hd_struct* part) {
  FUNCTION(q, part->partno);
  const unsigned long now = jiffies;
  if (part->stamp == now) return;
  unsigned inflight[2];
  part_in_flight(q, part, inflight);
  part_round_stats_single(part, now, inflight[0]);
}

}  // namespace kpath
