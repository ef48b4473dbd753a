// SPDX-License-Identifier: Apache-2.0
//
// Shared by select_poll.cc and select_select.cc.
#pragma once

#include "sim/vfs/select.h"

namespace kpath {

// The end of a wait, as do_poll and do_select keep it.
struct Deadline {
  // Null: none. {0, 0}: the files are asked once.
  explicit Deadline(const timespec64* end) : end_time(end) {
    if (end_time == nullptr) return;
    timed_out = end_time->tv_sec == 0 && end_time->tv_nsec == 0;
    if (!timed_out) slack = select_estimate_accuracy(*end_time);
  }
  // Sleeps until a file has something to tell or the time is over.
  void Sleep(poll_wqueues* wait) {
    const ktime_t expires = end_time == nullptr ? 0 : timespec64_to_ktime(*end_time);
    const int rc = poll_schedule_timeout(wait, TASK_INTERRUPTIBLE,
                                         end_time == nullptr ? nullptr : &expires, slack);
    if (rc == 0) timed_out = true;
  }

  const timespec64* end_time;
  bool timed_out = false;
  uint64_t slack = 0;
};

// v4.19 fs/select.c: poll_select_copy_remaining. Stores what is left of the time at `p` (null:
// nowhere) and returns `ret`; a call whose time could not be stored is not made again. The second
// is for a struct timeval, { seconds, microseconds }.
long poll_select_copy_remaining(const timespec64& end_time, user_ptr<timespec64> p, long ret);
struct timeval;
long poll_select_copy_remaining(const timespec64& end_time, user_ptr<timeval> p, long ret);

}  // namespace kpath
