// SPDX-License-Identifier: Apache-2.0
//
// How a listing calls C code: the arguments come from the registers that the calling convention
// names, the result goes to rax, and the registers that C code may change are changed.
//
//   void c_code::do_syscall_64(Cpu& cpu) { RunCFunction(cpu, kpath::do_syscall_64); }
//
// The C function itself runs on the host's stack; on the simulated one there is only its return
// address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "sim/machine/check.h"
#include "sim/machine/context.h"
#include "sim/machine/cpu.h"
#include "sim/machine/pt_regs.h"

namespace kpath {

// rax, rcx, rdx, rsi, rdi, r8 to r11 get values that no address and no number of a system call has,
// and that differ from each other: code that relies on one of them is seen to do so. The arithmetic
// flags are left as the recorded do_syscall_64 left them: ZF and PF.
void ClobberCallerSavedRegisters(Cpu& cpu);

// What ClobberCallerSavedRegisters leaves in a register.
constexpr uint64_t ClobberedValue(Reg reg) {
  return 0xdeadc0de00000000 + static_cast<uint64_t>(reg);
}

template <typename T>
T CArgument(Cpu& cpu, size_t index) {
  constexpr Reg kArgumentRegisters[] = {Reg::rdi, Reg::rsi, Reg::rdx, Reg::rcx, Reg::r8, Reg::r9};
  const uint64_t word = cpu.regs[kArgumentRegisters[index]];
  if constexpr (std::is_same_v<T, pt_regs*>) {
    return PtRegsAt(cpu, word);
  } else {
    static_assert(std::is_integral_v<T>, "C functions take integers and pt_regs");
    return static_cast<T>(word);
  }
}

// Calls `function` and returns to the address on the stack. REQUIRES: `cpu` has just executed a
// call.
template <typename Result, typename... Args>
void RunCFunction(Cpu& cpu, Result (*function)(Args...)) {
  const uint64_t rsp = cpu.regs[Reg::rsp];
  const uint64_t result = [&]<size_t... kIndex>(std::index_sequence<kIndex...>)->uint64_t {
    if constexpr (std::is_void_v<Result>) {
      function(CArgument<Args>(cpu, kIndex)...);
      return ClobberedValue(Reg::rax);
    } else {
      return static_cast<uint64_t>(function(CArgument<Args>(cpu, kIndex)...));
    }
  }
  (std::index_sequence_for<Args...>());
  Cpu& after = *current_context->cpu;  // the task may have been moved
  KPATH_CHECK(after.regs[Reg::rsp] == rsp, "C code returned on another stack");
  ClobberCallerSavedRegisters(after);
  after.regs[Reg::rax] = result;
  after.regs.rip = after.Pop();
}

}  // namespace kpath
