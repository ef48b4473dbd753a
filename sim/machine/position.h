// SPDX-License-Identifier: Apache-2.0
//
// A point in the life of one machine, as a value.
//
// A machine passes a probe whenever it executes a modelled instruction, enters or leaves a modelled
// function, or reaches a named step inside one. Its position is the number of probes passed since
// it was made, whether or not anybody listened, so a position means the same moment in every run
// that makes the same choices (choice.h). To go back is to run again up to a smaller position.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

namespace kpath {

class Position {
 public:
  constexpr Position() = default;
  constexpr explicit Position(uint64_t probes_passed) : probes_passed_(probes_passed) {}

  constexpr uint64_t probes_passed() const { return probes_passed_; }
  std::string ToString() const { return absl::StrCat("#", probes_passed_); }

  friend constexpr auto operator<=>(Position, Position) = default;

 private:
  uint64_t probes_passed_ = 0;
};

}  // namespace kpath
