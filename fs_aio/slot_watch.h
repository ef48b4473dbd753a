// SPDX-License-Identifier: Apache-2.0
//
// Invariant 1 of kioctx.h, watched while a test runs: after each step of a function that moves
// slots, the slots of each context must add up.
//
// A slot without a request, or a request without a slot, is there only within io_submit_one and
// aio_complete; so the number of requests that exist and the number of slots that are neither free
// nor completed differ by no more than there are CPUs. When all is quiet they must be the same.
#pragma once

#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "fs_aio/kioctx.h"
#include "fs_aio/reqs_available.h"
#include "sim/kernel/slab_caches.h"
#include "sim/machine/probe.h"

namespace kpath {

// The requests of the context that have not been freed.
inline int LiveRequests(kptr<kioctx> ctx) {
  int count = 0;
  for (const kptr<aio_kiocb>& req : LiveObjectsOf<aio_kiocb>(*current->machine)) {
    count += req->ki_ctx == ctx;
  }
  return count;
}

class SlotWatch : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override {
    using Kind = ProbeEvent::Kind;
    if (event.function == nullptr || !MovesSlots(event.function)) return;
    if (Refills(event.function)) {
      if (event.kind == Kind::kFunctionEnter) ++refilling_;
      if (event.kind == Kind::kFunctionExit) --refilling_;
    }
    // In the middle of a refill the slots are on their way from one counter to another.
    if (refilling_ == 0 && violation_.empty()) Check(event);
  }

  // What was found first; empty: nothing.
  const std::string& violation() const { return violation_; }
  long checks() const { return checks_; }

 private:
  enum What { kNothing, kMoves, kRefills };

  What Look(const FunctionInfo* function) {
    const auto known = what_.find(function);
    if (known != what_.end()) return known->second;
    static const std::set<std::string> kMovers = {"get_reqs_available", "aio_get_req",
                                                  "aio_complete",       "io_submit_one",
                                                  "iocb_put",           "aio_read_events_ring"};
    static const std::set<std::string> kRefillers = {"put_reqs_available", "refill_reqs_available"};
    const std::string name = function->name;
    return what_[function] = kMovers.count(name) != 0      ? kMoves
                             : kRefillers.count(name) != 0 ? kRefills
                                                           : kNothing;
  }
  bool MovesSlots(const FunctionInfo* function) { return Look(function) != kNothing; }
  bool Refills(const FunctionInfo* function) { return Look(function) == kRefills; }

  void Check(const ProbeEvent& event) {
    for (const kptr<kioctx>& ctx : LiveObjectsOf<kioctx>(*current->machine)) {
      if (ctx->req_batch == 0 || !ctx->cpu.alive()) continue;  // not set up yet, or being freed
      ++checks_;
      const SlotCensus slots = CountSlots(ctx);
      const long held =
          static_cast<long>(ctx->nr_events) - 1 - slots.global - slots.per_cpu - slots.completed;
      const long requests = LiveRequests(ctx);
      if (held >= 0 && std::labs(held - requests) <= current->machine->cpus()) continue;
      violation_ =
          absl::StrCat("at position ", event.position.ToString(), " in ", event.function->name,
                       ": ", held, " slots are held by ", requests, " requests; global ",
                       slots.global, ", CPUs ", slots.per_cpu, ", completed ", slots.completed);
    }
  }

  std::map<const FunctionInfo*, What> what_;
  int refilling_ = 0;
  long checks_ = 0;
  std::string violation_;
};

}  // namespace kpath
