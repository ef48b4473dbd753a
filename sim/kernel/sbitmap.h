// SPDX-License-Identifier: Apache-2.0
//
// Bitmaps of few, busy bits, and queues of those who wait for one. v4.19 include/linux/sbitmap.h,
// lib/sbitmap.c
//
//   sbitmap_queue tags;
//   sbitmap_queue_init_node(&tags, 64);
//   int tag = __sbitmap_queue_get(&tags);           // -1: none is free
//   sbq_wait_state* ws = sbq_wait_ptr(&tags, &index);
//   prepare_to_wait_exclusive(&ws->wait, &wait, TASK_UNINTERRUPTIBLE);  // and try again, sleep …
//   sbitmap_queue_clear(&tags, tag, cpu);           // wakes a batch of waiters
//
// Waiters are spread over SBQ_WAIT_QUEUES queues; each `wake_batch` bits that become free wake so
// many waiters of one queue.
//
// Departs: the hint of where to look first starts at bit 0 for each CPU; Linux draws it at random.
// That, like lib/ in the recorded kernel, shows no functions.
//
// Context: any.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/kernel/wait.h"

namespace kpath {

struct sbitmap {
  unsigned depth = 0;
  unsigned shift = 6;  // log2 of the bits in a word
  std::vector<unsigned long> map;
};

// `shift`: -1: as sbitmap_queue_init_node chooses it.
void sbitmap_init_node(sbitmap* sb, unsigned depth, int shift);
bool sbitmap_any_bit_set(const sbitmap* sb);
bool sbitmap_test_bit(const sbitmap* sb, unsigned bit);
void sbitmap_set_bit(sbitmap* sb, unsigned bit);
void sbitmap_clear_bit(sbitmap* sb, unsigned bit);
// The first free bit from `hint` on, then from the start; takes it. -1: none is free.
int sbitmap_get(sbitmap* sb, unsigned hint);
// Bits that are set.
unsigned sbitmap_weight(const sbitmap* sb);

inline constexpr int SBQ_WAIT_QUEUES = 8;
inline constexpr unsigned SBQ_WAKE_BATCH = 8;

struct sbq_wait_state {
  int wait_cnt = 0;  // bits that have still to be cleared before waiters are woken
  wait_queue_head_t wait;
};

struct sbitmap_queue {
  sbitmap sb;
  std::vector<unsigned> alloc_hint;  // by CPU
  unsigned wake_batch = 1;
  int wake_index = 0;
  sbq_wait_state ws[SBQ_WAIT_QUEUES];
};

void sbitmap_queue_init_node(sbitmap_queue* sbq, unsigned depth);
// Takes a free bit. -1: none.
int __sbitmap_queue_get(sbitmap_queue* sbq);
// Frees it, and wakes waiters. `cpu`: the one that took it: it will look there first.
void sbitmap_queue_clear(sbitmap_queue* sbq, unsigned nr, int cpu);
void sbitmap_queue_wake_up(sbitmap_queue* sbq);
// The next queue to wait in; moves *wait_index.
sbq_wait_state* sbq_wait_ptr(sbitmap_queue* sbq, int* wait_index);

// Calls fn(bit) for each bit that is set; it stops where fn returns false.
template <typename Fn>
void sbitmap_for_each_set(const sbitmap* sb, Fn fn) {
  for (unsigned bit = 0; bit < sb->depth; ++bit) {
    if (sbitmap_test_bit(sb, bit) && !fn(bit)) return;
  }
}

}  // namespace kpath
