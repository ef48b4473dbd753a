// SPDX-License-Identifier: Apache-2.0
//
// A process that has a target and does what the debugger asks of it (wire.h). A clone of it, made
// by fork(), stands at the same position of the same run, and goes on by itself: so the debugger
// keeps places to come back to, as gdb's `checkpoint` does.
#pragma once

#include "tools/debugger/target.h"

namespace kpath::debugger {

// Returns when the other end of the socket is closed, in this process and in each clone.
void Serve(Target& target, int socket);

}  // namespace kpath::debugger
