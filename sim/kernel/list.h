// SPDX-License-Identifier: Apache-2.0
//
// Doubly linked lists whose links are part of the objects in them. v4.19 include/linux/list.h
//
//   struct request { list_head queuelist; ... };
//   list_head dispatch;
//   list_add_tail(&rq->queuelist, &dispatch);
//   request* first = list_entry(dispatch.next, &request::queuelist);
//   for (list_head* at = dispatch.next; at != &dispatch; at = at->next) ...
//
// A list_head is made empty: pointing to itself. It must not move while it is in use.
#pragma once

#include "sim/kernel/container_of.h"

namespace kpath {

struct list_head {
  list_head() = default;
  list_head(const list_head&) = delete;
  list_head& operator=(const list_head&) = delete;

  list_head* next = this;
  list_head* prev = this;
};

inline void INIT_LIST_HEAD(list_head* list) { list->next = list->prev = list; }
inline bool list_empty(const list_head* head) { return head->next == head; }
inline bool list_is_singular(const list_head* head) {
  return !list_empty(head) && head->next == head->prev;
}

inline void __list_add(list_head* added, list_head* prev, list_head* next) {
  next->prev = added;
  added->next = next;
  added->prev = prev;
  prev->next = added;
}
inline void list_add(list_head* added, list_head* head) { __list_add(added, head, head->next); }
inline void list_add_tail(list_head* added, list_head* head) {
  __list_add(added, head->prev, head);
}
// Takes the entry off its list; it is an empty list of its own then.
inline void list_del_init(list_head* entry) {
  entry->prev->next = entry->next;
  entry->next->prev = entry->prev;
  INIT_LIST_HEAD(entry);
}
inline void __list_splice(list_head* list, list_head* prev, list_head* next) {
  list_head* first = list->next;
  list_head* last = list->prev;
  first->prev = prev;
  prev->next = first;
  last->next = next;
  next->prev = last;
}
// Moves all entries of `list` to the front, or to the end, of `head`; `list` is empty then.
inline void list_splice_init(list_head* list, list_head* head) {
  if (list_empty(list)) return;
  __list_splice(list, head, head->next);
  INIT_LIST_HEAD(list);
}
inline void list_splice_tail_init(list_head* list, list_head* head) {
  if (list_empty(list)) return;
  __list_splice(list, head->prev, head);
  INIT_LIST_HEAD(list);
}

// The object that `entry` is the links of.
template <typename T>
T* list_entry(list_head* entry, list_head T::*member) {
  return container_of(entry, member);
}

// v4.19 lib/list_sort.c: list_sort. A merge sort: `cmp(a, b)` > 0 puts b before a. Which pairs are
// compared, in which order, is as in v4.19.
void list_sort(void* priv, list_head* head, int (*cmp)(void* priv, list_head* a, list_head* b));

}  // namespace kpath
