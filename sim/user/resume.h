// SPDX-License-Identifier: Apache-2.0
//
// What ring 3 does when the kernel has come back. Inside sim/user.
#pragma once

#include <cstdint>

namespace kpath::user {

// Returns if the kernel has come back to `rip`; elsewhere, what is loaded there is entered for
// good: the kernel has set this thread's rip to code that it was not in.
void GoOnAt(uint64_t rip);

}  // namespace kpath::user
