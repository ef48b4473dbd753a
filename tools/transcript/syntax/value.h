// SPDX-License-Identifier: Apache-2.0
//
// The syntax tree of one argument or result, as strace prints it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace kpath::strace {

// A place in a transcript: line and column, counted from 1; the column counts bytes. Line 0 means
// "made by code, not read from a file".
struct Position {
  uint32_t line = 0;
  uint32_t column = 0;

  friend bool operator==(const Position&, const Position&) = default;
};

enum class ValueKind : uint8_t {
  kOmitted,    // nothing was printed: the call was cut here, or only a comment stands here
  kInteger,    // 3  -22  0x7f9c4d335000  0644
  kNull,       // NULL
  kSymbol,     // O_RDONLY  AT_FDCWD  s  &sin6_addr  ???
  kString,     // "\177ELF\2"  "cut"...  @"abstract socket"
  kFlags,      // O_RDWR|O_CREAT|0x80
  kOperation,  // 8192*1024  21<<MAP_HUGE_SHIFT  WEXITSTATUS(s) == 0  a && b
  kCall,       // makedev(0x8, 0x1)  htons(80)  WIFEXITED(s); without a name: (Timeout)
  kStruct,     // {fd=3, events=POLLIN}  {st_mode=S_IFREG|0644, ...}
  kArray,      // [1, 2, ...]  [{iov_base="x", iov_len=1}]  []
  kBitSet,     // [HUP INT]  ~[RTMIN RT_1]; a set of none or one prints like an array, so is one
  kPair,       // 88 => 0: what went in => what came out
  kWords,      // SNDCTL_TMR_START or TCSETS  in [3]  flags O_RDWR
  kVerbatim,   // 00:16:3e:00:00:01  <... resuming interrupted read ...>
};

enum class Radix : uint8_t { kDecimal, kOctal, kHex };

// What strace adds behind a value.
struct Decoration {
  absl::string_view descriptor;  // -y: the `/path` of `3</path>`; -Y: the `sh` of `1630<sh>`
  absl::string_view comment;     // the ` vars ` of `/* vars */`, blanks included
  bool has_descriptor = false;
  bool has_comment = false;
  bool deleted = false;  // `3</path>(deleted)`
};

// One node. A Value that was read borrows everything from its Transcript and is good as long as
// that lives. A Value made by code may borrow from wherever its maker says.
//
// `children` by kind: kFlags and kOperation their operands (two or more), kCall its arguments,
// kStruct its fields, kArray and kBitSet their elements, kPair exactly two, kWords two or more.
struct Value {
  ValueKind kind = ValueKind::kOmitted;
  Radix radix = Radix::kDecimal;  // kInteger
  bool negative = false;          // kInteger: `number` is the two's complement of what is shown
  bool overflow = false;          // kInteger: does not fit 64 bits, `number` is 0
  bool abbreviated = false;  // "..." behind a string or as last item: more was there, not printed
  bool complement = false;   // kBitSet: ~[...]
  bool abstract = false;     // kString: @"..."
  bool open = false;         // brackets: the call was cut in here, so they were not closed
  bool spaced = false;       // kFlags, kOperation: blanks around the operator, where not usual

  Position position;       // of the first character, the field name's if it has one
  absl::string_view name;  // `fd` in `fd=3`; `[VINTR]` in `[VINTR]=0x3`; else empty
  absl::string_view text;  // kInteger, kSymbol, kVerbatim: as spelled. kString: what stands
                           // between the quotes, still escaped. kOperation: `<<` `*` `==` `&&`.
                           // kCall: the name called. Otherwise empty.
  uint64_t number = 0;     // kInteger
  absl::Span<const Value> children;
  const Decoration* decoration = nullptr;  // nullptr: none
};

// The bytes that a kString stands for: escapes (\n \177 \x7f \" ...) decoded, only those that were
// printed if `value.abbreviated`. Empty for other kinds.
std::string Bytes(const Value& value);

// `bytes` between double quotes, escaped as strace does without -x: \t \n \v \f \r \" \\ and the
// shortest octal escape for other bytes outside 0x20..0x7e.
std::string QuoteBytes(absl::string_view bytes);

// The field `name` of a kStruct, the first if there are several; nullptr if there is none. On a
// kPair of structs the last one that has it: what came out hides what went in.
const Value* FindField(const Value& value, absl::string_view name);

// The path or inode that -y put behind a descriptor; empty if there is none.
absl::string_view Descriptor(const Value& value);

}  // namespace kpath::strace
