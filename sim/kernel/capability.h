// SPDX-License-Identifier: Apache-2.0
//
// What a task is allowed beyond the ordinary. v4.19 include/uapi/linux/capability.h,
// kernel/capability.c
//
//   if (!capable(CAP_SYS_ADMIN)) return Fail(EPERM, "… needs CAP_SYS_ADMIN");
//
// Departs: there are no credentials, user namespaces or security modules: a task has a set of
// capabilities, all of them unless it is started with fewer, which its children inherit.
//
// Context: any; about the current task.
#pragma once

namespace kpath {

inline constexpr int CAP_SYS_ADMIN = 21;

// v4.19 kernel/capability.c: capable
bool capable(int cap);

}  // namespace kpath
