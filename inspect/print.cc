// SPDX-License-Identifier: Apache-2.0
#include "inspect/print.h"

#include <cctype>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "inspect/print_number.h"
#include "inspect/printer.h"
#include "sim/machine/context.h"

namespace kpath {
namespace {

constexpr size_t kMaxText = 200;

// A text in memory, up to its NUL.
std::string TextInMemory(const Look& look, uint64_t address) {
  std::string text;
  char c = 0;
  while (text.size() < kMaxText) {
    if (!ReadMemory(look, address + text.size(), 1, &c)) {
      if (text.empty()) return absl::StrCat("<", CannotAccess(address), ">");
      break;
    }
    if (c == 0) return absl::StrCat("\"", absl::CEscape(text), "\"");
    text += c;
  }
  return absl::StrCat("\"", absl::CEscape(text), "\"...");
}

// Breaks a text of one line between its parts.
std::string Fold(const std::string& text, int width) {
  std::string folded;
  size_t begin = 0;
  const auto columns = static_cast<size_t>(width);
  while (text.size() - begin > columns - (begin == 0 ? 0 : 2)) {
    const size_t room = columns - (begin == 0 ? 0 : 2);
    size_t end = text.rfind(", ", begin + room - 1);
    if (end == std::string::npos || end <= begin) end = text.find(", ", begin);
    if (end == std::string::npos) break;
    absl::StrAppend(&folded, begin == 0 ? "" : "  ", text.substr(begin, end + 1 - begin), "\n");
    begin = end + 2;
  }
  absl::StrAppend(&folded, begin == 0 ? "" : "  ", text.substr(begin));
  return folded;
}

// As gdb does with the same again and again.
std::vector<std::string> FoldRepeats(const std::vector<std::string>& parts) {
  constexpr size_t kRepeats = 5;
  std::vector<std::string> folded;
  for (size_t i = 0; i < parts.size();) {
    size_t same = 1;
    while (i + same < parts.size() && parts[i + same] == parts[i]) ++same;
    if (same >= kRepeats) {
      folded.push_back(absl::StrCat(parts[i], " <repeats ", same, " times>"));
    } else {
      folded.insert(folded.end(), same, parts[i]);
    }
    i += same;
  }
  return folded;
}

}  // namespace

std::string Braces(const std::vector<std::string>& parts, const PrintLevel& level) {
  if (level.indent < 0) return absl::StrCat("{", absl::StrJoin(parts, ", "), "}");
  if (parts.empty()) return "{}";
  const std::string indent(static_cast<size_t>(level.indent), ' ');
  return absl::StrCat("{\n", indent, "  ", absl::StrJoin(parts, absl::StrCat(",\n", indent, "  ")),
                      "\n", indent, "}");
}

std::string Printer::Number(const Datum& datum) const {
  return FormatNumber(*datum.type, datum.bits, options_.format);
}

std::string Printer::BarePointer(const Datum& pointer) const {
  Datum target = pointer;
  std::string why;
  Resolve(look_, &target, &why);
  if (target.state == Datum::State::kError) {
    return absl::StrCat("ERR_PTR(", Value::Result(static_cast<int64_t>(target.bits)).ToString(),
                        ")");
  }
  if (options_.format != 0 && absl::StrContains("dutoc", options_.format) && target.bits != 0) {
    return FormatNumber(*UnsignedLong(), target.bits, options_.format);
  }
  const uint64_t address = AddressOf(look_, target);
  std::string text = absl::StrCat("0x", absl::Hex(address));
  if (target.host != nullptr && target.type->identity != nullptr) {
    const std::string identity = absl::StrCat("<", target.type->identity(target.host), ">");
    text = address == 0 ? identity : absl::StrCat(text, " ", identity);
  } else if (address == 0 && pointer.copy != nullptr) {
    text = absl::StrCat("<", *pointer.copy, ">");
  } else if (address == 0 && (target.host != nullptr || target.state == Datum::State::kFreed)) {
    text = "<no address>";
  }
  if (target.state == Datum::State::kFreed) text += " <freed>";
  return text;
}

std::string Printer::Pointer(const Datum& pointer) const {
  return absl::StrCat("(", TypeName(pointer), ") ", BarePointer(pointer));
}

std::string Printer::Text(const Datum& datum) const {
  const std::string text = datum.type->text != nullptr && datum.host != nullptr
                               ? datum.type->text(datum.host)
                           : datum.copy != nullptr ? *datum.copy
                                                   : "";
  if (absl::StartsWith(text, "<") && datum.host == nullptr) return text;
  return absl::StrCat("\"", absl::CEscape(text), "\"");
}

std::vector<std::string> Printer::Fields(const Datum& object, const PrintLevel& level) const {
  std::vector<std::string> parts;
  for (const Field& field : object.type->fields) {
    Datum value;
    std::string why;
    const std::string text = GetField(look_, object, field, &value, &why)
                                 ? this->Value(value, level.Deeper())
                                 : "<none>";
    parts.push_back(absl::StrCat(field.name, " = ", text));
  }
  return parts;
}

std::string Printer::Struct(const Datum& object, const PrintLevel& level) const {
  if (level.depth >= options_.depth) return "{...}";
  Datum there = object;
  std::string why;
  if (!ToStruct(look_, object, &there, &why)) return absl::StrCat("<", why, ">");
  if (there.type->show != nullptr) return there.type->show(*this, there, level);
  return Braces(Fields(there, level), level);
}

std::string Printer::Set(const Datum& list, const PrintLevel& level) const {
  std::vector<std::string> members;
  for (size_t i = 0; i < CountElements(look_, list); ++i) {
    if (GetElement(look_, list, i).bits != 0) members.push_back(absl::StrCat(i));
  }
  return Braces(members, level.InALine());
}

std::string Printer::List(const Datum& list, const PrintLevel& level) const {
  if (list.count == 0 && list.host == nullptr) return "<gone>";
  const size_t count = CountElements(look_, list);
  if (count == 0) return "{}";
  if (level.depth >= options_.depth) return "{...}";
  const Sequence* sequence = list.count == 0 ? list.type->sequence : nullptr;
  if (sequence != nullptr && sequence->is_set) return Set(list, level);
  std::vector<std::string> parts;
  bool plain = true;
  for (size_t i = 0; i < count; ++i) {
    if (i == static_cast<size_t>(options_.elements)) {
      parts.push_back("...");
      break;
    }
    const Datum element = GetElement(look_, list, i);
    plain = plain && !element.is_struct() && !element.is_sequence();
    const std::string text = Value(element, level.Deeper());
    parts.push_back(sequence != nullptr && sequence->key != nullptr
                        ? absl::StrCat("[", sequence->key(list, i), "] = ", text)
                        : text);
  }
  const bool has_keys = sequence != nullptr && sequence->key != nullptr;
  if (!has_keys) parts = FoldRepeats(parts);
  // Numbers and pointers side by side, as gdb does.
  return Braces(parts, plain && !has_keys ? level.InALine() : level);
}

std::string Printer::Value(const Datum& datum, const PrintLevel& level) const {
  if (datum.is_sequence()) return List(datum, level);
  if (datum.is_pointer()) return BarePointer(datum);
  switch (datum.type->kind) {
    case Type::Kind::kInteger:
    case Type::Kind::kBool:
      return Number(datum);
    case Type::Kind::kFunction:
      return datum.bits == 0 ? "0x0" : "<function>";
    case Type::Kind::kStruct:
      return Struct(datum, level);
    case Type::Kind::kText:
      return Text(datum);
    default:
      return "void";
  }
}

std::string Print(const Look& look, const Datum& datum, const PrintOptions& options) {
  EnterMachine enter(look.machine);
  const Printer printer(look, options);
  std::string text;
  if (options.format == 's' && (datum.is_pointer() || datum.is_number()) && datum.bits != 0) {
    text = TextInMemory(look, datum.bits);
  } else if (options.format == 's' && datum.count != 0) {
    text = TextInMemory(look, datum.address);
  } else if (datum.is_pointer()) {
    text = options.format == 0 ? printer.Pointer(datum) : printer.Value(datum, {});
  } else {
    text = printer.Value(datum, {.indent = options.pretty ? 0 : -1});
  }
  if (options.width > 2 && !options.pretty) text = Fold(text, options.width);
  return text;
}

bool IsPrintFormat(char format) {
  return format == 0 || absl::StrContains("xotducas", absl::string_view(&format, 1));
}

}  // namespace kpath
