// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/rules.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sim/trace/call_tree.h"
#include "sim/trace/graph_reader_file.h"
#include "tools/compare/protected.h"

namespace kpath {
namespace {

absl::Status ErrorAt(const RuleFile& file, int line, size_t column, absl::string_view message) {
  return absl::InvalidArgumentError(absl::StrCat(file.name, ":", line, ":", column, ": ", message));
}

bool IsFunctionName(absl::string_view name) {
  if (name.empty() || absl::ascii_isdigit(name.front())) return false;
  for (char letter : name) {
    if (!absl::ascii_isalnum(letter) && letter != '_') return false;
  }
  return true;
}

// "NAME: reason", "NAME{}: reason", "NAME*: reason"
absl::Status ParseRule(absl::string_view text, const RuleFile& file, Rule* rule) {
  const size_t colon = text.find(':');
  if (colon == absl::string_view::npos) {
    return ErrorAt(file, rule->line, text.size() + 1, "no ':', expected 'NAME: reason'");
  }
  absl::string_view name = text.substr(0, colon);
  if (rule->action == RuleAction::kCut && absl::ConsumeSuffix(&name, "{}")) {
    rule->action = RuleAction::kCutInside;
  }
  rule->is_prefix = absl::ConsumeSuffix(&name, "*");
  if (!IsFunctionName(name)) {
    return ErrorAt(file, rule->line, 1,
                   absl::StrCat("'", text.substr(0, colon), "' is no rule, expected NAME, NAME*",
                                rule->action == RuleAction::kInline ? "" : " or NAME{}"));
  }
  rule->name = std::string(name);
  rule->reason = std::string(absl::StripAsciiWhitespace(text.substr(colon + 1)));
  if (rule->reason.empty()) {
    return ErrorAt(file, rule->line, colon + 2,
                   absl::StrCat("no reason for ", name, ", expected 'NAME: reason'"));
  }
  return absl::OkStatus();
}

absl::Status CheckAllowed(const Rule& rule, const RuleFile& file) {
  if (rule.action == RuleAction::kInline) return absl::OkStatus();
  const absl::string_view area = ForbiddenArea(absl::StrCat(rule.name, rule.is_prefix ? "*" : ""));
  if (area.empty()) return absl::OkStatus();
  return ErrorAt(file, rule.line, 1,
                 absl::StrCat(rule.name, " may not be ignored, it would cut ", area));
}

absl::StatusOr<std::vector<Rule>> ParseRules(const RuleFile& file, RuleAction action) {
  std::vector<Rule> rules;
  int line = 0;
  for (absl::string_view text : absl::StrSplit(file.text, '\n')) {
    ++line;
    text = absl::StripTrailingAsciiWhitespace(text);
    if (text.empty() || text.front() == '#') continue;
    Rule rule;
    rule.action = action;
    rule.line = line;
    if (absl::Status status = ParseRule(text, file, &rule); !status.ok()) return status;
    if (absl::Status status = CheckAllowed(rule, file); !status.ok()) return status;
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace

RuleAction CompareRules::ActionFor(absl::string_view name) const {
  const auto exact = exact_.find(name);
  if (exact != exact_.end()) return rules_[exact->second].action;
  for (size_t index : prefixes_) {
    if (absl::StartsWith(name, rules_[index].name)) return rules_[index].action;
  }
  return RuleAction::kKeep;
}

absl::Status CompareRules::AddRule(const Rule& rule, const RuleFile& file) {
  const size_t index = rules_.size();
  if (rule.is_prefix) {
    prefixes_.push_back(index);
  } else if (!exact_.emplace(rule.name, index).second) {
    return ErrorAt(
        file, rule.line, 1,
        absl::StrCat("second rule for ", rule.name, ", expected one (the other is in line ",
                     rules_[exact_[rule.name]].line, ")"));
  }
  rules_.push_back(rule);
  return absl::OkStatus();
}

absl::Status CompareRules::AddIgnored(const RuleFile& file) {
  absl::StatusOr<std::vector<Rule>> rules = ParseRules(file, RuleAction::kCut);
  if (!rules.ok()) return rules.status();
  for (const Rule& rule : *rules) {
    if (absl::Status status = AddRule(rule, file); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CompareRules::AddInlined(const RuleFile& file) {
  absl::StatusOr<std::vector<Rule>> rules = ParseRules(file, RuleAction::kInline);
  if (!rules.ok()) return rules.status();
  for (const Rule& rule : *rules) {
    if (absl::Status status = AddRule(rule, file); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CompareRules::AddConditional(const RuleFile& file) {
  int line = 0;
  for (absl::string_view text : absl::StrSplit(file.text, '\n')) {
    ++line;
    text = absl::StripTrailingAsciiWhitespace(text);
    if (text.empty() || text.front() == '#') continue;
    const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(": ", 1));
    const std::vector<absl::string_view> calls = absl::StrSplit(parts[0], " > ");
    if (parts.size() != 2 || calls.size() != 2 || !IsFunctionName(calls[0]) ||
        !IsFunctionName(calls[1])) {
      return ErrorAt(file, line, 1,
                     absl::StrCat("'", text, "' is no rule, expected 'PARENT > CHILD: reason'"));
    }
    conditional_.push_back({std::string(calls[0]), std::string(calls[1]), std::string(parts[1])});
  }
  return absl::OkStatus();
}

bool CompareRules::IsConditional(absl::string_view parent, absl::string_view child) const {
  for (const Conditional& rule : conditional_) {
    if (rule.parent == parent && rule.child == child) return true;
  }
  return false;
}

absl::StatusOr<CompareRules> ReadRules(const RuleFile& ignored, const RuleFile& inlined) {
  CompareRules rules;
  if (absl::Status status = rules.AddIgnored(ignored); !status.ok()) return status;
  if (absl::Status status = rules.AddInlined(inlined); !status.ok()) return status;
  return rules;
}

absl::StatusOr<CompareRules> LoadRules(const std::string& ignored_path,
                                       const std::string& inlined_path) {
  absl::StatusOr<std::string> ignored = ReadTextFile(ignored_path);
  if (!ignored.ok()) return ignored.status();
  absl::StatusOr<std::string> inlined = ReadTextFile(inlined_path);
  if (!inlined.ok()) return inlined.status();
  return ReadRules({ignored_path, *ignored}, {inlined_path, *inlined});
}

}  // namespace kpath
