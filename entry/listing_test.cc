// SPDX-License-Identifier: Apache-2.0
#include "entry/listing.h"

#include <string>
#include <vector>

#include "entry/assembler.h"
#include "entry/c_function.h"
#include "entry/step_text.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

using namespace assembly;

// ---- A listing that calls, jumps and falls through ----

void RunStart(Cpu& cpu);
void RunOther(Cpu& cpu);
void RunCalled(Cpu& cpu);

constexpr CodeSymbol start = {.name = "start", .address = 0xffffffff81000000, .run = RunStart};
constexpr CodeSymbol other = {.name = "other", .address = 0xffffffff81000100, .run = RunOther};
constexpr CodeSymbol called = {.name = "called", .address = 0xffffffff81000200, .run = RunCalled};

constexpr auto TWO_PUSHES(const Operand& a, const Operand& b) {
  return MakeLines(pushq(a), pushq(b));
}

constexpr auto start_listing = MakeListing(start,                                //
                                           TWO_PUSHES(rax, r8),                  // +0, +1
                                           call(called),                         // +3
                                           cmpq(Imm(1), rbx),                    // +8
                                           jne(other),                           // +12
                                           movq(rbx, PER_CPU_VAR(rsp_scratch)),  // +18
                                           iretq());                             // +27
constexpr auto other_listing = MakeListing(other, xorl(ebx, ebx), iretq());

static_assert(start_listing.lines.size() == 7);
static_assert(start_listing.AddressOf(3) == start.address + 8);
static_assert(start_listing.AddressOf(7) == start.address + 29);

void RunStart(Cpu& cpu) { RunCompiled<start_listing>(cpu); }
void RunOther(Cpu& cpu) { RunCompiled<other_listing>(cpu); }

void (*called_function)(unsigned long) = nullptr;
void RunCalled(Cpu& cpu) { RunCFunction(cpu, called_function); }

class StepRecorder : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override {
    ASSERT_EQ(event.kind, ProbeEvent::Kind::kInstruction);
    const auto& step = *static_cast<const InstructionStep*>(event.instruction);
    lines.push_back(absl::StrCat(Locate(*step.symbol, step.offset), ": ", ChangesText(step)));
    rips.push_back(event.cpu->regs.rip);
    if (step.stored_bytes == 0) return;
    stores.push_back(absl::StrCat(step.stored_bytes, "@", absl::Hex(step.stored_address), "=",
                                  absl::Hex(step.stored_value)));
  }

  std::vector<std::string> lines;
  std::vector<uint64_t> rips;
  std::vector<std::string> stores;
};

class ListingTest : public testing::Test {
 protected:
  ListingTest() : enter_(machine_), cpu_(machine_.cpu(0)) {
    // The test's simulated stack: an IRET frame on its top.
    const uint64_t page = kDirectMapBase + (machine_.memory.AllocatePages(0) << kPageShift);
    cpu_.gs_base = cpu_.per_cpu_base();
    cpu_.regs[Reg::rsp] = page + 0x100;
    cpu_.regs[Reg::rax] = 0xa;
    cpu_.regs[Reg::r8] = 0x8;
    cpu_.regs.rip = start.address;
    called_function = [](unsigned long) {
      // The caller's two pushes become the frame that IRET pops.
      Cpu& cpu = *current_context->cpu;
      const uint64_t rsp = cpu.regs[Reg::rsp] + 8;
      const uint64_t frame[] = {0x401000, __USER_CS, X86_EFLAGS_FIXED, 0x7ffe0000, __USER_DS};
      for (size_t i = 0; i < 5; ++i) cpu.Write64(rsp + 8 * i, frame[i]);
    };
  }

  Machine machine_;
  EnterMachine enter_;
  Cpu& cpu_;
};

TEST_F(ListingTest, RunsLineByLineAndTellsEachOne) {
  StepRecorder recorder;
  machine_.AddListener(&recorder);
  cpu_.regs[Reg::rbx] = 1;
  const uint64_t rsp = cpu_.regs[Reg::rsp];
  RunCompiled<start_listing>(cpu_);
  const auto hex = [](uint64_t value) { return absl::StrCat(absl::Hex(value)); };
  EXPECT_EQ(recorder.lines, (std::vector<std::string>{
                                "start: rsp=" + hex(rsp - 8),
                                "start+1: rsp=" + hex(rsp - 16),
                                "start+3: rsp=" + hex(rsp - 24),
                                "start+8: ",
                                "start+12: ",
                                "start+18: ",
                                "start+27: rsp=7ffe0000 eflags=2 cs=33 ss=2b",
                            }));
  EXPECT_EQ(recorder.rips,
            (std::vector<uint64_t>{start.address + 1, start.address + 3, called.address,
                                   start.address + 12, start.address + 18, start.address + 27,
                                   0x401000}));
  EXPECT_EQ(recorder.stores, (std::vector<std::string>{
                                 "8@" + hex(rsp - 8) + "=a",
                                 "8@" + hex(rsp - 16) + "=8",
                                 "8@" + hex(rsp - 24) + "=" + hex(start.address + 8),
                                 "8@" + hex(cpu_.per_cpu_base() + kPerCpuRspScratch.offset) + "=1",
                             }));
}

TEST_F(ListingTest, AJumpDoesNotComeBack) {
  StepRecorder recorder;
  machine_.AddListener(&recorder);
  cpu_.regs[Reg::rbx] = 2;
  RunCompiled<start_listing>(cpu_);
  ASSERT_EQ(recorder.lines.size(), 7u);
  EXPECT_EQ(recorder.lines[4], "start+12: ");
  EXPECT_EQ(recorder.rips[4], other.address);
  EXPECT_EQ(recorder.lines[5], "other: rbx=0 eflags=46");
  EXPECT_EQ(recorder.lines[6], "other+2: rsp=7ffe0000 eflags=2 cs=33 ss=2b");
}

TEST_F(ListingTest, EachLineIsOneProbeWhetherOrNotAnybodyListens) {
  cpu_.regs[Reg::rbx] = 1;
  const Registers before = cpu_.regs;
  const uint64_t position = machine_.position().probes_passed();
  RunCompiled<start_listing>(cpu_);
  EXPECT_EQ(machine_.position().probes_passed(), position + 7);
  const Registers unwatched = cpu_.regs;

  StepRecorder recorder;
  machine_.AddListener(&recorder);
  cpu_.regs = before;
  RunCompiled<start_listing>(cpu_);
  EXPECT_EQ(machine_.position().probes_passed(), position + 14);
  EXPECT_EQ(cpu_.regs, unwatched);
}

TEST_F(ListingTest, InterpretedIsTheSame) {
  for (uint64_t rbx : {1, 2}) {
    cpu_.regs[Reg::rbx] = rbx;
    const Registers before = cpu_.regs;
    StepRecorder compiled, interpreted;
    machine_.AddListener(&compiled);
    RunCompiled<start_listing>(cpu_);
    machine_.RemoveListener(&compiled);
    const Registers after = cpu_.regs;

    cpu_.regs = before;
    machine_.AddListener(&interpreted);
    RunInterpreted(cpu_, start, start_listing.lines);
    machine_.RemoveListener(&interpreted);
    EXPECT_EQ(interpreted.lines, compiled.lines);
    EXPECT_EQ(interpreted.rips, compiled.rips);
    EXPECT_EQ(interpreted.stores, compiled.stores);
    EXPECT_EQ(cpu_.regs, after);
    cpu_.regs = before;
  }
}

// ---- What stops the machine ----

std::string ReportOf(Machine& machine, const std::function<void()>& body) {
  Context context(machine, body);
  machine.cpu(0).Start(context);
  EXPECT_EQ(machine.Run(), Machine::Outcome::kReport);
  return machine.report();
}

TEST_F(ListingTest, AnOverwrittenReturnAddressIsReported) {
  called_function = [](unsigned long) {
    Cpu& cpu = *current_context->cpu;
    cpu.Write64(cpu.regs[Reg::rsp], 0x4141414141414141);
  };
  const uint64_t rsp = cpu_.regs[Reg::rsp];
  EXPECT_EQ(ReportOf(machine_,
                     [&] {
                       cpu_.regs[Reg::rsp] = rsp;
                       RunCompiled<start_listing>(cpu_);
                     }),
            "BUG: called returned to 0x4141414141414141, called from 0xffffffff81000008");
}

TEST_F(ListingTest, LinesWithoutAnEndAreReported) {
  EXPECT_EQ(ReportOf(machine_,
                     [&] {
                       RunInterpreted(cpu_, other, {&other_listing.lines[0], 1});
                     }),
            "BUG: other runs on behind its last instruction");
}

// ---- A task that was moved while C code ran ----

TEST(Listing, GoesOnWhereTheTaskIs) {
  Machine machine(2);
  static Context* task;
  Context idle(machine, [] {
    while (true) current_context->cpu->Halt();
  });
  Context task_context(machine, [] {
    Cpu& cpu = *current_context->cpu;
    EXPECT_EQ(cpu.id(), 0);
    const uint64_t page =
        kDirectMapBase + (current_context->machine->memory.AllocatePages(0) << kPageShift);
    cpu.regs[Reg::rsp] = page + 0x100;
    cpu.regs[Reg::rbx] = 1;
    RunCompiled<start_listing>(cpu);
    EXPECT_EQ(current_context->cpu->id(), 1);
    EXPECT_EQ(current_context->cpu->regs.rip, 0x401000u);
    Cpu& now = *current_context->cpu;
    EXPECT_EQ(now.Read64(now.per_cpu_base() + kPerCpuRspScratch.offset), 1u);
    EXPECT_EQ(cpu.Read64(cpu.per_cpu_base() + kPerCpuRspScratch.offset), 0u);
    while (true) now.Halt();
  });
  Context second_context(machine, [] {
    Cpu& cpu = *current_context->cpu;
    while (task->cpu->running() == task) cpu.machine().Relax();
    cpu.SwitchTo(*task);
  });
  static Context* idle_context = &idle;
  task = &task_context;
  called_function = [](unsigned long) {
    const uint64_t rsp = current_context->cpu->regs[Reg::rsp] + 8;
    current_context->cpu->SwitchTo(*idle_context);
    const uint64_t frame[] = {0x401000, __USER_CS, X86_EFLAGS_FIXED, 0x7ffe0000, __USER_DS};
    for (size_t i = 0; i < 5; ++i) current_context->cpu->Write64(rsp + 8 * i, frame[i]);
  };
  machine.cpu(0).Start(task_context);
  machine.cpu(1).Start(second_context);
  EXPECT_EQ(machine.Run(), Machine::Outcome::kIdle);
  EXPECT_EQ(machine.cpu(1).running(), task);
}

}  // namespace
}  // namespace kpath
