// SPDX-License-Identifier: Apache-2.0
//
// The debugger at a terminal: line editing, history and completion, by libedit.
#pragma once

#include "tools/debugger/session.h"

namespace kpath::debugger {

// Reads and carries out commands until `quit` or ^D. An empty line repeats the last command; what
// is wrong with a command is shown, and the next one read.
void RunAtTerminal(Session& session);

}  // namespace kpath::debugger
