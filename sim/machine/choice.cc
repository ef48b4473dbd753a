// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/choice.h"

#include <array>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sim/machine/check.h"

namespace kpath {
namespace {

constexpr std::array<const char*, kChoiceKinds> kNames = {"step-cpu",   "pick-task",    "preempt",
                                                          "fail-alloc", "device-delay", "order"};

absl::StatusOr<ChoiceKind> ParseKind(absl::string_view name) {
  for (int i = 0; i < kChoiceKinds; ++i) {
    if (name == kNames[i]) return static_cast<ChoiceKind>(i);
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown kind of choice '", name, "'"));
}

absl::StatusOr<Choice> ParseChoice(absl::string_view word) {
  const std::vector<absl::string_view> parts = absl::StrSplit(word, ':');
  Choice choice;
  if (parts.size() != 4 || !absl::SimpleAtoi(parts[0], &choice.index) ||
      !absl::SimpleAtoi(parts[2], &choice.options) || !absl::SimpleAtoi(parts[3], &choice.pick)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", word, "' is not a choice, expected INDEX:KIND:OPTIONS:PICK"));
  }
  absl::StatusOr<ChoiceKind> kind = ParseKind(parts[1]);
  if (!kind.ok()) return kind.status();
  choice.kind = *kind;
  if (choice.pick < 1 || choice.pick >= choice.options) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", word, "': the pick must be between 1 and OPTIONS - 1"));
  }
  return choice;
}

}  // namespace

absl::string_view ChoiceKindName(ChoiceKind kind) { return kNames[static_cast<int>(kind)]; }

std::string ToString(const ChoiceLog& log) {
  std::string text;
  for (const Choice& choice : log) {
    absl::StrAppend(&text, text.empty() ? "" : " ", choice.index, ":", ChoiceKindName(choice.kind),
                    ":", choice.options, ":", choice.pick);
  }
  return text;
}

absl::StatusOr<ChoiceLog> ParseChoiceLog(absl::string_view text) {
  ChoiceLog log;
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    absl::StatusOr<Choice> choice = ParseChoice(word);
    if (!choice.ok()) return choice.status();
    if (!log.empty() && log.back().index >= choice->index) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", word, "': choices must come in the order of their index"));
    }
    log.push_back(*choice);
  }
  return log;
}

int SeededChooser::Choose(uint64_t, ChoiceKind kind, int options) {
  if (kind == ChoiceKind::kFailAlloc) return 0;
  if (random_() % one_in_ != 0) return 0;
  return static_cast<int>(random_() % options);
}

int ReplayChooser::Choose(uint64_t index, ChoiceKind kind, int options) {
  if (next_ == log_.size() || log_[next_].index > index) return 0;
  const Choice& choice = log_[next_++];
  KPATH_CHECK(choice.index == index && choice.kind == kind && choice.options == options,
              absl::StrCat("replay asks another question: recorded ", ToString({choice}),
                           ", asked ", index, ":", ChoiceKindName(kind), ":", options));
  return choice.pick;
}

}  // namespace kpath
