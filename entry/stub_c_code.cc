// SPDX-License-Identifier: Apache-2.0
#include "entry/stub_c_code.h"

#include <utility>

#include "entry/c_function.h"
#include "entry/c_symbols.h"

namespace kpath {
namespace {

thread_local StubCCode::Body active_body;

void CallActiveBody(const CodeSymbol& function, Cpu& cpu) {
  KPATH_CHECK(active_body != nullptr, "a test calls C code without a StubCCode");
  active_body(function, cpu);
}

StubCCode::Body OnlyDoSyscall64(StubDoSyscall64::Body body) {
  return [body = std::move(body)](const CodeSymbol& function, Cpu& cpu) {
    KPATH_CHECK(&function == &assembly::do_syscall_64, function.name);
    static thread_local const StubDoSyscall64::Body* called;
    called = &body;
    RunCFunction(
        cpu, +[](unsigned long nr, pt_regs* regs) { (*called)(nr, regs); });
  };
}

}  // namespace

StubCCode::StubCCode(Body body) {
  KPATH_CHECK(active_body == nullptr, "one StubCCode at a time");
  active_body = std::move(body);
}

StubCCode::~StubCCode() { active_body = nullptr; }

StubDoSyscall64::StubDoSyscall64(Body body) : stub_(OnlyDoSyscall64(std::move(body))) {}

#define KPATH_STUB(name, address) \
  void c_code::name(Cpu& cpu) { CallActiveBody(assembly::name, cpu); }
KPATH_ALL_C_FUNCTIONS(KPATH_STUB)
#undef KPATH_STUB

}  // namespace kpath
