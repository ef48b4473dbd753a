// SPDX-License-Identifier: Apache-2.0
//
// For those types that show themselves in their own way (Type::show).
//
//   std::string ShowThing(const Printer& printer, const Datum& object, const PrintLevel& level) {
//     std::vector<std::string> parts = printer.Fields(object, level);   // "name = value"
//     parts.push_back("…");
//     return Braces(parts, level);
//   }
//
// Context: as inspect/types.h, while something is printed.
#pragma once

#include <string>
#include <vector>

#include "inspect/print.h"

namespace kpath {

// How far inside of what is printed.
struct PrintLevel {
  int depth = 0;
  int indent = -1;  // columns; -1: all in a line

  PrintLevel Deeper() const { return {depth + 1, indent < 0 ? -1 : indent + 2}; }
  PrintLevel InALine() const { return {depth, -1}; }
};

// "{a, b}", or a part in a line, indented.
std::string Braces(const std::vector<std::string>& parts, const PrintLevel& level);

class Printer {
 public:
  // Both must outlive the printer.
  Printer(const Look& look, const PrintOptions& options) : look_(look), options_(options) {}

  const Look& look() const { return look_; }
  const PrintOptions& options() const { return options_; }

  // What stands for a value inside of a struct.
  std::string Value(const Datum& datum, const PrintLevel& level) const;
  // Each field of a struct (as ToStruct gives it) as "name = value".
  std::vector<std::string> Fields(const Datum& object, const PrintLevel& level) const;
  // A pointer with its type in front: `(struct kioctx *) 0xffff888100002040`.
  std::string Pointer(const Datum& pointer) const;

 private:
  std::string Number(const Datum& datum) const;
  std::string BarePointer(const Datum& pointer) const;
  std::string Struct(const Datum& object, const PrintLevel& level) const;
  std::string Set(const Datum& list, const PrintLevel& level) const;
  std::string List(const Datum& list, const PrintLevel& level) const;
  std::string Text(const Datum& datum) const;

  const Look& look_;
  const PrintOptions& options_;
};

}  // namespace kpath
