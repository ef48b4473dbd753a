// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/list.h"

namespace kpath {
namespace {

// A list of this many entries at most is sorted without repeated work: 2 to the power of it.
constexpr int MAX_LIST_LENGTH_BITS = 20;

using Compare = int (*)(void* priv, list_head* a, list_head* b);

// v4.19 lib/list_sort.c: merge. Two lists linked by `next` alone, ending in null.
list_head* merge(void* priv, Compare cmp, list_head* a, list_head* b) {
  list_head head;
  list_head* tail = &head;
  while (a != nullptr && b != nullptr) {
    list_head*& taken = cmp(priv, a, b) <= 0 ? a : b;
    tail->next = taken;
    tail = taken;
    taken = taken->next;
  }
  tail->next = a != nullptr ? a : b;
  return head.next;
}

void RestoreBackLinks(list_head* head) {
  list_head* tail = head;
  while (tail->next != nullptr) {
    tail->next->prev = tail;
    tail = tail->next;
  }
  tail->next = head;
  head->prev = tail;
}

}  // namespace

// v4.19 lib/list_sort.c: list_sort
void list_sort(void* priv, list_head* head, Compare cmp) {
  if (list_empty(head)) return;
  // parts[n]: a sorted list of 2^n entries, or none.
  list_head* parts[MAX_LIST_LENGTH_BITS + 1] = {};
  int max_level = 0;
  head->prev->next = nullptr;
  list_head* list = head->next;
  while (list != nullptr) {
    list_head* sorted = list;
    list = list->next;
    sorted->next = nullptr;
    int level = 0;
    for (; parts[level] != nullptr && level < MAX_LIST_LENGTH_BITS; ++level) {
      sorted = merge(priv, cmp, parts[level], sorted);
      parts[level] = nullptr;
    }
    if (level > max_level) max_level = level;
    parts[level] = sorted;
  }
  for (int level = 0; level < max_level; ++level) {
    if (parts[level] != nullptr) list = merge(priv, cmp, parts[level], list);
  }
  head->next = merge(priv, cmp, parts[max_level], list);
  RestoreBackLinks(head);
}

}  // namespace kpath
