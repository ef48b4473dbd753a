// SPDX-License-Identifier: Apache-2.0
//
// Every decision a machine makes on its own — which CPU steps next, which task a CPU picks, whether
// an allocation fails, how long a device takes — is one call of Machine::Choose(kind, n). The
// answers are the run: a machine given the same program and the same answers does the same, byte
// for byte.
//
// Option 0 is always the ordinary course of events: the CPU keeps stepping, the longest waiting
// task runs, the allocation succeeds. A run is therefore stored as the short list of the answers
// that were not 0 (ChoiceLog), and the empty list is a run, too.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kpath {

enum class ChoiceKind : uint8_t {
  kStepCpu,      // which of the running CPUs executes the next steps; 0: the one whose turn it is
  kPickTask,     // which runnable task a CPU switches to; 0: the one that has waited longest
  kPreempt,      // 0: a woken task takes the CPU of the one that woke it at its return to user mode
  kFailAlloc,    // 0: the allocation succeeds, 1: it fails
  kDeviceDelay,  // how a device departs from its usual latency; 0: not at all
  kOrder,        // the order of things that the model leaves open, say of two expired timers
};
inline constexpr int kChoiceKinds = 6;

absl::string_view ChoiceKindName(ChoiceKind kind);

// One answer that was not 0.
struct Choice {
  uint64_t index = 0;  // how many questions came before this one
  ChoiceKind kind = ChoiceKind::kStepCpu;
  int options = 0;  // n of Choose(kind, n), at least 2
  int pick = 0;     // 1 .. options - 1

  friend bool operator==(const Choice&, const Choice&) = default;
};

using ChoiceLog = std::vector<Choice>;

// Written `index:kind:options:pick`, separated by spaces; read back by ParseChoiceLog.
std::string ToString(const ChoiceLog& log);
absl::StatusOr<ChoiceLog> ParseChoiceLog(absl::string_view text);

// Answers a machine's questions. One chooser serves one machine at a time.
class Chooser {
 public:
  virtual ~Chooser() = default;
  // `index` counts questions from 0; `options` is at least 2. Returns 0 .. options - 1.
  virtual int Choose(uint64_t index, ChoiceKind kind, int options) = 0;
};

// The ordinary course of events: always 0.
class FirstChooser final : public Chooser {
 public:
  int Choose(uint64_t, ChoiceKind, int) override { return 0; }
};

// Departs from the ordinary course at random, one question in `one_in`, the same way for the same
// seed. Allocation failures are left to those who ask for them: kFailAlloc is always answered 0.
class SeededChooser final : public Chooser {
 public:
  explicit SeededChooser(uint64_t seed, int one_in = 8) : random_(seed), one_in_(one_in) {}
  int Choose(uint64_t index, ChoiceKind kind, int options) override;

 private:
  std::mt19937_64 random_;
  int one_in_;
};

// Gives the answers of an earlier run again. Being asked another question than the one that was
// answered means that the run is not the same one: that is a bug of kpath and ends the process.
class ReplayChooser final : public Chooser {
 public:
  explicit ReplayChooser(ChoiceLog log) : log_(std::move(log)) {}
  int Choose(uint64_t index, ChoiceKind kind, int options) override;

 private:
  ChoiceLog log_;
  size_t next_ = 0;
};

}  // namespace kpath
