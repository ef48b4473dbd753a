// SPDX-License-Identifier: Apache-2.0
//
// What a comparison leaves out, and why: the two lists in tests/reference/.
//
// ignored.txt, areas that kpath does not model. One rule a line, each with its reason:
//   slob_alloc: SLAB, SLUB and SLOB find an object in different ways
//   touch_atime{}: ...       keeps the call itself, cuts what happens inside it
//   rcu_segcblist_*: ...     a '*' at the end stands for anything
// Cutting never removes a call that IsProtected(): it moves up to the nearest call that is kept. A
// rule that names a protected function or a lock operation is an error.
//
// inlined.txt, functions that a trace does not show because the compiler inlined them (or because
// their file is built without the tracer's hooks), though the model may show them:
//   aio_get_req: inlined into io_submit_one
// Such a call is taken out and the calls inside it move up to its caller.
//
// Both kinds apply to the recording and to the model alike. Names are source names: compiler
// suffixes (SourceName) do not count. Blank lines and lines that begin with '#' are skipped.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kpath {

// A text and the name by which errors call it.
struct RuleFile {
  absl::string_view name;
  absl::string_view text;
};

enum class RuleAction : uint8_t {
  kKeep,       // no rule
  kCut,        // the call and all inside it
  kCutInside,  // all inside it
  kInline,     // the call itself; what is inside it moves up
};

struct Rule {
  std::string name;        // without '*' and "{}"
  bool is_prefix = false;  // had a '*'
  RuleAction action = RuleAction::kKeep;
  std::string reason;
  int line = 0;  // in its file, from 1
};

class CompareRules {
 public:
  // What happens to a call of `name`, a source name. An exact rule wins over one with '*'.
  RuleAction ActionFor(absl::string_view name) const;

  // All rules, in the order of their files.
  const std::vector<Rule>& rules() const { return rules_; }

  // Reads one rule file and adds its rules. Errors are one line: FILE:LINE:COLUMN: what, expected.
  absl::Status AddIgnored(const RuleFile& file);
  absl::Status AddInlined(const RuleFile& file);
  // Of conditional.txt: see conditional.h.
  absl::Status AddConditional(const RuleFile& file);
  // May `child`, called by `parent`, be on one side of a comparison alone?
  bool IsConditional(absl::string_view parent, absl::string_view child) const;
  struct Conditional {
    std::string parent, child, reason;
  };
  const std::vector<Conditional>& conditional() const { return conditional_; }

 private:
  absl::Status AddRule(const Rule& rule, const RuleFile& file);

  std::vector<Rule> rules_;
  absl::flat_hash_map<std::string, size_t> exact_;  // index into rules_
  std::vector<size_t> prefixes_;
  std::vector<Conditional> conditional_;
};

// Parses both lists.
absl::StatusOr<CompareRules> ReadRules(const RuleFile& ignored, const RuleFile& inlined);

// Reads both lists from files.
absl::StatusOr<CompareRules> LoadRules(const std::string& ignored_path,
                                       const std::string& inlined_path);

// The lists of tests/reference/, as they were when kpath was built.
const CompareRules& DefaultRules();

}  // namespace kpath
