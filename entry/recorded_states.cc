// SPDX-License-Identifier: Apache-2.0
#include "entry/recorded_states.h"

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "entry/c_function.h"
#include "entry/flags.h"
#include "sim/machine/check.h"

namespace kpath {

const char* const kGeneralRegisters[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                           "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
const char* const kPtRegsFields[21] = {"r15", "r14",     "r13", "r12", "bp",    "bx", "r11",
                                       "r10", "r9",      "r8",  "ax",  "cx",    "dx", "si",
                                       "di",  "orig_ax", "ip",  "cs",  "flags", "sp", "ss"};
static_assert(std::size(kPtRegsFields) * 8 == sizeof(pt_regs));

void SetValue(RegisterValues& values, absl::string_view name, uint64_t value) {
  for (auto& [known, old] : values) {
    if (known != name) continue;
    old = value;
    return;
  }
  values.emplace_back(std::string(name), value);
}

namespace {

constexpr Reg kCallerSaved[] = {Reg::rax, Reg::rcx, Reg::rdx, Reg::rsi, Reg::rdi,
                                Reg::r8,  Reg::r9,  Reg::r10, Reg::r11};

bool Has(const RegisterValues& values, absl::string_view name) {
  for (const auto& [known, value] : values) {
    if (known == name) return true;
  }
  return false;
}

// "mov    0x80(%rsp),%rcx" -> mnemonic, operands.
struct Words {
  explicit Words(absl::string_view text) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(text, absl::MaxSplits(' ', 1));
    mnemonic = parts.first;
    operands = absl::StripAsciiWhitespace(parts.second);
  }
  // Where it stores its result, if that is a general register; as a 64-bit one.
  std::string Destination() const {
    absl::string_view last = operands.substr(operands.rfind(',') + 1);
    if (!absl::ConsumePrefix(&last, "%") || absl::StrContains(last, ":")) return "";
    if (absl::StartsWith(last, "e")) return absl::StrCat("r", last.substr(1));
    absl::ConsumeSuffix(&last, "d");
    return std::string(last);
  }
  bool Loads() const {
    return mnemonic == "pop" || mnemonic == "mov" || mnemonic == "lea" || mnemonic == "xor";
  }
  // The address that a pop, or a mov from the stack, loads from; 0: it is neither.
  uint64_t LoadedAddress(uint64_t rsp) const {
    if (mnemonic == "pop") return rsp;
    const size_t base = operands.find("(%rsp),");
    uint64_t offset = 0;
    if (mnemonic != "mov" || base == operands.npos) return 0;
    if (base > 0 && !absl::SimpleHexAtoi(operands.substr(0, base), &offset)) return 0;
    return rsp + offset;
  }
  // The address of the word that a push of a word at rdi pushes; 0: it is none.
  uint64_t PushedAddress(uint64_t rdi) const {
    const size_t base = operands.find("(%rdi)");
    uint64_t offset = 0;
    if (mnemonic != "push" || base == operands.npos) return 0;
    if (base > 0 && !absl::SimpleHexAtoi(operands.substr(0, base), &offset)) return 0;
    return rdi + offset;
  }

  absl::string_view mnemonic, operands;
};

const RecordedCall* CallAfter(const RecordedSteps& recording, size_t step) {
  for (const RecordedCall& call : recording.calls) {
    if (call.steps_before == step + 1) return &call;
  }
  return nullptr;
}

// A step inside of the function is recorded: it shows all that the function changed.
bool IsShown(const RecordedSteps& recording, const RecordedCall& call) {
  return recording.steps[call.steps_before - 1].location == call.function;
}

// The field of the pt_regs at `regs` that is at `address`; nullptr: none.
const char* FieldAt(uint64_t regs, uint64_t address) {
  if (address < regs || address >= regs + sizeof(pt_regs)) return nullptr;
  return kPtRegsFields[(address - regs) / 8];
}

}  // namespace

RecordedStates::RecordedStates(const RecordedSteps& recording) : recording_(recording) {
  for (const RecordedCall& call : recording.calls) {
    if (call.pt_regs_address != 0) pt_regs_call_ = &call;
  }
  KPATH_CHECK(pt_regs_call_ != nullptr, "a recording without pt_regs");
  RegisterValues values = recording.before;
  for (size_t i = 0; i < recording.steps.size(); ++i) {
    before_.push_back(values);
    for (const auto& [name, value] : recording.steps[i].changes) SetValue(values, name, value);
    const RecordedCall* call = CallAfter(recording, i);
    if (call != nullptr && !IsShown(recording, *call)) ConcludeAfterCall(i + 1, values);
  }
  before_.push_back(values);
  FindWhatWasLeft();
}

// `step` is the first one after the call.
void RecordedStates::ConcludeAfterCall(size_t step, RegisterValues& values) const {
  SetValue(values, "rsp", FindRegister(values, "rsp") + 8);
  for (const Reg reg : kCallerSaved) {
    const char* name = kGeneralRegisters[static_cast<int>(reg)];
    SetValue(values, name, ClobberedValue(reg));
  }
  for (const Reg reg : kCallerSaved) {
    const char* name = kGeneralRegisters[static_cast<int>(reg)];
    SetValue(values, name, Conclude(name, step, values));
  }
  SetValue(values, "eflags", ConcludeFlags(step, FindRegister(values, "eflags")));
}

// A CLI that changes something shows the flags that it found, IF among them. If nothing does, they
// are taken to be those of a comparison of equals.
uint64_t RecordedStates::ConcludeFlags(size_t step, uint64_t before_call) const {
  for (; step < recording_.steps.size(); ++step) {
    const RecordedStep& recorded = recording_.steps[step];
    if (!Has(recorded.changes, "eflags")) continue;
    if (recorded.text != "cli") break;
    return FindRegister(recorded.changes, "eflags") | X86_EFLAGS_IF;
  }
  return (before_call & ~kArithmeticFlags) | X86_EFLAGS_ZF | X86_EFLAGS_PF;
}

// The value of `reg` before `step`, if what follows tells; else the one in `values`.
uint64_t RecordedStates::Conclude(const std::string& reg, size_t step,
                                  const RegisterValues& values) const {
  const uint64_t unknown = FindRegister(values, reg);
  uint64_t rsp = FindRegister(values, "rsp");
  for (; step < recording_.steps.size(); ++step) {
    const RecordedStep& recorded = recording_.steps[step];
    const Words words(recorded.text);
    const RecordedCall* call = CallAfter(recording_, step);
    if (call != nullptr && Has(call->arguments, reg)) {
      // The step is either the call or inside of the function: neither has changed it before.
      return FindRegister(call->arguments, reg);
    }
    if (call != nullptr && !IsShown(recording_, *call)) return unknown;
    if (Has(recorded.changes, reg)) return unknown;
    if (words.mnemonic == "test" && words.Destination() == reg) {
      // A truth value, as C functions return it.
      return (FindRegister(recorded.changes, "eflags") & X86_EFLAGS_ZF) != 0 ? 0 : 1;
    }
    if (words.Loads() && words.Destination() == reg) {
      if (words.mnemonic == "xor") return 0;
      const char* field = FieldAt(pt_regs_call_->pt_regs_address, words.LoadedAddress(rsp));
      return field == nullptr ? unknown : FindRegister(pt_regs_call_->pt_regs, field);
    }
    rsp = FindRegister(recorded.changes, "rsp", rsp);
  }
  return unknown;
}

void RecordedStates::FindWhatWasLeft() {
  RegisterValues seen;
  std::map<uint64_t, uint64_t> copies;  // address on the entry stack, address that it comes from
  const size_t end = recording_.steps.size();
  for (size_t i = pt_regs_call_->steps_before; i < end; ++i) {
    const Words words(recording_.steps[i].text);
    const auto field_at = [&](uint64_t address) {
      const auto copy = copies.find(address);
      return FieldAt(pt_regs_call_->pt_regs_address, copy == copies.end() ? address : copy->second);
    };
    const uint64_t pushed = words.PushedAddress(FindRegister(before_[i], "rdi"));
    if (pushed != 0) copies[FindRegister(before_[i + 1], "rsp")] = pushed;
    const char* field = field_at(words.LoadedAddress(FindRegister(before_[i], "rsp")));
    const std::string reg = words.Destination();
    if (field != nullptr && !reg.empty() && !Has(seen, field)) {
      SetValue(seen, field, FindRegister(before_[i + 1], reg));
    }
    if (words.mnemonic == "iretq") SetValue(seen, "sp", FindRegister(before_[i + 1], "rsp"));
  }
  pt_regs_left_ = pt_regs_call_->pt_regs;
  for (const auto& [field, value] : seen) SetValue(pt_regs_left_, field, value);
}

}  // namespace kpath
