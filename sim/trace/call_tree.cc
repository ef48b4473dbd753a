// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/call_tree.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace kpath {
namespace {

constexpr absl::string_view kCompilerSuffixes[] = {
    ".constprop", ".isra", ".part", ".cold", ".lto_priv",
};

// x86 v4.19 gives each interrupt vector a C function in the section .irqentry.text; later kernels
// (5.8 on) enter through __sysvec_* and the two rcu helpers beside it.
constexpr absl::string_view kInterruptEntries[] = {
    "__common_interrupt",
    "common_interrupt",
    "do_IRQ",
    "do_nmi",
    "irq_enter_rcu",
    "irq_exit_rcu",
    "smp_apic_timer_interrupt",
    "smp_call_function_interrupt",
    "smp_call_function_single_interrupt",
    "smp_deferred_error_interrupt",
    "smp_error_interrupt",
    "smp_irq_move_cleanup_interrupt",
    "smp_irq_work_interrupt",
    "smp_kvm_posted_intr_ipi",
    "smp_kvm_posted_intr_nested_ipi",
    "smp_kvm_posted_intr_wakeup_ipi",
    "smp_reboot_interrupt",
    "smp_reschedule_interrupt",
    "smp_spurious_interrupt",
    "smp_thermal_interrupt",
    "smp_threshold_interrupt",
    "smp_x86_platform_ipi",
    "uv_bau_message_interrupt",
};

// "foo.isra.0" -> "foo", "foo.cold" -> "foo"; anything else unchanged.
absl::string_view WithoutLastSuffix(absl::string_view name) {
  absl::string_view stem = name;
  while (!stem.empty() && absl::ascii_isdigit(stem.back())) stem.remove_suffix(1);
  if (stem.size() < name.size()) {
    if (stem.empty() || stem.back() != '.') return name;
    stem.remove_suffix(1);
  }
  for (absl::string_view suffix : kCompilerSuffixes) {
    if (absl::EndsWith(stem, suffix)) return stem.substr(0, stem.size() - suffix.size());
  }
  return name;
}

}  // namespace

CallId CallTree::Add(CallId parent, absl::string_view name) {
  const CallId id = static_cast<CallId>(nodes_.size());
  CallId& last = parent == kNoCall ? last_root_ : nodes_[parent].last_child;
  CallId& first = parent == kNoCall ? first_root_ : nodes_[parent].first_child;
  if (last == kNoCall) {
    first = id;
  } else {
    nodes_[last].next_sibling = id;
  }
  last = id;

  CallNode node;
  node.parent = parent;
  node.name = NameIndex(name);
  nodes_.push_back(node);
  return id;
}

void CallTree::Rename(CallId id, absl::string_view name) { nodes_[id].name = NameIndex(name); }

CallId CallTree::Next(CallId id, CallId root) const {
  if (nodes_[id].first_child != kNoCall) return nodes_[id].first_child;
  while (id != root) {
    if (nodes_[id].next_sibling != kNoCall) return nodes_[id].next_sibling;
    id = nodes_[id].parent;
    if (id == kNoCall) break;
  }
  return kNoCall;
}

uint32_t CallTree::NameIndex(absl::string_view name) {
  const auto found = name_index_.find(name);
  if (found != name_index_.end()) return found->second;
  const uint32_t index = static_cast<uint32_t>(names_.size());
  names_.emplace_back(name);
  name_index_.emplace(name, index);
  return index;
}

absl::string_view SourceName(absl::string_view name) {
  for (;;) {
    const absl::string_view shorter = WithoutLastSuffix(name);
    if (shorter.empty() || shorter.size() == name.size()) return name;
    name = shorter;
  }
}

bool IsInterruptEntry(absl::string_view name) {
  if (absl::StartsWith(name, "__sysvec_") || absl::StartsWith(name, "sysvec_")) return true;
  // It is asked of each call of a trace, and most names end otherwise.
  const char last = name.empty() ? ' ' : name.back();
  if (last != 't' && last != 'Q' && last != 'i' && last != 'u') return false;
  return std::binary_search(std::begin(kInterruptEntries), std::end(kInterruptEntries), name);
}

}  // namespace kpath
