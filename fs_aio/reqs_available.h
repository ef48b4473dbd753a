// SPDX-License-Identifier: Apache-2.0
//
// Slots: how io_submit knows that every request it accepts will find room in the ring. v4.19
// fs/aio.c
//
// A slot is the right to one request whose event is not yet known to be read. Slots are counted in
// a global counter (kioctx::reqs_available) and per CPU; they move between the two req_batch at a
// time. A slot comes back when the kernel notices that user mode has read an event, which it does
// while completing another request (refill_reqs_available) or when it has run out (user_refill...).
#pragma once

#include "fs_aio/kioctx.h"

namespace kpath {

// v4.19 fs/aio.c: get_reqs_available. Takes one slot for the running CPU; false if there is none.
bool get_reqs_available(kptr<kioctx> ctx);
// v4.19 fs/aio.c: put_reqs_available. Gives `nr` slots back to the running CPU.
void put_reqs_available(kptr<kioctx> ctx, unsigned nr);
// v4.19 fs/aio.c: refill_reqs_available. Gives back the slots of events that were read, as the
// ring's `head` and `tail` say. REQUIRES: completion_lock.
void refill_reqs_available(kptr<kioctx> ctx, unsigned head, unsigned tail);
// v4.19 fs/aio.c: user_refill_reqs_available. The same on the submitter's side.
void user_refill_reqs_available(kptr<kioctx> ctx);

// v4.19 fs/aio.c: aio_get_req. A request with its slot and its reference on ctx->reqs, or null
// (Reason says why; callers return -EAGAIN).
kptr<aio_kiocb> aio_get_req(kptr<kioctx> ctx);

// Where every slot is; for reports, tests and the debugger. Sums up to nr_events - 1 (invariant 1).
struct SlotCensus {
  unsigned global = 0;
  unsigned per_cpu = 0;
  unsigned in_flight = 0;  // by subtraction
  unsigned completed = 0;  // completed and not known to be read
};
SlotCensus CountSlots(kptr<kioctx> ctx);

}  // namespace kpath
