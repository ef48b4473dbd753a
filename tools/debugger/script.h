// SPDX-License-Identifier: Apache-2.0
//
// Commands from a file, or from standard input that is no terminal.
//
// Each line is shown as it would stand at a terminal, `(kpath) step`, before what it does; lines
// that begin with # are shown as they are. So a script is a lesson, and its output reads as one.
#pragma once

#include <istream>
#include <string>

#include "absl/status/status.h"
#include "tools/debugger/session.h"

namespace kpath::debugger {

inline constexpr const char* kPrompt = "(kpath) ";

// Carries out the lines up to the first that fails, `quit`, or the end. Errors: "NAME:LINE: what is
// wrong"; of a script inside of another, with both places.
absl::Status RunScript(Session& session, std::istream& lines, const std::string& name);

// The same of a file; besides: it cannot be read, or is being read already.
absl::Status RunScriptFile(Session& session, const std::string& path);

}  // namespace kpath::debugger
