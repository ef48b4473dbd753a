// SPDX-License-Identifier: Apache-2.0
//
// SYSCALL_DEFINE0 … SYSCALL_DEFINE6: how a system call is written. v4.19 include/linux/syscalls.h,
// arch/x86/include/asm/syscall_wrapper.h
//
//   // v4.19 fs/aio.c: sys_io_destroy
//   SYSCALL_DEFINE1(io_destroy, aio_context_t, ctx) {
//     ...
//     return ret;
//   }
//
// makes four functions, as in Linux, and each is a probe:
//
//   __x64_sys_io_destroy(regs)   what sys_call_table holds: takes the arguments out of the
//   registers
//   __ia32_sys_io_destroy(regs)  what ia32_sys_call_table holds: the low 32 bits of bx, cx, dx, si,
//   di, bp, extended with zeros
//   __se_sys_io_destroy(long)    the arguments as registers have them, extended to 64 bits
//   __do_sys_io_destroy(ctx)     the arguments as they are declared, cut to their types: the body
//
// An argument is an integer, an enum or a user_ptr<T>. The body returns a long, a negative errno
// for an error (fail.h). SYSCALL_DEFINE0 has nothing to take out: its one function is
// __x64_sys_name, of which
// __ia32_sys_name is another name for the same address; tracers show the latter, and so does kpath.
//
// Context: process, interrupts on, on the kernel stack, `regs` at its top.
#pragma once

#include <type_traits>

#include "sim/kernel/fail.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/user_ptr.h"
#include "sim/machine/machine.h"
#include "sim/machine/pt_regs.h"

namespace kpath {

// A register as the type that a system call declares.
template <typename T>
struct SyscallArgument {
  static T From(long value) { return static_cast<T>(value); }
};
template <typename T>
struct SyscallArgument<user_ptr<T>> {
  static user_ptr<T> From(long value) { return user_ptr<T>(static_cast<uint64_t>(value)); }
};

}  // namespace kpath

// The n-th register of a 64-bit system call.
#define KPATH_SC_REG1(regs) static_cast<long>((regs)->di)
#define KPATH_SC_REG2(regs) static_cast<long>((regs)->si)
#define KPATH_SC_REG3(regs) static_cast<long>((regs)->dx)
#define KPATH_SC_REG4(regs) static_cast<long>((regs)->r10)
#define KPATH_SC_REG5(regs) static_cast<long>((regs)->r8)
#define KPATH_SC_REG6(regs) static_cast<long>((regs)->r9)

#define KPATH_SC_REGS1(regs) KPATH_SC_REG1(regs)
#define KPATH_SC_REGS2(regs) KPATH_SC_REGS1(regs), KPATH_SC_REG2(regs)
#define KPATH_SC_REGS3(regs) KPATH_SC_REGS2(regs), KPATH_SC_REG3(regs)
#define KPATH_SC_REGS4(regs) KPATH_SC_REGS3(regs), KPATH_SC_REG4(regs)
#define KPATH_SC_REGS5(regs) KPATH_SC_REGS4(regs), KPATH_SC_REG5(regs)
#define KPATH_SC_REGS6(regs) KPATH_SC_REGS5(regs), KPATH_SC_REG6(regs)

// The n-th register of an i386 system call.
#define KPATH_IA32_REG1(regs) static_cast<long>(static_cast<uint32_t>((regs)->bx))
#define KPATH_IA32_REG2(regs) static_cast<long>(static_cast<uint32_t>((regs)->cx))
#define KPATH_IA32_REG3(regs) static_cast<long>(static_cast<uint32_t>((regs)->dx))
#define KPATH_IA32_REG4(regs) static_cast<long>(static_cast<uint32_t>((regs)->si))
#define KPATH_IA32_REG5(regs) static_cast<long>(static_cast<uint32_t>((regs)->di))
#define KPATH_IA32_REG6(regs) static_cast<long>(static_cast<uint32_t>((regs)->bp))

#define KPATH_IA32_REGS1(regs) KPATH_IA32_REG1(regs)
#define KPATH_IA32_REGS2(regs) KPATH_IA32_REGS1(regs), KPATH_IA32_REG2(regs)
#define KPATH_IA32_REGS3(regs) KPATH_IA32_REGS2(regs), KPATH_IA32_REG3(regs)
#define KPATH_IA32_REGS4(regs) KPATH_IA32_REGS3(regs), KPATH_IA32_REG4(regs)
#define KPATH_IA32_REGS5(regs) KPATH_IA32_REGS4(regs), KPATH_IA32_REG5(regs)
#define KPATH_IA32_REGS6(regs) KPATH_IA32_REGS5(regs), KPATH_IA32_REG6(regs)

// v4.19 include/linux/syscalls.h: __MAP. Applies m(type, name) to each pair.
#define KPATH_MAP1(m, t, a) m(t, a)
#define KPATH_MAP2(m, t, a, ...) m(t, a), KPATH_MAP1(m, __VA_ARGS__)
#define KPATH_MAP3(m, t, a, ...) m(t, a), KPATH_MAP2(m, __VA_ARGS__)
#define KPATH_MAP4(m, t, a, ...) m(t, a), KPATH_MAP3(m, __VA_ARGS__)
#define KPATH_MAP5(m, t, a, ...) m(t, a), KPATH_MAP4(m, __VA_ARGS__)
#define KPATH_MAP6(m, t, a, ...) m(t, a), KPATH_MAP5(m, __VA_ARGS__)

#define KPATH_SC_DECL(t, a) t a                                   // __SC_DECL
#define KPATH_SC_LONG(t, a) long a                                // __SC_LONG
#define KPATH_SC_CAST(t, a) ::kpath::SyscallArgument<t>::From(a)  // __SC_CAST
#define KPATH_SC_NAME(t, a) a
// FUNCTION would keep the names of its arguments as they are written: KPATH_MAP2(…).
#define KPATH_SC_FUNCTION(...) FUNCTION(__VA_ARGS__)

#define KPATH_SYSCALL_DEFINEx(n, name, ...)                                             \
  static long __do_sys_##name##_body(KPATH_MAP##n(KPATH_SC_DECL, __VA_ARGS__));         \
  static long __do_sys_##name(KPATH_MAP##n(KPATH_SC_DECL, __VA_ARGS__)) {               \
    KPATH_SC_FUNCTION(KPATH_MAP##n(KPATH_SC_NAME, __VA_ARGS__));                        \
    return fn.Return(__do_sys_##name##_body(KPATH_MAP##n(KPATH_SC_NAME, __VA_ARGS__))); \
  }                                                                                     \
  static long __se_sys_##name(KPATH_MAP##n(KPATH_SC_LONG, __VA_ARGS__)) {               \
    KPATH_SC_FUNCTION(KPATH_MAP##n(KPATH_SC_NAME, __VA_ARGS__));                        \
    return fn.Return(__do_sys_##name(KPATH_MAP##n(KPATH_SC_CAST, __VA_ARGS__)));        \
  }                                                                                     \
  long __x64_sys_##name(const pt_regs* regs);                                           \
  long __x64_sys_##name(const pt_regs* regs) {                                          \
    FUNCTION();                                                                         \
    return fn.Return(__se_sys_##name(KPATH_SC_REGS##n(regs)));                          \
  }                                                                                     \
  long __ia32_sys_##name(const pt_regs* regs);                                          \
  long __ia32_sys_##name(const pt_regs* regs) {                                         \
    FUNCTION();                                                                         \
    return fn.Return(__se_sys_##name(KPATH_IA32_REGS##n(regs)));                        \
  }                                                                                     \
  static long __do_sys_##name##_body(KPATH_MAP##n(KPATH_SC_DECL, __VA_ARGS__))

#define SYSCALL_DEFINE1(name, ...) KPATH_SYSCALL_DEFINEx(1, name, __VA_ARGS__)
#define SYSCALL_DEFINE2(name, ...) KPATH_SYSCALL_DEFINEx(2, name, __VA_ARGS__)
#define SYSCALL_DEFINE3(name, ...) KPATH_SYSCALL_DEFINEx(3, name, __VA_ARGS__)
#define SYSCALL_DEFINE4(name, ...) KPATH_SYSCALL_DEFINEx(4, name, __VA_ARGS__)
#define SYSCALL_DEFINE5(name, ...) KPATH_SYSCALL_DEFINEx(5, name, __VA_ARGS__)
#define SYSCALL_DEFINE6(name, ...) KPATH_SYSCALL_DEFINEx(6, name, __VA_ARGS__)

// Shown under its ia32 name: see the head of this file.
#define SYSCALL_DEFINE0(name)                                                    \
  static long __x64_sys_##name##_body();                                         \
  long __ia32_sys_##name(const pt_regs* regs);                                   \
  long __ia32_sys_##name(const pt_regs*) {                                       \
    FUNCTION();                                                                  \
    return fn.Return(__x64_sys_##name##_body());                                 \
  }                                                                              \
  long __x64_sys_##name(const pt_regs* regs);                                    \
  long __x64_sys_##name(const pt_regs* regs) { return __ia32_sys_##name(regs); } \
  static long __x64_sys_##name##_body()
