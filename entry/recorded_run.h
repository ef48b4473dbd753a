// SPDX-License-Identifier: Apache-2.0
//
// Runs entry code on a machine whose registers, per-CPU variables and stacks are those of a
// recorded one, addresses included, and holds every step against the recording.
//
//   RecordedRun run(recording, "entry_SYSCALL_64");
//   std::string difference = run.Compare(entry_SYSCALL_64, lines);   // "" if there is none
//
// Compared are, of every step: symbol+offset, mnemonic and operands, and the registers that
// changed, all of them and no others; at a recorded call: the arguments and all of pt_regs; in the
// end: that every line ran and every recorded step was reached, all registers, and that memory
// holds what the steps said they stored and nothing else.
//
// For tests; C code is a stub that leaves the recorded result.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "entry/instruction.h"
#include "entry/instruction_step.h"
#include "entry/recorded_steps.h"
#include "sim/machine/machine.h"
#include "sim/machine/pt_regs.h"

namespace kpath {

class RecordedRun : private ProbeListener {
 public:
  // Begins with the step that stands at `first_location`. `recording` must outlive this.
  RecordedRun(const RecordedSteps& recording, absl::string_view first_location);

  // Both return the first difference as one line, empty if there is none. To be called once.
  // Interprets `lines`, placed at `symbol`.
  std::string Compare(const CodeSymbol& symbol, absl::Span<const Instruction> lines);
  // Runs the code at `symbol` as it was compiled; `line_count` is that of its listing.
  std::string CompareCompiled(const CodeSymbol& symbol, size_t line_count);

 private:
  struct Page {
    uint64_t address;
    uint8_t* bytes;
    std::vector<uint8_t> expected;
  };

  void OnProbe(const ProbeEvent& event) override;
  void CheckStep(const InstructionStep& step);
  void OnCall(unsigned long nr, pt_regs* regs);
  void CheckWord(absl::string_view name, uint64_t recorded, uint64_t value);

  void MapPages();
  void WritePerCpuVariables();
  RegisterValues RegistersBefore(size_t step) const;
  void SetRegisters(const RegisterValues& values);
  void WritePtRegs();
  void ExpectStore(uint64_t address, uint64_t value, int bytes);
  std::string Run(const CodeSymbol& symbol, size_t line_count, absl::FunctionRef<void(Cpu&)> code);
  void CheckEnd(const CodeSymbol& symbol, size_t line_count);
  void CheckMemory();
  void Differ(absl::string_view what);

  const RecordedSteps& recording_;
  Machine machine_;
  Cpu& cpu_;
  std::vector<Page> pages_;
  const RecordedCall* call_ = nullptr;  // the last one with pt_regs
  const size_t first_step_;
  size_t next_step_;
  const CodeSymbol* symbol_ = nullptr;
  size_t lines_seen_ = 0;  // steps at symbol_
  std::string difference_;
};

}  // namespace kpath
