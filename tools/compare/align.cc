// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/align.h"

#include <algorithm>

namespace kpath {
namespace {

bool IsSame(const VisibleStep& a, const VisibleStep& b) {
  return a.is_enter == b.is_enter && a.depth == b.depth && a.name == b.name;
}

}  // namespace

std::vector<AlignedRow> Align(const std::vector<VisibleStep>& left,
                              const std::vector<VisibleStep>& right, size_t begin, size_t window) {
  const size_t rows = std::min(window, left.size() - std::min(begin, left.size()));
  const size_t columns = std::min(window, right.size() - std::min(begin, right.size()));

  // common[i][j]: the longest common subsequence of what lies behind i and j.
  std::vector<std::vector<size_t>> common(rows + 1, std::vector<size_t>(columns + 1, 0));
  for (size_t i = rows; i-- > 0;) {
    for (size_t j = columns; j-- > 0;) {
      common[i][j] = IsSame(left[begin + i], right[begin + j])
                         ? common[i + 1][j + 1] + 1
                         : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }

  std::vector<AlignedRow> aligned;
  size_t i = 0;
  size_t j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && IsSame(left[begin + i], right[begin + j])) {
      aligned.push_back({begin + i++, begin + j++});
    } else if (j == columns || (i < rows && common[i + 1][j] >= common[i][j + 1])) {
      aligned.push_back({begin + i++, std::nullopt});
    } else {
      aligned.push_back({std::nullopt, begin + j++});
    }
  }
  return aligned;
}

}  // namespace kpath
