// SPDX-License-Identifier: Apache-2.0
//
// I/O priorities. v4.19 include/linux/ioprio.h, block/ioprio.c
//
// A priority is a class in the upper three bits of 16 and a level within the class below.
#pragma once

#include <cstdint>

namespace kpath {

inline constexpr int IOPRIO_CLASS_SHIFT = 13;
inline constexpr int IOPRIO_BE_NR = 8;  // levels of the realtime and the best-effort class

enum { IOPRIO_CLASS_NONE, IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE };

// v4.19 block/ioprio.c: ioprio_check_cap. May the current task use this priority? 0 or -EINVAL.
// `ioprio` is taken as given: a negative one has no class.
// Departs: every task may do everything (CAP_SYS_ADMIN), so that the realtime class is never
// -EPERM. Context: any.
int ioprio_check_cap(int ioprio);

}  // namespace kpath
