// SPDX-License-Identifier: Apache-2.0
//
// Waiting for several files at a time: poll, ppoll, select, pselect6. v4.19 fs/select.c,
// include/linux/poll.h
//
// The first round asks every file and, as long as none is ready, leaves an entry on each wait queue
// that the file names (__pollwait). A wake-up whose key is of interest wakes the task (pollwake),
// which then asks all files again; entries are taken off at the end (poll_freewait).
//
//   poll_wqueues table;
//   poll_initwait(&table);
//   while (vfs_poll(file, &table.pt) == 0) poll_schedule_timeout(&table, TASK_INTERRUPTIBLE, …);
//   poll_freewait(&table);
//
// Context: process, may sleep; wake-ups in any.
//
// Invariants
//   1. Each entry holds a reference on its file, and is on the queue wait_address until
//      poll_freewait.
//   2. A wake-up that comes after a file was asked, and before the task sleeps, has set
//   `triggered`:
//      the task does not sleep.
#pragma once

#include <array>
#include <vector>

#include "sim/kernel/time64.h"
#include "sim/vfs/fs.h"

namespace kpath {

// v4.19 include/uapi/asm-generic/poll.h: struct pollfd
struct pollfd {
  int fd;
  uint16_t events;  // POLL*, the bits that EPOLL* have, too
  uint16_t revents;
};

struct poll_wqueues;

// v4.19 include/linux/poll.h: struct poll_table_entry
struct poll_table_entry {
  kptr<file> filp;
  __poll_t key = 0;  // events that are of interest
  wait_queue_entry wait;
  wait_queue_head_t* wait_address = nullptr;
  poll_wqueues* pwq = nullptr;  // wait.private in Linux
};

// As many as fit on the stack, and then in each page.
inline constexpr int N_INLINE_POLL_ENTRIES = 9;
inline constexpr int kPollEntriesPerPage = 63;

struct poll_table_page {
  static constexpr const char* kSlabName = "poll_table_page";
  int used = 0;
  std::array<poll_table_entry, kPollEntriesPerPage> entries;
};

// v4.19 include/linux/poll.h: struct poll_wqueues
struct poll_wqueues {
  poll_table pt;
  std::vector<kptr<poll_table_page>> table;
  task_struct* polling_task = nullptr;
  bool triggered = false;
  int error = 0;  // -ENOMEM: an entry could not be made
  int inline_index = 0;
  std::array<poll_table_entry, N_INLINE_POLL_ENTRIES> inline_entries;
};

void poll_initwait(poll_wqueues* pwq);
void poll_freewait(poll_wqueues* pwq);
// Sleeps until a wake-up, or until `expires` on CLOCK_MONOTONIC (null: for ever), `slack` ns later
// at most. 0 when the time is over, -EINTR when woken.
int poll_schedule_timeout(poll_wqueues* pwq, unsigned state, const ktime_t* expires,
                          uint64_t slack);

// v4.19 fs/select.c: poll_select_set_timeout. The time that is so far from now; {0, 0} stays: not
// to wait at all. 0, or -EINVAL for what is no length of time.
int poll_select_set_timeout(timespec64* to, int64_t sec, long nsec);
// v4.19 fs/select.c: select_estimate_accuracy. How much later than `tv` the wait may end, ns: a
// thousandth of its length, not below the task's timer slack, at most 100 ms.
uint64_t select_estimate_accuracy(const timespec64& tv);

// ---- Masks of signals, for ppoll, pselect6 and epoll_pwait ----

// A signal mask that is in force during a call. Set by whoever models signals; without, no signal
// is ever blocked.
struct SigmaskHooks {
  // Blocks `mask` (a bit per signal, 1 first; SIGKILL and SIGSTOP are left out); returns what was
  // blocked before.
  uint64_t (*block)(uint64_t mask) = nullptr;
  // The call is over: blocks `saved` again. `by_signal`: when the signal that ended the call has
  // been delivered, and not before (saved_sigmask, set_restore_sigmask).
  void (*restore)(uint64_t saved, bool by_signal) = nullptr;
};
extern KernelGlobal<SigmaskHooks> sigmask_hooks;

// A mask given to a call, null: none.
class CallSigmask {
 public:
  // Reads it and puts it in force. 0, -EINVAL for another size than 8, -EFAULT.
  int Set(user_ptr<const uint64_t> sigmask, size_t sigsetsize);
  // REQUIRES: Set has returned 0. Once, at the end.
  void Restore(bool by_signal);

 private:
  bool set_ = false;
  uint64_t saved_ = 0;
};

}  // namespace kpath
