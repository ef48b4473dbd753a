// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/syscalls.h"

#include <cstdint>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

using ::testing::ElementsAre;

struct seen_arguments {
  std::vector<int64_t> values;
};
KernelGlobal<seen_arguments> seen;

enum colour : int { red = 1, green = 2 };

}  // namespace

SYSCALL_DEFINE0(test_zero) { return Fail(ENOSYS, "nothing to do"); }
SYSCALL_DEFINE1(test_one, int, a) {
  seen->values = {a};
  return a;
}
SYSCALL_DEFINE3(test_three, unsigned char, a, unsigned, b, colour, c) {
  seen->values = {a, b, c};
  return 7;
}
SYSCALL_DEFINE6(test_six, long, a, short, b, unsigned long, c, user_ptr<int>, d, unsigned short, e,
                bool, f) {
  seen->values = {a, b, static_cast<int64_t>(c), static_cast<int64_t>(d.address()), e, f};
  return -EINVAL;
}

namespace {

class Names : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override {
    if (event.kind == ProbeEvent::Kind::kFunctionExit) text += "}";
    if (event.kind != ProbeEvent::Kind::kFunctionEnter) return;
    text += std::string(event.function->name) + "(";
    for (const Value& value : event.values) text += value.ToString() + ",";
    text += "){";
  }
  std::string text;
};

class Syscalls : public ::testing::Test {
 protected:
  // The registers as user mode has left them.
  Syscalls() {
    regs.di = 0xffffffff00000001;
    regs.si = 0x1'2345'fffe;
    regs.dx = 2;
    regs.r10 = 0x7f0012345678;
    regs.r8 = 0xabcd0003;
    regs.r9 = 0x100;
    regs.cx = 0xdead;  // SYSCALL keeps the return address here: no argument
  }
  TestKernel kernel;
  EnterMachine enter{kernel.machine};
  pt_regs regs = {};
};

TEST_F(Syscalls, ArgumentsAreCutToTheirTypes) {
  EXPECT_EQ(__x64_sys_test_one(&regs), 1);
  EXPECT_THAT(seen->values, ElementsAre(1));
  EXPECT_EQ(__x64_sys_test_three(&regs), 7);
  EXPECT_THAT(seen->values, ElementsAre(1, 0x2345fffe, green));
  regs.di = 0x80000000;
  EXPECT_EQ(__x64_sys_test_one(&regs), INT32_MIN);  // the sign is that of 32 bits
}

TEST_F(Syscalls, TheSixthAndThoseInBetween) {
  EXPECT_EQ(__x64_sys_test_six(&regs), -EINVAL);
  EXPECT_THAT(seen->values,
              ElementsAre(static_cast<int64_t>(0xffffffff00000001), -2, 2, 0x7f0012345678, 3, 1));
}

TEST_F(Syscalls, AnErrorKeepsItsReason) {
  EXPECT_EQ(__x64_sys_test_zero(&regs), -ENOSYS);
  EXPECT_EQ(current->reason.ToString(), "ENOSYS: nothing to do");
  EXPECT_STREQ(current->reason.function, "__ia32_sys_test_zero");
}

TEST_F(Syscalls, ThreeFunctionsAreSeen) {
  Names names;
  kernel.machine.AddListener(&names);
  __x64_sys_test_one(&regs);
  __x64_sys_test_zero(&regs);
  kernel.machine.RemoveListener(&names);
  EXPECT_EQ(names.text,
            "__x64_sys_test_one(){__se_sys_test_one(-4294967295,){__do_sys_test_one(1,){}}}"
            "__ia32_sys_test_zero(){}");
}

}  // namespace
}  // namespace kpath
