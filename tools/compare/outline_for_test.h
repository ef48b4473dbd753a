// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/strings/string_view.h"
#include "sim/trace/call_tree.h"

namespace kpath {

// A graph in short, for tests: "a{b c{d}} e" is two outermost calls of one task. Each line is a
// stream; one that begins with "irq:" is a CPU's interrupts. '!' behind a name: the call did not
// return; '?': its entry was not seen. Calls rank in the order of the text.
Graph Outline(absl::string_view text);

}  // namespace kpath
