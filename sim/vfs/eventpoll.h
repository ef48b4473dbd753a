// SPDX-License-Identifier: Apache-2.0
//
// epoll: a set of descriptors that are watched for as long as the set is open.
// v4.19 fs/eventpoll.c, include/uapi/linux/eventpoll.h
//
// Adding a descriptor leaves an entry on each wait queue of its file. A wake-up with a key of
// interest puts the item on the ready list (ep_poll_callback) and wakes one that waits.
// epoll_wait asks the files of the ready items again and hands out what is true now:
//
//   level       the item stays on the ready list while the file is ready
//   EPOLLET     it leaves the list, and comes back with the next wake-up
//   EPOLLONESHOT   it is asleep until EPOLL_CTL_MOD
//
// Locks: epmutex (sets that are in sets, and closing) > eventpoll::mtx (the items) > the watched
// queue's lock > eventpoll::wq.lock (the ready list), with interrupts off.
//
// Departs: the number of ways through sets in sets is not limited (reverse_path_check), nor the
// number of items that a user has (max_user_watches); EPOLLWAKEUP keeps nobody awake.
//
// Invariants
//   1. An item is in at most one of rdllist and the private list of a scan; `list` tells.
//   2. Items do not hold their file: when it is closed they go (eventpoll_release).
#pragma once

#include "sim/vfs/fs.h"

namespace kpath {

// When a file is closed for good: takes it out of all sets. Context: process.
void eventpoll_release_file(kptr<file> file);
inline void eventpoll_release(kptr<file> file) {
  if (!file->f_ep_links.empty()) eventpoll_release_file(file);
}

}  // namespace kpath
