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
#include <cstdint>

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

}  // namespace kpath::user
