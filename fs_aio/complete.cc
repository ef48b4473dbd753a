// SPDX-License-Identifier: Apache-2.0
//
// aio_complete: an event goes into the ring. v4.19 fs/aio.c
#include "fs_aio/reqs_available.h"
#include "fs_aio/request.h"
#include "fs_aio/ring.h"
#include "sim/vfs/eventfd.h"

namespace kpath {
namespace {

// v4.19 fs/aio.c: aio_fill_event, and the stores of aio_complete around it. Returns the ring's head
// as user mode left it. REQUIRES: completion_lock.
unsigned store_event(kptr<kioctx> ctx, const io_event& event) {
  unsigned tail = ctx->tail;
  const RingSlot slot = SlotOf(tail);
  kmap_ptr slot_page = kmap_atomic(ctx->ring_pages[slot.page]);
  *slot_page.as<io_event>(slot.offset) = event;
  kunmap_atomic(slot_page);
  STEP("event stored", tail, event.data, Value::Result(event.res));
  if (++tail >= ctx->nr_events) tail = 0;

  ctx->tail = tail;
  kmap_ptr header_page = kmap_atomic(ctx->ring_pages[0]);
  aio_ring* ring = header_page.as<aio_ring>();
  const unsigned head = ring->head;
  ring->tail = tail;
  kunmap_atomic(header_page);
  STEP("tail moved", head, tail);
  return head;
}

}  // namespace

// v4.19 fs/aio.c: aio_complete
// There is no check that the ring has room: a request holds its slot (kioctx.h, invariant 1).
void aio_complete(kptr<aio_kiocb> iocb, long res, long res2) {
  FUNCTION(iocb, Value::Result(res), res2);
  kptr<kioctx> ctx = iocb->ki_ctx;
  unsigned long flags;
  spin_lock_irqsave(&ctx->completion_lock, flags);
  const unsigned head = store_event(ctx, {iocb->ki_user_data, iocb->ki_user_iocb, res, res2});
  ctx->completed_events++;
  if (ctx->completed_events > 1) refill_reqs_available(ctx, head, ctx->tail);
  spin_unlock_irqrestore(&ctx->completion_lock, flags);

  if (iocb->ki_eventfd) {
    eventfd_signal(iocb->ki_eventfd, 1);
    eventfd_ctx_put(iocb->ki_eventfd);
  }
  if (waitqueue_active(&ctx->wait)) wake_up(&ctx->wait);
  iocb_put(iocb);
}

}  // namespace kpath
