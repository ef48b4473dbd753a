// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/infer_cpus.h"

#include <algorithm>
#include <map>

#include "fs_aio/aio_abi.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

constexpr int kMostCpus = 64;
constexpr uint64_t kPageBytes = 4096;

bool Succeeded(const strace::Call& call) {
  return call.returned && call.result.known && call.result.error.empty();
}

uint64_t Argument(const strace::Call& call, size_t index) {
  return index < call.args.size() ? strace::Evaluate(call.args[index]).value_or(0) : 0;
}

}  // namespace

uint64_t SlotsForOneCpu(uint64_t nr_events, int cpus) {
  const uint64_t batches = static_cast<uint64_t>(cpus) * 4;
  const uint64_t wanted = std::max(nr_events, batches) * 2 + 2;
  const uint64_t bytes = sizeof(aio_ring) + wanted * sizeof(io_event);
  const uint64_t ring = (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  const uint64_t slots = (ring - sizeof(aio_ring)) / sizeof(io_event) - 1;
  const uint64_t batch = std::max<uint64_t>(slots / batches, 1);
  return slots / batch * batch;
}

absl::optional<InferredCpus> InferCpus(const Plan& plan) {
  std::map<uint64_t, uint64_t> fresh;  // contexts that nothing has been submitted to: nr_events
  for (const PlanStep& step : plan.steps) {
    if (step.call == nullptr || !Succeeded(*step.call)) continue;
    const strace::Call& call = *step.call;
    if (call.name == "io_setup" && call.args.size() == 2 && call.args[1].children.size() == 1) {
      fresh[strace::Evaluate(call.args[1].children[0]).value_or(0)] = Argument(call, 0);
    }
    if (call.name != "io_submit") continue;
    const auto context = fresh.find(Argument(call, 0));
    if (context == fresh.end()) continue;
    const uint64_t nr_events = context->second;
    fresh.erase(context);
    const uint64_t taken = call.result.value.number;
    if (taken >= Argument(call, 1) || taken == SlotsForOneCpu(nr_events, 1)) continue;
    for (int cpus = 2; cpus <= kMostCpus; ++cpus) {
      if (SlotsForOneCpu(nr_events, cpus) == taken) return InferredCpus{cpus, call.begin.line};
    }
  }
  return absl::nullopt;
}

}  // namespace kpath
