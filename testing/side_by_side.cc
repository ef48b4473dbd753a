// SPDX-License-Identifier: Apache-2.0
#include "testing/side_by_side.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace kpath::testing {
namespace {

using Lines = std::vector<absl::string_view>;

constexpr size_t kMaxColumn = 60;
constexpr size_t kContext = 3;  // equal lines shown around a difference
// Texts with more pairs of lines than that are not aligned, but for their begin and end.
constexpr size_t kMaxPairs = 16'000'000;

Lines Split(absl::string_view text) {
  absl::ConsumeSuffix(&text, "\n");
  return text.empty() ? Lines() : absl::StrSplit(text, '\n');
}

// A row: a line of each side, or of one.
struct Row {
  const absl::string_view* left = nullptr;
  const absl::string_view* right = nullptr;
  bool equal = false;
};

// The rows of two parts that begin and end differently.
std::vector<Row> Align(const Lines& left, const Lines& right, size_t begin, size_t left_end,
                       size_t right_end) {
  const size_t n = left_end - begin, m = right_end - begin;
  const bool aligned = n * m <= kMaxPairs;
  // common[i][j]: how many lines the rests from i and j have in common, in order.
  std::vector<uint32_t> common(aligned ? (n + 1) * (m + 1) : 0);
  const auto at = [&](size_t i, size_t j) -> uint32_t& { return common[i * (m + 1) + j]; };
  for (size_t i = aligned ? n : 0; i-- > 0;) {
    for (size_t j = m; j-- > 0;) {
      at(i, j) = left[begin + i] == right[begin + j] ? at(i + 1, j + 1) + 1
                                                     : std::max(at(i + 1, j), at(i, j + 1));
    }
  }
  std::vector<Row> rows;
  for (size_t i = 0, j = 0; i < n || j < m;) {
    if (aligned && i < n && j < m && left[begin + i] == right[begin + j]) {
      rows.push_back({&left[begin + i++], &right[begin + j++], true});
    } else if (j == m || (aligned && i < n && at(i + 1, j) >= at(i, j + 1)) ||
               (!aligned && i < n)) {
      rows.push_back({&left[begin + i++], nullptr, false});
    } else {
      rows.push_back({nullptr, &right[begin + j++], false});
    }
  }
  return rows;
}

// A run of lines of the left and of the right side becomes rows of both.
std::vector<Row> PairUp(const std::vector<Row>& rows) {
  std::vector<Row> paired;
  for (size_t i = 0; i < rows.size();) {
    if (rows[i].equal) {
      paired.push_back(rows[i++]);
      continue;
    }
    Lines none;
    std::vector<const absl::string_view*> left, right;
    for (; i < rows.size() && !rows[i].equal; ++i) {
      (rows[i].left != nullptr ? left : right)
          .push_back(rows[i].left ? rows[i].left : rows[i].right);
    }
    for (size_t k = 0; k < std::max(left.size(), right.size()); ++k) {
      paired.push_back(
          {k < left.size() ? left[k] : nullptr, k < right.size() ? right[k] : nullptr});
    }
  }
  return paired;
}

std::vector<Row> RowsOf(const Lines& left, const Lines& right) {
  size_t begin = 0;
  while (begin < left.size() && begin < right.size() && left[begin] == right[begin]) ++begin;
  size_t left_end = left.size(), right_end = right.size();
  while (left_end > begin && right_end > begin && left[left_end - 1] == right[right_end - 1]) {
    --left_end, --right_end;
  }
  std::vector<Row> rows;
  for (size_t i = 0; i < begin; ++i) rows.push_back({&left[i], &right[i], true});
  for (const Row& row : PairUp(Align(left, right, begin, left_end, right_end))) rows.push_back(row);
  for (; left_end < left.size(); ++left_end, ++right_end) {
    rows.push_back({&left[left_end], &right[right_end], true});
  }
  return rows;
}

// Those that are shown: near to a difference.
std::vector<bool> Shown(const std::vector<Row>& rows) {
  std::vector<bool> shown(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].equal) continue;
    const size_t from = i < kContext ? 0 : i - kContext;
    for (size_t k = from; k < std::min(rows.size(), i + kContext + 1); ++k) shown[k] = true;
  }
  return shown;
}

std::string Cell(const absl::string_view* line) {
  if (line == nullptr) return "";
  if (line->size() <= kMaxColumn) return std::string(*line);
  return absl::StrCat(line->substr(0, kMaxColumn - 1), "~");
}

char Mark(const Row& row) {
  if (row.equal) return ' ';
  if (row.left == nullptr) return '>';
  return row.right == nullptr ? '<' : '|';
}

}  // namespace

std::string SideBySide(absl::string_view left_title, absl::string_view left,
                       absl::string_view right_title, absl::string_view right) {
  if (left == right) return "";
  const Lines left_lines = Split(left), right_lines = Split(right);
  const std::vector<Row> rows = RowsOf(left_lines, right_lines);
  const std::vector<bool> shown = Shown(rows);
  size_t width = left_title.size();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (shown[i]) width = std::max(width, Cell(rows[i].left).size());
  }
  const auto line = [width](absl::string_view a, char mark, absl::string_view b) {
    const std::string text = absl::StrFormat("%-*s %c %s", static_cast<int>(width), a, mark, b);
    return absl::StrCat(absl::StripTrailingAsciiWhitespace(text), "\n");
  };
  std::string text = line(left_title, ' ', right_title);
  for (size_t i = 0, skipped = 0; i <= rows.size(); ++i) {
    if (i < rows.size() && !shown[i]) {
      ++skipped;
      continue;
    }
    if (skipped != 0) absl::StrAppend(&text, "  ... ", skipped, " equal\n");
    skipped = 0;
    if (i < rows.size())
      absl::StrAppend(&text, line(Cell(rows[i].left), Mark(rows[i]), Cell(rows[i].right)));
  }
  return text;
}

}  // namespace kpath::testing
