// SPDX-License-Identifier: Apache-2.0
//
// timerfd: timers behind descriptors. v4.19 fs/timerfd.c
//
// A read takes the number of times that the timer has expired since the last read, or waits for the
// first; with O_NONBLOCK: -EAGAIN. A periodic timer is started again when it is looked at, not when
// it expires: what has passed meanwhile is added up then (hrtimer_forward_now).
//
// Departs: nobody can set the wall clock, so that TFD_TIMER_CANCEL_ON_SET never cancels; the alarm
// clocks are ordinary ones, as the machine is never suspended.
//
// Locks: wqh.lock guards ticks, expired and tintv; interrupts are off while it is held.
//
// Invariants
//   1. expired: the timer has expired and was not started again; then ticks > 0 or it was read.
//   2. The timer is queued only while the file is open.
#include <algorithm>
#include <ctime>

#include "sim/kernel/container_of.h"
#include "sim/kernel/hrtimer.h"
#include "sim/kernel/rcu.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/time.h"
#include "sim/kernel/uaccess.h"
#include "sim/vfs/anon_inodes.h"
#include "sim/vfs/file.h"
#include "sim/vfs/read_write.h"

namespace kpath {
namespace {

// v4.19 include/uapi/linux/timerfd.h
constexpr int TFD_TIMER_ABSTIME = 1 << 0;
constexpr int TFD_TIMER_CANCEL_ON_SET = 1 << 1;
constexpr int TFD_SETTIME_FLAGS = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
constexpr int TFD_CREATE_FLAGS = O_CLOEXEC | O_NONBLOCK;

// v4.19 fs/timerfd.c: struct timerfd_ctx
struct timerfd_ctx {
  static constexpr const char* kSlabName = "timerfd_ctx";

  hrtimer tmr;
  ktime_t tintv = 0;  // 0: it expires once
  wait_queue_head_t wqh;
  uint64_t ticks = 0;  // expired so often, and not read
  int clockid = CLOCK_MONOTONIC;
  bool expired = false;
  int settime_flags = 0;
};

kptr<timerfd_ctx> ContextOf(kptr<file> file) {
  return std::any_cast<kptr<timerfd_ctx>>(file->private_data);
}

// v4.19 fs/timerfd.c: timerfd_triggered
void timerfd_triggered(timerfd_ctx* ctx) {
  FUNCTION();
  unsigned long flags;
  spin_lock_irqsave(&ctx->wqh.lock, flags);
  ctx->expired = true;
  ++ctx->ticks;
  wake_up_locked_poll(&ctx->wqh, EPOLLIN);
  spin_unlock_irqrestore(&ctx->wqh.lock, flags);
}

// v4.19 fs/timerfd.c: timerfd_tmrproc
hrtimer_restart timerfd_tmrproc(hrtimer* htmr) {
  FUNCTION(htmr);
  timerfd_triggered(container_of(htmr, &timerfd_ctx::tmr));
  return fn.Return(HRTIMER_NORESTART);
}

// v4.19 fs/timerfd.c: timerfd_get_remaining. REQUIRES: wqh.lock.
ktime_t timerfd_get_remaining(kptr<timerfd_ctx> ctx) {
  FUNCTION(ctx);
  const ktime_t remaining = hrtimer_get_remaining(&ctx->tmr);
  return fn.Return(remaining < 0 ? 0 : remaining);
}

// A periodic timer that has expired: starts it again, and counts what has passed. REQUIRES:
// wqh.lock.
uint64_t StartAgain(kptr<timerfd_ctx> ctx) {
  const uint64_t passed = hrtimer_forward_now(&ctx->tmr, ctx->tintv) - 1;
  hrtimer_start_expires(&ctx->tmr, HRTIMER_MODE_ABS);  // hrtimer_restart
  return passed;
}

bool IsPeriodicAndExpired(kptr<timerfd_ctx> ctx) { return ctx->expired && ctx->tintv != 0; }

itimerspec64 SettingOf(kptr<timerfd_ctx> ctx) {
  return {.it_interval = ktime_to_timespec64(ctx->tintv),
          .it_value = ktime_to_timespec64(timerfd_get_remaining(ctx))};
}

// v4.19 fs/timerfd.c: timerfd_setup. REQUIRES: wqh.lock; the timer is stopped.
void timerfd_setup(kptr<timerfd_ctx> ctx, int flags, const itimerspec64& ktmr) {
  FUNCTION(ctx, flags);
  const auto mode = (flags & TFD_TIMER_ABSTIME) != 0 ? HRTIMER_MODE_ABS : HRTIMER_MODE_REL;
  const ktime_t texp = timespec64_to_ktime(ktmr.it_value);
  ctx->expired = false;
  ctx->ticks = 0;
  ctx->tintv = timespec64_to_ktime(ktmr.it_interval);
  hrtimer_init(&ctx->tmr, ctx->clockid, mode);
  hrtimer_set_expires_range_ns(&ctx->tmr, texp, 0);
  ctx->tmr.function = timerfd_tmrproc;
  if (texp != 0) hrtimer_start(&ctx->tmr, texp, mode);
  ctx->settime_flags = flags & TFD_SETTIME_FLAGS;
}

// v4.19 fs/timerfd.c: timerfd_release
int timerfd_release(kptr<inode>, kptr<file> file) {
  FUNCTION(file);
  kptr<timerfd_ctx> ctx = ContextOf(file);
  hrtimer_cancel(&ctx->tmr);
  kfree_rcu(ctx);
  return fn.Return(0);
}

// v4.19 fs/timerfd.c: timerfd_poll
__poll_t timerfd_poll(kptr<file> file, poll_table* wait) {
  FUNCTION(file);
  kptr<timerfd_ctx> ctx = ContextOf(file);
  poll_wait(file, &ctx->wqh, wait);
  unsigned long flags;
  spin_lock_irqsave(&ctx->wqh.lock, flags);
  const __poll_t events = ctx->ticks != 0 ? EPOLLIN : 0;
  spin_unlock_irqrestore(&ctx->wqh.lock, flags);
  return fn.Return(events);
}

// v4.19 fs/timerfd.c: timerfd_read
ssize_t timerfd_read(kptr<file> file, user_ptr<char> buf, size_t count, loff_t*) {
  FUNCTION(file, buf, count);
  kptr<timerfd_ctx> ctx = ContextOf(file);
  uint64_t ticks = 0;
  if (count < sizeof(ticks)) {
    return fn.Return(Fail(EINVAL, "$0 bytes are too few for the counter's 8", count));
  }
  ssize_t res = 0;
  spin_lock_irq(&ctx->wqh.lock);
  if ((file->f_flags & O_NONBLOCK) != 0) {
    if (ctx->ticks == 0) {
      res = Fail(EAGAIN, "the timer has not expired, $0 ns are left, and O_NONBLOCK is set",
                 std::max<ktime_t>(hrtimer_get_remaining(&ctx->tmr), 0));
    }
  } else {
    res = wait_event_interruptible_locked_irq(&ctx->wqh, [&] { return ctx->ticks != 0; });
  }
  if (ctx->ticks != 0) {
    ticks = ctx->ticks;
    if (IsPeriodicAndExpired(ctx)) ticks += StartAgain(ctx);
    ctx->expired = false;
    ctx->ticks = 0;
  }
  spin_unlock_irq(&ctx->wqh.lock);
  if (ticks == 0) return fn.Return(res);
  if (put_user(ticks, buf.cast<uint64_t>()) != 0) return fn.Return(-EFAULT);
  return fn.Return(sizeof(ticks));
}

constexpr file_operations timerfd_fops = {
    .name = "timerfd_fops",
    .llseek = noop_llseek,
    .read = timerfd_read,
    .poll = timerfd_poll,
    .release = timerfd_release,
};

// v4.19 fs/timerfd.c: timerfd_fget. 0, -EBADF, or -EINVAL for another file.
int timerfd_fget(int fd, struct fd* p) {
  FUNCTION(fd);
  *p = fdget(static_cast<unsigned>(fd));
  if (!p->file) return fn.Return(FailBadFd(static_cast<unsigned>(fd)));
  if (p->file->f_op == &timerfd_fops) return fn.Return(0);
  fdput(*p);
  return fn.Return(Fail(EINVAL, "fd $0 is not a timerfd", fd));
}

// v4.19 include/linux/time64.h: itimerspec64_valid
bool itimerspec64_valid(const itimerspec64& its) {
  return timespec64_valid(its.it_interval) && timespec64_valid(its.it_value);
}

// Stops the timer; its callback may be waiting for the lock, which is then given to it. Returns
// with wqh.lock held.
void StopAndLock(kptr<timerfd_ctx> ctx) {
  while (true) {
    spin_lock_irq(&ctx->wqh.lock);
    if (hrtimer_try_to_cancel(&ctx->tmr) >= 0) return;
    spin_unlock_irq(&ctx->wqh.lock);
    current->machine->Relax();
  }
}

// v4.19 fs/timerfd.c: do_timerfd_settime
int do_timerfd_settime(int ufd, int flags, const itimerspec64& setting, itimerspec64* old) {
  FUNCTION(ufd, flags);
  if ((flags & ~TFD_SETTIME_FLAGS) != 0) {
    return fn.Return(Fail(EINVAL, "flags $0 has bits that timerfd_settime does not know", flags));
  }
  if (!itimerspec64_valid(setting)) return fn.Return(Fail(EINVAL, "that is no length of time"));
  struct fd f;
  const int ret = timerfd_fget(ufd, &f);
  if (ret != 0) return fn.Return(ret);
  kptr<timerfd_ctx> ctx = ContextOf(f.file);
  StopAndLock(ctx);
  // The caller may want to know when it would have expired next.
  if (IsPeriodicAndExpired(ctx)) hrtimer_forward_now(&ctx->tmr, ctx->tintv);
  *old = SettingOf(ctx);
  timerfd_setup(ctx, flags, setting);
  spin_unlock_irq(&ctx->wqh.lock);
  fdput(f);
  return fn.Return(0);
}

// v4.19 fs/timerfd.c: do_timerfd_gettime
int do_timerfd_gettime(int ufd, itimerspec64* t) {
  FUNCTION(ufd);
  struct fd f;
  const int ret = timerfd_fget(ufd, &f);
  if (ret != 0) return fn.Return(ret);
  kptr<timerfd_ctx> ctx = ContextOf(f.file);
  spin_lock_irq(&ctx->wqh.lock);
  if (IsPeriodicAndExpired(ctx)) {
    ctx->expired = false;
    ctx->ticks += StartAgain(ctx);
  }
  *t = SettingOf(ctx);
  spin_unlock_irq(&ctx->wqh.lock);
  fdput(f);
  return fn.Return(0);
}

bool IsTimerfdClock(int clockid) {
  return clockid == CLOCK_MONOTONIC || clockid == CLOCK_REALTIME || clockid == CLOCK_BOOTTIME ||
         clockid == CLOCK_REALTIME_ALARM || clockid == CLOCK_BOOTTIME_ALARM;
}

}  // namespace

// v4.19 fs/timerfd.c: sys_timerfd_create
SYSCALL_DEFINE2(timerfd_create, int, clockid, int, flags) {
  if ((flags & ~TFD_CREATE_FLAGS) != 0) {
    return Fail(EINVAL, "flags $0 has bits that timerfd_create does not know", flags);
  }
  if (!IsTimerfdClock(clockid)) return Fail(EINVAL, "clock $0 has no timerfds", clockid);
  kptr<timerfd_ctx> ctx = kzalloc<timerfd_ctx>(GFP_KERNEL);
  if (!ctx) return Fail(ENOMEM, "no memory for a timerfd context");
  init_waitqueue_head(&ctx->wqh);
  ctx->clockid = clockid == CLOCK_REALTIME_ALARM ? CLOCK_REALTIME : clockid;
  hrtimer_init(&ctx->tmr, ctx->clockid, HRTIMER_MODE_ABS);
  const int ufd = anon_inode_getfd("[timerfd]", &timerfd_fops, ctx,
                                   O_RDWR | (static_cast<unsigned>(flags) & TFD_CREATE_FLAGS));
  if (ufd < 0) kfree(ctx);
  return ufd;
}

// v4.19 fs/timerfd.c: sys_timerfd_settime
SYSCALL_DEFINE4(timerfd_settime, int, ufd, int, flags, user_ptr<const itimerspec64>, utmr,
                user_ptr<itimerspec64>, otmr) {
  itimerspec64 setting;
  itimerspec64 old;
  if (get_itimerspec64(&setting, utmr) != 0) return Error(EFAULT);
  const int ret = do_timerfd_settime(ufd, flags, setting, &old);
  if (ret != 0) return ret;
  if (otmr && put_itimerspec64(old, otmr) != 0) return Error(EFAULT);
  return 0;
}

// v4.19 fs/timerfd.c: sys_timerfd_gettime
SYSCALL_DEFINE2(timerfd_gettime, int, ufd, user_ptr<itimerspec64>, otmr) {
  itimerspec64 kotmr;
  const int ret = do_timerfd_gettime(ufd, &kotmr);
  if (ret != 0) return ret;
  return put_itimerspec64(kotmr, otmr) != 0 ? -EFAULT : 0;
}

}  // namespace kpath
