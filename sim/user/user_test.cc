// SPDX-License-Identifier: Apache-2.0
#include "sim/user/user.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/machine/machine.h"

namespace kpath {
namespace {

constexpr uint64_t kPage = 0x10000;
constexpr uint64_t kUserStack = 0x7ffc0000f000;

// Runs a program in ring 3 of a machine whose "kernel" is two functions.
class UserTest : public ::testing::Test {
 protected:
  using Handler = std::function<void(Cpu&)>;

  UserTest() : machine_(1) {
    test_ = this;
    Cpu& cpu = machine_.cpu(0);
    cpu.star = uint64_t{__USER32_CS} << 48 | uint64_t{__KERNEL_CS} << 32;
    cpu.sfmask = 0x47700;
    cpu.syscall_entry = [](Cpu& c) {
      test_->on_syscall_(c);
      c.SysretQ();
    };
    for (const uint8_t vector : {13, 14}) {
      cpu.idt[vector].handler = vector == 13 ? GeneralProtection : PageFault;
    }
    cpu.address_space = &space_;
  }

  ~UserTest() override { context_.reset(); }

  // Runs `program` to its end.
  void Run(user::Code program) {
    context_ = std::make_unique<Context>(machine_, [this, program = std::move(program)] {
      EnterUserMode();
      program();
      ended_ = true;
      while (true) current_context->cpu->Halt();
    });
    machine_.cpu(0).Start(*context_);
    machine_.Run();
    EXPECT_TRUE(ended_);
  }

  void EnterUserMode() {
    Cpu& cpu = machine_.cpu(0);
    const uint64_t stack =
        kDirectMapBase + (machine_.memory.AllocatePages(0) << kPageShift) + kPageSize;
    cpu.Write64(cpu.per_cpu_base() + kPerCpuSp0.offset, stack);
    cpu.regs.cs = __USER_CS;
    cpu.regs.ss = __USER_DS;
    cpu.regs[Reg::rsp] = kUserStack;
  }

  void Map(uint64_t address, bool writable = true) {
    space_.Map(address, {.pfn = machine_.memory.AllocatePages(0), .writable = writable});
  }

  static void GeneralProtection(Cpu& cpu) { EndFault(cpu, "#GP"); }
  static void PageFault(Cpu& cpu) { EndFault(cpu, absl::StrCat("#PF 0x", absl::Hex(cpu.cr2))); }

  static void EndFault(Cpu& cpu, const std::string& what) {
    const uint64_t error_code = cpu.Pop();
    test_->faults_.push_back(absl::StrCat(what, " error ", error_code, " ip 0x",
                                          absl::Hex(cpu.Read64(cpu.regs[Reg::rsp]))));
    test_->on_fault_(cpu);
    cpu.IretQ();
  }

  static UserTest* test_;
  Machine machine_;
  AddressSpace space_;
  std::unique_ptr<Context> context_;
  Handler on_syscall_ = [](Cpu&) {};
  Handler on_fault_ = [](Cpu&) {};
  std::vector<std::string> faults_;
  bool ended_ = false;
};

UserTest* UserTest::test_ = nullptr;

TEST_F(UserTest, ASystemCallPutsNumberAndArgumentsWhereTheAbiWantsThem) {
  Registers seen;
  on_syscall_ = [&](Cpu& cpu) {
    seen = cpu.regs;
    cpu.regs[Reg::rax] = 42;
  };
  int64_t result = 0;
  Run([&] { result = user::Syscall(209, 1, -2, uint32_t{0xffffffff}, 4, 5, 6); });
  EXPECT_EQ(result, 42);
  EXPECT_EQ(seen[Reg::rax], 209u);
  EXPECT_EQ(seen[Reg::rdi], 1u);
  EXPECT_EQ(seen[Reg::rsi], 0xfffffffffffffffeu);  // an int is sign-extended
  EXPECT_EQ(seen[Reg::rdx], 0xffffffffu);          // an unsigned one is not
  EXPECT_EQ(seen[Reg::r10], 4u);
  EXPECT_EQ(seen[Reg::r8], 5u);
  EXPECT_EQ(seen[Reg::r9], 6u);
  EXPECT_EQ(seen[Reg::rcx], user::kSyscallInstruction + user::kSyscallLength);
  EXPECT_EQ(seen[Reg::rsp], kUserStack);
}

TEST_F(UserTest, AnInstructionPointerMovedBackMakesTheCallAgain) {
  std::vector<uint64_t> numbers;
  on_syscall_ = [&](Cpu& cpu) {
    numbers.push_back(cpu.regs[Reg::rax]);
    if (numbers.size() < 3) cpu.regs[Reg::rcx] -= user::kSyscallLength;  // rax stays: the number
    if (numbers.size() == 3) cpu.regs[Reg::rax] = 7;
  };
  int64_t result = 0;
  Run([&] { result = user::Syscall(35); });
  EXPECT_EQ(result, 7);
  EXPECT_EQ(numbers, (std::vector<uint64_t>{35, 35, 35}));
}

TEST_F(UserTest, AnInstructionPointerMovedElsewhereEntersTheCodeThatIsLoadedThere) {
  std::string order;
  const uint64_t start = user::LoadCode(machine_, [&] {
    order += "entered ";
    ended_ = true;
    while (true) current_context->cpu->Halt();
  });
  on_syscall_ = [&](Cpu& cpu) { cpu.regs[Reg::rcx] = start; };
  Run([&] {
    order += "called ";
    user::Syscall(59);
    order += "returned ";
  });
  EXPECT_EQ(order, "called entered ");
}

TEST_F(UserTest, LoadedCodeHasAnAddressOfItsOwnUntilItIsUnloaded) {
  int ran = 0;
  const uint64_t a = user::LoadCode(machine_, [&] { ran += 1; });
  const uint64_t b = user::LoadCode(machine_, [&] { ran += 10; });
  EXPECT_EQ(a, user::kLoadedCode);
  EXPECT_NE(a, b);
  user::CodeAt(machine_, b)();
  EXPECT_EQ(ran, 10);
  user::UnloadCode(machine_, a);
  EXPECT_FALSE(user::CodeAt(machine_, a));
  EXPECT_EQ(user::LoadCode(machine_, [] {}), a);
}

TEST_F(UserTest, SyscallOfLibcReturnsMinusOneAndSetsErrno) {
  on_syscall_ = [](Cpu& cpu) { cpu.regs[Reg::rax] = cpu.regs[Reg::rdi]; };
  std::vector<int64_t> results;
  Run([&] {
    user::Errno() = 0;
    for (const int64_t rax : {int64_t{5}, int64_t{-22}, int64_t{-4095}, int64_t{-4096}}) {
      results.push_back(user::syscall(1, rax));
      results.push_back(user::Errno());
    }
  });
  EXPECT_EQ(results, (std::vector<int64_t>{5, 0, -1, 22, -1, 4095, -4096, 4095}));
}

TEST_F(UserTest, WhatIsStoredIsLoadedAcrossPages) {
  Map(kPage);
  Map(kPage + kPageSize);
  const uint64_t at = kPage + kPageSize - 3;
  uint64_t loaded = 0;
  std::string text;
  Run([&] {
    user::Store<uint64_t>(at, 0x1122334455667788);
    loaded = user::Load<uint64_t>(at);
    user::WriteString(at, "seven..");
    text = user::ReadText(at, 8);
  });
  EXPECT_EQ(loaded, 0x1122334455667788u);
  EXPECT_EQ(text, std::string("seven..\0", 8));
  EXPECT_TRUE(faults_.empty());
  EXPECT_TRUE(space_.Find(kPage)->dirty);
}

TEST_F(UserTest, ALoadDoesNotMakeThePageDirty) {
  Map(kPage);
  Run([] { user::Load<int>(kPage); });
  EXPECT_FALSE(space_.Find(kPage)->dirty);
}

TEST_F(UserTest, AnAbsentPageFaultsUntilItIsThere) {
  on_fault_ = [&](Cpu&) {
    if (faults_.size() == 2) Map(kPage);
  };
  Run([] { user::Store<int>(kPage + 8, 1); });
  const std::string fault =
      absl::StrCat("#PF 0x10008 error 6 ip 0x", absl::Hex(user::kStoreInstruction));
  EXPECT_EQ(faults_, (std::vector<std::string>{fault, fault}));
}

TEST_F(UserTest, AReadOnlyPageFaultsOnAStoreOnly) {
  Map(kPage, /*writable=*/false);
  on_fault_ = [&](Cpu&) { space_.Find(kPage)->writable = true; };
  Run([] {
    user::Load<int>(kPage);
    user::Store<int>(kPage, 1);
  });
  EXPECT_EQ(faults_, (std::vector<std::string>{absl::StrCat("#PF 0x10000 error 7 ip 0x",
                                                            absl::Hex(user::kStoreInstruction))}));
}

TEST_F(UserTest, KernelMemoryIsThereButForbidden) {
  // The run cannot go on behind such a fault; a page table entry does not help either.
  on_fault_ = [&](Cpu&) {
    ended_ = true;
    while (true) current_context->cpu->Halt();
  };
  Run([&] { user::Load<int>(machine_.cpu(0).per_cpu_base()); });
  EXPECT_EQ(faults_.size(), 1u);
  EXPECT_EQ(faults_[0], absl::StrCat("#PF 0x", absl::Hex(machine_.cpu(0).per_cpu_base()),
                                     " error 5 ip 0x", absl::Hex(user::kLoadInstruction)));
}

TEST_F(UserTest, AnAddressThatIsNotCanonicalIsAGeneralProtectionFault) {
  on_fault_ = [&](Cpu&) {
    ended_ = true;
    while (true) current_context->cpu->Halt();
  };
  Run([] { user::Load<int>(0x800000000000); });
  EXPECT_EQ(faults_, (std::vector<std::string>{
                         absl::StrCat("#GP error 0 ip 0x", absl::Hex(user::kLoadInstruction))}));
}

TEST_F(UserTest, AForkHandsItsCodeOverByTheAddressBehindTheCall) {
  bool child_ran = false;
  on_syscall_ = [&](Cpu& cpu) {
    if (cpu.regs[Reg::rax] == NR_exit_group) {
      ended_ = true;
      while (true) current_context->cpu->Halt();
    }
    EXPECT_EQ(cpu.regs[Reg::rax], static_cast<uint64_t>(NR_fork));
    // The kernel gives the child what is at the saved rip; here it runs at once.
    const user::Code child = user::CodeAt(machine_, cpu.regs[Reg::rcx]);
    EXPECT_TRUE(child);
    cpu.regs[Reg::rax] = 100;
  };
  int64_t pid = 0;
  Run([&] { pid = user::fork([&] { child_ran = true; }); });
  EXPECT_EQ(pid, 100);
  EXPECT_FALSE(child_ran);
  EXPECT_FALSE(user::CodeAt(machine_, user::kLoadedCode)) << "the fork left its code behind";
}

TEST_F(UserTest, AProgramThatReturnsExitsWithZero) {
  uint64_t number = 0, status = 1;
  on_syscall_ = [&](Cpu& cpu) {
    number = cpu.regs[Reg::rax];
    status = cpu.regs[Reg::rdi];
    ended_ = true;
    while (true) current_context->cpu->Halt();
  };
  Run(user::Program([] {}));
  EXPECT_EQ(number, static_cast<uint64_t>(NR_exit_group));
  EXPECT_EQ(status, 0u);
}

TEST_F(UserTest, AnArenaHandsOutDistinctAlignedPieces) {
  for (int i = 0; i < 16; ++i) Map(kPage + i * kPageSize);
  on_syscall_ = [](Cpu& cpu) { cpu.regs[Reg::rax] = kPage; };  // mmap
  user::iocb copy;
  uint64_t first = 0, second = 0, aligned = 0;
  Run([&] {
    user::Arena arena;
    first = arena.New<uint8_t>().address();
    const auto cb = arena.Put(user::PwriteIocb(3, 0x5000, 512, 1024));
    second = cb.address();
    aligned = arena.Bytes(1, 4096);
    copy = cb.Load();
  });
  EXPECT_EQ(first, kPage);
  EXPECT_EQ(second, kPage + 8);  // alignof(iocb)
  EXPECT_EQ(aligned, kPage + 4096);
  EXPECT_EQ(copy.aio_lio_opcode, user::IOCB_CMD_PWRITE);
  EXPECT_EQ(copy.aio_nbytes, 512u);
  EXPECT_EQ(copy.aio_offset, 1024);
}

TEST_F(UserTest, StringsOnTheStackLieBelowTheRedZone) {
  for (int i = 1; i <= 2; ++i) Map(kUserStack - i * kPageSize);
  uint64_t path = 0;
  std::string text;
  on_syscall_ = [&](Cpu& cpu) {
    path = cpu.regs[Reg::rdi];
    cpu.regs[Reg::rax] = 3;
  };
  Run([&] {
    user::open("/data/x", 0);
    text = user::ReadText(path, 8);
  });
  EXPECT_EQ(text, std::string("/data/x\0", 8));
  EXPECT_LE(path + 8, kUserStack - 128);
}

}  // namespace
}  // namespace kpath
