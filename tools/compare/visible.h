// SPDX-License-Identifier: Apache-2.0
//
// A call tree as the rules let it be seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "sim/trace/call_tree.h"
#include "tools/compare/rules.h"

namespace kpath {

// One step through a tree: a call is entered, or it returns.
struct VisibleStep {
  bool is_enter;
  uint32_t depth;  // of the call: 0 the root
  CallId call;
  absl::string_view name;  // of the call: a source name; refers to the tree
};

class VisibleTree {
 public:
  // Refers to `calls`, which must outlive it and must not change.
  VisibleTree(const CallTree& calls, const CompareRules& rules);

  // The tree of `root`, step by step. The root itself is always seen; `open_root` also lets its
  // inside be seen if a rule cuts that. A call that did not return has no return step.
  std::vector<VisibleStep> Steps(CallId root, bool open_root) const;

  // The calls of the stream that the rules leave outermost, in order.
  std::vector<CallId> Roots() const;

  // What Steps names `call`.
  absl::string_view name(CallId call) const { return RuleOf(call).source; }

  const CallTree& calls() const { return *calls_; }

 private:
  // What the rules say of one distinct name.
  struct NameRule {
    absl::string_view source;
    RuleAction action;
    bool is_protected;

    bool Keeps(bool in_cut) const;
    bool CutsInside(bool in_cut) const;
  };
  class Walk;

  const NameRule& RuleOf(CallId call) const { return name_rules_[calls_->node(call).name]; }
  void AddRoots(CallId id, std::vector<CallId>* roots) const;

  const CallTree* calls_;
  std::vector<NameRule> name_rules_;  // as CallTree::names()
};

}  // namespace kpath
