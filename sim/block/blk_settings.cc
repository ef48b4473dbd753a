// SPDX-License-Identifier: Apache-2.0
//
// What a device can take. v4.19 block/blk-settings.c
#include <algorithm>

#include "sim/block/blk_core.h"

namespace kpath {

// v4.19 block/blk-settings.c: blk_queue_max_hw_sectors
void blk_queue_max_hw_sectors(request_queue* q, unsigned max_hw_sectors) {
  FUNCTION(q, max_hw_sectors);
  constexpr unsigned kSectorsPerPage = PAGE_SIZE >> SECTOR_SHIFT;
  queue_limits& limits = q->limits;
  limits.max_hw_sectors = std::max(max_hw_sectors, kSectorsPerPage);
  limits.max_sectors = std::min(limits.max_hw_sectors, BLK_DEF_MAX_SECTORS);
}

// v4.19 block/blk-settings.c: blk_queue_max_segments
void blk_queue_max_segments(request_queue* q, unsigned short max_segments) {
  FUNCTION(q, max_segments);
  q->limits.max_segments = std::max<unsigned short>(max_segments, 1);
}

// v4.19 block/blk-settings.c: blk_queue_max_segment_size
void blk_queue_max_segment_size(request_queue* q, unsigned max_size) {
  FUNCTION(q, max_size);
  q->limits.max_segment_size = std::max<unsigned>(max_size, PAGE_SIZE);
}

// v4.19 block/blk-settings.c: blk_queue_logical_block_size
void blk_queue_logical_block_size(request_queue* q, unsigned size) {
  FUNCTION(q, size);
  queue_limits& limits = q->limits;
  limits.logical_block_size = size;
  limits.physical_block_size = std::max(limits.physical_block_size, size);
  limits.io_min = std::max(limits.io_min, limits.physical_block_size);
}

// v4.19 block/blk-settings.c: blk_queue_physical_block_size
void blk_queue_physical_block_size(request_queue* q, unsigned size) {
  FUNCTION(q, size);
  queue_limits& limits = q->limits;
  limits.physical_block_size = std::max(size, limits.logical_block_size);
  limits.io_min = std::max(limits.io_min, limits.physical_block_size);
}

// v4.19 block/blk-settings.c: blk_queue_virt_boundary
void blk_queue_virt_boundary(request_queue* q, unsigned long mask) {
  FUNCTION(q, mask);
  q->limits.virt_boundary_mask = mask;
}

// v4.19 block/blk-settings.c: blk_queue_chunk_sectors. A power of two.
void blk_queue_chunk_sectors(request_queue* q, unsigned chunk_sectors) {
  FUNCTION(q, chunk_sectors);
  q->limits.chunk_sectors = chunk_sectors;
}

// v4.19 block/blk-settings.c: blk_queue_write_cache
void blk_queue_write_cache(request_queue* q, bool wc, bool fua) {
  FUNCTION(q, wc, fua);
  wc ? blk_queue_flag_set(QUEUE_FLAG_WC, q) : blk_queue_flag_clear(QUEUE_FLAG_WC, q);
  fua ? blk_queue_flag_set(QUEUE_FLAG_FUA, q) : blk_queue_flag_clear(QUEUE_FLAG_FUA, q);
}

}  // namespace kpath
