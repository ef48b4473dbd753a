// SPDX-License-Identifier: Apache-2.0
//
// How the parser says what is wrong.
#pragma once

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "tools/transcript/syntax/value.h"

namespace kpath::strace {

// The first error of a text. All parts of the parser share one of these; each returns false as
// soon as something failed.
class FirstError {
 public:
  // Keeps (position, message) unless there is an error already. Returns false, so that a parser
  // can `return error->Fail(...)`.
  bool Fail(Position position, std::string message) {
    if (failed_) return false;
    failed_ = true;
    position_ = position;
    message_ = std::move(message);
    return false;
  }

  bool failed() const { return failed_; }
  Position position() const { return position_; }
  const std::string& message() const { return message_; }

 private:
  bool failed_ = false;
  Position position_;
  std::string message_;
};

// `text` between double quotes for a message: on one line, in printable ASCII, the rest of a long
// text as "...".
std::string Quoted(absl::string_view text);

}  // namespace kpath::strace
