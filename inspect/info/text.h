// SPDX-License-Identifier: Apache-2.0
//
// How the topics write numbers, lists and tables.
//
//   Table table({"PID", "COMM"}, {Align::kRight, Align::kLeft});
//   table.Add({"1", "prog"});
//   return table.ToString(view.width);
//
// Context: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace kpath {

// `0x7ffe0010`: without leading zeros.
std::string Hex(uint64_t value);
// `0xffff888000003f58`, `0x0000000000401002`: sixteen digits.
std::string Hex16(uint64_t value);
// `1 request`, `2 requests`.
std::string Count(uint64_t count, absl::string_view noun);

// The names of the bits that are set, by ascending place in `names`, with `separator` between them;
// bits without a name as a hexadecimal number behind them; `none` for 0.
struct BitName {
  uint64_t bit;
  const char* name;
};
std::string BitNames(uint64_t bits, const std::vector<BitName>& names, absl::string_view separator,
                     absl::string_view none);

// The line, cut so that it has `width` columns at most: it ends in `…` then. Width 0: as it is.
std::string Cut(absl::string_view line, int width);
// The text broken at blanks into lines of `width` columns at most; all lines but the first begin
// with `indent` blanks. A word that is longer stays whole. Width 0: one line. Without a newline at
// the end.
std::string Wrap(absl::string_view text, int width, int indent);

enum class Align : uint8_t { kLeft, kRight };

// Columns as wide as their cells, two blanks apart. What is in the last column is broken at blanks
// to stay within the width of the screen, where that leaves it enough room; lines are cut there.
class Table {
 public:
  // A table without a head: all columns of `align`, the head empty.
  Table(std::vector<std::string> head, std::vector<Align> align);
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  // The head, unless it is empty, and the rows, each with `indent` blanks before it and a newline.
  std::string ToString(int width, int indent = 0) const;

 private:
  const std::vector<std::string> head_;
  const std::vector<Align> align_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace kpath
