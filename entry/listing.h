// SPDX-License-Identifier: Apache-2.0
//
// A listing: modelled assembly, one line per instruction, that can be read, executed and shown.
//
//   inline constexpr auto native_iret_listing = MakeListing(native_iret, iretq());
//
//   RunCompiled<native_iret_listing>(cpu);                        // unrolled at compile time
//   RunInterpreted(cpu, native_iret, native_iret_listing.lines);  // from data, same results
//
// A listing is entered at its first line only and left by a jump, RET, SYSRET or IRET, or by going
// on with the listing behind it; where the kernel's code has a label in the middle that is jumped
// to, a listing of its own begins:
//
//   MakeListing(ret_from_intr.Before(retint_user), cli(), ...);
//
// The code behind a jump's target runs inside of the jump: when it returns, the Cpu is in user mode
// (or where the target's code left it).
//
// Each line is an instruction probe: it counts one position, and listeners get an InstructionStep
// (instruction_step.h) after the line was carried out and before the code that it calls or jumps
// to.
//
// Context: a listing runs on the current context's Cpu. After a call the context may be on another
// one, where it goes on.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/types/span.h"
#include "entry/block.h"
#include "entry/encoding.h"
#include "entry/execute.h"
#include "entry/instruction.h"
#include "sim/machine/machine.h"

namespace kpath {

template <size_t N>
struct Listing {
  const CodeSymbol* symbol;
  std::array<Instruction, N> lines;
  const CodeSymbol* next = nullptr;  // what stands behind the last line, if that is run on to

  // Where line `index` stands; of N, where the listing ends.
  constexpr uint64_t AddressOf(size_t index) const {
    uint64_t address = symbol->address;
    for (size_t i = 0; i < index; ++i) address += EncodedLength(lines[i], address);
    return address;
  }
  // The same, from the symbol on, of each line and of the end.
  constexpr std::array<uint32_t, N + 1> Offsets() const {
    std::array<uint32_t, N + 1> offsets = {};
    for (size_t i = 0; i <= N; ++i) {
      offsets[i] = static_cast<uint32_t>(AddressOf(i) - symbol->address);
    }
    return offsets;
  }
};

// ---- Writing listings ----

// Several lines that are used as one, as an assembler macro.
template <size_t N>
using Lines = std::array<Instruction, N>;

constexpr size_t CountLines(const Instruction&) { return 1; }
template <size_t N>
constexpr size_t CountLines(const Lines<N>&) {
  return N;
}

constexpr Instruction* CopyLines(const Instruction& line, Instruction* to) {
  *to = line;
  return to + 1;
}
template <size_t N>
constexpr Instruction* CopyLines(const Lines<N>& lines, Instruction* to) {
  for (const Instruction& line : lines) *to++ = line;
  return to;
}

// Each part is an Instruction or Lines. The symbol is what stands before the first line.
template <typename... Parts>
constexpr auto MakeLines(const Parts&... parts) {
  Lines<(CountLines(Parts{}) + ...)> lines = {};
  Instruction* end = lines.data();
  ((end = CopyLines(parts, end)), ...);
  return lines;
}
template <typename... Parts>
constexpr auto MakeListing(const CodeSymbol& symbol, const Parts&... parts) {
  return Listing<(CountLines(Parts{}) + ...)>{&symbol, MakeLines(parts...)};
}

template <typename... Parts>
constexpr auto MakeListing(const CodeBetween& place, const Parts&... parts) {
  return Listing<(CountLines(Parts{}) + ...)>{place.symbol, MakeLines(parts...), place.next};
}

// ---- Running listings ----

// For tests: other lines in the place of those at a symbol, when that is jumped to, called, or run
// on to. One at a time, while it lives, in this thread.
class ReplacedListing {
 public:
  // Both must outlive this.
  ReplacedListing(const CodeSymbol& symbol, absl::Span<const Instruction> lines,
                  const CodeSymbol* next);
  ~ReplacedListing();
  ReplacedListing(const ReplacedListing&) = delete;
  ReplacedListing& operator=(const ReplacedListing&) = delete;

 private:
  friend void GoTo(const CodeSymbol& symbol, Cpu& cpu);
  static void GoTo(const CodeSymbol& symbol, Cpu& cpu);

  static thread_local constinit const ReplacedListing* current_;
  const CodeSymbol& symbol_;
  const absl::Span<const Instruction> lines_;
  const CodeSymbol* next_;
};

// Runs what stands at the symbol. The Cpu is there, or about to go there.
inline void GoTo(const CodeSymbol& symbol, Cpu& cpu) {
  if (ReplacedListing::current_ == nullptr) [[likely]]
    return symbol.run(cpu);
  ReplacedListing::GoTo(symbol, cpu);
}

// Stops the machine: what was called did not return to `next_rip`.
[[noreturn]] void ReportReturn(Cpu& cpu, const CodeSymbol& called, uint64_t next_rip);

// Goes where a line left control. Returns true if the listing goes on with its next line.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool Follow(Cpu*& cpu, Flow flow,
                                                const Instruction& instruction, uint64_t next_rip) {
  if (flow == Flow::kNext) return true;
  if (flow == Flow::kLeave || flow == Flow::kReturn) return false;
  GoTo(*instruction.source.code, *cpu);
  if (flow == Flow::kJump) return false;
  cpu = current_context->cpu;
  if (cpu->regs.rip != next_rip) [[unlikely]]
    ReportReturn(*cpu, *instruction.source.code, next_rip);
  return true;
}

template <const auto& kListing, size_t kIndex, typename Core>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline Flow ExecuteLine(Core& core) {
  static constexpr Instruction kLine = kListing.lines[kIndex];
  return Execute<kLine.opcode>(core, kLine, kListing.AddressOf(kIndex + 1));
}

// Lines one by one, each with its probe. `offsets` says where each of them, and the end, stands,
// from the symbol on. Returns true if the listing goes on behind them.
bool RunLines(Cpu*& cpu, const CodeSymbol& symbol, absl::Span<const Instruction> lines,
              const uint32_t* offsets);

// Leaves a block by a jump in the middle: `not_passed` of its lines are not come to.
[[gnu::cold]] void LeaveBlock(Cpu& cpu, const CodeSymbol& target, int not_passed);

// A block, whose probes are counted. Returns true if the listing goes on behind it.
template <const auto& kListing, size_t kFrom, size_t kEnd>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool RunBlock(Cpu*& cpu, uint8_t* stack) {
  constexpr size_t kLast = kEnd - 1;
  constexpr bool kCpuRunsLast = NeedsCpu(kListing.lines[kLast].opcode);
  constexpr size_t kCoreEnd = kCpuRunsLast ? kLast : kEnd;
  Flow flow = Flow::kNext;
  if constexpr (kFrom != kCoreEnd) {
    BlockCore<StackUseOf(kListing.lines, kFrom, kEnd)> core(*cpu, stack);
    core.template Load<kListing, kFrom, kCoreEnd>();
    const auto run_line = [&]<size_t kIndex>() ABSL_ATTRIBUTE_ALWAYS_INLINE {
      flow = ExecuteLine<kListing, kIndex>(core);
      if (kIndex == kCoreEnd - 1 || flow == Flow::kNext) [[likely]]
        return true;
      core.template Store<kListing, kFrom, kIndex + 1>();
      LeaveBlock(*cpu, *kListing.lines[kIndex].source.code, kLast - kIndex);
      return false;
    };
    const bool came_to_the_end = [&]<size_t... kIndex>(std::index_sequence<kIndex...>)
        ABSL_ATTRIBUTE_ALWAYS_INLINE {
      return (run_line.template operator()<kFrom + kIndex>() && ...);
    }
    (std::make_index_sequence<kCoreEnd - kFrom>());
    if (!came_to_the_end) return false;
    core.template Store<kListing, kFrom, kCoreEnd>();
  }
  if constexpr (kCpuRunsLast) flow = ExecuteLine<kListing, kLast>(*cpu);
  return Follow(cpu, flow, kListing.lines[kLast], kListing.AddressOf(kEnd));
}

// Lines of one block: at once if they are quiet and their stack is in one page. Returns false, and
// runs nothing, if not; `*goes_on` says whether the listing goes on behind them.
template <const auto& kListing, size_t kFrom, size_t kEnd>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool RunIfQuiet(Cpu*& cpu, bool* goes_on) {
  constexpr StackUse kStack = StackUseOf(kListing.lines, kFrom, kEnd);
  uint8_t* const stack = FindStack<kStack>(*cpu);
  if (kStack.bytes() != 0 && stack == nullptr) [[unlikely]]
    return false;
  if (!Machine::PassInstructions(kEnd - kFrom)) [[unlikely]]
    return false;
  *goes_on = RunBlock<kListing, kFrom, kEnd>(cpu, stack);
  return true;
}

// Lines of one block, at which something is due.
template <const auto& kListing, size_t kFrom, size_t kEnd>
[[gnu::noinline]] bool RunLinesOfBlock(Cpu*& cpu) {
  static constexpr auto kOffsets = kListing.Offsets();
  const auto lines = absl::MakeConstSpan(kListing.lines).subspan(kFrom, kEnd - kFrom);
  return RunLines(cpu, *kListing.symbol, lines, &kOffsets[kFrom]);
}

constexpr size_t kLinesOfPart = 6;

// A long block that is not quiet: in parts of a few lines, of which only that is run line by line
// in which something is due. Returns true if the listing goes on behind it.
template <const auto& kListing, size_t kFrom, size_t kEnd>
[[gnu::noinline]] bool RunParts(Cpu*& cpu) {
  constexpr size_t kPartEnd = std::min(kFrom + kLinesOfPart, kEnd);
  bool goes_on;
  if (!RunIfQuiet<kListing, kFrom, kPartEnd>(cpu, &goes_on)) {
    goes_on = RunLinesOfBlock<kListing, kFrom, kPartEnd>(cpu);
  }
  if constexpr (kPartEnd != kEnd) {
    return goes_on && RunParts<kListing, kPartEnd, kEnd>(cpu);
  }
  return goes_on;
}

// The block from line kFrom on, then those behind it. Returns true if the listing goes on behind
// its last line.
template <const auto& kListing, size_t kFrom = 0>
bool RunBlocks(Cpu*& cpu) {
  constexpr size_t kEnd = EndOfBlock(kListing.lines, kFrom);
  bool goes_on;
  if (!RunIfQuiet<kListing, kFrom, kEnd>(cpu, &goes_on)) {
    if constexpr (kEnd - kFrom <= kLinesOfPart) {
      goes_on = RunLinesOfBlock<kListing, kFrom, kEnd>(cpu);
    } else {
      goes_on = RunParts<kListing, kFrom, kEnd>(cpu);
    }
  }
  if (!goes_on) return false;
  if constexpr (kEnd == kListing.lines.size()) {
    return true;
  } else {
    return RunBlocks<kListing, kEnd>(cpu);
  }
}

template <const auto& kListing>
void RunCompiled(Cpu& cpu) {
  Cpu* at = &cpu;
  if constexpr (LeavesForGood(kListing.lines.back().opcode)) {
    RunBlocks<kListing>(at);
  } else {
    // Does not compile where nothing is said to stand behind the last line.
    static_assert(kListing.next->address == kListing.AddressOf(kListing.lines.size()),
                  "what is run on to stands elsewhere");
    if (RunBlocks<kListing>(at)) GoTo(*kListing.next, *at);
  }
}

// Runs lines that are only known at run time, placed at `symbol`: changed copies of listings, in
// tests. What they jump to or call runs as it always does. Reaching the end of the lines goes to
// `next`; if that is null, it stops the machine.
void RunInterpreted(Cpu& cpu, const CodeSymbol& symbol, absl::Span<const Instruction> lines,
                    const CodeSymbol* next = nullptr);

}  // namespace kpath
