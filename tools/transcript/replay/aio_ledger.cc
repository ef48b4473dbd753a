// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/aio_ledger.h"

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "sim/vfs/fs.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

// The same event as far as a program can tell. The iocb's address is the replay's own where the
// recording does not show it.
bool SameEvent(const io_event& a, const io_event& b) {
  return a.data == b.data && a.res == b.res && a.res2 == b.res2;
}

std::vector<io_event>::const_iterator Find(const std::vector<io_event>& events,
                                           const io_event& wanted) {
  // The one of the same iocb before others that look like it.
  const auto exact = std::find_if(events.begin(), events.end(), [&](const io_event& event) {
    return SameEvent(event, wanted) && event.obj == wanted.obj;
  });
  if (exact != events.end()) return exact;
  return std::find_if(events.begin(), events.end(),
                      [&](const io_event& event) { return SameEvent(event, wanted); });
}

std::string Describe(const io_event& event) {
  return absl::StrCat("{data=", event.data, ", res=", event.res, ", res2=", event.res2, "}");
}

std::string DescribeAll(const std::vector<io_event>& events) {
  constexpr size_t kMost = 4;
  if (events.empty()) return "none";
  std::string text;
  for (size_t i = 0; i < std::min(events.size(), kMost); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : " ", Describe(events[i]));
  }
  if (events.size() > kMost) absl::StrAppend(&text, " and ", events.size() - kMost, " more");
  return text;
}

}  // namespace

io_event EventOf(const strace::Value& value) {
  const auto field = [&](absl::string_view name) -> uint64_t {
    const strace::Value* field_value = strace::FindField(value, name);
    return field_value == nullptr ? 0 : strace::Evaluate(*field_value).value_or(0);
  };
  return {field("data"), field("obj"), static_cast<int64_t>(field("res")),
          static_cast<int64_t>(field("res2"))};
}

const AioLedger::Context* AioLedger::Find(uint64_t ctx) const {
  const auto found = contexts_.find(ctx);
  return found == contexts_.end() ? nullptr : &found->second;
}

int64_t AioLedger::SureToFit(uint64_t ctx) const {
  const Context* context = Find(ctx);
  if (context == nullptr) return 0;
  return context->guaranteed -
         static_cast<int64_t>(context->in_flight.size() + context->early.size());
}

void AioLedger::Submitted(const CallFrame& frame, int64_t accepted) {
  Context& context = contexts_[frame.arguments[0]];
  for (int64_t i = 0; i < accepted && i < static_cast<int64_t>(frame.iocbs.size()); ++i) {
    const StagedIocb& iocb = frame.iocbs[i];
    context.in_flight.push_back({iocb.address, iocb.value.aio_data, iocb.kept, iocb.certain});
    if ((iocb.value.aio_rw_flags & RWF_NOWAIT) != 0) {
      nowait_.insert(iocb.address);
    } else {
      nowait_.erase(iocb.address);
    }
    if (!iocb.certain) continue;
    ++context.certain_unshown;
    ++certain_[iocb.address];
  }
}

int64_t AioLedger::BeginRead(uint64_t ctx) {
  Context& context = contexts_[ctx];
  return ++context.readers > 1 ? 0 : context.certain_unshown;
}

void AioLedger::EndRead(uint64_t ctx) { --contexts_[ctx].readers; }

std::vector<uint64_t> AioLedger::Delivered(uint64_t ctx, const std::vector<io_event>& events) {
  Context& context = contexts_[ctx];
  std::vector<uint64_t> free;
  for (const io_event& event : events) {
    const auto owed = kpath::Find(context.owed, event);
    if (owed != context.owed.end()) {
      context.owed.erase(owed);
    } else {
      context.early.push_back(event);
    }
    const Request* request = RequestOf(context, event);
    if (request == nullptr) continue;
    free.insert(free.end(), request->kept.begin(), request->kept.end());
    context.in_flight.erase(context.in_flight.begin() + (request - context.in_flight.data()));
  }
  return free;
}

std::vector<uint64_t> AioLedger::Taken(uint64_t ctx, const std::vector<io_event>& events) {
  const std::vector<uint64_t> free = Delivered(ctx, events);
  Context& context = contexts_[ctx];
  for (const io_event& event : events) {
    const auto early = kpath::Find(context.early, event);
    if (early == context.early.end()) continue;
    Settle(&context, early->obj);
    context.early.erase(early);
  }
  return free;
}

int64_t AioLedger::InFlight(uint64_t ctx) const {
  const Context* context = Find(ctx);
  return context == nullptr ? 0 : static_cast<int64_t>(context->in_flight.size());
}

int64_t AioLedger::delivered_early(uint64_t ctx) const {
  const Context* context = Find(ctx);
  return context == nullptr ? 0 : static_cast<int64_t>(context->early.size());
}

const AioLedger::Request* AioLedger::RequestOf(const Context& context, const io_event& event) {
  const auto found =
      std::find_if(context.in_flight.begin(), context.in_flight.end(),
                   [&](const Request& r) { return r.iocb == event.obj && r.data == event.data; });
  return found == context.in_flight.end() ? nullptr : &*found;
}

std::string AioLedger::Shown(uint64_t ctx, const io_event& shown,
                             const std::vector<io_event>& in_ring) {
  Context& context = contexts_[ctx];
  if (const auto early = kpath::Find(context.early, shown); early != context.early.end()) {
    Settle(&context, early->obj);
    context.early.erase(early);
    return "";
  }
  // Before its turn in the model's ring: devices end requests in an order of their own.
  std::vector<io_event> waiting = in_ring;
  for (const io_event& owed : context.owed) {
    const auto known = kpath::Find(waiting, owed);
    if (known != waiting.end()) waiting.erase(known);
  }
  const auto later = kpath::Find(waiting, shown);
  const Request* request = later == waiting.end() ? nullptr : RequestOf(context, *later);
  if (request != nullptr && !request->certain) {
    context.owed.push_back(*later);
    return "";
  }
  std::string wrong = absl::StrCat("event ", Describe(shown),
                                   " is not one of those delivered: ", DescribeAll(context.early));
  // Told once: the event of the same request, as the model has it, counts as shown.
  const auto meant = std::find_if(context.early.begin(), context.early.end(),
                                  [&](const io_event& e) { return e.data == shown.data; });
  if (meant == context.early.end()) return wrong;
  const bool legal = shown.res == -EAGAIN && nowait_.count(meant->obj) != 0;
  Settle(&context, meant->obj);
  context.early.erase(meant);
  return legal ? "" : wrong;
}

// The request of this iocb has been shown.
void AioLedger::Settle(Context* context, uint64_t iocb) {
  const auto certain = certain_.find(iocb);
  if (certain == certain_.end() || certain->second == 0) return;
  --certain->second;
  --context->certain_unshown;
}

bool AioLedger::AreComplete(uint64_t ctx, const std::vector<io_event>& shown,
                            std::vector<io_event> in_ring) const {
  const Context* context = Find(ctx);
  if (context == nullptr) return true;
  for (const io_event& owed : context->owed) {
    const auto paid = kpath::Find(in_ring, owed);
    if (paid != in_ring.end()) in_ring.erase(paid);
  }
  in_ring.insert(in_ring.end(), context->early.begin(), context->early.end());
  for (const io_event& event : shown) {
    const auto found = kpath::Find(in_ring, event);
    if (found == in_ring.end()) return false;
    in_ring.erase(found);
  }
  return true;
}

bool AioLedger::Waits(uint64_t ctx) const {
  const Context* context = Find(ctx);
  return context != nullptr && std::any_of(context->in_flight.begin(), context->in_flight.end(),
                                           [](const Request& request) { return !request.certain; });
}

uint64_t AioLedger::InFlight(uint64_t ctx, const StagedIocb& iocb) const {
  const Context* context = Find(ctx);
  if (context == nullptr) return 0;
  for (const Request& request : context->in_flight) {
    if (request.iocb == iocb.address) return request.iocb;
  }
  for (const Request& request : context->in_flight) {
    if (request.data == iocb.value.aio_data && !request.certain) return request.iocb;
  }
  return 0;
}

bool AioLedger::Waits() const {
  return std::any_of(contexts_.begin(), contexts_.end(),
                     [this](const auto& context) { return Waits(context.first); });
}

}  // namespace kpath
