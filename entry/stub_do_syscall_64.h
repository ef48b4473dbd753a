// SPDX-License-Identifier: Apache-2.0
//
// For tests of the entry code alone: a do_syscall_64 that is whatever the test says. To be linked
// instead of entry/common.cc.
//
//   StubDoSyscall64 stub([](unsigned long nr, pt_regs* regs) { regs->ax = nr; });
//   cpu.Syscall();
#pragma once

#include <functional>

#include "sim/machine/pt_regs.h"

namespace kpath {

// While it lives, the entry code calls `body`. One at a time.
class StubDoSyscall64 {
 public:
  using Body = std::function<void(unsigned long nr, pt_regs* regs)>;

  explicit StubDoSyscall64(Body body);
  ~StubDoSyscall64();
  StubDoSyscall64(const StubDoSyscall64&) = delete;
  StubDoSyscall64& operator=(const StubDoSyscall64&) = delete;
};

}  // namespace kpath
