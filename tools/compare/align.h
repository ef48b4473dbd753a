// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "tools/compare/visible.h"

namespace kpath {

// A row of two step lists side by side: indices of steps that belong together, or of one alone.
struct AlignedRow {
  std::optional<size_t> left;
  std::optional<size_t> right;

  bool is_common() const { return left.has_value() && right.has_value(); }
};

// Sets two step lists side by side from step `begin` of either on, for at most `window` steps of
// each: as many common rows as possible, in the order of both.
std::vector<AlignedRow> Align(const std::vector<VisibleStep>& left,
                              const std::vector<VisibleStep>& right, size_t begin, size_t window);

}  // namespace kpath
