// SPDX-License-Identifier: Apache-2.0
//
// I/O priorities. v4.19 include/linux/ioprio.h, block/ioprio.c
//
// A priority is a class in the upper three bits of 16 and a level within the class below.
#pragma once

#include <cstdint>

namespace kpath {

inline constexpr int IOPRIO_CLASS_SHIFT = 13;
inline constexpr int IOPRIO_NORM = 4;   // the level of who asks for none
inline constexpr int IOPRIO_BE_NR = 8;  // levels of the realtime and the best-effort class

enum { IOPRIO_CLASS_NONE, IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE };

// v4.19 block/ioprio.c: ioprio_check_cap. May the current task use this priority? `ioprio` is taken
// as given: a negative one has no class. Returns 0, or
//   -EPERM   the realtime class without CAP_SYS_ADMIN; it comes before the level
//   -EINVAL  no such class, or no such level of the class
// Context: process.
int ioprio_check_cap(int ioprio);

// v4.19 block/ioprio.c: ioprio_best. The priority of a request that two have become. Context: any.
unsigned short ioprio_best(unsigned short aprio, unsigned short bprio);

}  // namespace kpath
