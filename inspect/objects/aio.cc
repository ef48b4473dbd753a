// SPDX-License-Identifier: Apache-2.0
//
// fs/aio.c: contexts, requests, the ring.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "fs_aio/kioctx.h"
#include "fs_aio/ring.h"
#include "inspect/objects/names.h"
#include "inspect/printer.h"
#include "inspect/types_of.h"
#include "sim/vfs/eventfd.h"

namespace kpath {
namespace {

// The ring's first page, as the kernel has it mapped.
bool RingOf(const Look& look, const Datum& object, Datum* value) {
  const auto* ctx = static_cast<const kioctx*>(object.host);
  if (ctx->ring_pages.empty() || !ctx->ring_pages[0].alive()) return false;
  const uint64_t pfn = ctx->ring_pages[0].get()->pfn;
  *value = MakePointer(StructTypeOf<aio_ring>(), look.machine.memory.PageBytes(pfn),
                       kDirectMapBase + (pfn << kPageShift));
  return true;
}

// The context that the ring in the page at a kernel address belongs to; null: none.
const kioctx* ContextOfRing(const Look& look, uint64_t address) {
  if (address < kDirectMapBase || look.machine.memory.KernelBytes(address) == nullptr) {
    return nullptr;
  }
  const kptr<page> page = pfn_to_page((address - kDirectMapBase) >> kPageShift);
  if (!page.alive() || page.get()->mapping == nullptr) return nullptr;
  const auto* ctx = std::any_cast<kptr<kioctx>>(&page.get()->mapping->private_data);
  return ctx != nullptr && ctx->alive() ? ctx->get() : nullptr;
}

// ---- io_events: the array behind the header, in pages that need not be neighbours ----
size_t CountEvents(const Look&, const Datum& events) {
  return std::min<size_t>(static_cast<const aio_ring*>(events.host)->nr, 1 << 16);
}

Datum EventAt(const Look& look, const Datum& events, size_t index) {
  const RingSlot slot = SlotOf(static_cast<unsigned>(index));
  const uint64_t ring = events.address - sizeof(aio_ring);
  uint64_t address = ring + slot.page * kPageSize + slot.offset;
  if (const kioctx* ctx = ContextOfRing(look, ring); ctx != nullptr) {
    if (slot.page >= ctx->ring_pages.size() || !ctx->ring_pages[slot.page].alive()) {
      return MakeText("<no such page>");
    }
    address = kDirectMapBase + (ctx->ring_pages[slot.page].get()->pfn << kPageShift) + slot.offset;
  }
  Datum event;
  std::string why;
  if (!Dereference(look, MakeAddress(StructTypeOf<io_event>(), address), &event, &why)) {
    return MakeText(absl::StrCat("<", why, ">"));
  }
  return event;
}

constexpr Sequence kEvents = {CountEvents, EventAt};

bool EventsOf(const Look&, const Datum& object, Datum* value) {
  value->type = &SequenceType<kEvents>();
  value->host = object.host;
  value->copy = object.copy;
  value->address = object.address + sizeof(aio_ring);
  return true;
}

// The header, and of the events those that nobody has read.
std::string ShowRing(const Printer& printer, const Datum& object, const PrintLevel& level) {
  const auto* ring = static_cast<const aio_ring*>(object.host);
  std::vector<std::string> parts = printer.Fields(object, level);
  parts.pop_back();  // io_events
  Datum events;
  EventsOf(printer.look(), object, &events);
  const size_t nr = CountEvents(printer.look(), events);
  const PrintLevel inner = level.Deeper();
  std::vector<std::string> unread;
  const bool is_ring = ring->magic == AIO_RING_MAGIC && ring->head < nr && ring->tail < nr;
  for (size_t at = ring->head; is_ring && at != ring->tail; at = (at + 1) % nr) {
    unread.push_back(absl::StrCat(
        "[", at,
        "] = ", printer.Value(EventAt(printer.look(), events, at), inner.Deeper().InALine())));
  }
  parts.push_back(absl::StrCat("io_events = ", !is_ring ? "<head or tail is outside of the ring>"
                                               : unread.empty() ? "{<none is unread>}"
                                                                : Braces(unread, inner)));
  return Braces(parts, level);
}

bool WaitHead(const Look&, const Datum& object, Datum* value) {
  // The file that the queue is part of may be gone once the request has been woken.
  const auto* poll = static_cast<const poll_iocb*>(object.host);
  *value =
      MakePointer(StructTypeOf<wait_queue_head_t>(), poll->file.alive() ? poll->head : nullptr);
  return true;
}

bool UserIocb(const Look&, const Datum& object, Datum* value) {
  *value =
      MakeAddress(StructTypeOf<iocb>(), static_cast<const aio_kiocb*>(object.host)->ki_user_iocb);
  return true;
}

bool NrPages(const Look&, const Datum& object, Datum* value) {
  *value = MakeNumber(TypeOf<long>(), static_cast<const kioctx*>(object.host)->ring_pages.size());
  return true;
}

// Invariant 1 of fs_aio/kioctx.h, from the other side.
bool RequestsInFlight(const Look&, const Datum& object, Datum* value) {
  const auto* ctx = static_cast<const kioctx*>(object.host);
  unsigned available = ctx->reqs_available;
  if (ctx->cpu.alive()) {
    for (const kioctx_cpu& cpu : ctx->cpu.get()->cpus) available += cpu.reqs_available;
  }
  if (ctx->nr_events == 0) return false;
  *value = MakeNumber(TypeOf<unsigned>(), ctx->nr_events - 1 - ctx->completed_events - available);
  return true;
}

}  // namespace

template <>
const Type& StructTypeOf<kioctx>() {
  using S = kioctx;
  static constexpr Field kFields[] = {
      KPATH_FIELD(users),
      KPATH_FIELD(dead),
      KPATH_FIELD(reqs),
      KPATH_FIELD_AS(user_id, HexType<uint64_t>),
      KPATH_FIELD(cpu),
      KPATH_FIELD(req_batch),
      KPATH_FIELD(max_reqs),
      KPATH_FIELD(nr_events),
      KPATH_FIELD_AS(mmap_base, HexType<uint64_t>),
      KPATH_FIELD_AS(mmap_size, HexType<uint64_t>),
      KPATH_FIELD(ring_pages),
      KPATH_COMPUTED("nr_pages", NrPages),
      KPATH_FIELD(free_rwork),
      KPATH_FIELD_AS(rq_wait, TypeOf<void*>),
      KPATH_FIELD(reqs_available),
      KPATH_FIELD(ctx_lock),
      KPATH_FIELD(active_reqs),
      KPATH_FIELD(ring_lock),
      KPATH_FIELD(wait),
      KPATH_FIELD(tail),
      KPATH_FIELD(completed_events),
      KPATH_FIELD(completion_lock),
      KPATH_FIELD(aio_ring_file),
      KPATH_FIELD(id),
      KPATH_COMPUTED("ring", RingOf),
      KPATH_COMPUTED("in_flight", RequestsInFlight),
  };
  static constexpr Type kType = StructType<S>("struct kioctx", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<kioctx_table>() {
  using S = kioctx_table;
  static constexpr Field kFields[] = {KPATH_FIELD(table)};
  static constexpr Type kType = StructType<S>("struct kioctx_table", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<kioctx_cpu>() {
  using S = kioctx_cpu;
  static constexpr Field kFields[] = {KPATH_FIELD(reqs_available)};
  static constexpr Type kType = StructType<S>("struct kioctx_cpu", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<kiocb>() {
  using S = kiocb;
  static constexpr Field kFields[] = {
      KPATH_FIELD(ki_filp),
      KPATH_FIELD(ki_pos),
      KPATH_FIELD(ki_complete),
      KPATH_FIELD_OF(private_, "private", &TypeOf<void*>),
      KPATH_FIELD_AS(ki_flags, NamedType<int, kKiocbFlagNames>),
      KPATH_FIELD(ki_hint),
      KPATH_FIELD(ki_ioprio),
  };
  static constexpr Type kType = StructType<S>("struct kiocb", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<fsync_iocb>() {
  using S = fsync_iocb;
  static constexpr Field kFields[] = {KPATH_FIELD(work), KPATH_FIELD(file), KPATH_FIELD(datasync)};
  static constexpr Type kType = StructType<S>("struct fsync_iocb", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<poll_iocb>() {
  using S = poll_iocb;
  static constexpr Field kFields[] = {
      KPATH_FIELD(file),
      KPATH_COMPUTED("head", WaitHead),
      KPATH_FIELD_AS(events, NamedType<__poll_t, kPollNames>),
      KPATH_FIELD(woken),
      KPATH_FIELD(cancelled),
      KPATH_FIELD(wait),
      KPATH_FIELD(work),
  };
  static constexpr Type kType = StructType<S>("struct poll_iocb", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<aio_kiocb>() {
  using S = aio_kiocb;
  static constexpr Field kFields[] = {
      KPATH_FIELD(rw),
      KPATH_FIELD(fsync),
      KPATH_FIELD(poll),
      KPATH_FIELD(ki_ctx),
      KPATH_COMPUTED("ki_user_iocb", UserIocb),
      KPATH_FIELD_AS(ki_user_data, HexType<uint64_t>),
      KPATH_FIELD(ki_cancel),
      KPATH_FIELD(ki_listed),
      KPATH_FIELD(ki_refcnt),
      KPATH_FIELD(ki_eventfd),
  };
  static constexpr Type kType = StructType<S>("struct aio_kiocb", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<iocb>() {
  using S = iocb;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(aio_data, HexType<uint64_t>),
      KPATH_FIELD(aio_key),
      KPATH_FIELD_AS(aio_rw_flags, NamedType<uint32_t, kRwfNames>),
      KPATH_FIELD_AS(aio_lio_opcode, NamedType<uint16_t, kIocbCommandNames>),
      KPATH_FIELD(aio_reqprio),
      KPATH_FIELD(aio_fildes),
      KPATH_FIELD_AS(aio_buf, HexType<uint64_t>),
      KPATH_FIELD(aio_nbytes),
      KPATH_FIELD(aio_offset),
      KPATH_FIELD(aio_reserved2),
      KPATH_FIELD_AS(aio_flags, NamedType<uint32_t, kIocbFlagNames>),
      KPATH_FIELD(aio_resfd),
  };
  static constexpr Type kType = MemoryStructType<S>("struct iocb", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<io_event>() {
  using S = io_event;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(data, HexType<uint64_t>),
      KPATH_FIELD_AS(obj, HexType<uint64_t>),
      KPATH_FIELD_AS(res, NamedType<int64_t, kResultNames>),
      KPATH_FIELD_AS(res2, NamedType<int64_t, kResultNames>),
  };
  static constexpr Type kType = MemoryStructType<S>("struct io_event", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<aio_ring>() {
  using S = aio_ring;
  static constexpr Field kFields[] = {
      KPATH_FIELD(id),
      KPATH_FIELD(nr),
      KPATH_FIELD(head),
      KPATH_FIELD(tail),
      KPATH_FIELD_AS(magic, HexType<uint32_t>),
      KPATH_FIELD(compat_features),
      KPATH_FIELD(incompat_features),
      KPATH_FIELD(header_length),
      KPATH_COMPUTED("io_events", EventsOf),
  };
  static constexpr Type kType = [] {
    Type type = MemoryStructType<S>("struct aio_ring", kFields);
    type.show = ShowRing;
    return type;
  }();
  return kType;
}

}  // namespace kpath
