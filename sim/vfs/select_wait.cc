// SPDX-License-Identifier: Apache-2.0
//
// The entries of a task that waits for several files. v4.19 fs/select.c
#include <algorithm>

#include "sim/kernel/container_of.h"
#include "sim/kernel/hrtimer.h"
#include "sim/kernel/timekeeping.h"
#include "sim/kernel/uaccess.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/select.h"

namespace kpath {

KernelGlobal<SigmaskHooks> sigmask_hooks;

namespace {

constexpr uint64_t MAX_SLACK = 100 * NSEC_PER_MSEC;

// v4.19 fs/select.c: poll_get_entry. Null: no memory.
poll_table_entry* poll_get_entry(poll_wqueues* p) {
  if (p->inline_index < N_INLINE_POLL_ENTRIES) return &p->inline_entries[p->inline_index++];
  if (p->table.empty() || p->table.back()->used == kPollEntriesPerPage) {
    kptr<poll_table_page> page = kzalloc<poll_table_page>(GFP_KERNEL);
    if (!page) {
      p->error = Fail(ENOMEM, "no memory for an entry on a wait queue");
      return nullptr;
    }
    p->table.push_back(page);
  }
  poll_table_page& page = *p->table.back();
  return &page.entries[page.used++];
}

// v4.19 fs/select.c: __pollwake
int __pollwake(wait_queue_entry* wait, unsigned mode, int sync, void* key) {
  FUNCTION();
  poll_wqueues* pwq = container_of(wait, &poll_table_entry::wait)->pwq;
  // The task looks at `triggered` after it has set its state: no wake-up is lost.
  pwq->triggered = true;
  wait_queue_entry dummy_wait;
  init_waitqueue_entry(&dummy_wait, pwq->polling_task);
  return fn.Return(default_wake_function(&dummy_wait, mode, sync, key));
}

// v4.19 fs/select.c: pollwake. A wake-up without a key may be about anything.
int pollwake(wait_queue_entry* wait, unsigned mode, int sync, void* key) {
  FUNCTION(key_to_poll(key));
  const poll_table_entry* entry = container_of(wait, &poll_table_entry::wait);
  if (key != nullptr && (key_to_poll(key) & entry->key) == 0) return fn.Return(0);
  return fn.Return(__pollwake(wait, mode, sync, key));
}

// v4.19 fs/select.c: __pollwait. A file names a wait queue.
void __pollwait(kptr<file> filp, wait_queue_head_t* wait_address, poll_table* p) {
  FUNCTION(filp, wait_address);
  poll_wqueues* pwq = container_of(p, &poll_wqueues::pt);
  poll_table_entry* entry = poll_get_entry(pwq);
  if (entry == nullptr) return;
  ++filp->f_count;  // get_file
  entry->filp = filp;
  entry->wait_address = wait_address;
  entry->key = p->_key;
  entry->pwq = pwq;
  init_waitqueue_func_entry(&entry->wait, pollwake);
  add_wait_queue(wait_address, &entry->wait);
}

// v4.19 fs/select.c: free_poll_entry
void free_poll_entry(poll_table_entry* entry) {
  FUNCTION(entry->filp);
  remove_wait_queue(entry->wait_address, &entry->wait);
  fput(entry->filp);
}

// v4.19 fs/select.c: __estimate_accuracy. A thousandth of it.
uint64_t __estimate_accuracy(const timespec64& tv) {
  constexpr long kDivisor = 1000;
  if (tv.tv_sec < 0) return 0;
  if (tv.tv_sec > static_cast<int64_t>(MAX_SLACK) / (NSEC_PER_SEC / kDivisor)) return MAX_SLACK;
  const auto slack =
      static_cast<uint64_t>(tv.tv_nsec / kDivisor + tv.tv_sec * (NSEC_PER_SEC / kDivisor));
  return std::min(slack, MAX_SLACK);
}

}  // namespace

// v4.19 fs/select.c: poll_initwait
void poll_initwait(poll_wqueues* pwq) {
  FUNCTION();
  init_poll_funcptr(&pwq->pt, __pollwait);
  pwq->polling_task = current;
  pwq->triggered = false;
  pwq->error = 0;
  pwq->table.clear();
  pwq->inline_index = 0;
}

// v4.19 fs/select.c: poll_freewait
void poll_freewait(poll_wqueues* pwq) {
  FUNCTION();
  for (int i = 0; i < pwq->inline_index; ++i) free_poll_entry(&pwq->inline_entries[i]);
  // The last page first, and each from its end.
  for (; !pwq->table.empty(); pwq->table.pop_back()) {
    kptr<poll_table_page> page = pwq->table.back();
    while (page->used > 0) free_poll_entry(&page->entries[--page->used]);
    kfree(page);
  }
}

// v4.19 fs/select.c: poll_schedule_timeout
int poll_schedule_timeout(poll_wqueues* pwq, unsigned state, const ktime_t* expires,
                          uint64_t slack) {
  FUNCTION();
  int rc = -EINTR;
  set_current_state(state);
  if (!pwq->triggered) rc = schedule_hrtimeout_range(expires, slack, HRTIMER_MODE_ABS);
  __set_current_state(TASK_RUNNING);
  pwq->triggered = false;
  return fn.Return(rc);
}

int poll_select_set_timeout(timespec64* to, int64_t sec, long nsec) {
  FUNCTION(sec, nsec);
  const timespec64 ts = {sec, nsec};
  if (!timespec64_valid(ts)) {
    return fn.Return(Fail(EINVAL, "$0 s and $1 ns are no length of time", sec, nsec));
  }
  *to = {};
  if (sec == 0 && nsec == 0) return fn.Return(0);
  ktime_get_ts64(to);
  *to = timespec64_add_safe(*to, ts);
  return fn.Return(0);
}

uint64_t select_estimate_accuracy(const timespec64& tv) {
  FUNCTION(tv.tv_sec, tv.tv_nsec);
  timespec64 now;
  ktime_get_ts64(&now);
  const uint64_t slack = __estimate_accuracy(timespec64_sub(tv, now));
  return fn.Return(std::max(slack, current->timer_slack_ns));
}

int CallSigmask::Set(user_ptr<const uint64_t> sigmask, size_t sigsetsize) {
  if (!sigmask) return 0;
  if (sigsetsize != sizeof(uint64_t)) {
    return Fail(EINVAL, "a mask of signals has 8 bytes, not $0", sigsetsize);
  }
  uint64_t mask;
  if (copy_from_user(&mask, sigmask, sizeof(mask)) != 0) return -EFAULT;
  set_ = true;
  if (sigmask_hooks->block != nullptr) saved_ = sigmask_hooks->block(mask);
  return 0;
}

void CallSigmask::Restore(bool by_signal) {
  if (set_ && sigmask_hooks->restore != nullptr) sigmask_hooks->restore(saved_, by_signal);
}

}  // namespace kpath
