// SPDX-License-Identifier: Apache-2.0
//
// The completion ring: pages of a private file that the process maps. v4.19 fs/aio.c
//
// Event s is at position s + 1 of an array of 32-byte slots that begins with the header, so a page
// holds 128 of them (the first page 127) and no event crosses a page.
#pragma once

#include "fs_aio/kioctx.h"

namespace kpath {

inline constexpr unsigned AIO_EVENTS_PER_PAGE = kPageSize / sizeof(io_event);
inline constexpr unsigned AIO_EVENTS_FIRST_PAGE = (kPageSize - sizeof(aio_ring)) / sizeof(io_event);
inline constexpr unsigned AIO_EVENTS_OFFSET = AIO_EVENTS_PER_PAGE - AIO_EVENTS_FIRST_PAGE;

// v4.19 fs/aio.c: aio_setup_ring. Makes the file, its pages and the mapping for at least
// `nr_events` events; sets nr_events, user_id, mmap_base, mmap_size. Returns 0 or a negative errno,
// with everything undone. Process context; REQUIRES: ring_lock.
int aio_setup_ring(kptr<kioctx> ctx, unsigned nr_events);
// v4.19 fs/aio.c: aio_free_ring. Truncates and drops the file, drops the pages.
void aio_free_ring(kptr<kioctx> ctx);

// Where an event is: which of the ring's pages, and at which byte of it.
struct RingSlot {
  unsigned page = 0;
  unsigned offset = 0;
};
// v4.19 fs/aio.c: the slot of event `index`, 0 .. nr_events - 1.
constexpr RingSlot SlotOf(unsigned index) {
  const unsigned position = index + AIO_EVENTS_OFFSET;
  return {position / AIO_EVENTS_PER_PAGE,
          position % AIO_EVENTS_PER_PAGE * static_cast<unsigned>(sizeof(io_event))};
}

// What the process sees, read through the kernel's own mapping: what it did to its mapping does not
// matter. Each is a kmap_atomic and a kunmap_atomic.
aio_ring ReadRingHeader(kptr<kioctx> ctx);
io_event ReadRingEvent(kptr<kioctx> ctx, unsigned index);

}  // namespace kpath
