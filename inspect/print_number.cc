// SPDX-License-Identifier: Apache-2.0
#include "inspect/print_number.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "inspect/types_of.h"

namespace kpath {
namespace {

constexpr uint64_t kOperationMask = 0xff;  // REQ_OP_MASK

uint64_t MaskOf(const Type& type) {
  return type.bytes == 0 || type.bytes >= 8 ? ~uint64_t{0} : (uint64_t{1} << type.bytes * 8) - 1;
}

int64_t SignExtend(const Type& type, uint64_t bits) {
  const int unused = type.bytes == 0 || type.bytes >= 8 ? 0 : 64 - type.bytes * 8;
  return static_cast<int64_t>(bits << unused) >> unused;
}

std::string Digits(uint64_t bits, int base_bits, const char* prefix) {
  if (bits == 0) return "0";
  std::string digits;
  for (; bits != 0; bits >>= base_bits) {
    digits += static_cast<char>('0' + (bits & ((1u << base_bits) - 1)));
  }
  std::reverse(digits.begin(), digits.end());
  return absl::StrCat(prefix, digits);
}

std::string Decimal(const Type& type, uint64_t bits) {
  return type.is_signed ? absl::StrCat(static_cast<int64_t>(bits))
                        : absl::StrCat(bits & MaskOf(type));
}

std::string Char(const Type& type, uint64_t bits) {
  const char c = static_cast<char>(bits);
  return absl::StrCat(Decimal(type, bits), " '", absl::CEscape(absl::string_view(&c, 1)), "'");
}

const char* FindName(const Names& names, uint64_t value) {
  for (const Name& name : names.names) {
    if (name.value == value) return name.name;
  }
  return nullptr;
}

// The names of the bits that are set; those without one as a number.
std::vector<std::string> FlagNames(absl::Span<const Name> names, uint64_t bits) {
  std::vector<std::string> set;
  for (const Name& name : names) {
    if (name.value == 0 || (bits & name.value) != name.value) continue;
    set.push_back(name.name);
    bits &= ~name.value;
  }
  if (bits != 0) set.push_back(absl::StrCat("0x", absl::Hex(bits)));
  return set;
}

std::string OperationName(const Names& names, uint64_t bits) {
  const char* operation = FindName(names, bits & kOperationMask);
  std::vector<Name> flags;
  std::copy_if(names.names.begin(), names.names.end(), std::back_inserter(flags),
               [](const Name& name) { return name.value > kOperationMask; });
  std::vector<std::string> parts = FlagNames(flags, bits & ~kOperationMask);
  parts.insert(parts.begin(), operation != nullptr
                                  ? std::string(operation)
                                  : absl::StrCat("0x", absl::Hex(bits & kOperationMask)));
  const std::string text = absl::StrJoin(parts, " | ");
  return parts.size() == 1 ? text : absl::StrCat("(", text, ")");
}

std::string Named(const Type& type, uint64_t bits) {
  const Names& names = *type.names;
  const uint64_t value = bits & MaskOf(type);
  switch (names.kind) {
    case Names::Kind::kErrno:
    case Names::Kind::kUserErrno:
      return Value::Result(static_cast<int64_t>(bits)).ToString();
    case Names::Kind::kEnum: {
      const char* name = FindName(names, value);
      if (name != nullptr) return name;
      return FlagNames(names.names, value).size() > 1
                 ? absl::StrCat("(", absl::StrJoin(FlagNames(names.names, value), " | "), ")")
                 : Decimal(type, bits);
    }
    case Names::Kind::kOperation:
      return OperationName(names, value);
    case Names::Kind::kRegister:
      return absl::StrCat("[ ", absl::StrJoin(FlagNames(names.names, value & ~uint64_t{2}), " "),
                          " ]");
    case Names::Kind::kFlags:
      break;
  }
  if (value == 0) return "0";
  const std::vector<std::string> set = FlagNames(names.names, value);
  return set.size() == 1 ? set[0] : absl::StrCat("(", absl::StrJoin(set, " | "), ")");
}

}  // namespace

const Type* UnsignedLong() { return &TypeOf<unsigned long>(); }

std::string FormatNumber(const Type& type, uint64_t bits, char format) {
  switch (format) {
    case 'x':
    case 'a':
      return absl::StrCat("0x", absl::Hex(bits & MaskOf(type)));
    case 'o':
      return Digits(bits & MaskOf(type), 3, "0");
    case 't':
      return Digits(bits & MaskOf(type), 1, "");
    case 'd':
      return absl::StrCat(SignExtend(type, bits));
    case 'u':
      return absl::StrCat(bits & MaskOf(type));
    case 'c':
      return Char(type, bits);
    default:
      break;
  }
  if (type.kind == Type::Kind::kBool) return bits != 0 ? "true" : "false";
  if (type.names != nullptr) return Named(type, bits);
  if (type.is_address) return absl::StrCat("0x", absl::Hex(bits & MaskOf(type)));
  if (type.is_char) return Char(type, bits);
  return Decimal(type, bits);
}

}  // namespace kpath
