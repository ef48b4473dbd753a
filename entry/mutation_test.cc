// SPDX-License-Identifier: Apache-2.0
//
// Shows that steps_test.cc can fail: every listing is changed in every small way (a line dropped,
// doubled, swapped with its neighbour, given another operand, width or opcode), and the comparison
// with the recording has to find each change.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entry/disassemble.h"
#include "entry/recorded_listings.h"
#include "entry/recorded_run.h"
#include "entry/reference_file.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

using Code = std::vector<Instruction>;

struct Mutant {
  std::string what;
  Code code;
};

constexpr const PerCpuSymbol* kVariables[] = {
    &kPerCpuSp0,         &kPerCpuTopOfStack,  &kPerCpuRspScratch, &kPerCpuIrqCount,
    &kPerCpuIrqStackPtr, &kPerCpuIrqStackTop, &kPerCpuCurrentTask};

constexpr const CodeSymbol* kSymbols[] = {
    &assembly::entry_SYSCALL_64,  &assembly::swapgs_restore_regs_and_return_to_usermode,
    &assembly::native_iret,       &assembly::do_syscall_64,
    &assembly::interrupt_entry,   &assembly::irq_stack_push_old_rsp,
    &assembly::retint_kernel,     &assembly::error_entry,
    &assembly::error_kernelspace, &assembly::do_IRQ,
    &assembly::syscall_32_done,   &assembly::sysret32_from_system_call};

// All operands that can stand in the place of this one.
std::vector<Operand> OtherOperands(const Operand& operand) {
  std::vector<Operand> others;
  const auto add = [&](auto&& change) {
    Operand other = operand;
    change(other);
    if (!(other == operand)) others.push_back(other);
  };
  if (operand.kind == Operand::Kind::kRegister || operand.kind == Operand::Kind::kMemory) {
    for (int reg = 0; reg < 16; ++reg) {
      add([&](Operand& other) { other.reg = static_cast<Reg>(reg); });
    }
  }
  if (operand.kind == Operand::Kind::kImmediate || operand.kind == Operand::Kind::kMemory) {
    for (int difference : {-8, -1, 1, 8}) {
      add([&](Operand& other) { other.value += difference; });
    }
  }
  if (operand.kind == Operand::Kind::kPerCpu) {
    for (const PerCpuSymbol* variable : kVariables) {
      add([&](Operand& other) { other.variable = variable; });
    }
  }
  if (operand.kind == Operand::Kind::kCode) {
    for (const CodeSymbol* code : kSymbols) add([&](Operand& other) { other.code = code; });
  }
  return others;
}

// Opcodes that take the same operands.
std::vector<Opcode> OtherOpcodes(Opcode opcode) {
  static const std::vector<std::vector<Opcode>> kFamilies = {
      {Opcode::kMov, Opcode::kAdd, Opcode::kXor, Opcode::kOr, Opcode::kCmp, Opcode::kTest},
      {Opcode::kShl, Opcode::kSar},
      {Opcode::kInc, Opcode::kDec},
      {Opcode::kJmp, Opcode::kJe, Opcode::kJne, Opcode::kJs, Opcode::kCall},
      {Opcode::kSwapgs, Opcode::kSysret, Opcode::kSysretl, Opcode::kIret, Opcode::kRet,
       Opcode::kCld, Opcode::kCli, Opcode::kPushf, Opcode::kPopf}};
  for (std::vector<Opcode> family : kFamilies) {
    if (std::erase(family, opcode) > 0) return family;
  }
  return {};
}

class Mutants {
 public:
  explicit Mutants(absl::Span<const Instruction> listing)
      : original_(listing.begin(), listing.end()) {
    for (size_t i = 0; i < original_.size(); ++i) {
      MutateLine(i);
      MutateOperands(i, &Instruction::source);
      MutateOperands(i, &Instruction::destination);
      MutateWidth(i);
      MutateOpcode(i);
    }
  }

  const std::vector<Mutant>& all() const { return mutants_; }

 private:
  void MutateLine(size_t i) {
    Code dropped = original_;
    dropped.erase(dropped.begin() + i);
    Add(i, "dropped", dropped);

    Code doubled = original_;
    doubled.insert(doubled.begin() + i, original_[i]);
    Add(i, "doubled", doubled);

    if (i + 1 == original_.size()) return;
    Code swapped = original_;
    std::swap(swapped[i], swapped[i + 1]);
    Add(i, "swapped with the next", swapped);
  }

  void MutateOperands(size_t i, Operand Instruction::*operand) {
    for (const Operand& other : OtherOperands(original_[i].*operand)) {
      Code code = original_;
      code[i].*operand = other;
      AddBecame(i, code);
    }
  }

  // xor %edx,%edx becomes xor %rdx,%rdx.
  void MutateWidth(size_t i) {
    if (original_[i].source.kind != Operand::Kind::kRegister ||
        original_[i].destination.kind != Operand::Kind::kRegister) {
      return;
    }
    Code code = original_;
    code[i].bits = code[i].bits == 64 ? 32 : 64;
    code[i].source.bits = code[i].destination.bits = code[i].bits;
    AddBecame(i, code);
  }

  void MutateOpcode(size_t i) {
    for (Opcode opcode : OtherOpcodes(original_[i].opcode)) {
      Code code = original_;
      code[i].opcode = opcode;
      AddBecame(i, code);
    }
  }

  void AddBecame(size_t i, const Code& code) {
    Add(i, absl::StrCat("became ", Disassemble(code[i])), code);
  }
  void Add(size_t i, absl::string_view what, const Code& code) {
    if (code == original_) return;
    mutants_.push_back(
        {absl::StrCat("line ", i, ", ", Disassemble(original_[i]), ", ", what), code});
  }

  const Code original_;
  std::vector<Mutant> mutants_;
};

class Mutation : public testing::TestWithParam<RecordedListing> {};

TEST_P(Mutation, EveryChangeIsFound) {
  const RecordedSteps recording = ReadReferenceSteps(GetParam().recording);
  const Mutants mutants(GetParam().listing.lines);
  EXPECT_GT(mutants.all().size(), 0u);
  for (const Mutant& mutant : mutants.all()) {
    ListingView changed = GetParam().listing;
    changed.lines = mutant.code;
    RecordedRun run(recording, *GetParam().start);
    EXPECT_NE(run.Compare(changed), "") << mutant.what << ": not found";
  }
}

std::string TestName(const testing::TestParamInfo<RecordedListing>& info) {
  std::string name = info.param.recording + "_at_" + info.param.listing.symbol->name;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, Mutation, testing::ValuesIn(AllRecordedListings()), TestName);

// The numbers are there to be noticed when they shrink.
TEST(MutationTest, HowManyChangesThereAre) {
  size_t count = 0;
  for (const RecordedListing& recorded : AllRecordedListings()) {
    count += Mutants(recorded.listing.lines).all().size();
  }
  EXPECT_EQ(count, 10315u);
}

TEST(MutationTest, EachKindOfChangeIsMade) {
  using namespace assembly;  // NOLINT: the words of assembler.h
  const Code code = {pushq(rax), pushq(rax), xorl(edx, edx), jne(native_iret)};
  const Mutants mutants(code);
  // Dropping or doubling either push gives different arrays only by position; swapping them, none.
  const size_t other_symbols = std::size(kSymbols) - 1;
  EXPECT_EQ(mutants.all().size(), 4u * 2 + 2 + 15 + 15 + (15 + 15) + 1 + 5 + other_symbols + 4);
}

}  // namespace
}  // namespace kpath
