// SPDX-License-Identifier: Apache-2.0
//
// Disks. v4.19 include/linux/genhd.h, block/genhd.c
//
//   gendisk* disk = alloc_disk(16);
//   disk->major = 254;
//   disk->disk_name = "vda";
//   disk->queue = q;
//   set_capacity(disk, sectors);
//   add_disk(disk);                        // from now on get_gendisk finds it
//
// Departs: no partitions: part0, the whole disk, is the only one. No uevents, no sysfs.
//
// Context: process, save for the statistics.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/block/blk_types.h"
#include "sim/kernel/mutex.h"

namespace kpath {

struct inode;

inline constexpr unsigned MINORBITS = 20;
constexpr uint64_t MKDEV(unsigned major, unsigned minor) {
  return uint64_t{major} << MINORBITS | minor;
}

// v4.19 include/linux/genhd.h: struct disk_stats. By direction: [0] reads, [1] writes.
struct disk_stats {
  std::array<uint64_t, 2> nsecs = {};
  std::array<uint64_t, 2> sectors = {};
  std::array<uint64_t, 2> ios = {};
  std::array<uint64_t, 2> merges = {};
  uint64_t io_ticks = 0;       // jiffies with something in flight
  uint64_t time_in_queue = 0;  // jiffies, of all requests together
};

struct hd_struct {
  sector_t start_sect = 0;
  sector_t nr_sects = 0;
  int policy = 0;  // 1: read-only
  int partno = 0;
  unsigned long stamp = 0;  // jiffies, of the last part_round_stats
  disk_stats dkstats;
};

struct gendisk {
  static constexpr const char* kSlabName = "gendisk";

  unsigned major = 0;
  unsigned first_minor = 0;
  int minors = 1;
  std::string disk_name;
  hd_struct part0;
  request_queue* queue = nullptr;
  void* private_data = nullptr;  // the driver's
};

// A disk as a file opens it: one for each device number, however often it is opened.
// v4.19 include/linux/fs.h: struct block_device
struct block_device {
  uint64_t bd_dev = 0;
  int bd_openers = 0;
  struct mutex bd_mutex;  // guards bd_openers, opening and the last close
  kptr<inode> bd_inode;   // held: of the pseudo file system bdev; its size is the device's
  gendisk* bd_disk = nullptr;
  hd_struct* bd_part = nullptr;
  uint8_t bd_partno = 0;
  unsigned bd_block_size = 0;  // of the page cache, bytes
  request_queue* bd_queue = nullptr;
};
inline void bio_set_dev(bio* bio, const block_device* bdev) {
  bio->bi_disk = bdev->bd_disk;
  bio->bi_partno = bdev->bd_partno;
}

// Null: no memory.
gendisk* alloc_disk(int minors);
// v4.19 block/genhd.c: device_add_disk. The disk can be found and used.
void add_disk(gendisk* disk);
// v4.19 block/genhd.c: get_gendisk. Null: no disk has this number.
gendisk* get_gendisk(uint64_t dev);
// All of them, in the order of their numbers.
std::vector<gendisk*> AllDisks();
// What a disk has done so far, for people: one line, without its name.
std::string DescribeDisk(const gendisk* disk);
inline void set_capacity(gendisk* disk, sector_t sectors) { disk->part0.nr_sects = sectors; }
inline sector_t get_capacity(const gendisk* disk) { return disk->part0.nr_sects; }
inline void set_disk_ro(gendisk* disk, bool flag) { disk->part0.policy = flag ? 1 : 0; }

// ---- Statistics. Preemption off, as the kernel's part_stat_lock says ----
hd_struct* disk_map_sector_rcu(gendisk* disk, sector_t sector);
void part_inc_in_flight(request_queue* q, hd_struct* part, int rw);
void part_dec_in_flight(request_queue* q, hd_struct* part, int rw);
// [0]: requests in flight on `part`; [1]: on the whole disk, if `part` is a part of one.
void part_in_flight(request_queue* q, hd_struct* part, unsigned inflight[2]);
// Adds what has passed since part->stamp, in jiffies, to the times.
void part_round_stats(request_queue* q, hd_struct* part);

}  // namespace kpath
