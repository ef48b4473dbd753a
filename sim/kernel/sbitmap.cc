// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/sbitmap.h"

#include <algorithm>

namespace kpath {
namespace {

unsigned WordBits(const sbitmap& sb, size_t index) {
  return std::min(1u << sb.shift, sb.depth - (static_cast<unsigned>(index) << sb.shift));
}

// A free bit of the word, taken; from `hint` on and then, if that was not 0, from the start. -1.
int GetFromWord(sbitmap* sb, size_t index, unsigned hint) {
  unsigned long& word = sb->map[index];
  const unsigned bits = WordBits(*sb, index);
  for (unsigned start : {hint, 0u}) {
    for (unsigned bit = start; bit < bits; ++bit) {
      if ((word >> bit & 1) != 0) continue;
      word |= 1ul << bit;
      return static_cast<int>((index << sb->shift) + bit);
    }
    if (hint == 0) break;
  }
  return -1;
}

int NextIndex(int index) { return (index + 1) & (SBQ_WAIT_QUEUES - 1); }

// v4.19 lib/sbitmap.c: sbq_wake_ptr. The next queue that somebody waits in; null: nobody waits.
sbq_wait_state* sbq_wake_ptr(sbitmap_queue* sbq) {
  int wake_index = sbq->wake_index;
  for (int i = 0; i < SBQ_WAIT_QUEUES; ++i) {
    sbq_wait_state* ws = &sbq->ws[wake_index];
    if (waitqueue_active(&ws->wait)) {
      sbq->wake_index = wake_index;
      return ws;
    }
    wake_index = NextIndex(wake_index);
  }
  return nullptr;
}

}  // namespace

// v4.19 lib/sbitmap.c: sbitmap_init_node
void sbitmap_init_node(sbitmap* sb, unsigned depth, int shift) {
  if (shift < 0) {
    shift = 6;
    // So many words that each has a few bits.
    while (depth >= 4 && (4u << shift) > depth) --shift;
  }
  sb->depth = depth;
  sb->shift = static_cast<unsigned>(shift);
  sb->map.assign((depth + (1u << sb->shift) - 1) >> sb->shift, 0);
}

bool sbitmap_any_bit_set(const sbitmap* sb) {
  return std::any_of(sb->map.begin(), sb->map.end(), [](unsigned long word) { return word != 0; });
}

bool sbitmap_test_bit(const sbitmap* sb, unsigned bit) {
  return (sb->map[bit >> sb->shift] >> (bit & ((1u << sb->shift) - 1)) & 1) != 0;
}

void sbitmap_set_bit(sbitmap* sb, unsigned bit) {
  sb->map[bit >> sb->shift] |= 1ul << (bit & ((1u << sb->shift) - 1));
}

void sbitmap_clear_bit(sbitmap* sb, unsigned bit) {
  sb->map[bit >> sb->shift] &= ~(1ul << (bit & ((1u << sb->shift) - 1)));
}

// v4.19 lib/sbitmap.c: sbitmap_get
int sbitmap_get(sbitmap* sb, unsigned hint) {
  if (sb->depth == 0) return -1;
  size_t index = hint >> sb->shift;
  unsigned in_word = hint & ((1u << sb->shift) - 1);
  for (size_t i = 0; i < sb->map.size(); ++i) {
    const int bit = GetFromWord(sb, index, in_word);
    if (bit != -1) return bit;
    in_word = 0;
    if (++index >= sb->map.size()) index = 0;
  }
  return -1;
}

unsigned sbitmap_weight(const sbitmap* sb) {
  unsigned weight = 0;
  for (const unsigned long word : sb->map) {
    weight += static_cast<unsigned>(__builtin_popcountl(word));
  }
  return weight;
}

// v4.19 lib/sbitmap.c: sbitmap_queue_init_node
void sbitmap_queue_init_node(sbitmap_queue* sbq, unsigned depth) {
  sbitmap_init_node(&sbq->sb, depth, -1);
  sbq->alloc_hint.assign(static_cast<size_t>(current->machine->cpus()), 0);
  sbq->wake_batch = std::clamp(depth / SBQ_WAIT_QUEUES, 1u, SBQ_WAKE_BATCH);
  sbq->wake_index = 0;
  for (sbq_wait_state& ws : sbq->ws) {
    init_waitqueue_head(&ws.wait);
    ws.wait_cnt = static_cast<int>(sbq->wake_batch);
  }
}

// v4.19 lib/sbitmap.c: __sbitmap_queue_get
int __sbitmap_queue_get(sbitmap_queue* sbq) {
  unsigned& alloc_hint = sbq->alloc_hint[static_cast<size_t>(smp_processor_id())];
  const unsigned depth = sbq->sb.depth;
  const unsigned hint = alloc_hint < depth ? alloc_hint : 0;
  const int nr = sbitmap_get(&sbq->sb, hint);
  if (nr == -1) {
    alloc_hint = 0;
  } else if (static_cast<unsigned>(nr) == hint) {
    alloc_hint = hint + 1 >= depth - 1 ? 0 : hint + 1;
  }
  return nr;
}

// v4.19 lib/sbitmap.c: sbq_wake_up
void sbitmap_queue_wake_up(sbitmap_queue* sbq) {
  sbq_wait_state* ws = sbq_wake_ptr(sbq);
  if (ws == nullptr) return;
  if (--ws->wait_cnt > 0) return;
  ws->wait_cnt = static_cast<int>(sbq->wake_batch);
  sbq->wake_index = NextIndex(sbq->wake_index);
  wake_up_nr(&ws->wait, static_cast<int>(sbq->wake_batch));
}

// v4.19 lib/sbitmap.c: sbitmap_queue_clear
void sbitmap_queue_clear(sbitmap_queue* sbq, unsigned nr, int cpu) {
  sbitmap_clear_bit(&sbq->sb, nr);
  sbitmap_queue_wake_up(sbq);
  if (nr < sbq->sb.depth) sbq->alloc_hint[static_cast<size_t>(cpu)] = nr;
}

sbq_wait_state* sbq_wait_ptr(sbitmap_queue* sbq, int* wait_index) {
  sbq_wait_state* ws = &sbq->ws[*wait_index];
  *wait_index = NextIndex(*wait_index);
  return ws;
}

}  // namespace kpath
