// SPDX-License-Identifier: Apache-2.0
//
// What all of the block layer speaks of: sectors, operations, statuses, and the bio, one piece of
// I/O on its way to a disk. v4.19 include/linux/blk_types.h, include/linux/bvec.h
//
// A bio is a range of sectors, the pages that its data come from or go to, and what is to be done
// when it has ended. It may be split into several; several may become one request (blkdev.h).
//
// Ownership: who allocates a bio holds one reference (bio_alloc_bioset … bio_put, bio.h). From
// submit_bio until bi_end_io is called it belongs to the block layer. The pages are held by who
// put them in, not by the bio.
//
// Invariants
//   1. bi_iter.bi_size = the bytes that are not done yet; bi_end_io is called once, when they are
//      or when the bio has failed (bi_status), and all bios chained to it have ended.
//   2. The bi_io_vec of a bio that was split is shared by both halves; each looks at it through
//      its own bi_iter and none changes it.
#pragma once

#include <cstdint>

#include "sim/kernel/slab.h"
#include "sim/mm/page.h"

namespace kpath {

struct bio;
struct bio_set;
struct block_device;
struct gendisk;
struct request;
struct request_queue;

using sector_t = uint64_t;  // of 512 bytes, whatever the device's block size is
inline constexpr unsigned SECTOR_SHIFT = 9;
inline constexpr unsigned SECTOR_SIZE = 1u << SECTOR_SHIFT;

// ---- How an I/O ended ----
enum blk_status_t : uint8_t {
  BLK_STS_OK = 0,
  BLK_STS_NOTSUPP = 1,
  BLK_STS_TIMEOUT = 2,
  BLK_STS_NOSPC = 3,
  BLK_STS_TRANSPORT = 4,
  BLK_STS_TARGET = 5,
  BLK_STS_NEXUS = 6,
  BLK_STS_MEDIUM = 7,
  BLK_STS_PROTECTION = 8,
  BLK_STS_RESOURCE = 9,  // a queue_rq: nothing is free now; the queue is run again by the core
  BLK_STS_IOERR = 10,
  BLK_STS_DM_REQUEUE = 11,
  BLK_STS_AGAIN = 12,         // it would have to wait, and REQ_NOWAIT forbids it
  BLK_STS_DEV_RESOURCE = 13,  // a queue_rq: nothing is free; the driver runs the queue again
};
// v4.19 block/blk-core.c: blk_status_to_errno, errno_to_blk_status. Errnos are negative.
int blk_status_to_errno(blk_status_t status);
blk_status_t errno_to_blk_status(int error);

// ---- bio::bi_opf, request::cmd_flags: the operation in the lower 8 bits, flags above ----
enum req_opf : unsigned {
  REQ_OP_READ = 0,
  REQ_OP_WRITE = 1,  // odd: data go to the device
  REQ_OP_FLUSH = 2,  // the device's volatile cache
  REQ_OP_DISCARD = 3,
  REQ_OP_WRITE_ZEROES = 9,
  REQ_OP_DRV_IN = 34,  // 32 and more: passed through to the driver
  REQ_OP_DRV_OUT = 35,
};
inline constexpr unsigned REQ_OP_BITS = 8;
inline constexpr unsigned REQ_OP_MASK = (1u << REQ_OP_BITS) - 1;
inline constexpr unsigned REQ_FAILFAST_DEV = 1u << 8;
inline constexpr unsigned REQ_FAILFAST_TRANSPORT = 1u << 9;
inline constexpr unsigned REQ_FAILFAST_DRIVER = 1u << 10;
inline constexpr unsigned REQ_SYNC = 1u << 11;  // somebody waits for it
inline constexpr unsigned REQ_META = 1u << 12;
inline constexpr unsigned REQ_PRIO = 1u << 13;
inline constexpr unsigned REQ_NOMERGE = 1u << 14;   // do not merge with others
inline constexpr unsigned REQ_IDLE = 1u << 15;      // more is expected after it
inline constexpr unsigned REQ_FUA = 1u << 17;       // on stable storage before it ends
inline constexpr unsigned REQ_PREFLUSH = 1u << 18;  // the cache is flushed before it begins
inline constexpr unsigned REQ_RAHEAD = 1u << 19;
inline constexpr unsigned REQ_BACKGROUND = 1u << 20;
inline constexpr unsigned REQ_NOWAIT = 1u << 21;  // fail with BLK_STS_AGAIN rather than wait
inline constexpr unsigned REQ_FAILFAST_MASK =
    REQ_FAILFAST_DEV | REQ_FAILFAST_TRANSPORT | REQ_FAILFAST_DRIVER;
inline constexpr unsigned REQ_NOMERGE_FLAGS = REQ_NOMERGE | REQ_PREFLUSH | REQ_FUA;

constexpr bool op_is_write(unsigned op) { return (op & 1) != 0; }
constexpr bool op_is_flush(unsigned op) { return (op & (REQ_FUA | REQ_PREFLUSH)) != 0; }
// Reads, and writes that say so.
constexpr bool op_is_sync(unsigned op) {
  return (op & REQ_OP_MASK) == REQ_OP_READ || (op & (REQ_SYNC | REQ_FUA | REQ_PREFLUSH)) != 0;
}

// ---- Memory ----
// Bytes [bv_offset, bv_offset + bv_len) of a page.
struct bio_vec {
  kptr<page> bv_page;
  unsigned bv_len = 0;
  unsigned bv_offset = 0;
};
// The address of the first byte in the machine's memory.
inline uint64_t bvec_to_phys(const bio_vec& bv) {
  return (bv.bv_page->pfn << PAGE_SHIFT) + bv.bv_offset;
}

// Where in a bio_vec array, and on the disk, the rest begins.
struct bvec_iter {
  sector_t bi_sector = 0;
  unsigned bi_size = 0;       // bytes left
  unsigned bi_idx = 0;        // into bi_io_vec
  unsigned bi_bvec_done = 0;  // bytes of that entry that are done
};

// ---- bio::bi_flags ----
inline constexpr unsigned BIO_SEG_VALID = 1;  // bi_phys_segments has been counted
inline constexpr unsigned BIO_CLONED = 2;     // bi_io_vec is another bio's
inline constexpr unsigned BIO_QUIET = 6;
inline constexpr unsigned BIO_CHAIN = 7;           // __bi_remaining counts
inline constexpr unsigned BIO_REFFED = 8;          // __bi_cnt counts
inline constexpr unsigned BIO_QUEUE_ENTERED = 11;  // the reference on its queue has been taken

using bio_end_io_t = void (*)(bio* bio);

inline constexpr unsigned BIO_MAX_PAGES = 256;
inline constexpr unsigned BIO_INLINE_VECS = 4;

struct bio {
  static constexpr uint32_t kMagic = 0x62696f21;

  uint32_t magic = 0;          // kMagic: initialised by bio_init, and not freed
  bio* bi_next = nullptr;      // in a request's chain, or in a list of bios
  gendisk* bi_disk = nullptr;  // not held
  unsigned bi_opf = 0;         // REQ_OP_* | REQ_*
  uint16_t bi_flags = 0;       // bits BIO_*
  uint16_t bi_ioprio = 0;
  uint16_t bi_write_hint = 0;
  blk_status_t bi_status = BLK_STS_OK;
  uint8_t bi_partno = 0;
  unsigned bi_phys_segments = 0;  // after merging neighbours in memory; BIO_SEG_VALID
  bvec_iter bi_iter;
  int __bi_remaining = 1;
  bio_end_io_t bi_end_io = nullptr;  // called in any context, often the device's interrupt
  void* bi_private = nullptr;        // bi_end_io's
  uint16_t bi_vcnt = 0;              // entries of bi_io_vec in use
  uint16_t bi_max_vecs = 0;
  int __bi_cnt = 1;
  bio_vec* bi_io_vec = nullptr;
  bio_set* bi_pool = nullptr;  // that it came from; null: it is on somebody's stack
  int bvec_pool = -1;          // BVEC_POOL_IDX: where bi_io_vec came from; -1: not from a pool
  SlabHeader* slab = nullptr;  // of the object that it is part of, where it came from bi_pool
  bio_vec bi_inline_vecs[BIO_INLINE_VECS];
};

Value MakeValue(const bio* bio);

inline bool bio_flagged(const bio* bio, unsigned bit) { return (bio->bi_flags >> bit & 1) != 0; }
inline void bio_set_flag(bio* bio, unsigned bit) {
  bio->bi_flags = static_cast<uint16_t>(bio->bi_flags | 1u << bit);
}
inline void bio_clear_flag(bio* bio, unsigned bit) {
  bio->bi_flags = static_cast<uint16_t>(bio->bi_flags & ~(1u << bit));
}
inline unsigned bio_op(const bio* bio) { return bio->bi_opf & REQ_OP_MASK; }
inline bool bio_is_write(const bio* bio) { return op_is_write(bio->bi_opf); }
inline unsigned bio_sectors(const bio* bio) { return bio->bi_iter.bi_size >> SECTOR_SHIFT; }
inline sector_t bio_end_sector(const bio* bio) { return bio->bi_iter.bi_sector + bio_sectors(bio); }

}  // namespace kpath
