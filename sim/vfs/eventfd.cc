// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/eventfd.h"

#include <algorithm>

#include "sim/kernel/sched.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/vfs/anon_inodes.h"
#include "sim/vfs/file.h"
#include "sim/vfs/read_write.h"

namespace kpath {
namespace {

KernelGlobal<int> eventfd_lock_classes;

kptr<eventfd_ctx> ContextOf(kptr<file> file) {
  return std::any_cast<kptr<eventfd_ctx>>(file->private_data);
}

// v4.19 fs/eventfd.c: eventfd_release
int eventfd_release(kptr<inode>, kptr<file> file) {
  FUNCTION(file);
  kptr<eventfd_ctx> ctx = ContextOf(file);
  wake_up_poll(&ctx->wqh, EPOLLHUP);
  eventfd_ctx_put(ctx);
  return fn.Return(0);
}

// v4.19 fs/eventfd.c: eventfd_poll
__poll_t eventfd_poll(kptr<file> file, poll_table* wait) {
  FUNCTION(file);
  kptr<eventfd_ctx> ctx = ContextOf(file);
  poll_wait(file, &ctx->wqh, wait);
  const uint64_t count = ctx->count;
  __poll_t events = 0;
  if (count > 0) events |= EPOLLIN;
  if (count == UINT64_MAX) events |= EPOLLERR;
  if (count < UINT64_MAX - 1) events |= EPOLLOUT;
  return fn.Return(events);
}

// Waits until `ready()`, or not if the file is O_NONBLOCK. Called with wqh.lock held, which it
// gives up while it sleeps. Returns 0, -EAGAIN or -ERESTARTSYS. `reason` tells what was waited for.
template <typename Ready>
int WaitUntil(kptr<eventfd_ctx> ctx, kptr<file> file, const char* reason, Ready ready) {
  if (ready()) return 0;
  if ((file->f_flags & O_NONBLOCK) != 0) return Fail(EAGAIN, reason, ctx->count);
  wait_queue_entry wait;
  init_waitqueue_entry(&wait, current);
  int result = 0;
  __add_wait_queue(&ctx->wqh, &wait);
  while (true) {
    set_current_state(TASK_INTERRUPTIBLE);
    if (ready()) break;
    if (signal_pending(current)) {
      result = Fail(ERESTARTSYS, "a signal came while waiting for the counter, $0", ctx->count);
      break;
    }
    spin_unlock_irq(&ctx->wqh.lock);
    schedule();
    spin_lock_irq(&ctx->wqh.lock);
  }
  __remove_wait_queue(&ctx->wqh, &wait);
  __set_current_state(TASK_RUNNING);
  return result;
}

// v4.19 fs/eventfd.c: eventfd_ctx_do_read. What a read takes.
uint64_t eventfd_ctx_do_read(kptr<eventfd_ctx> ctx) {
  const uint64_t taken = (ctx->flags & EFD_SEMAPHORE) != 0 ? 1 : ctx->count;
  ctx->count -= taken;
  STEP("counter lowered", ctx->count, taken);
  return taken;
}

// v4.19 fs/eventfd.c: eventfd_read
ssize_t eventfd_read(kptr<file> file, user_ptr<char> buf, size_t count, loff_t*) {
  FUNCTION(file, buf, count);
  kptr<eventfd_ctx> ctx = ContextOf(file);
  uint64_t taken = 0;
  if (count < sizeof(taken)) {
    return fn.Return(Fail(EINVAL, "$0 bytes are too few for the counter's 8", count));
  }
  spin_lock_irq(&ctx->wqh.lock);
  const int error = WaitUntil(ctx, file, "the counter is $0 and O_NONBLOCK is set",
                              [&] { return ctx->count > 0; });
  if (error == 0) {
    taken = eventfd_ctx_do_read(ctx);
    if (waitqueue_active(&ctx->wqh)) wake_up_locked_poll(&ctx->wqh, EPOLLOUT);
  }
  spin_unlock_irq(&ctx->wqh.lock);
  if (error != 0) return fn.Return(error);
  if (put_user(taken, buf.cast<uint64_t>()) != 0) return fn.Return(-EFAULT);
  return fn.Return(sizeof(taken));
}

// v4.19 fs/eventfd.c: eventfd_write
ssize_t eventfd_write(kptr<file> file, user_ptr<const char> buf, size_t count, loff_t*) {
  FUNCTION(file, buf, count);
  kptr<eventfd_ctx> ctx = ContextOf(file);
  uint64_t added = 0;
  if (count < sizeof(added)) {
    return fn.Return(Fail(EINVAL, "$0 bytes are too few for the counter's 8", count));
  }
  if (copy_from_user(&added, buf, sizeof(added)) != 0) return fn.Return(-EFAULT);
  if (added == UINT64_MAX) return fn.Return(Fail(EINVAL, "2^64-1 cannot be added"));
  spin_lock_irq(&ctx->wqh.lock);
  const int error =
      WaitUntil(ctx, file, "the counter, $0, has no room for it and O_NONBLOCK is set",
                [&] { return UINT64_MAX - ctx->count > added; });
  if (error == 0) {
    ctx->count += added;
    STEP("counter raised", ctx->count, added);
    if (waitqueue_active(&ctx->wqh)) wake_up_locked_poll(&ctx->wqh, EPOLLIN);
  }
  spin_unlock_irq(&ctx->wqh.lock);
  if (error != 0) return fn.Return(error);
  return fn.Return(sizeof(added));
}

// v4.19 fs/eventfd.c: eventfd_free_ctx
void eventfd_free_ctx(kptr<eventfd_ctx> ctx) {
  FUNCTION(ctx);
  kfree(ctx);
}

// Makes the lock of this context a class of its own for lockdep: a context may be signalled under
// the lock of another one (AIO polls one and tells the other).
// Departs: Linux has one class for all, and its lockdep warns of that; it is no deadlock.
void SetLockClass(kptr<eventfd_ctx> ctx) {
  ctx->wqh.lock.dep_map.key.line = -++*eventfd_lock_classes;
}

// v4.19 fs/eventfd.c: do_eventfd
int do_eventfd(unsigned count, unsigned flags) {
  FUNCTION(count, flags);
  if ((flags & ~(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK)) != 0) {
    return fn.Return(Fail(EINVAL, "flags $0 has bits that eventfd does not know", flags));
  }
  kptr<eventfd_ctx> ctx = kzalloc<eventfd_ctx>(GFP_KERNEL);
  if (!ctx) return fn.Return(Fail(ENOMEM, "no memory for an eventfd context"));
  init_waitqueue_head(&ctx->wqh);
  SetLockClass(ctx);
  ctx->count = count;
  ctx->flags = flags;
  const int fd = anon_inode_getfd("[eventfd]", &eventfd_fops, ctx,
                                  O_RDWR | (flags & (EFD_CLOEXEC | EFD_NONBLOCK)));
  if (fd < 0) eventfd_free_ctx(ctx);
  return fn.Return(fd);
}

}  // namespace

const file_operations eventfd_fops = {
    .name = "eventfd_fops",
    .llseek = noop_llseek,
    .read = eventfd_read,
    .write = eventfd_write,
    .poll = eventfd_poll,
    .release = eventfd_release,
};

// v4.19 fs/eventfd.c: eventfd_signal
uint64_t eventfd_signal(kptr<eventfd_ctx> ctx, uint64_t n) {
  FUNCTION(ctx, n);
  unsigned long flags;
  spin_lock_irqsave(&ctx->wqh.lock, flags);
  n = std::min(n, UINT64_MAX - ctx->count);
  ctx->count += n;
  STEP("counter raised", ctx->count, n);
  if (waitqueue_active(&ctx->wqh)) wake_up_locked_poll(&ctx->wqh, EPOLLIN);
  spin_unlock_irqrestore(&ctx->wqh.lock, flags);
  return fn.Return(n);
}

// v4.19 fs/eventfd.c: eventfd_ctx_put
void eventfd_ctx_put(kptr<eventfd_ctx> ctx) {
  FUNCTION(ctx);
  if (--ctx->refs == 0) eventfd_free_ctx(ctx);
}

// v4.19 fs/eventfd.c: eventfd_ctx_fileget
kptr<eventfd_ctx> eventfd_ctx_fileget(kptr<file> file) {
  FUNCTION(file);
  if (file->f_op != &eventfd_fops) return fn.Return(Fail(EINVAL, "the file is not an eventfd"));
  kptr<eventfd_ctx> ctx = ContextOf(file);
  ++ctx->refs;
  return fn.Return(ctx);
}

// v4.19 fs/eventfd.c: eventfd_ctx_fdget
kptr<eventfd_ctx> eventfd_ctx_fdget(int fd) {
  FUNCTION(fd);
  const struct fd f = fdget(static_cast<unsigned>(fd));
  if (!f.file) return fn.Return(FailBadFd(static_cast<unsigned>(fd)));
  kptr<eventfd_ctx> ctx = eventfd_ctx_fileget(f.file);
  fdput(f);
  return fn.Return(ctx);
}

// v4.19 fs/eventfd.c
SYSCALL_DEFINE2(eventfd2, unsigned, count, int, flags) {
  return do_eventfd(count, static_cast<unsigned>(flags));
}
SYSCALL_DEFINE1(eventfd, unsigned, count) { return do_eventfd(count, 0); }

}  // namespace kpath
