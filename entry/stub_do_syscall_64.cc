// SPDX-License-Identifier: Apache-2.0
#include "entry/stub_do_syscall_64.h"

#include <utility>

#include "entry/c_function.h"
#include "entry/entry_64.h"

namespace kpath {
namespace {

thread_local StubDoSyscall64::Body active_body;

void CallActiveBody(unsigned long nr, pt_regs* regs) {
  KPATH_CHECK(active_body != nullptr, "a test calls do_syscall_64 without a StubDoSyscall64");
  active_body(nr, regs);
}

}  // namespace

StubDoSyscall64::StubDoSyscall64(Body body) {
  KPATH_CHECK(active_body == nullptr, "one StubDoSyscall64 at a time");
  active_body = std::move(body);
}

StubDoSyscall64::~StubDoSyscall64() { active_body = nullptr; }

void RunDoSyscall64(Cpu& cpu) { RunCFunction(cpu, CallActiveBody); }

}  // namespace kpath
