// SPDX-License-Identifier: Apache-2.0
//
// Shared by eventpoll.cc and eventpoll_wait.cc.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "sim/vfs/eventpoll.h"

namespace kpath {

// v4.19 include/uapi/linux/eventpoll.h
inline constexpr int EPOLL_CTL_ADD = 1;
inline constexpr int EPOLL_CTL_DEL = 2;
inline constexpr int EPOLL_CTL_MOD = 3;
inline constexpr __poll_t EPOLLEXCLUSIVE = 1u << 28;
inline constexpr __poll_t EPOLLWAKEUP = 1u << 29;
inline constexpr __poll_t EPOLLONESHOT = 1u << 30;
inline constexpr __poll_t EPOLLET = 1u << 31;

// Not events, but how they are told.
inline constexpr __poll_t EP_PRIVATE_BITS = EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE;
inline constexpr __poll_t EPOLLINOUT_BITS = EPOLLIN | EPOLLOUT;
inline constexpr __poll_t EPOLLEXCLUSIVE_OK_BITS =
    EPOLLINOUT_BITS | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;
// How deep sets may be in sets.
inline constexpr int EP_MAX_NESTS = 4;

// v4.19 include/uapi/linux/eventpoll.h: struct epoll_event, which is packed: 12 bytes.
struct [[gnu::packed]] epoll_event {
  uint32_t events;
  uint64_t data;
};

struct epitem;
struct eventpoll;

using ready_list = std::vector<epitem*>;

// v4.19 fs/eventpoll.c: struct eppoll_entry. On a wait queue of a watched file.
struct eppoll_entry {
  static constexpr const char* kSlabName = "eventpoll_pwq";

  epitem* base = nullptr;
  wait_queue_entry wait;
  wait_queue_head_t* whead = nullptr;
};

// v4.19 fs/eventpoll.c: struct epitem. A watched descriptor.
struct epitem {
  static constexpr const char* kSlabName = "eventpoll_epi";

  kptr<file> ffd_file;  // not held
  int ffd_fd = 0;
  ready_list* list = nullptr;  // rdllink: the list that it is in
  bool in_ovflist = false;
  int nwait = 0;  // wait queues; -1: an entry could not be made
  std::vector<kptr<eppoll_entry>> pwqlist;
  kptr<eventpoll> ep;
  uint32_t events = 0;
  uint64_t data = 0;
  rcu_head rcu;
};

// v4.19 fs/eventpoll.c: struct eventpoll
struct eventpoll {
  static constexpr const char* kSlabName = "eventpoll";

  mutex mtx;
  wait_queue_head_t wq;         // those in epoll_wait; its lock guards the lists
  wait_queue_head_t poll_wait;  // those that poll the set itself
  ready_list rdllist;
  bool scanning = false;  // events go to ovflist (ovflist != EP_UNACTIVE_PTR)
  ready_list ovflist;     // the last one comes first
  std::map<std::pair<uint64_t, int>, kptr<epitem>> rbr;  // by file and descriptor
};

extern const file_operations eventpoll_fops;

inline bool is_file_epoll(kptr<file> f) { return f->f_op == &eventpoll_fops; }
inline kptr<eventpoll> SetOf(kptr<file> file) {
  return std::any_cast<kptr<eventpoll>>(file->private_data);
}
inline bool ep_is_linked(const epitem* epi) { return epi->list != nullptr; }
// REQUIRES: ep->wq.lock, for the first two if the list is rdllist.
void LinkLast(ready_list* list, epitem* epi);
void Unlink(epitem* epi);
inline bool ep_events_available(kptr<eventpoll> ep) { return !ep->rdllist.empty() || ep->scanning; }

// ---- eventpoll.cc ----
// v4.19 fs/eventpoll.c: ep_poll_safewake. Wakes those that poll a set; sets may be in sets.
void ep_poll_safewake(wait_queue_head_t* wq);
// v4.19 fs/eventpoll.c: ep_ptable_queue_proc. The callback of ep_insert.
void ep_ptable_queue_proc(kptr<file> file, wait_queue_head_t* whead, poll_table* pt);

// ---- eventpoll_wait.cc ----
// v4.19 fs/eventpoll.c: ep_item_poll. What the item's file is ready for, of what is asked.
__poll_t ep_item_poll(epitem* epi, poll_table* pt, int depth);
__poll_t ep_eventpoll_poll(kptr<file> file, poll_table* wait);

}  // namespace kpath
