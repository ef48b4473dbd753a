// SPDX-License-Identifier: Apache-2.0
//
// What a step has changed: registers, and words of memory.
//
//   StoreLog stores;
//   machine.AddListener(&stores);
//   const MachineSnapshot before = TakeSnapshot(view, {watched});
//   machine.RunTo(Position(before.position.probes_passed() + 1));
//   std::cout << ChangedSince(before, TakeSnapshot(view, {watched}), stores.stores(), view);
//   stores.Clear();
//
//   rsp     0xffff888000108000 -> 0xffff888000107ff8
//   eflags  [ ZF PF ] -> [ ]
//   *0xffff888000107ff8 <stack of prog/1+16376> = 0x2b
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "inspect/info/view.h"
#include "sim/machine/cpu.h"

namespace kpath {

// The registers of all CPUs, what they execute, and the 8-byte words at chosen addresses as the
// selected task sees them. A value of a few hundred bytes; refers to nothing in the machine.
struct MachineSnapshot {
  struct CpuState {
    Registers regs;
    uint64_t gs_base = 0, kernel_gs_base = 0, cr2 = 0;
    std::string executes;  // "prog/1"
    bool halted = false;
    friend bool operator==(const CpuState&, const CpuState&) = default;
  };
  struct Word {
    uint64_t address = 0;
    absl::optional<uint64_t> value;  // none: not mapped
    friend bool operator==(const Word&, const Word&) = default;
  };
  Position position;
  std::vector<CpuState> cpus;
  std::vector<Word> words;
};

MachineSnapshot TakeSnapshot(const View& view, absl::Span<const uint64_t> addresses = {});

// One store of an instruction.
struct Store {
  uint64_t address = 0;
  uint64_t value = 0;
  int bytes = 0;
};

// Remembers what the listings store to memory: while it listens, until it is cleared.
class StoreLog : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override;
  // Oldest first; of more than kMost only the last.
  const std::vector<Store>& stores() const { return stores_; }
  void Clear() { stores_.clear(); }

 private:
  static constexpr size_t kMost = 64;
  std::vector<Store> stores_;
};

// One line for each thing that `after` has otherwise than `before`: `name old -> new`, of each CPU
// its task, its registers in the order of `info registers`, then the words, then the stores. With
// several CPUs each line of a CPU begins with `CPU 1 `. Words are compared by their place in the
// list. Empty: nothing has changed.
std::string ChangedSince(const MachineSnapshot& before, const MachineSnapshot& after,
                         absl::Span<const Store> stores, const View& view);

}  // namespace kpath
