// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "sim/machine/check.h"
#include "tools/compare/default_rules_text.h"
#include "tools/compare/rules.h"

namespace kpath {
namespace {

CompareRules ReadDefaultRules() {
  absl::StatusOr<CompareRules> rules = ReadRules({"tests/reference/ignored.txt", kIgnoredText},
                                                 {"tests/reference/inlined.txt", kInlinedText});
  KPATH_CHECK(rules.ok(), rules.status().message());
  const absl::Status status =
      rules->AddConditional({"tests/reference/conditional.txt", kConditionalText});
  KPATH_CHECK(status.ok(), status.message());
  return *std::move(rules);
}

}  // namespace

const CompareRules& DefaultRules() {
  static const CompareRules* const rules = new CompareRules(ReadDefaultRules());
  return *rules;
}

}  // namespace kpath
