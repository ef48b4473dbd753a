// SPDX-License-Identifier: Apache-2.0
//
// Asking a file what it is ready for. v4.19 include/linux/poll.h, include/uapi/linux/eventpoll.h
//
// vfs_poll returns the events that are true now, and hands the wait queues on which a change will
// be told to the table's callback. Without a callback it only asks.
#pragma once

#include <cstdint>

#include "sim/kernel/slab.h"
#include "sim/kernel/wait.h"

namespace kpath {

struct file;

using __poll_t = uint32_t;

inline constexpr __poll_t EPOLLIN = 0x0001;
inline constexpr __poll_t EPOLLPRI = 0x0002;
inline constexpr __poll_t EPOLLOUT = 0x0004;
inline constexpr __poll_t EPOLLERR = 0x0008;
inline constexpr __poll_t EPOLLHUP = 0x0010;
inline constexpr __poll_t EPOLLNVAL = 0x0020;
inline constexpr __poll_t EPOLLRDNORM = 0x0040;
inline constexpr __poll_t EPOLLRDBAND = 0x0080;
inline constexpr __poll_t EPOLLWRNORM = 0x0100;
inline constexpr __poll_t EPOLLWRBAND = 0x0200;
inline constexpr __poll_t EPOLLMSG = 0x0400;
inline constexpr __poll_t EPOLLRDHUP = 0x2000;
inline constexpr __poll_t DEFAULT_POLLMASK = EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM;

// v4.19 include/linux/poll.h: demangle_poll, mangle_poll. The bits of poll(2) as the kernel has
// them, and back: on x86 they are the same numbers, and bits that have no name are dropped.
inline constexpr __poll_t kPollBits = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLERR | EPOLLHUP |
                                      EPOLLNVAL | EPOLLRDNORM | EPOLLRDBAND | EPOLLWRNORM |
                                      EPOLLWRBAND | EPOLLMSG | EPOLLRDHUP;
constexpr __poll_t demangle_poll(uint16_t val) { return val & kPollBits; }
constexpr uint16_t mangle_poll(__poll_t val) { return static_cast<uint16_t>(val & kPollBits); }

struct poll_table_struct;

using poll_queue_proc = void (*)(kptr<file> file, wait_queue_head_t* head,
                                 poll_table_struct* table);

struct poll_table_struct {
  poll_queue_proc _qproc = nullptr;
  __poll_t _key = ~__poll_t{0};  // the events asked for
};
using poll_table = poll_table_struct;

inline void init_poll_funcptr(poll_table* table, poll_queue_proc qproc) {
  table->_qproc = qproc;
  table->_key = ~__poll_t{0};
}
inline bool poll_does_not_wait(const poll_table* table) {
  return table == nullptr || table->_qproc == nullptr;
}
inline __poll_t poll_requested_events(const poll_table* table) {
  return table == nullptr ? ~__poll_t{0} : table->_key;
}

// For a file's poll: a change of its readiness wakes `head`.
inline void poll_wait(kptr<file> file, wait_queue_head_t* head, poll_table* table) {
  if (!poll_does_not_wait(table)) table->_qproc(file, head, table);
}

bool file_can_poll(kptr<file> file);
// `table` may be null. Files without a poll method are always ready: DEFAULT_POLLMASK.
__poll_t vfs_poll(kptr<file> file, poll_table* table);

}  // namespace kpath
