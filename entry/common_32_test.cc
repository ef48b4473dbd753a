// SPDX-License-Identifier: Apache-2.0
//
// 32-bit system calls by all three ways in, from ring 3 and back.
#include "entry/common_32.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <csignal>
#include <string>
#include <vector>

#include "entry/boot.h"
#include "entry/instruction_step.h"
#include "gtest/gtest.h"
#include "sim/kernel/sched.h"
#include "syscall_table/ia32_sys_call_table.h"

namespace kpath {
namespace {

// The numbers of i386.
constexpr uint32_t kExit = 1, kRead = 3, kWrite = 4, kClose = 6, kGetpid = 20, kGettid = 224,
                   kIoSetup = 245, kIoDestroy = 246, kIoSubmit = 248, kIoPgetevents = 385;

void RunProgram(const std::function<void()>& code) {
  System system;
  system.Start("prog", code);
  EXPECT_EQ(system.Run(), "");
}

// Whether the last way out was SYSRETL.
class ExitRecorder : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override {
    if (event.kind != ProbeEvent::Kind::kInstruction) return;
    const auto* step = static_cast<const InstructionStep*>(event.instruction);
    if (step->instruction->opcode == Opcode::kSysretl) exits.push_back("sysretl");
    if (step->instruction->opcode == Opcode::kIret) exits.push_back("iretq");
  }
  std::vector<std::string> exits;
};

TEST(Common32, EachWayInMakesTheSameCall) {
  RunProgram([] {
    const int64_t pid = user::getpid();
    EXPECT_EQ(user::Int80(kGetpid), pid);
    const user::Stack32 stack;
    EXPECT_EQ(user::Sysenter(stack, kGetpid), pid);
    EXPECT_EQ(user::Syscall32(stack, kGetpid), pid);
  });
}

TEST(Common32, AllSixArgumentsArriveByEachWay) {
  static std::vector<uint64_t> seen;
  System system;
  ia32_sys_call_table.Get(system.machine())
      .Set(222, {.function =
                     [](const pt_regs* regs) {
                       seen = {regs->bx, regs->cx, regs->dx, regs->si, regs->di, regs->bp};
                       return 7L;
                     },
                 .name = "test_call",
                 .fidelity = Fidelity::kFull});
  system.Start("prog", [] {
    const user::Arguments32 arguments = {0x80000001, 2, 3, 4, 5, 0xfffffff6};
    const std::vector<uint64_t> expected = {0x80000001, 2, 3, 4, 5, 0xfffffff6};
    const user::Stack32 stack;
    EXPECT_EQ(user::Int80(222, arguments), 7);
    EXPECT_EQ(seen, expected);
    seen.clear();
    EXPECT_EQ(user::Sysenter(stack, 222, arguments), 7);
    EXPECT_EQ(seen, expected);
    seen.clear();
    EXPECT_EQ(user::Syscall32(stack, 222, arguments), 7);
    EXPECT_EQ(seen, expected);
  });
  EXPECT_EQ(system.Run(), "");
}

TEST(Common32, TheFastWaysReturnBySysretAndInt80ByIret) {
  System system;
  ExitRecorder recorder;
  system.Start("prog", [&] {
    const user::Stack32 stack;
    user::Store<uint32_t>(stack.top() - 4, 0);  // it is there
    current->machine->AddListener(&recorder);
    user::Int80(kGetpid);
    user::Sysenter(stack, kGetpid);
    user::Syscall32(stack, kGetpid);
    current->machine->RemoveListener(&recorder);
  });
  EXPECT_EQ(system.Run(), "");
  EXPECT_EQ(recorder.exits, (std::vector<std::string>{"iretq", "sysretl", "sysretl"}));
}

TEST(Common32, AStackThatIsNotThereIsEfault) {
  RunProgram([] {
    EXPECT_EQ(user::SysenterAt(0x1000, kGetpid), -EFAULT);
    EXPECT_EQ(current->ti.status & TS_COMPAT, 0u);
  });
}

TEST(Common32, TheNumberHas32BitsAndNoX32Bit) {
  RunProgram([] {
    EXPECT_EQ(user::Int80(387), -ENOSYS);
    EXPECT_EQ(user::Int80(kGetpid | 0x40000000), -ENOSYS);
    EXPECT_EQ(user::Int80(0xffffffff), -ENOSYS);
    EXPECT_EQ(user::Int80(17), -ENOSYS);  // break
    EXPECT_EQ(user::Int80(26), -ENOSYS);  // ptrace: v4.19 has it
    EXPECT_EQ(current->reason.ToString(), "ENOSYS: not modelled: ptrace");
  });
}

TEST(Common32, ACallLeavesNoTraceOfItsKind) {
  RunProgram([] {
    user::Int80(kGetpid);
    EXPECT_EQ(current->ti.status & TS_COMPAT, 0u);
    EXPECT_EQ(user::gettid(), user::Int80(kGettid));
  });
}

TEST(Common32, RegistersOf64BitCodeSurviveInt80) {
  RunProgram([] {
    Registers& regs = current->cpu->regs;
    regs[Reg::r12] = 0x1234567812345678;
    regs[Reg::r8] = 0x8765432187654321;
    user::Int80(kGetpid);
    EXPECT_EQ(current->cpu->regs[Reg::r12], 0x1234567812345678u);
    EXPECT_EQ(current->cpu->regs[Reg::r8], 0x8765432187654321u);
    EXPECT_EQ(current->cpu->regs.cs, __USER_CS);
  });
}

TEST(Common32, PlainCallsShareTheirFunctionWith64BitOnes) {
  RunProgram([] {
    const int64_t fd = user::open("/tmp/x", O_RDWR | O_CREAT, 0600);
    const user::Stack32 stack;
    const uint32_t buffer = stack.top() - 256;
    user::WriteString(buffer, "hello");
    EXPECT_EQ(user::Int80(kWrite, {static_cast<uint32_t>(fd), buffer, 5}), 5);
    EXPECT_EQ(user::Int80(kRead, {99, buffer, 5}), -EBADF);
    EXPECT_EQ(user::Int80(kClose, {static_cast<uint32_t>(fd)}), 0);
    EXPECT_EQ(user::close(static_cast<int>(fd)), -EBADF);
  });
}

TEST(Common32, NativeAioWith32BitStructures) {
  RunProgram([] {
    const user::Stack32 stack;
    const uint32_t ctx = stack.top() - 256;
    user::Store<uint32_t>(ctx, 0);
    EXPECT_EQ(user::Int80(kIoSetup, {8, ctx}), 0);
    const auto id = user::Load<uint32_t>(ctx);
    EXPECT_NE(id, 0u);
    EXPECT_EQ(user::Int80(kIoSubmit, {id, 0, 0}), 0);
    EXPECT_EQ(user::Int80(kIoSubmit, {1, 1, 0}), -EINVAL);
    // A mask in the layout of v4.19's kernel, whose pointer has 64 bits, and in that of i386.
    const uint32_t timeout = ctx + 8, sigset = ctx + 16, mask = ctx + 32;
    user::Store<uint64_t>(timeout, 0);
    user::Store<uint64_t>(mask, 0);
    user::Store<uint64_t>(sigset, mask);
    user::Store<uint32_t>(sigset + 8, 8);
    EXPECT_EQ(user::Int80(kIoPgetevents, {id, 0, 1, 0, timeout, sigset}), 0);
    user::Store<uint32_t>(sigset + 4, 8);
    EXPECT_EQ(user::Int80(kIoPgetevents, {id, 0, 1, 0, timeout, sigset}), -EFAULT);
    EXPECT_EQ(user::Int80(kIoDestroy, {id}), 0);
  });
}

TEST(Common32, ExitEndsTheProcess) {
  System system;
  const int pid = system.Start("prog", [] { user::Int80(kExit, {3}); })->pid;
  EXPECT_EQ(system.Run(), "");
  EXPECT_EQ(system.ExitStatus(pid), 3 << 8);
}

}  // namespace
}  // namespace kpath
