// SPDX-License-Identifier: Apache-2.0
//
// For tests of the entry code alone: C functions that are whatever the test says. To be linked
// instead of :c_code.
//
//   StubDoSyscall64 stub([](unsigned long nr, pt_regs* regs) { regs->ax = nr; });
//   cpu.Syscall();
//
//   StubCCode stub([&](const CodeSymbol& function, Cpu& cpu) { … });
#pragma once

#include <functional>

#include "entry/instruction.h"
#include "sim/machine/pt_regs.h"

namespace kpath {

// While it lives, a call of any C function is a call of `body`, which is to return as the function
// would: with the return address popped into rip. One at a time.
class StubCCode {
 public:
  using Body = std::function<void(const CodeSymbol& function, Cpu& cpu)>;

  explicit StubCCode(Body body);
  ~StubCCode();
  StubCCode(const StubCCode&) = delete;
  StubCCode& operator=(const StubCCode&) = delete;
};

// The same for tests in which do_syscall_64 is the only one that is called.
class StubDoSyscall64 {
 public:
  using Body = std::function<void(unsigned long nr, pt_regs* regs)>;

  explicit StubDoSyscall64(Body body);

 private:
  StubCCode stub_;
};

}  // namespace kpath
