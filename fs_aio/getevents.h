// SPDX-License-Identifier: Apache-2.0
//
// What io_getevents and io_pgetevents have in common. v4.19 fs/aio.c
#pragma once

#include "fs_aio/kioctx.h"
#include "sim/kernel/time64.h"

namespace kpath {

// v4.19 fs/aio.c: do_io_getevents. Moves up to `nr` events from the ring to `events` and waits
// until it has moved `min_nr`, until the time `ts` (null: for ever; zero: not at all) is over or
// until a signal comes. Returns how many it has moved, or -EINVAL, -EFAULT; 0 for the last two ends
// if there was no event. Process context; may sleep.
long do_io_getevents(aio_context_t ctx_id, long min_nr, long nr, user_ptr<io_event> events,
                     const timespec64* ts);

// The error of a timeout that cannot be read.
long FailTimeout(user_ptr<const void> timeout);

}  // namespace kpath
