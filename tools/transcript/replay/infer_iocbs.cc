// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tools/transcript/replay/frame.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

using strace::Value;
using strace::ValueKind;

struct InFlight {
  const strace::Call* call;
  size_t index;
  uint64_t data;
  uint64_t bytes;
};

uint64_t FieldOf(const Value& value, absl::string_view name) {
  const Value* field = strace::FindField(value, name);
  return field == nullptr ? 0 : strace::Evaluate(*field).value_or(0);
}

// How much it asks for: aio_nbytes, or all of its iovecs.
uint64_t BytesOf(const Value& iocb) {
  const Value* buffer = strace::FindField(iocb, "aio_buf");
  if (buffer == nullptr || buffer->kind != ValueKind::kArray) return FieldOf(iocb, "aio_nbytes");
  uint64_t bytes = 0;
  for (const Value& segment : buffer->children) bytes += FieldOf(segment, "iov_len");
  return bytes;
}

// The contexts of all processes at once: their handles are addresses and rarely the same.
class Matcher {
 public:
  void Submitted(const strace::Call& call) {
    if (call.args.size() < 3 || call.args[2].kind != ValueKind::kArray) return;
    if (!call.result.known || !call.result.error.empty()) return;
    const size_t accepted =
        std::min<size_t>(call.result.value.number, call.args[2].children.size());
    for (size_t i = 0; i < accepted; ++i) {
      const Value& iocb = call.args[2].children[i];
      if (iocb.kind != ValueKind::kStruct) continue;
      in_flight_.push_back({&call, i, FieldOf(iocb, "aio_data"), BytesOf(iocb)});
    }
  }

  // Events are printed as the result of io_getevents: [{data=…, obj=0x…, res=…, res2=…}].
  void Reaped(const strace::Call& call) {
    if (call.args.size() < 4 || call.args[3].kind != ValueKind::kArray) return;
    for (const Value& event : call.args[3].children) {
      if (event.kind == ValueKind::kStruct) Match(event);
    }
  }

  IocbOutcomes Take() { return std::move(outcomes_); }

 private:
  // The oldest request with the event's data, one of the event's size before others.
  void Match(const Value& event) {
    const uint64_t data = FieldOf(event, "data"), res = FieldOf(event, "res");
    auto best = in_flight_.end();
    for (auto it = in_flight_.begin(); it != in_flight_.end(); ++it) {
      if (it->data != data) continue;
      if (best == in_flight_.end()) best = it;
      if (it->bytes == res) {
        best = it;
        break;
      }
    }
    if (best == in_flight_.end()) return;
    outcomes_[{best->call, best->index}] = {FieldOf(event, "obj"), static_cast<int64_t>(res)};
    in_flight_.erase(best);
  }

  std::vector<InFlight> in_flight_;
  IocbOutcomes outcomes_;
};

}  // namespace

IocbOutcomes InferIocbOutcomes(const Plan& plan) {
  // By the time at which the call returned: until then its requests are not in flight, its events
  // not read.
  std::vector<const PlanStep*> by_end;
  for (const PlanStep& step : plan.steps) {
    if (step.call != nullptr && step.call->returned) by_end.push_back(&step);
  }
  std::stable_sort(by_end.begin(), by_end.end(),
                   [](const PlanStep* a, const PlanStep* b) { return a->end < b->end; });
  Matcher matcher;
  for (const PlanStep* step : by_end) {
    if (step->call->name == "io_submit") matcher.Submitted(*step->call);
    if (step->call->name == "io_getevents" || step->call->name == "io_pgetevents") {
      matcher.Reaped(*step->call);
    }
  }
  return matcher.Take();
}

}  // namespace kpath
