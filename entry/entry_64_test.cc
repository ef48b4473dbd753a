// SPDX-License-Identifier: Apache-2.0
//
// What a user program may rely on around a system call, for any register contents, and which way
// out the kernel takes. The instructions themselves are held against a recording in steps_test.cc.
#include "entry/entry_64.h"

#include <random>
#include <string>
#include <vector>

#include "entry/c_function.h"
#include "entry/step_text.h"
#include "entry/stub_c_code.h"
#include "gtest/gtest.h"
#include "sim/machine/machine.h"

namespace kpath {
namespace {

constexpr uint64_t kUserIp = 0x4016ac;
constexpr uint64_t kUserFlags = X86_EFLAGS_FIXED | X86_EFLAGS_IF;

// Interprets the listing instead of running the compiled code.
void InterpretEntrySyscall64(Cpu& cpu) {
  RunInterpreted(cpu, assembly::entry_SYSCALL_64, assembly::entry_SYSCALL_64_listing.lines);
}

class StepRecorder : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override {
    const auto& step = *static_cast<const InstructionStep*>(event.instruction);
    steps.push_back(StepText(step));
    places.push_back(Locate(*step.symbol, step.offset));
  }
  // Where the step before the first one on the IRET path stands; empty if there is none.
  std::string LeftFor(const std::string& place) const {
    for (size_t i = 1; i < places.size(); ++i) {
      if (places[i] == place) return places[i - 1];
    }
    return "";
  }

  std::vector<std::string> steps;
  std::vector<std::string> places;
};

// A CPU in user mode, set up as syscall_init and the scheduler do.
class Entry64Test : public testing::Test {
 protected:
  Entry64Test() : enter_(machine_), cpu_(machine_.cpu(0)) {
    const uint64_t stack = kDirectMapBase + (machine_.memory.AllocatePages(2) << kPageShift);
    stack_top_ = stack + 4 * kPageSize;
    cpu_.Write64(cpu_.per_cpu_base() + kPerCpuTopOfStack.offset, stack_top_);
    cpu_.Write64(cpu_.per_cpu_base() + kPerCpuSp0.offset, cpu_.entry_stack_top());
    cpu_.gs_base = 0x1234;
    cpu_.kernel_gs_base = cpu_.per_cpu_base();
    cpu_.star = uint64_t{__USER32_CS} << 48 | uint64_t{__KERNEL_CS} << 32;
    cpu_.sfmask = X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_IF | X86_EFLAGS_IOPL | X86_EFLAGS_AC |
                  X86_EFLAGS_NT;
    cpu_.lstar = assembly::entry_SYSCALL_64.address;
    cpu_.syscall_entry = assembly::entry_SYSCALL_64.run;
    SetUserRegisters(kUserIp, kUserFlags);
  }

  // Random words in the general purpose registers, the stack pointer among them.
  void SetUserRegisters(uint64_t ip, uint64_t flags) {
    for (uint64_t& word : cpu_.regs.general) word = random_();
    cpu_.regs.rip = ip;
    cpu_.regs.rflags = flags;
    cpu_.regs.cs = __USER_CS;
    cpu_.regs.ss = __USER_DS;
  }

  // Any flags that SYSRET can restore: not RF, not TF.
  uint64_t RandomFlags() {
    constexpr uint64_t kId = 1 << 21;
    return X86_EFLAGS_FIXED |
           (random_() & (kArithmeticFlags | X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_AC | kId));
  }

  Machine machine_;
  EnterMachine enter_;
  Cpu& cpu_;
  uint64_t stack_top_;
  std::mt19937_64 random_{4619};
};

TEST_F(Entry64Test, SysretRestoresAllButRaxRcxAndR11) {
  for (auto entry : {assembly::entry_SYSCALL_64.run, InterpretEntrySyscall64}) {
    cpu_.syscall_entry = entry;
    for (int i = 0; i < 200; ++i) {
      SetUserRegisters(random_() >> 17, RandomFlags());
      const Registers before = cpu_.regs;
      StubDoSyscall64 stub([](unsigned long, pt_regs* regs) { regs->ax = 77; });
      cpu_.Syscall();
      Registers expected = before;
      expected[Reg::rax] = 77;
      expected[Reg::rcx] = before.rip;
      expected[Reg::r11] = before.rflags;
      EXPECT_EQ(cpu_.regs, expected);
      EXPECT_EQ(cpu_.gs_base, 0x1234u);
      EXPECT_EQ(cpu_.kernel_gs_base, cpu_.per_cpu_base());
    }
  }
}

TEST_F(Entry64Test, TheKernelSeesAllRegistersAndRunsWithItsOwn) {
  for (int i = 0; i < 50; ++i) {
    SetUserRegisters(random_() >> 17, RandomFlags());
    const Registers user = cpu_.regs;
    StubDoSyscall64 stub([&](unsigned long nr, pt_regs* regs) {
      EXPECT_EQ(nr, user[Reg::rax]);
      EXPECT_EQ(regs, PtRegsAt(cpu_, stack_top_ - sizeof(pt_regs)));
      const pt_regs saved = *regs;
      const unsigned long general[] = {static_cast<unsigned long>(-ENOSYS),
                                       saved.cx,
                                       saved.dx,
                                       saved.bx,
                                       saved.sp,
                                       saved.bp,
                                       saved.si,
                                       saved.di,
                                       saved.r8,
                                       saved.r9,
                                       saved.r10,
                                       saved.r11,
                                       saved.r12,
                                       saved.r13,
                                       saved.r14,
                                       saved.r15};
      Registers expected = user;
      expected[Reg::rax] = static_cast<uint64_t>(-ENOSYS);
      expected[Reg::rcx] = user.rip;  // the SYSCALL instruction's doing
      expected[Reg::r11] = user.rflags;
      for (int reg = 0; reg < 16; ++reg) EXPECT_EQ(general[reg], expected.general[reg]) << reg;
      EXPECT_EQ(saved.orig_ax, user[Reg::rax]);
      EXPECT_EQ(saved.ip, user.rip);
      EXPECT_EQ(saved.cs, __USER_CS);
      EXPECT_EQ(saved.flags, user.rflags);
      EXPECT_EQ(saved.ss, __USER_DS);

      EXPECT_EQ(cpu_.gs_base, cpu_.per_cpu_base());
      EXPECT_EQ(cpu_.regs.cs, __KERNEL_CS);
      EXPECT_EQ(cpu_.regs.rip, assembly::do_syscall_64.address);
      EXPECT_EQ(cpu_.regs[Reg::rsp], stack_top_ - sizeof(pt_regs) - 8);
      EXPECT_EQ(cpu_.regs.rflags & (X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_AC), 0u);
      for (Reg cleared : {Reg::rbx, Reg::rcx, Reg::rdx, Reg::rbp, Reg::r8, Reg::r9, Reg::r10,
                          Reg::r11, Reg::r12, Reg::r13, Reg::r14, Reg::r15}) {
        EXPECT_EQ(cpu_.regs[cleared], 0u) << "a user's value to speculate with";
      }
    });
    cpu_.Syscall();
  }
}

// ---- The way out by IRET: one test per condition of SYSRET ----

class IretTest : public Entry64Test {
 protected:
  // Makes one system call, in which `change` makes SYSRET impossible; the jump at `jne` has to be
  // the one that notices. All of pt_regs has to be in the registers then, rcx and r11 too.
  void ExpectIret(const std::string& jne, const std::function<void(pt_regs*)>& change) {
    for (auto entry : {assembly::entry_SYSCALL_64.run, InterpretEntrySyscall64}) {
      cpu_.syscall_entry = entry;
      SetUserRegisters(kUserIp, kUserFlags);
      StepRecorder recorder;
      machine_.AddListener(&recorder);
      pt_regs left;
      StubDoSyscall64 stub([&](unsigned long, pt_regs* regs) {
        regs->ax = 77;
        change(regs);
        left = *regs;
      });
      // Not Cpu::Syscall, which asks for ring 3 in the end: some of these leave odd segments.
      PretendSyscall();
      cpu_.syscall_entry(cpu_);
      machine_.RemoveListener(&recorder);
      EXPECT_EQ(recorder.LeftFor("swapgs_restore_regs_and_return_to_usermode"), jne);
      EXPECT_EQ(recorder.places.back(), "native_iret");
      ExpectRegisters(left);
    }
  }

  void PretendSyscall() {
    cpu_.regs[Reg::rcx] = cpu_.regs.rip;
    cpu_.regs[Reg::r11] = cpu_.regs.rflags;
    cpu_.regs.rflags &= ~cpu_.sfmask;
    cpu_.regs.cs = __KERNEL_CS;
    cpu_.regs.ss = __KERNEL_DS;
  }

  void ExpectRegisters(const pt_regs& left) {
    const Registers expected = {
        .general = {left.ax, left.cx, left.dx, left.bx, left.sp, left.bp, left.si, left.di, left.r8,
                    left.r9, left.r10, left.r11, left.r12, left.r13, left.r14, left.r15},
        .rip = left.ip,
        .rflags = left.flags,
        .cs = static_cast<uint16_t>(left.cs),
        .ss = static_cast<uint16_t>(left.ss)};
    EXPECT_EQ(cpu_.regs, expected);
    EXPECT_EQ(cpu_.gs_base, 0x1234u);
    EXPECT_EQ(cpu_.kernel_gs_base, cpu_.per_cpu_base());
  }
};

TEST_F(IretTest, RcxIsNotRip) {
  ExpectIret("entry_SYSCALL_64+120", [](pt_regs* regs) { regs->ip -= 2; });
  ExpectIret("entry_SYSCALL_64+120", [](pt_regs* regs) { regs->cx = 0; });
}

TEST_F(IretTest, RipIsNotCanonical) {
  // IRET cannot go there either: it faults, in kernel mode and with the user's registers loaded but
  // for the frame. What becomes of that is for idtentry_test.cc; here the fault is overlooked.
  cpu_.idt[kGeneralProtectionVector] = {.handler =
                                            [](Cpu& cpu) {
                                              EXPECT_EQ(cpu.Pop(), 0u);  // error code
                                              EXPECT_EQ(cpu.Pop(), assembly::native_iret.address);
                                              EXPECT_EQ(cpu.Pop(), __KERNEL_CS);
                                              cpu.Pop();
                                              cpu.regs[Reg::rsp] = cpu.Pop();
                                              cpu.regs.rip = cpu.Pop();
                                              cpu.regs.cs = static_cast<uint16_t>(cpu.Pop());
                                              cpu.regs.rflags = cpu.Pop();
                                              const uint64_t rsp = cpu.Pop();
                                              cpu.regs.ss = static_cast<uint16_t>(cpu.Pop());
                                              cpu.regs[Reg::rsp] = rsp;
                                            },
                                        .name = "general_protection"};
  for (uint64_t ip : {0x0000800000000000ul, 0xffff7ffffffffffful, 0x0100000000401000ul}) {
    ExpectIret("entry_SYSCALL_64+137", [&](pt_regs* regs) { regs->cx = regs->ip = ip; });
  }
}

TEST_F(IretTest, CsIsNotTheOneThatSysretLoads) {
  ExpectIret("entry_SYSCALL_64+152", [](pt_regs* regs) { regs->cs = __USER32_CS; });
}

TEST_F(IretTest, R11IsNotTheFlags) {
  ExpectIret("entry_SYSCALL_64+171", [](pt_regs* regs) { regs->flags ^= X86_EFLAGS_CF; });
  ExpectIret("entry_SYSCALL_64+171", [](pt_regs* regs) { regs->r11 = 0; });
}

TEST_F(IretTest, RfIsToBeRestored) {
  ExpectIret("entry_SYSCALL_64+184",
             [](pt_regs* regs) { regs->r11 = regs->flags |= X86_EFLAGS_RF; });
}

TEST_F(IretTest, TfIsToBeRestored) {
  ExpectIret("entry_SYSCALL_64+184",
             [](pt_regs* regs) { regs->r11 = regs->flags |= X86_EFLAGS_TF; });
}

TEST_F(IretTest, SsIsNotTheOneThatSysretLoads) {
  ExpectIret("entry_SYSCALL_64+199", [](pt_regs* regs) { regs->ss = 0; });
}

TEST_F(IretTest, TheFirstConditionThatFailsDecides) {
  ExpectIret("entry_SYSCALL_64+152", [](pt_regs* regs) {
    regs->cs = __USER32_CS;
    regs->flags ^= X86_EFLAGS_CF;
    regs->ss = 0;
  });
}

TEST_F(IretTest, ACanonicalKernelAddressPassesTheSysretTest) {
  StepRecorder recorder;
  machine_.AddListener(&recorder);
  StubDoSyscall64 stub(
      [](unsigned long, pt_regs* regs) { regs->cx = regs->ip = 0xffff800000000000; });
  cpu_.Syscall();
  machine_.RemoveListener(&recorder);
  EXPECT_EQ(recorder.places.back(), "entry_SYSCALL_64+248");
}

// Single-stepping user code: SYSCALL masks TF, the saved flags have it, IRET brings it back.
TEST_F(IretTest, AUserWhoIsSingleSteppedComesBackByIret) {
  SetUserRegisters(kUserIp, kUserFlags | X86_EFLAGS_TF);
  const Registers before = cpu_.regs;
  StubDoSyscall64 stub(
      [&](unsigned long, pt_regs*) { EXPECT_EQ(cpu_.regs.rflags & X86_EFLAGS_TF, 0u); });
  cpu_.Syscall();
  EXPECT_EQ(cpu_.regs.rflags, before.rflags);
  EXPECT_EQ(cpu_.regs.rip, before.rip);
}

// ---- Two ways of running, watched or not ----

TEST_F(Entry64Test, CompiledInterpretedAndWatchedRunsAreTheSame) {
  StubDoSyscall64 stub([](unsigned long nr, pt_regs* regs) { regs->ax = nr + 1; });
  const Registers before = cpu_.regs;
  const auto run = [&](void (*entry)(Cpu&), StepRecorder* recorder) {
    cpu_.regs = before;
    cpu_.syscall_entry = entry;
    const uint64_t position = machine_.position().probes_passed();
    if (recorder != nullptr) machine_.AddListener(recorder);
    cpu_.Syscall();
    if (recorder != nullptr) machine_.RemoveListener(recorder);
    EXPECT_EQ(machine_.position().probes_passed() - position, 78u);
    return cpu_.regs;
  };
  StepRecorder compiled, interpreted;
  const Registers expected = run(assembly::entry_SYSCALL_64.run, nullptr);
  EXPECT_EQ(run(InterpretEntrySyscall64, nullptr), expected);
  EXPECT_EQ(run(assembly::entry_SYSCALL_64.run, &compiled), expected);
  EXPECT_EQ(run(InterpretEntrySyscall64, &interpreted), expected);
  EXPECT_EQ(compiled.steps.size(), 78u);
  EXPECT_EQ(interpreted.steps, compiled.steps);
}

}  // namespace
}  // namespace kpath
