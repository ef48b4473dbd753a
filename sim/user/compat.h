// SPDX-License-Identifier: Apache-2.0
//
// 32-bit system calls: the numbers of i386, results of 32 bits.
//
//   user::Int80(NR_i386_getpid);                          // from 64-bit code, too
//
//   user::Stack32 stack;                                  // 32-bit code needs one below 4 GiB
//   user::Sysenter(stack, 20);                            // as the vDSO does on an Intel CPU
//   user::Syscall32(stack, 248, {ctx, nr, iocbpp});       // … and on an AMD CPU
//
// Int80 may be made by 64-bit code: the kernel takes the low halves of the registers. The other two
// are made by 32-bit code: the program goes to its 32-bit code segment, as by a far jump, for as
// long as the call lasts.
//
// Context: ring 3, as syscall.h.
#pragma once

#include <array>
#include <csignal>  // SA_*
#include <cstdint>
#include <functional>

namespace kpath::user {

using Arguments32 = std::array<uint32_t, 6>;  // ebx, ecx, edx, esi, edi, ebp

// INT 0x80. Returns eax, extended with its sign: a negative errno on failure.
int64_t Int80(uint32_t number, const Arguments32& arguments = {});

// A page of memory below 4 GiB; mapped when it is made, and not given back.
class Stack32 {
 public:
  Stack32();
  uint32_t top() const { return top_; }

 private:
  uint32_t top_;
};

// SYSENTER and SYSCALL in the vDSO's __kernel_vsyscall, whose code puts ecx, edx and ebp on the
// stack before and takes them off behind. Return as Int80.
int64_t Sysenter(const Stack32& stack, uint32_t number, const Arguments32& arguments = {});
int64_t Syscall32(const Stack32& stack, uint32_t number, const Arguments32& arguments = {});
// The same with a stack pointer that nothing may be behind: the kernel finds no ebp there.
int64_t SysenterAt(uint32_t esp, uint32_t number);

// INT 0x80 of 32-bit code, on that stack.
int64_t Int80(const Stack32& stack, uint32_t number, const Arguments32& arguments = {});

// ---- Signals ----

// What a handler that is 32-bit code is called with. The addresses are 0 without SA_SIGINFO.
struct Signal32 {
  int signo = 0;
  uint32_t info = 0;      // of a compat_siginfo_t
  uint32_t ucontext = 0;  // of a struct ucontext_ia32
};

// rt_sigaction of i386. The handler is 32-bit code: it may make calls by Int80 alone.
int64_t Sigaction32(int sig, std::function<void(const Signal32& signal)> handler,
                    uint32_t flags = SA_SIGINFO);
// rt_sigaction of x32: the handler runs as 64-bit code, and finds a compat_siginfo_t.
int64_t SigactionX32(int sig, std::function<void(const Signal32& signal)> handler,
                     uint32_t flags = SA_SIGINFO);

}  // namespace kpath::user
