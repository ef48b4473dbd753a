// SPDX-License-Identifier: Apache-2.0
//
// poll and ppoll. v4.19 fs/select.c
#include <algorithm>
#include <vector>

#include "sim/kernel/resource.h"
#include "sim/kernel/restart_block.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/time.h"
#include "sim/kernel/uaccess.h"
#include "sim/vfs/file.h"
#include "sim/vfs/select.h"
#include "sim/vfs/select_internal.h"

namespace kpath {
namespace {

// How many entries fit on the stack, and then in each piece of memory of at most a page.
constexpr unsigned long N_STACK_PPS = 30;
constexpr unsigned long POLLFD_PER_PAGE = 510;

// v4.19 fs/select.c: struct poll_list: a part of the array that was handed over.
struct poll_list {
  static constexpr const char* kSlabName = "poll_list";
  std::vector<pollfd> entries;
};

// The whole of it: the first part is on the stack.
struct PollLists {
  poll_list head;
  std::vector<kptr<poll_list>> more;

  std::vector<poll_list*> all() {
    std::vector<poll_list*> lists = {&head};
    for (const kptr<poll_list>& list : more) lists.push_back(&*list);
    return lists;
  }
};

// v4.19 fs/select.c: do_pollfd. Asks one file; stores what it says. A negative descriptor is passed
// over.
__poll_t do_pollfd(pollfd* pollfd, poll_table* pwait) {
  FUNCTION(pollfd->fd, pollfd->events);
  __poll_t mask = 0;
  if (pollfd->fd >= 0) {
    mask = EPOLLNVAL;
    const struct fd f = fdget(static_cast<unsigned>(pollfd->fd));
    if (f.file) {
      const __poll_t filter = demangle_poll(pollfd->events) | EPOLLERR | EPOLLHUP;
      pwait->_key = filter;
      mask = vfs_poll(f.file, pwait) & filter;
      fdput(f);
    }
  }
  pollfd->revents = mangle_poll(mask);
  return fn.Return(mask);
}

// One round: asks all files. Returns how many have something to tell.
int AskAll(const std::vector<poll_list*>& lists, poll_table* pt) {
  int count = 0;
  for (poll_list* list : lists) {
    for (pollfd& pfd : list->entries) {
      if (do_pollfd(&pfd, pt) == 0) continue;
      ++count;
      pt->_qproc = nullptr;  // the task will not sleep: no more entries are needed
    }
  }
  return count;
}

// v4.19 fs/select.c: do_poll. Null `end_time`: no end. How many are ready, or -EINTR, -ENOMEM.
int do_poll(const std::vector<poll_list*>& lists, poll_wqueues* wait, const timespec64* end_time) {
  FUNCTION();
  poll_table* pt = &wait->pt;
  Deadline deadline(end_time);
  if (deadline.timed_out) pt->_qproc = nullptr;
  while (true) {
    int count = AskAll(lists, pt);
    pt->_qproc = nullptr;  // all queues have their entries now
    if (count == 0) {
      count = wait->error;
      if (signal_pending(current)) count = Fail(EINTR, "a signal came while no file was ready");
    }
    if (count != 0 || deadline.timed_out) return fn.Return(count);
    deadline.Sleep(wait);
  }
}

// v4.19 fs/select.c: part of do_sys_poll. 0, -EFAULT or -ENOMEM.
int ReadPollfds(user_ptr<pollfd> ufds, unsigned long nfds, PollLists* lists) {
  unsigned long todo = nfds;
  unsigned long len = std::min(nfds, N_STACK_PPS);
  poll_list* walk = &lists->head;
  while (len != 0) {
    walk->entries.resize(len);
    const auto done = static_cast<int64_t>(nfds - todo);
    if (copy_from_user(walk->entries.data(), ufds + done, sizeof(pollfd) * len) != 0) {
      return -EFAULT;
    }
    todo -= len;
    len = std::min(todo, POLLFD_PER_PAGE);
    if (len == 0) break;
    kptr<poll_list> next = kzalloc<poll_list>(GFP_KERNEL);
    if (!next) return Fail(ENOMEM, "no memory for $0 more descriptors", todo);
    lists->more.push_back(next);
    walk = &*next;
  }
  return 0;
}

// v4.19 fs/select.c: part of do_sys_poll. 0 or -EFAULT.
int WriteRevents(const std::vector<poll_list*>& lists, user_ptr<pollfd> ufds) {
  for (const poll_list* list : lists) {
    for (const pollfd& pfd : list->entries) {
      if (put_user(pfd.revents, ufds.member(&pollfd::revents)) != 0) return -EFAULT;
      ++ufds;
    }
  }
  return 0;
}

// v4.19 fs/select.c: do_sys_poll
int do_sys_poll(user_ptr<pollfd> ufds, unsigned nfds, const timespec64* end_time) {
  FUNCTION(ufds, nfds);
  if (nfds > rlimit(RLIMIT_NOFILE)) {
    return fn.Return(Fail(EINVAL, "$0 descriptors are more than RLIMIT_NOFILE, $1", nfds,
                          rlimit(RLIMIT_NOFILE)));
  }
  PollLists lists;
  int err = ReadPollfds(ufds, nfds, &lists);
  if (err == 0) {
    poll_wqueues table;
    poll_initwait(&table);
    const int fdcount = do_poll(lists.all(), &table, end_time);
    poll_freewait(&table);
    err = WriteRevents(lists.all(), ufds);
    if (err == 0) err = fdcount;
  }
  for (const kptr<poll_list>& list : lists.more) kfree(list);
  return fn.Return(err);
}

long do_restart_poll(restart_block* restart);

// A poll that a signal has ended goes on with do_restart_poll.
long RestartLater(restart_block* restart) {
  restart->fn = do_restart_poll;
  return Fail(ERESTART_RESTARTBLOCK, "a signal came while no file was ready");
}

// v4.19 fs/select.c: do_restart_poll
long do_restart_poll(restart_block* restart) {
  FUNCTION();
  const timespec64 end_time = {static_cast<int64_t>(restart->poll.tv_sec),
                               static_cast<long>(restart->poll.tv_nsec)};
  const int ret =
      do_sys_poll(user_ptr<pollfd>(restart->poll.ufds), static_cast<unsigned>(restart->poll.nfds),
                  restart->poll.has_timeout ? &end_time : nullptr);
  return fn.Return(ret == -EINTR ? RestartLater(restart) : long{ret});
}

}  // namespace

// v4.19 fs/select.c: sys_poll
SYSCALL_DEFINE3(poll, user_ptr<pollfd>, ufds, unsigned, nfds, int, timeout_msecs) {
  timespec64 end_time;
  const bool has_timeout = timeout_msecs >= 0;
  if (has_timeout) {
    poll_select_set_timeout(&end_time, timeout_msecs / 1000, timeout_msecs % 1000 * NSEC_PER_MSEC);
  }
  const int ret = do_sys_poll(ufds, nfds, has_timeout ? &end_time : nullptr);
  if (ret != -EINTR) return ret;
  restart_block* restart = &current->restart_block;
  restart->poll = {.ufds = ufds.address(),
                   .nfds = static_cast<int>(nfds),
                   .has_timeout = has_timeout,
                   .tv_sec = static_cast<unsigned long>(end_time.tv_sec),
                   .tv_nsec = static_cast<unsigned long>(end_time.tv_nsec)};
  return RestartLater(restart);
}

// v4.19 fs/select.c: sys_ppoll
SYSCALL_DEFINE5(ppoll, user_ptr<pollfd>, ufds, unsigned, nfds, user_ptr<timespec64>, tsp,
                user_ptr<const uint64_t>, sigmask, size_t, sigsetsize) {
  timespec64 end_time;
  if (tsp) {
    timespec64 ts;
    if (get_timespec64(&ts, tsp) != 0) return Error(EFAULT);
    const int error = poll_select_set_timeout(&end_time, ts.tv_sec, ts.tv_nsec);
    if (error != 0) return error;
  }
  CallSigmask mask;
  const int error = mask.Set(sigmask, sigsetsize);
  if (error != 0) return error;
  long ret = do_sys_poll(ufds, nfds, tsp ? &end_time : nullptr);
  const bool by_signal = ret == -EINTR;
  mask.Restore(by_signal);
  if (by_signal) ret = Fail(ERESTARTNOHAND, "a signal came while no file was ready");
  return poll_select_copy_remaining(end_time, tsp, ret);
}

}  // namespace kpath
