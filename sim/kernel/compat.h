// SPDX-License-Identifier: Apache-2.0
//
// System calls of programs whose pointers and longs have 32 bits: i386, x32. v4.19
// include/linux/compat.h, arch/x86/include/asm/{compat,syscall_wrapper}.h
//
//   // v4.19 fs/aio.c: compat_sys_io_setup
//   COMPAT_SYSCALL_DEFINE2(io_setup, unsigned, nr_events, user_ptr<uint32_t>, ctx32p) { … }
//
// makes, as in Linux,
//
//   __ia32_compat_sys_io_setup(regs)   for ia32_sys_call_table: the low 32 bits of bx, cx, dx, si,
//                                      di, bp, extended with zeros
//   __x32_compat_sys_io_setup(regs)    for the x32 rows of sys_call_table: di, si, dx, r10, r8, r9,
//                                      whole
//   __se_compat_sys_…, __do_compat_sys_…   as SYSCALL_DEFINEn makes them (syscalls.h)
//
// Context: as syscalls.h says.
#pragma once

#include <cstdint>

#include "sim/kernel/syscalls.h"
#include "sim/kernel/time64.h"

namespace kpath {

using compat_uptr_t = uint32_t;
using compat_size_t = uint32_t;
using compat_ssize_t = int32_t;
using compat_long_t = int32_t;
using compat_ulong_t = uint32_t;

// v4.19 arch/x86/include/asm/compat.h: compat_ptr
template <typename T>
constexpr user_ptr<T> compat_ptr(compat_uptr_t pointer) {
  return user_ptr<T>(pointer);
}

// v4.19 arch/x86/include/asm/compat.h: in_x32_syscall, in_compat_syscall. Whether the current task
// is in a system call that was made with the numbers of x32; or of x32 or i386. False in kernel
// threads.
bool in_x32_syscall();
bool in_compat_syscall();

struct compat_timespec {
  int32_t tv_sec = 0;
  int32_t tv_nsec = 0;
};
// v4.19 kernel/compat.c: compat_get_timespec64. 0 or -EFAULT. x32 programs have 64-bit times.
int compat_get_timespec64(timespec64* ts, user_ptr<const compat_timespec> uts);
// v4.19 kernel/compat.c: compat_put_timespec64. 0 or -EFAULT.
int compat_put_timespec64(const timespec64& ts, user_ptr<compat_timespec> uts);

}  // namespace kpath

#define KPATH_COMPAT_SYSCALL_DEFINEx(n, name, ...)                                             \
  static long __do_compat_sys_##name##_body(KPATH_MAP##n(KPATH_SC_DECL, __VA_ARGS__));         \
  static long __do_compat_sys_##name(KPATH_MAP##n(KPATH_SC_DECL, __VA_ARGS__)) {               \
    FUNCTION(KPATH_MAP##n(KPATH_SC_NAME, __VA_ARGS__));                                        \
    return fn.Return(__do_compat_sys_##name##_body(KPATH_MAP##n(KPATH_SC_NAME, __VA_ARGS__))); \
  }                                                                                            \
  static long __se_compat_sys_##name(KPATH_MAP##n(KPATH_SC_LONG, __VA_ARGS__)) {               \
    FUNCTION(KPATH_MAP##n(KPATH_SC_NAME, __VA_ARGS__));                                        \
    return fn.Return(__do_compat_sys_##name(KPATH_MAP##n(KPATH_SC_CAST, __VA_ARGS__)));        \
  }                                                                                            \
  long __ia32_compat_sys_##name(const pt_regs* regs);                                          \
  long __ia32_compat_sys_##name(const pt_regs* regs) {                                         \
    FUNCTION();                                                                                \
    return fn.Return(__se_compat_sys_##name(KPATH_IA32_REGS##n(regs)));                        \
  }                                                                                            \
  long __x32_compat_sys_##name(const pt_regs* regs);                                           \
  long __x32_compat_sys_##name(const pt_regs* regs) {                                          \
    FUNCTION();                                                                                \
    return fn.Return(__se_compat_sys_##name(KPATH_SC_REGS##n(regs)));                          \
  }                                                                                            \
  static long __do_compat_sys_##name##_body(KPATH_MAP##n(KPATH_SC_DECL, __VA_ARGS__))

#define COMPAT_SYSCALL_DEFINE1(name, ...) KPATH_COMPAT_SYSCALL_DEFINEx(1, name, __VA_ARGS__)
#define COMPAT_SYSCALL_DEFINE2(name, ...) KPATH_COMPAT_SYSCALL_DEFINEx(2, name, __VA_ARGS__)
#define COMPAT_SYSCALL_DEFINE3(name, ...) KPATH_COMPAT_SYSCALL_DEFINEx(3, name, __VA_ARGS__)
#define COMPAT_SYSCALL_DEFINE4(name, ...) KPATH_COMPAT_SYSCALL_DEFINEx(4, name, __VA_ARGS__)
#define COMPAT_SYSCALL_DEFINE5(name, ...) KPATH_COMPAT_SYSCALL_DEFINEx(5, name, __VA_ARGS__)
#define COMPAT_SYSCALL_DEFINE6(name, ...) KPATH_COMPAT_SYSCALL_DEFINEx(6, name, __VA_ARGS__)
