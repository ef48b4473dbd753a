// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/aio.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "fs_aio/kioctx.h"
#include "fs_aio/ring.h"
#include "inspect/info/address.h"
#include "inspect/info/text.h"
#include "inspect/info/waits.h"
#include "sim/kernel/slab_caches.h"

namespace kpath {
namespace {

constexpr unsigned kMaxEvents = 32;  // that are listed
constexpr unsigned kMaxRequests = 32;
constexpr int kNarrowest = 16;  // cells of a half of the ring

bool HasContext(const task_struct& task, const kptr<kioctx>& ctx) {
  const kptr<mm_struct> mm = MmOf(task);
  if (!mm || !mm->ioctx_table.alive()) return false;
  const auto& table = mm->ioctx_table->table;
  return std::find(table.begin(), table.end(), ctx) != table.end();
}

// Whose it is: the first of the tasks that share it.
std::string OwnerName(const View& view, const kptr<kioctx>& ctx) {
  for (const task_struct* task : AllTasks(view.machine)) {
    if (HasContext(*task, ctx)) return TaskName(*task);
  }
  return ctx->dead ? "dead" : "nobody's yet";
}

std::vector<kptr<aio_kiocb>> RequestsOf(const View& view, const kptr<kioctx>& ctx) {
  std::vector<kptr<aio_kiocb>> requests;
  for (const auto& req : LiveObjectsOf<aio_kiocb>(view.machine)) {
    if (req->ki_ctx == ctx) requests.push_back(req);
  }
  return requests;
}

std::string DescribeSlots(const kptr<kioctx>& ctx) {
  std::vector<unsigned> per_cpu;
  for (const kioctx_cpu& cpu : ctx->cpu->cpus) per_cpu.push_back(cpu.reqs_available);
  long on_cpus = 0;
  for (const unsigned slots : per_cpu) on_cpus += slots;
  const long all = static_cast<long>(ctx->nr_events) - 1;
  const long in_flight = all - ctx->reqs_available - on_cpus - ctx->completed_events;
  std::string text =
      absl::StrCat("slots: ", ctx->reqs_available, " in reqs_available + ", on_cpus, " on CPUs (",
                   absl::StrJoin(per_cpu, " "), ") + ", in_flight, " in flight + ",
                   ctx->completed_events, " completed and unread = ", all, ", nr_events - 1");
  if (in_flight < 0) absl::StrAppend(&text, ": MORE THAN THERE ARE");
  return text;
}

std::string DescribeRequest(const aio_kiocb& req) {
  std::string file = "no file";
  if (req.rw.ki_filp.alive()) {
    file = absl::StrCat(d_path(req.rw.ki_filp->f_path), " at ", req.rw.ki_pos);
  } else if (req.fsync.file.alive()) {
    file = absl::StrCat("fsync of ", d_path(req.fsync.file->f_path));
  } else if (req.poll.file.alive()) {
    file = absl::StrCat("poll of ", d_path(req.poll.file->f_path));
  }
  return absl::StrCat("request of iocb ", Hex(req.ki_user_iocb), ", data ", Hex(req.ki_user_data),
                      ": ", file);
}

std::string DescribeContext(const View& view, const kptr<kioctx>& ctx) {
  std::vector<std::string> lines = {absl::StrCat("kioctx ", Hex(ctx->user_id), " of ",
                                                 OwnerName(view, ctx), ", id ", ctx->id, ", at ",
                                                 Hex(ctx.address()), ctx->dead ? ", dead" : "")};
  lines.push_back(absl::StrCat("  max_reqs ", ctx->max_reqs, ", nr_events ", ctx->nr_events,
                               ", req_batch ", ctx->req_batch, ", ",
                               Count(ctx->ring_pages.size(), "page"), ", tail ", ctx->tail,
                               ", completed_events ", ctx->completed_events));
  if (ctx->cpu.alive() && ctx->req_batch != 0) {
    lines.push_back("  " + DescribeSlots(ctx));
  } else {
    lines.push_back("  its counters are not set up");
  }
  const auto requests = RequestsOf(view, ctx);
  lines.push_back(absl::StrCat("  ", Count(requests.size(), "request"), " not freed, ",
                               ctx->active_reqs.size(), " cancellable"));
  for (size_t i = 0; i < std::min<size_t>(requests.size(), kMaxRequests); ++i) {
    lines.push_back("    " + DescribeRequest(*requests[i]));
  }
  if (requests.size() > kMaxRequests) {
    lines.push_back(absl::StrCat("    and ", requests.size() - kMaxRequests, " more"));
  }
  for (const wait_queue_entry* entry : ctx->wait.head) {
    if (entry->task != nullptr) lines.push_back("  waited for by " + TaskName(*entry->task));
  }
  std::string text;
  for (const std::string& line : lines) absl::StrAppend(&text, Wrap(line, view.width, 6), "\n");
  return text;
}

// ---- The ring ----

struct Ring {
  unsigned slots = 0;
  unsigned head = 0, tail = 0;  // less than `slots`

  bool IsUnread(unsigned slot) const {
    return head <= tail ? slot >= head && slot < tail : slot >= head || slot < tail;
  }
  unsigned unread() const { return (tail + slots - head) % slots; }
};

// One cell of the picture: `count` slots from `first` on.
char Cell(const Ring& ring, unsigned first, unsigned count) {
  const auto has = [&](unsigned slot) { return slot >= first && slot - first < count; };
  if (has(ring.head) && has(ring.tail)) return ring.head == ring.tail ? '*' : '%';
  if (has(ring.head)) return 'H';
  if (has(ring.tail)) return 'T';
  for (unsigned slot = first; slot < std::min(first + count, ring.slots); ++slot) {
    if (ring.IsUnread(slot)) return '#';
  }
  return '.';
}

// Two rows, the lower one from right to left, so that the ends meet.
std::string Draw(const Ring& ring, int width) {
  const unsigned digits = static_cast<unsigned>(absl::StrCat(ring.slots).size());
  const int room = (width <= 0 ? 80 : width) - 2 * static_cast<int>(digits) - 8;
  const auto cells = static_cast<unsigned>(std::max(room, kNarrowest));
  const unsigned per_cell = (ring.slots + 2 * cells - 1) / (2 * cells);
  const unsigned all_cells = (ring.slots + per_cell - 1) / per_cell;
  const unsigned upper_cells = (all_cells + 1) / 2;
  std::string upper, lower;
  for (unsigned i = 0; i < all_cells; ++i) {
    const char cell = Cell(ring, i * per_cell, per_cell);
    i < upper_cells ? upper.push_back(cell) : lower.push_back(cell);
  }
  std::reverse(lower.begin(), lower.end());
  const std::string gap(upper.size() - lower.size(), ' ');
  const unsigned middle = std::min(upper_cells * per_cell, ring.slots);
  const int columns = static_cast<int>(digits);
  std::string text = absl::StrFormat("  %*d > %s > %d\n", columns, 0, upper, middle - 1);
  if (!lower.empty()) {
    absl::StrAppend(
        &text, absl::StrFormat("  %*d < %s%s < %d\n", columns, ring.slots - 1, gap, lower, middle));
  }
  std::string legend = absl::StrCat("  H the next to be read, T the next to be written, ",
                                    ring.head == ring.tail ? "* both, " : "", "# unread, . free");
  if (per_cell > 1) {
    absl::StrAppend(&legend, "; each is ", per_cell, " slots, % has head and tail");
  }
  return absl::StrCat(text, Wrap(legend, width, 2), "\n");
}

io_event EventAt(const View& view, const kptr<kioctx>& ctx, unsigned slot) {
  const unsigned place = slot + AIO_EVENTS_OFFSET;
  const kptr<page>& page = ctx->ring_pages[place / AIO_EVENTS_PER_PAGE];
  io_event event = {};
  if (!page.alive()) return event;
  std::memcpy(
      &event,
      view.machine.memory.PageBytes(page->pfn) + place % AIO_EVENTS_PER_PAGE * sizeof(io_event),
      sizeof(event));
  return event;
}

std::string ListEvents(const View& view, const kptr<kioctx>& ctx, const Ring& ring) {
  std::string text;
  for (unsigned i = 0; i < std::min(ring.unread(), kMaxEvents); ++i) {
    const unsigned slot = (ring.head + i) % ring.slots;
    const io_event event = EventAt(view, ctx, slot);
    absl::StrAppend(
        &text,
        Cut(absl::StrCat(
                "  [", slot, "] data=", Hex(event.data), " obj=", Hex(event.obj), " res=",
                event.res < 0 ? Value::Result(event.res).ToString() : absl::StrCat(event.res),
                " res2=", event.res2),
            view.width),
        "\n");
  }
  if (ring.unread() > kMaxEvents) {
    absl::StrAppend(&text, "  and ", ring.unread() - kMaxEvents, " more\n");
  }
  return text;
}

std::string DescribeRing(const View& view, const kptr<kioctx>& ctx) {
  const std::string whose =
      absl::StrCat("Ring of ", Hex(ctx->user_id), " (", OwnerName(view, ctx), ")");
  if (ctx->nr_events == 0 || ctx->ring_pages.empty() || !ctx->ring_pages[0].alive()) {
    return absl::StrCat(whose, ": not made yet, or gone.\n");
  }
  aio_ring header;
  std::memcpy(&header, view.machine.memory.PageBytes(ctx->ring_pages[0]->pfn), sizeof(header));
  const unsigned slots = ctx->nr_events;
  const Ring ring = {.slots = slots, .head = header.head % slots, .tail = header.tail % slots};
  std::string title = absl::StrCat(whose, ": ", slots, " slots, head ", header.head, ", tail ",
                                   header.tail, ", ", ring.unread(), " unread");
  // Both words of the header are in memory that the process may write.
  if (header.head >= slots || header.tail >= slots) {
    absl::StrAppend(&title, "; taken modulo ", slots);
  }
  if (header.tail != ctx->tail) absl::StrAppend(&title, "; the kernel's own tail is ", ctx->tail);
  return absl::StrCat(Wrap(title, view.width, 2), "\n", Draw(ring, view.width),
                      ListEvents(view, ctx, ring));
}

}  // namespace

std::string InfoKioctx(const View& view) {
  std::string text;
  for (const auto& ctx : LiveObjectsOf<kioctx>(view.machine)) text += DescribeContext(view, ctx);
  return text.empty() ? "There are no contexts.\n" : text;
}

absl::StatusOr<std::string> InfoRing(const View& view, absl::optional<uint64_t> address) {
  std::string text;
  for (const auto& ctx : LiveObjectsOf<kioctx>(view.machine)) {
    const bool is_meant = address.has_value()
                              ? ctx->user_id == *address || ctx.address() == *address
                              : HasContext(TaskOf(view), ctx);
    if (is_meant) text += DescribeRing(view, ctx);
  }
  if (!text.empty()) return text;
  if (address.has_value()) {
    return absl::NotFoundError(absl::StrCat("No context has the address ", Hex(*address)));
  }
  return absl::StrCat(TaskName(TaskOf(view)), " has no contexts.\n");
}

}  // namespace kpath
