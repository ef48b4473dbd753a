// SPDX-License-Identifier: Apache-2.0
//
// A block gives what its lines give one by one.
#include "entry/block.h"

#include <cstring>
#include <random>
#include <vector>

#include "entry/assembler.h"
#include "entry/listing.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

using namespace assembly;

void RunAll(Cpu& cpu);
void RunElsewhere(Cpu& cpu);

constexpr CodeSymbol all = {.name = "all", .address = 0xffffffff81000000, .run = RunAll};
constexpr CodeSymbol elsewhere = {
    .name = "elsewhere", .address = 0xffffffff81000400, .run = RunElsewhere};

// Every kind of line that a block may have, and jumps in the middle.
constexpr auto all_listing = MakeListing(all,                                   //
                                         pushq(rax),                            //
                                         pushq(Imm(-38)),                       //
                                         pushfq(),                              //
                                         movq(rsp, rdi),                        //
                                         movq(at(8, rsp), rcx),                 //
                                         pushq(at(8, rdi)),                     //
                                         movq(rbx, at(16, rdi)),                //
                                         cmpq(rbx, rax),                        //
                                         je(elsewhere),                         //
                                         movq(r8, PER_CPU_VAR(rsp_scratch)),    //
                                         pushq(PER_CPU_VAR(rsp_scratch)),       //
                                         addq(Imm(-128), at(rsp)),              //
                                         js(elsewhere),                         //
                                         incl(PER_CPU_VAR(irq_count)),          //
                                         jne(elsewhere),                        //
                                         xorl(ebx, ebx),                        //
                                         leaq(at(40, rsp), rsi),                //
                                         orl(eax, ebx),                         //
                                         shlq(Imm(16), r8),                     //
                                         sarq(Imm(16), r8),                     //
                                         cmpq(r8, at(rsp)),                     //
                                         decl(PER_CPU_VAR(irq_count)),          //
                                         swapgs(),                              //
                                         movq(r9, PER_CPU_VAR(irq_stack_ptr)),  //
                                         swapgs(),                              //
                                         cld(), cli(),                          //
                                         testq(Imm(0x100), r9),                 //
                                         jne(elsewhere),                        //
                                         testb(Imm(3), at(rsp)),                //
                                         je(elsewhere),                         //
                                         popq(r10), popq(r11), popq(rdx),       //
                                         testl(Imm(1), edx),                    //
                                         ret());
constexpr auto elsewhere_listing = MakeListing(elsewhere, pushfq(), ret());

static_assert(EndOfBlock(all_listing.lines, 0) == all_listing.lines.size());
static_assert(StackUseOf(all_listing.lines, 0, all_listing.lines.size()).low == -40);
static_assert(StackUseOf(all_listing.lines, 0, all_listing.lines.size()).high == 0);

// A block goes up to the line that leaves, or after which an interrupt may come, or rsp is moved.
static_assert(EndOfBlock(MakeLines(pushq(rax), call(all), pushq(rax)), 0) == 2);
static_assert(EndOfBlock(MakeLines(pushq(rax), popfq(), cli()), 0) == 2);
static_assert(EndOfBlock(MakeLines(movq(rdi, rsp), pushq(rax)), 0) == 1);
static_assert(EndOfBlock(MakeLines(popq(rsp), pushq(rax)), 0) == 1);
static_assert(EndOfBlock(MakeLines(addq(Imm(8), rsp), jmp(all)), 0) == 1);
static_assert(EndOfBlock(MakeLines(je(all), rdmsr(), cli()), 0) == 2);

static_assert(StackUseOf(MakeLines(popq(rax), pushq(at(16, rsp)), ret()), 0, 3).high == 32);
static_assert(StackUseOf(MakeLines(leaq(at(-800, rsp), rax), iretq()), 0, 2).bytes() == 0);

void RunAll(Cpu& cpu) { RunCompiled<all_listing>(cpu); }
void RunElsewhere(Cpu& cpu) { RunCompiled<elsewhere_listing>(cpu); }

class Nobody : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent&) override {}
};

class BlockTest : public testing::Test {
 protected:
  struct State {
    Registers regs;
    std::vector<uint8_t> stack;
    uint64_t scratch, stack_ptr;
    uint32_t irq_count;
    uint64_t probes;
    friend bool operator==(const State&, const State&) = default;
  };

  BlockTest() : enter_(machine_), cpu_(machine_.cpu(0)) {
    // Two pages, with another one between them on the host.
    machine_.memory.MapKernel(page_, machine_.memory.AllocatePages(0));
    machine_.memory.AllocatePages(0);
    machine_.memory.MapKernel(page_ + kPageSize, machine_.memory.AllocatePages(0));
    cpu_.gs_base = cpu_.per_cpu_base();
    cpu_.kernel_gs_base = page_ + kPageSize - kPerCpuIrqStackPtr.offset;  // a user's, in reach
  }

  // Runs the lines on the stack that ends at `rsp`; a listener makes it one line after another.
  State Run(const Registers& regs, uint64_t rsp, uint32_t irq_count, bool watched) {
    Nobody nobody;
    for (uint64_t page : {page_, page_ + kPageSize}) {
      std::memset(machine_.memory.KernelBytes(page), 0x5a, kPageSize);
    }
    cpu_.regs = regs;
    cpu_.regs[Reg::rsp] = rsp;
    cpu_.Write32(cpu_.gs_base + kPerCpuIrqCount.offset, irq_count);
    const uint64_t begin = machine_.position().probes_passed();
    if (watched) machine_.AddListener(&nobody);
    RunCompiled<all_listing>(cpu_);
    if (watched) machine_.RemoveListener(&nobody);
    std::vector<uint8_t> bytes(2 * kPageSize);
    std::memcpy(&bytes[0], machine_.memory.KernelBytes(page_), kPageSize);
    std::memcpy(&bytes[kPageSize], machine_.memory.KernelBytes(page_ + kPageSize), kPageSize);
    return {cpu_.regs,
            bytes,
            cpu_.Read64(cpu_.gs_base + kPerCpuRspScratch.offset),
            cpu_.Read64(cpu_.kernel_gs_base + kPerCpuIrqStackPtr.offset),
            cpu_.Read32(cpu_.gs_base + kPerCpuIrqCount.offset),
            machine_.position().probes_passed() - begin};
  }

  Machine machine_;
  EnterMachine enter_;
  Cpu& cpu_;
  const uint64_t page_ = 0xfffff00000000000;
};

TEST_F(BlockTest, GivesWhatItsLinesGiveOneByOne) {
  std::mt19937_64 random(1);
  std::array<int, 64> runs_by_length = {};
  for (int i = 0; i < 4000; ++i) {
    Registers regs;
    for (uint64_t& word : regs.general) word = random() % 4 == 0 ? random() % 4 : random();
    regs.rflags = X86_EFLAGS_FIXED | (random() & (kArithmeticFlags | X86_EFLAGS_IF));
    regs[Reg::r8] &= random() % 2 == 0 ? 0x7fffffff : ~uint64_t{0};
    const uint32_t irq_count = random() % 2 == 0 ? UINT32_MAX : 0;
    const uint64_t rsp = page_ + 0x100 + random() % 8;  // not always aligned
    const State watched = Run(regs, rsp, irq_count, true);
    const State as_one = Run(regs, rsp, irq_count, false);
    ASSERT_EQ(as_one, watched) << "run " << i;
    ++runs_by_length.at(watched.probes);
  }
  // Each jump was made, and none.
  for (int lines : {9, 13, 15, 29, 31}) EXPECT_GT(runs_by_length[lines + 2], 0) << lines;
  EXPECT_GT(runs_by_length[all_listing.lines.size()], 0);
}

TEST_F(BlockTest, AStackInTwoPagesIsNoBlock) {
  Registers regs;
  regs[Reg::rax] = 1;
  for (int words = 1; words < 5; ++words) {
    const uint64_t rsp = page_ + kPageSize + 8 * words;
    const State watched = Run(regs, rsp, UINT32_MAX, true);
    EXPECT_EQ(Run(regs, rsp, UINT32_MAX, false), watched);
  }
}

}  // namespace
}  // namespace kpath
