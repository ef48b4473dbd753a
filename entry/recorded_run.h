// SPDX-License-Identifier: Apache-2.0
//
// Runs entry code on a machine whose registers, per-CPU variables and stacks are those of a
// recorded one, addresses included, and holds every step against the recording.
//
//   RecordedRun run(recording, entry_SYSCALL_64);
//   std::string difference = run.Compare(ListingView(native_iret_listing));   // "" if none
//
// The run goes from the recording's first step to its last; of the listings that it passes, one is
// interpreted, the others run as compiled. Compared are, of every step: symbol+offset, mnemonic and
// operands, and the registers that changed, all of them and no others; at a recorded call: the
// function, the arguments and all of pt_regs; in the end: that every line of the listing ran and
// every recorded step was reached, all registers, and that memory holds what the steps said they
// stored and nothing else.
//
// For tests; C code is a stub that leaves what the recorded one left (recorded_states.h), but for
// sync_regs, which runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "entry/instruction.h"
#include "entry/instruction_step.h"
#include "entry/listing.h"
#include "entry/recorded_states.h"
#include "entry/recorded_steps.h"
#include "sim/machine/machine.h"
#include "sim/machine/pt_regs.h"

namespace kpath {

// A listing whose lines may be others than the compiled ones.
struct ListingView {
  template <size_t N>
  explicit ListingView(const Listing<N>& listing)
      : symbol(listing.symbol), lines(listing.lines), next(listing.next) {}

  const CodeSymbol* symbol;
  absl::Span<const Instruction> lines;
  const CodeSymbol* next;
};

class RecordedRun : private ProbeListener {
 public:
  // `start` is what stands at the first step. `recording` must outlive this.
  RecordedRun(const RecordedSteps& recording, const CodeSymbol& start);

  // Both return the first difference as one line, empty if there is none. To be called once.
  // Interprets the listing, which the run has to pass.
  std::string Compare(const ListingView& listing);
  // All as compiled; of the listing, the lines that ran are counted.
  std::string CompareCompiled(const ListingView& listing);

 private:
  struct Page {
    uint64_t address;
    uint8_t* bytes;
    std::vector<uint8_t> expected;
  };

  void OnProbe(const ProbeEvent& event) override;
  void CheckStep(const InstructionStep& step);
  void OnCall(const CodeSymbol& function, Cpu& cpu);
  // The recorded call that the run has come to; nullptr: none, or of another function.
  const RecordedCall* FindCall(const CodeSymbol& function) const;
  void CheckPtRegs(const RecordedCall& call);
  void LeavePtRegs(const RecordedCall& call);
  void SyncRegs();
  void CheckWord(absl::string_view name, uint64_t recorded, uint64_t value);

  void MapPages();
  void WritePerCpuVariables();
  void WriteHardwareFrame();
  void SetRegisters(const RegisterValues& values);
  void LeaveRegisters(const RegisterValues& values);
  void ExpectStore(uint64_t address, uint64_t value, int bytes);
  std::string Run(const ListingView& listing);
  void CheckEnd(const ListingView& listing);
  void CheckMemory();
  void Differ(absl::string_view what);

  const RecordedSteps& recording_;
  const RecordedStates states_;
  const CodeSymbol& start_;
  Machine machine_;
  Cpu& cpu_;
  std::vector<Page> pages_;
  size_t next_step_ = 0;
  const CodeSymbol* symbol_ = nullptr;
  size_t lines_seen_ = 0;  // steps at symbol_
  std::string difference_;
};

}  // namespace kpath
