// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/transcript/replay/frame.h"

namespace kpath {

// The kernel will map the ring, or what mmap asks for, where the recording says. Context: ring 3,
// before the call of the frame.
void HonourAddress(const CallFrame& frame);

}  // namespace kpath
