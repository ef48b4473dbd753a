// SPDX-License-Identifier: Apache-2.0
//
// Waiting for a set, and polling it: epoll_wait, epoll_pwait. v4.19 fs/eventpoll.c
#include <algorithm>
#include <climits>

#include "sim/kernel/hrtimer.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/timekeeping.h"
#include "sim/kernel/uaccess.h"
#include "sim/vfs/eventpoll_internal.h"
#include "sim/vfs/file.h"
#include "sim/vfs/select.h"

namespace kpath {
namespace {

constexpr int EP_MAX_EVENTS = INT_MAX / static_cast<int>(sizeof(epoll_event));

// v4.19 fs/eventpoll.c: ep_scan_ready_list. Gives `scan` the ready list, without the spinlock; what
// becomes ready meanwhile, and what `scan` leaves, is ready afterwards. `locked`: the caller holds
// ep->mtx.
template <typename Scan>
__poll_t ep_scan_ready_list(kptr<eventpoll> ep, int depth, bool locked, Scan scan) {
  FUNCTION(ep->rdllist.size());
  if (!locked) mutex_lock_nested(&ep->mtx, depth);
  ready_list txlist;
  spin_lock_irq(&ep->wq.lock);
  txlist.swap(ep->rdllist);
  for (epitem* epi : txlist) epi->list = &txlist;
  ep->scanning = true;
  spin_unlock_irq(&ep->wq.lock);
  const __poll_t res = scan(&txlist);
  spin_lock_irq(&ep->wq.lock);
  // As in the kernel, what became ready last comes first.
  for (epitem* epi : ep->ovflist) {
    epi->in_ovflist = false;
    if (!ep_is_linked(epi)) LinkLast(&ep->rdllist, epi);
  }
  ep->ovflist.clear();
  ep->scanning = false;
  for (epitem* epi : txlist) epi->list = &ep->rdllist;
  ep->rdllist.insert(ep->rdllist.begin(), txlist.begin(), txlist.end());
  bool pwake = false;
  if (!ep->rdllist.empty()) {
    if (waitqueue_active(&ep->wq)) wake_up_locked(&ep->wq);
    pwake = waitqueue_active(&ep->poll_wait);
  }
  spin_unlock_irq(&ep->wq.lock);
  if (!locked) mutex_unlock(&ep->mtx);
  if (pwake) ep_poll_safewake(&ep->poll_wait);
  return fn.Return(res);
}

// v4.19 fs/eventpoll.c: ep_read_events_proc. Is any item really ready? Others leave the list.
__poll_t ep_read_events_proc(ready_list* head, int depth) {
  FUNCTION(head->size());
  poll_table pt;
  init_poll_funcptr(&pt, nullptr);
  while (!head->empty()) {
    if (ep_item_poll(head->front(), &pt, depth + 1) != 0) {
      return fn.Return(EPOLLIN | EPOLLRDNORM);
    }
    Unlink(head->front());
  }
  return fn.Return(__poll_t{0});
}

int PutEvent(user_ptr<epoll_event> uevent, __poll_t revents, uint64_t data) {
  const user_ptr<uint32_t> events(uevent.address());
  if (put_user(revents, events) != 0) return -EFAULT;
  return put_user(data, user_ptr<uint64_t>(uevent.address() + sizeof(uint32_t)));
}

// v4.19 fs/eventpoll.c: ep_send_events_proc. How many events were stored, or -EFAULT.
int ep_send_events_proc(kptr<eventpoll> ep, ready_list* head, user_ptr<epoll_event> uevent,
                        int maxevents) {
  FUNCTION(head->size(), maxevents);
  poll_table pt;
  init_poll_funcptr(&pt, nullptr);
  int res = 0;
  while (!head->empty() && res < maxevents) {
    epitem* epi = head->front();
    Unlink(epi);
    const __poll_t revents = ep_item_poll(epi, &pt, 1);
    if (revents == 0) continue;
    if (PutEvent(uevent, revents, epi->data) != 0) {
      epi->list = head;
      head->insert(head->begin(), epi);
      return fn.Return(res == 0 ? -EFAULT : res);
    }
    ++res;
    ++uevent;
    if ((epi->events & EPOLLONESHOT) != 0) {
      epi->events &= EP_PRIVATE_BITS;
    } else if ((epi->events & EPOLLET) == 0) {
      LinkLast(&ep->rdllist, epi);  // level: the next call asks it again
    }
  }
  return fn.Return(res);
}

// v4.19 fs/eventpoll.c: ep_send_events
int ep_send_events(kptr<eventpoll> ep, user_ptr<epoll_event> events, int maxevents) {
  FUNCTION(maxevents);
  int res = 0;
  ep_scan_ready_list(ep, 0, false, [&](ready_list* txlist) {
    res = ep_send_events_proc(ep, txlist, events, maxevents);
    return __poll_t{0};
  });
  return fn.Return(res);
}

// v4.19 fs/eventpoll.c: ep_set_mstimeout
timespec64 ep_set_mstimeout(int ms) {
  timespec64 now;
  ktime_get_ts64(&now);
  return timespec64_add_safe(now, {ms / 1000, ms % 1000 * NSEC_PER_MSEC});
}

// How long ep_poll waits.
struct Wait {
  explicit Wait(int timeout) : timed_out(timeout == 0) {
    if (timeout <= 0) return;
    const timespec64 end_time = ep_set_mstimeout(timeout);
    slack = select_estimate_accuracy(end_time);
    expires = timespec64_to_ktime(end_time);
    to = &expires;
  }
  ktime_t expires = 0;
  const ktime_t* to = nullptr;
  uint64_t slack = 0;
  bool timed_out;
};

// v4.19 fs/eventpoll.c: part of ep_poll: sleeps until an item is ready or the time is over. 0 or
// -EINTR. REQUIRES: ep->wq.lock.
int WaitForEvents(kptr<eventpoll> ep, Wait* until) {
  if (ep_events_available(ep)) return 0;
  wait_queue_entry wait;
  init_waitqueue_entry(&wait, current);
  wait.flags |= WQ_FLAG_EXCLUSIVE;
  __add_wait_queue(&ep->wq, &wait);
  int res = 0;
  while (true) {
    set_current_state(TASK_INTERRUPTIBLE);
    if (fatal_signal_pending(current)) {
      res = Fail(EINTR, "the task is being killed");
      break;
    }
    if (ep_events_available(ep) || until->timed_out) break;
    if (signal_pending(current)) {
      res = Fail(EINTR, "a signal came while no file of the set was ready");
      break;
    }
    spin_unlock_irq(&ep->wq.lock);
    if (schedule_hrtimeout_range(until->to, until->slack, HRTIMER_MODE_ABS) == 0) {
      until->timed_out = true;
    }
    spin_lock_irq(&ep->wq.lock);
  }
  __remove_wait_queue(&ep->wq, &wait);
  __set_current_state(TASK_RUNNING);
  return res;
}

// v4.19 fs/eventpoll.c: ep_poll. `timeout` in ms; 0: does not wait; negative: for ever.
int ep_poll(kptr<eventpoll> ep, user_ptr<epoll_event> events, int maxevents, int timeout) {
  FUNCTION(maxevents, timeout);
  Wait until(timeout);
  while (true) {
    spin_lock_irq(&ep->wq.lock);
    int res = timeout == 0 ? 0 : WaitForEvents(ep, &until);
    const bool eavail = ep_events_available(ep);
    spin_unlock_irq(&ep->wq.lock);
    if (res == 0 && eavail) res = ep_send_events(ep, events, maxevents);
    // What was ready may be so no more.
    if (res != 0 || !eavail || until.timed_out) return fn.Return(res);
  }
}

// v4.19 fs/eventpoll.c: do_epoll_wait
int do_epoll_wait(int epfd, user_ptr<epoll_event> events, int maxevents, int timeout) {
  FUNCTION(epfd, events, maxevents, timeout);
  if (maxevents <= 0 || maxevents > EP_MAX_EVENTS) {
    return fn.Return(Fail(EINVAL, "maxevents=$0 is not 1 … $1", maxevents, EP_MAX_EVENTS));
  }
  if (!access_ok(events, static_cast<unsigned long>(maxevents) * sizeof(epoll_event))) {
    return fn.Return(Fail(EFAULT, "$0 is no address of user mode", events));
  }
  const struct fd f = fdget(static_cast<unsigned>(epfd));
  if (!f.file) return fn.Return(FailBadFd(static_cast<unsigned>(epfd)));
  const int error = is_file_epoll(f.file)
                        ? ep_poll(SetOf(f.file), events, maxevents, timeout)
                        : static_cast<int>(Fail(EINVAL, "fd $0 is not an epoll set", epfd));
  fdput(f);
  return fn.Return(error);
}

}  // namespace

__poll_t ep_item_poll(epitem* epi, poll_table* pt, int depth) {
  FUNCTION(epi->ffd_fd, depth);
  pt->_key = epi->events;
  kptr<file> file = epi->ffd_file;
  if (!is_file_epoll(file)) return fn.Return(vfs_poll(file, pt) & epi->events);
  kptr<eventpoll> ep = SetOf(file);
  poll_wait(file, &ep->poll_wait, pt);
  // epoll_ctl has taken the inner set's mutex itself.
  const bool locked = pt->_qproc == ep_ptable_queue_proc;
  const __poll_t events = ep_scan_ready_list(ep, depth, locked, [depth](ready_list* txlist) {
    return ep_read_events_proc(txlist, depth);
  });
  return fn.Return(events & epi->events);
}

__poll_t ep_eventpoll_poll(kptr<file> file, poll_table* wait) {
  FUNCTION(file);
  kptr<eventpoll> ep = SetOf(file);
  poll_wait(file, &ep->poll_wait, wait);
  return fn.Return(ep_scan_ready_list(
      ep, 0, false, [](ready_list* txlist) { return ep_read_events_proc(txlist, 0); }));
}

// v4.19 fs/eventpoll.c: sys_epoll_wait
SYSCALL_DEFINE4(epoll_wait, int, epfd, user_ptr<epoll_event>, events, int, maxevents, int,
                timeout) {
  return do_epoll_wait(epfd, events, maxevents, timeout);
}

// v4.19 fs/eventpoll.c: sys_epoll_pwait
SYSCALL_DEFINE6(epoll_pwait, int, epfd, user_ptr<epoll_event>, events, int, maxevents, int, timeout,
                user_ptr<const uint64_t>, sigmask, size_t, sigsetsize) {
  CallSigmask mask;
  const int error = mask.Set(sigmask, sigsetsize);
  if (error != 0) return error;
  const int ret = do_epoll_wait(epfd, events, maxevents, timeout);
  mask.Restore(/*by_signal=*/ret == -EINTR);
  return ret;
}

}  // namespace kpath
