// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/text.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace kpath {
namespace {

constexpr char kEllipsis[] = "…";
constexpr int kLeastRoom = 16;  // of a last column that is wrapped, not cut

// A column is a code point: the texts are ASCII, save for what Cut puts at the end.
size_t Columns(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// Wrap, for text that begins in the column `columns`.
std::string WrapBehind(int columns, absl::string_view text, int width, int indent) {
  std::string wrapped;
  bool first = true;
  for (const absl::string_view word : absl::StrSplit(text, ' ')) {
    const auto length = static_cast<int>(Columns(word));
    if (!first && columns + 1 + length > width) {
      absl::StrAppend(&wrapped, "\n", std::string(static_cast<size_t>(indent), ' '));
      columns = indent;
    } else if (!first) {
      wrapped += ' ';
      ++columns;
    }
    absl::StrAppend(&wrapped, word);
    columns += length;
    first = false;
  }
  return wrapped;
}

}  // namespace

std::string Hex(uint64_t value) { return absl::StrCat("0x", absl::Hex(value)); }

std::string Hex16(uint64_t value) { return absl::StrCat("0x", absl::Hex(value, absl::kZeroPad16)); }

std::string Count(uint64_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

std::string BitNames(uint64_t bits, const std::vector<BitName>& names, absl::string_view separator,
                     absl::string_view none) {
  std::string text;
  for (const BitName& name : names) {
    if ((bits & name.bit) != name.bit) continue;
    bits &= ~name.bit;
    absl::StrAppend(&text, text.empty() ? "" : separator, name.name);
  }
  if (bits != 0) absl::StrAppend(&text, text.empty() ? "" : separator, Hex(bits));
  return text.empty() ? std::string(none) : text;
}

std::string Cut(absl::string_view line, int width) {
  if (width <= 0 || Columns(line) <= static_cast<size_t>(width)) return std::string(line);
  size_t end = 0;
  for (int columns = 0; end < line.size(); ++end) {
    if ((line[end] & 0xc0) != 0x80 && ++columns == width) break;
  }
  return absl::StrCat(absl::StripTrailingAsciiWhitespace(line.substr(0, end)), kEllipsis);
}

std::string Wrap(absl::string_view text, int width, int indent) {
  return width <= 0 ? std::string(text) : WrapBehind(0, text, width, indent);
}

Table::Table(std::vector<std::string> head, std::vector<Align> align)
    : head_(std::move(head)), align_(std::move(align)) {}

std::string Table::ToString(int width, int indent) const {
  std::vector<std::vector<std::string>> lines;
  if (!head_.empty()) lines.push_back(head_);
  lines.insert(lines.end(), rows_.begin(), rows_.end());
  std::vector<size_t> widths(align_.size(), 0);
  for (const auto& cells : lines) {
    for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], Columns(cells[i]));
  }
  std::string text;
  for (const auto& cells : lines) {
    std::string line(static_cast<size_t>(indent), ' ');
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string padding(widths[i] - Columns(cells[i]), ' ');
      absl::StrAppend(&line, i == 0 ? "" : "  ");
      const auto column = static_cast<int>(Columns(line));
      if (i + 1 == align_.size() && align_[i] == Align::kLeft && width - column >= kLeastRoom) {
        absl::StrAppend(&line, WrapBehind(column, cells[i], width, column));
        continue;
      }
      if (align_[i] == Align::kRight) {
        absl::StrAppend(&line, padding, cells[i]);
      } else {
        absl::StrAppend(&line, cells[i], padding);
      }
    }
    for (const absl::string_view part : absl::StrSplit(line, '\n')) {
      absl::StrAppend(&text, Cut(absl::StripTrailingAsciiWhitespace(part), width), "\n");
    }
  }
  return text;
}

}  // namespace kpath
