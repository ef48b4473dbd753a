// SPDX-License-Identifier: Apache-2.0
//
// io_getevents: reading events from the ring, and waiting for them. v4.19 fs/aio.c
#include "fs_aio/getevents.h"

#include <algorithm>

#include "fs_aio/ioctx.h"
#include "fs_aio/ring.h"
#include "sim/kernel/compat.h"
#include "sim/kernel/hrtimer.h"
#include "sim/kernel/time.h"

namespace kpath {
namespace {

// v4.19 fs/aio.c: part of aio_read_events_ring: one run of events that are neighbours in one page.
// Returns how many, or a negative errno.
long copy_run(kptr<kioctx> ctx, unsigned head, unsigned tail, user_ptr<io_event> events,
              long wanted) {
  const unsigned end = head <= tail ? tail : ctx->nr_events;
  const unsigned in_page = AIO_EVENTS_PER_PAGE - (head + AIO_EVENTS_OFFSET) % AIO_EVENTS_PER_PAGE;
  const long avail = std::min<long>({static_cast<long>(end - head), wanted, in_page});
  const RingSlot slot = SlotOf(head);
  kptr<page> page = ctx->ring_pages[slot.page];
  kmap_ptr mapped = kmap(page);
  const unsigned long left = copy_to_user(events, mapped.as<io_event>(slot.offset),
                                          sizeof(io_event) * static_cast<unsigned long>(avail));
  kunmap(page);
  if (left != 0) {
    return Fail(EFAULT, "$0 events cannot be written to $1; they stay in the ring", avail, events);
  }
  return avail;
}

// v4.19 fs/aio.c: aio_read_events_ring. Copies up to `nr` events out and moves head past them.
long aio_read_events_ring(kptr<kioctx> ctx, user_ptr<io_event> event, long nr) {
  FUNCTION(ctx, event, nr);
  mutex_lock(&ctx->ring_lock);
  // Both are in memory that user mode may write.
  const aio_ring ring = ReadRingHeader(ctx);
  unsigned head = ring.head;
  unsigned tail = ring.tail;
  long ret = 0;
  STEP("ring read", head, tail);
  if (head == tail) {
    mutex_unlock(&ctx->ring_lock);
    return fn.Return(ret);
  }
  head %= ctx->nr_events;
  tail %= ctx->nr_events;
  while (ret < nr && head != tail) {
    const long copied = copy_run(ctx, head, tail, event + ret, nr - ret);
    if (copied < 0) {
      mutex_unlock(&ctx->ring_lock);
      return fn.Return(copied);
    }
    ret += copied;
    head = (head + copied) % ctx->nr_events;
  }
  kmap_ptr header_page = kmap_atomic(ctx->ring_pages[0]);
  header_page.as<aio_ring>()->head = head;
  kunmap_atomic(header_page);
  STEP("head moved", head, ret);
  mutex_unlock(&ctx->ring_lock);
  return fn.Return(ret);
}

// v4.19 fs/aio.c: aio_read_events. True when read_events need not wait any longer.
bool aio_read_events(kptr<kioctx> ctx, long min_nr, long nr, user_ptr<io_event> event, long* i) {
  FUNCTION(ctx, min_nr, nr, *i);
  long ret = aio_read_events_ring(ctx, event + *i, nr - *i);
  if (ret > 0) *i += ret;
  if (ctx->dead) ret = Fail(EINVAL, "the context was destroyed while it was read");
  // An error after some events is not told: the events are.
  if (*i == 0) *i = ret;
  return fn.Return(ret < 0 || *i >= min_nr);
}

// v4.19 fs/aio.c: read_events
long read_events(kptr<kioctx> ctx, long min_nr, long nr, user_ptr<io_event> event, ktime_t until) {
  FUNCTION(ctx, min_nr, nr, until);
  long ret = 0;
  if (until == 0) {
    aio_read_events(ctx, min_nr, nr, event, &ret);
  } else {
    wait_event_interruptible_hrtimeout(
        &ctx->wait, [&] { return aio_read_events(ctx, min_nr, nr, event, &ret); }, until);
  }
  return fn.Return(ret);
}

long FailInterrupted() { return Fail(EINTR, "a signal came before the first event"); }

}  // namespace

long FailTimeout(user_ptr<const void> timeout) {
  return Fail(EFAULT, "the timeout at $0 cannot be read", timeout);
}

// v4.19 fs/aio.c: do_io_getevents
long do_io_getevents(aio_context_t ctx_id, long min_nr, long nr, user_ptr<io_event> events,
                     const timespec64* ts) {
  FUNCTION(Value::Address(ctx_id), min_nr, nr, events);
  const ktime_t until = ts != nullptr ? timespec64_to_ktime(*ts) : KTIME_MAX;
  kptr<kioctx> ioctx = lookup_ioctx(ctx_id);
  if (!ioctx) return fn.Return<long>(Error(EINVAL));
  long ret;
  if (min_nr <= nr && min_nr >= 0) {
    ret = read_events(ioctx, min_nr, nr, events, until);
  } else {
    ret = Fail(EINVAL, "min_nr=$0 must be between 0 and nr=$1", min_nr, nr);
  }
  percpu_ref_put(&ioctx->users);
  return fn.Return(ret);
}

// v4.19 fs/aio.c: sys_io_getevents
SYSCALL_DEFINE5(io_getevents, aio_context_t, ctx_id, long, min_nr, long, nr, user_ptr<io_event>,
                events, user_ptr<timespec64>, timeout) {
  timespec64 ts;
  if (timeout && get_timespec64(&ts, timeout) != 0) return FailTimeout(timeout);
  const long ret = do_io_getevents(ctx_id, min_nr, nr, events, timeout ? &ts : nullptr);
  return ret == 0 && signal_pending(current) ? FailInterrupted() : ret;
}

// v4.19 fs/aio.c: compat_sys_io_getevents
COMPAT_SYSCALL_DEFINE5(io_getevents, compat_aio_context_t, ctx_id, compat_long_t, min_nr,
                       compat_long_t, nr, user_ptr<io_event>, events, user_ptr<compat_timespec>,
                       timeout) {
  timespec64 ts;
  if (timeout && compat_get_timespec64(&ts, timeout) != 0) return FailTimeout(timeout);
  const long ret = do_io_getevents(ctx_id, min_nr, nr, events, timeout ? &ts : nullptr);
  return ret == 0 && signal_pending(current) ? FailInterrupted() : ret;
}

}  // namespace kpath
