// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/examine.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "entry/disassemble.h"
#include "inspect/info/address.h"
#include "inspect/info/text.h"

namespace kpath {
namespace {

constexpr absl::string_view kFormats = "xduotcasi";
constexpr absl::string_view kSizes = "bhwg";
constexpr size_t kMaxString = 200;  // gdb's default, too

int DefaultSize(char letter) {
  switch (letter) {
    case 'c':
    case 's':
      return 1;
    case 'a':
      return 8;
    default:
      return 4;
  }
}

// How many are in a line, as gdb has it.
int PerLine(const ExamineFormat& format) {
  if (format.letter == 'a') return 2;
  if (format.letter == 'c') return 8;
  if (format.letter == 't') return format.size == 1 ? 8 : format.size == 2 ? 8 : 8 / format.size;
  return format.size <= 2 ? 8 : 16 / format.size;
}

int64_t SignExtended(uint64_t number, int size) {
  const int shift = 64 - 8 * size;
  return static_cast<int64_t>(number << shift) >> shift;
}

std::string Binary(uint64_t number, int bits) {
  std::string text;
  for (int bit = bits - 1; bit >= 0; --bit) text += (number >> bit & 1) != 0 ? '1' : '0';
  return text;
}

// As C writes it: 'a', '\n', '\033'.
std::string Escaped(char c, char quote) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '\r':
      return "\\r";
    case '\\':
      return "\\\\";
    default:
      break;
  }
  if (c == quote) return absl::StrCat("\\", std::string(1, c));
  if (absl::ascii_isprint(static_cast<unsigned char>(c))) return std::string(1, c);
  return absl::StrFormat("\\%03o", static_cast<unsigned char>(c));
}

std::string NumberText(const View& view, const ExamineFormat& format, uint64_t number) {
  switch (format.letter) {
    case 'd':
      return absl::StrCat(SignExtended(number, format.size));
    case 'u':
      return absl::StrCat(number);
    case 'o':
      return number == 0 ? "0" : absl::StrFormat("0%0*o", (8 * format.size + 2) / 3, number);
    case 't':
      return Binary(number, 8 * format.size);
    case 'c':
      return absl::StrCat(SignExtended(number, 1), " '", Escaped(static_cast<char>(number), '\''),
                          "'");
    case 'a':
      return AddressText(view, number);
    default:
      return absl::StrFormat("0x%0*x", 2 * format.size, number);
  }
}

std::string Label(uint64_t address) {
  const std::string name = NameCode(address);
  return absl::StrCat(Hex(address), name.empty() ? "" : absl::StrCat(" <", name, ">"), ":");
}

// The text so far and the line that says why there is no more; an error if there is no text.
absl::StatusOr<std::string> Until(std::string text, std::string why) {
  if (text.empty()) return absl::NotFoundError(why);
  return absl::StrCat(text, why, "\n");
}

struct NumbersLine {
  std::string text;  // without a newline
  int count = 0;
  bool ended = false;  // the next number cannot be read
};

NumbersLine LineOfNumbers(const View& view, const ExamineFormat& format, uint64_t address,
                          int count) {
  NumbersLine line = {.text = Label(address)};
  while (line.count < count) {
    const absl::optional<uint64_t> number = ReadNumber(view, address, format.size);
    if (!number.has_value()) {
      line.ended = true;
      break;
    }
    absl::StrAppend(&line.text, "  ", NumberText(view, format, *number));
    address += static_cast<uint64_t>(format.size);
    ++line.count;
  }
  return line;
}

absl::StatusOr<std::string> ExamineNumbers(const View& view, const ExamineFormat& format,
                                           uint64_t address) {
  std::string text;
  for (int left = format.count; left > 0;) {
    int in_line = std::min(left, PerLine(format));
    NumbersLine line = LineOfNumbers(view, format, address, in_line);
    while (view.width > 0 && line.text.size() > static_cast<size_t>(view.width) && in_line > 1) {
      in_line /= 2;
      line = LineOfNumbers(view, format, address, in_line);
    }
    if (line.count > 0) absl::StrAppend(&text, line.text, "\n");
    address += static_cast<uint64_t>(line.count * format.size);
    left -= line.count;
    if (line.ended) return Until(std::move(text), CannotAccess(view, address));
  }
  return text;
}

absl::StatusOr<std::string> ExamineStrings(const View& view, const ExamineFormat& format,
                                           uint64_t address) {
  std::string text;
  for (int left = format.count; left > 0; --left) {
    std::string line = absl::StrCat(Label(address), "  \"");
    size_t length = 0;
    for (; length < kMaxString; ++length) {
      const absl::optional<uint64_t> byte = ReadNumber(view, address + length, 1);
      if (!byte.has_value()) return Until(std::move(text), CannotAccess(view, address + length));
      if (*byte == 0) break;
      line += Escaped(static_cast<char>(*byte), '"');
    }
    const bool ended = length < kMaxString;
    absl::StrAppend(&text, line, ended ? "\"" : "\"...", "\n");
    address += length + (ended ? 1 : 0);
  }
  return text;
}

absl::StatusOr<std::string> ExamineCode(const View& view, const ExamineFormat& format,
                                        uint64_t address) {
  const absl::optional<CodeLine> current = CurrentCode(view);
  std::string text;
  for (int left = format.count; left > 0; --left) {
    const absl::optional<CodeLine> line = CodeAt(address);
    if (!line.has_value()) {
      const std::string name = AddressName(view, address);
      return Until(
          std::move(text),
          absl::StrCat("No listing at ", Hex(address),
                       name.empty() ? "" : absl::StrCat(": ", name, " is no line of assembly")));
    }
    absl::StrAppend(&text,
                    CodeText(*line, current.has_value() ? current->address() : 0, view.width));
    address = line->listing->addresses[line->index + 1];
  }
  return text;
}

}  // namespace

absl::StatusOr<ExamineFormat> ParseExamineFormat(absl::string_view format) {
  const std::string written = absl::StrCat("x/", absl::StripPrefix(format, "/"));
  absl::string_view rest = absl::string_view(written).substr(2);
  ExamineFormat parsed;
  parsed.size = 0;
  size_t digits = 0;
  while (digits < rest.size() && absl::ascii_isdigit(static_cast<unsigned char>(rest[digits]))) {
    ++digits;
  }
  if (digits > 0 && (!absl::SimpleAtoi(rest.substr(0, digits), &parsed.count) ||
                     parsed.count > ExamineFormat::kMaxCount)) {
    return absl::InvalidArgumentError(
        absl::StrCat(written, ": the count is at most ", ExamineFormat::kMaxCount));
  }
  for (const char c : rest.substr(digits)) {
    if (kFormats.find(c) != absl::string_view::npos) {
      parsed.letter = c;
    } else if (const size_t size = kSizes.find(c); size != absl::string_view::npos) {
      parsed.size = 1 << size;
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat(written, ": '", std::string(1, c),
                       "' is neither a format (x d u o t c a s i) nor a size (b h w g)"));
    }
  }
  if (parsed.size == 0 || parsed.letter == 'a') parsed.size = DefaultSize(parsed.letter);
  return parsed;
}

std::string CodeText(CodeLine line, uint64_t current, int width) {
  const std::string label = absl::StrCat(line.address() == current ? "=> " : "   ",
                                         Hex(line.address()), " <", line.Where(), ">:");
  const std::string instruction = Disassemble(line.instruction());
  const bool fits =
      width <= 0 || label.size() + 2 + instruction.size() <= static_cast<size_t>(width);
  return absl::StrCat(label, fits ? "  " : "\n          ", instruction, "\n");
}

absl::optional<CodeLine> CurrentCode(const View& view) {
  if (view.frame == 0) {
    if (auto line = CodeAt(RegistersOf(ContextOf(view)).rip)) return line;
  }
  const std::vector<const Frame*> frames = FramesOf(view, ContextOf(view));
  for (size_t i = static_cast<size_t>(std::max(view.frame, 0)); i < frames.size(); ++i) {
    const Frame& frame = *frames[i];
    if (frame.function != nullptr) continue;
    return CodeAt(frame.symbol->address + frame.offset);
  }
  return absl::nullopt;
}

absl::StatusOr<std::string> Examine(const View& view, absl::string_view format, uint64_t address) {
  const absl::StatusOr<ExamineFormat> parsed = ParseExamineFormat(format);
  if (!parsed.ok()) return parsed.status();
  switch (parsed->letter) {
    case 's':
      return ExamineStrings(view, *parsed, address);
    case 'i':
      return ExamineCode(view, *parsed, address);
    default:
      return ExamineNumbers(view, *parsed, address);
  }
}

}  // namespace kpath
