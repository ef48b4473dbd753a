// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/visible.h"

#include <algorithm>

#include "tools/compare/protected.h"

namespace kpath {

VisibleTree::VisibleTree(const CallTree& calls, const CompareRules& rules) : calls_(&calls) {
  for (const std::string& name : calls.names()) {
    const absl::string_view source = SourceName(name);
    name_rules_.push_back({source, rules.ActionFor(source), IsProtected(source)});
  }
}

bool VisibleTree::NameRule::Keeps(bool in_cut) const {
  if (in_cut) return is_protected;
  return action == RuleAction::kKeep || action == RuleAction::kCutInside;
}

bool VisibleTree::NameRule::CutsInside(bool in_cut) const {
  if (in_cut && !is_protected) return true;
  return action == RuleAction::kCut || action == RuleAction::kCutInside;
}

// One walk through a tree, without recursion: recordings choose how deep it is.
class VisibleTree::Walk {
 public:
  Walk(const VisibleTree& tree, CallId root, bool open_root) : tree_(tree) {
    Open(root, /*is_kept=*/true, !open_root && tree.RuleOf(root).CutsInside(false));
    while (!open_.empty()) Advance();
  }

  std::vector<VisibleStep> TakeSteps() { return std::move(steps_); }

 private:
  struct OpenCall {
    CallId call;
    CallId next_child;
    bool is_kept;
    bool cuts_inside;
  };

  void Open(CallId call, bool is_kept, bool cuts_inside) {
    open_.push_back({call, tree_.calls_->node(call).first_child, is_kept, cuts_inside});
    if (is_kept) steps_.push_back({true, depth_++, call, tree_.name(call)});
  }

  void Advance() {
    OpenCall& top = open_.back();
    const CallId child = top.next_child;
    if (child == kNoCall) return Close();
    const bool in_cut = top.cuts_inside;
    top.next_child = tree_.calls_->node(child).next_sibling;
    const NameRule& rule = tree_.RuleOf(child);
    Open(child, rule.Keeps(in_cut), rule.CutsInside(in_cut));
  }

  void Close() {
    const OpenCall top = open_.back();
    open_.pop_back();
    if (!top.is_kept) return;
    --depth_;
    if (!tree_.calls_->node(top.call).returned) return;
    steps_.push_back({false, depth_, top.call, tree_.name(top.call)});
  }

  const VisibleTree& tree_;
  std::vector<OpenCall> open_;
  std::vector<VisibleStep> steps_;
  uint32_t depth_ = 0;
};

std::vector<VisibleStep> VisibleTree::Steps(CallId root, bool open_root) const {
  return Walk(*this, root, open_root).TakeSteps();
}

std::vector<CallId> VisibleTree::Roots() const {
  std::vector<CallId> roots;
  for (CallId id = calls_->first_root(); id != kNoCall; id = calls_->node(id).next_sibling) {
    AddRoots(id, &roots);
  }
  return roots;
}

// `id` if it is kept, otherwise the outermost kept calls inside it.
void VisibleTree::AddRoots(CallId id, std::vector<CallId>* roots) const {
  std::vector<std::pair<CallId, bool>> pending = {{id, false}};  // a call; is it in a cut?
  while (!pending.empty()) {
    const auto [call, in_cut] = pending.back();
    pending.pop_back();
    if (RuleOf(call).Keeps(in_cut)) {
      roots->push_back(call);
      continue;
    }
    const size_t first = pending.size();
    for (CallId child = calls_->node(call).first_child; child != kNoCall;
         child = calls_->node(child).next_sibling) {
      pending.emplace_back(child, RuleOf(call).CutsInside(in_cut));
    }
    std::reverse(pending.begin() + first, pending.end());
  }
}

}  // namespace kpath
