// SPDX-License-Identifier: Apache-2.0
//
// For tests: memory that runs out once.
//
//   machine.SetChooser(std::make_unique<FailOneAllocation>(2));  // the third one fails
//
//   int countdown = 2;
//   machine.SetChooser(std::make_unique<FailOneAllocation>(&countdown));
//   ...
//   const bool failed = countdown < 0;
#pragma once

#include "sim/machine/choice.h"

namespace kpath {

// Counts down with each allocation, and fails the one that finds the count at 0. All other choices
// are the ordinary ones.
class FailOneAllocation final : public Chooser {
 public:
  // The allocation of this rank, from 0.
  explicit FailOneAllocation(int rank) : rank_(rank), countdown_(&rank_) {}
  // For who wants to know whether it was reached. `countdown` outlives this.
  explicit FailOneAllocation(int* countdown) : countdown_(countdown) {}
  int Choose(uint64_t, ChoiceKind kind, int) override {
    return kind == ChoiceKind::kFailAlloc && (*countdown_)-- == 0;
  }

 private:
  int rank_ = 0;
  int* const countdown_;
};

}  // namespace kpath
