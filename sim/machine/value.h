// SPDX-License-Identifier: Apache-2.0
//
// What a probe shows: an argument, a result, a value named in a step. Two words, made without
// allocating or formatting; text is made when somebody reads it.
//
// A type of the kernel model becomes showable by an overload of MakeValue in its own header, found
// by argument-dependent lookup:
//
//   inline Value MakeValue(user_ptr<iocb> p) { return Value::Address(p.address()); }
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "absl/strings/string_view.h"

namespace kpath {

struct Value {
  enum class Kind : uint8_t { kNone, kSigned, kUnsigned, kBool, kAddress, kResult, kText };

  static constexpr Value Signed(int64_t v) { return {Kind::kSigned, static_cast<uint64_t>(v)}; }
  static constexpr Value Unsigned(uint64_t v) { return {Kind::kUnsigned, v}; }
  static constexpr Value Bool(bool v) { return {Kind::kBool, v}; }
  // A user or kernel address of the simulated machine, never one of the host.
  static constexpr Value Address(uint64_t v) { return {Kind::kAddress, v}; }
  // What a kernel function returns: shown as -EINVAL where it is a negative errno.
  static constexpr Value Result(int64_t v) { return {Kind::kResult, static_cast<uint64_t>(v)}; }
  // `text` must live as long as the program: a literal.
  static Value Text(const char* text) { return {Kind::kText, reinterpret_cast<uintptr_t>(text)}; }

  // `-22`, `0x7ffe00000000`, `true`, `-EINVAL`, `rsp_scratch`.
  std::string ToString() const;

  friend constexpr bool operator==(const Value&, const Value&) = default;

  Kind kind = Kind::kNone;
  uint64_t bits = 0;
};

inline constexpr Value MakeValue(bool v) { return Value::Bool(v); }
inline Value MakeValue(const char* v) { return Value::Text(v); }
inline constexpr Value MakeValue(const Value& v) { return v; }

template <typename T>
requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) constexpr Value MakeValue(T v) {
  return std::is_signed_v<T> ? Value::Signed(v) : Value::Unsigned(v);
}

template <typename T>
requires std::is_enum_v<T>
constexpr Value MakeValue(T v) { return Value::Signed(static_cast<int64_t>(v)); }

// The name of an errno, "EINVAL" for 22; empty for a number that has none. Knows the kernel's own
// (ERESTARTSYS, EIOCBQUEUED …), too.
absl::string_view ErrnoName(int number);

}  // namespace kpath
