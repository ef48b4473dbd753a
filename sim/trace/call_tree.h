// SPDX-License-Identifier: Apache-2.0
//
// What was called, by whom, in which order: the model behind a function graph.
//
//   Graph    what one recording, or one run, shows: a list of streams
//   Stream   one line of execution: a task, or the interrupts of one CPU
//   CallTree the calls of a stream: root calls in order, each with the calls made inside it
//
//   CallTree calls;
//   CallId root = calls.Add(kNoCall, "do_syscall_64");
//   calls.Add(root, "__x64_sys_io_setup");
//   calls.name(calls.node(root).first_child);  // "__x64_sys_io_setup"
//
// Nodes live in one array and name each other by index, function names are stored once: a million
// calls take about 50 MB. Ids stay valid until the tree is destroyed; nodes are never removed.
// Not thread-safe: one writer, or any number of readers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace kpath {

// Index of a call in its CallTree.
using CallId = uint32_t;
inline constexpr CallId kNoCall = 0xffffffff;

// A time or duration that was not recorded.
inline constexpr int64_t kUnknownTime = -1;

struct CallNode {
  int64_t start_ns = kUnknownTime;     // virtual time of the entry
  int64_t duration_ns = kUnknownTime;  // entry to return
  CallId parent = kNoCall;             // kNoCall: a root
  CallId first_child = kNoCall;
  CallId last_child = kNoCall;
  CallId next_sibling = kNoCall;
  uint32_t name = 0;  // index into CallTree::names()
  // Rank of the entry among all entries of the graph, from 1; for a graph that was read from text
  // it is the number of the line. 0 if the entry was not recorded.
  uint32_t order = 0;
  int16_t cpu = 0;        // where it was entered
  bool entered = true;    // false: it was already running when the recording began
  bool returned = false;  // false: still running when the recording ended
};

class CallTree {
 public:
  // Adds a call behind the last one inside `parent`, or behind the last root if `parent` is
  // kNoCall.
  CallId Add(CallId parent, absl::string_view name);

  // Gives a call another name.
  void Rename(CallId id, absl::string_view name);

  CallNode& node(CallId id) { return nodes_[id]; }
  const CallNode& node(CallId id) const { return nodes_[id]; }

  // The name as recorded, compiler suffixes and all; empty if not known.
  const std::string& name(CallId id) const { return names_[nodes_[id].name]; }

  // Every distinct name of the tree.
  const std::vector<std::string>& names() const { return names_; }

  size_t size() const { return nodes_.size(); }
  CallId first_root() const { return first_root_; }

  // The call after `id` in order of entry, parents before children, within the tree of `root`;
  // kNoCall at its end. With root = kNoCall: within all trees.
  CallId Next(CallId id, CallId root) const;

 private:
  uint32_t NameIndex(absl::string_view name);

  std::vector<CallNode> nodes_;
  std::vector<std::string> names_;
  absl::flat_hash_map<std::string, uint32_t> name_index_;
  CallId first_root_ = kNoCall;
  CallId last_root_ = kNoCall;
};

struct Stream {
  enum class Kind : uint8_t {
    kTask,       // one task, wherever it ran
    kInterrupt,  // the interrupts of one CPU, each a root call
  };

  Kind kind = Kind::kTask;
  std::string comm;  // the task's name as recorded; empty if the recording does not tell
  int pid = -1;      // -1 if the recording does not tell
  int cpu = 0;       // where its first call was entered
  CallTree calls;
};

// In order of first appearance.
struct Graph {
  std::vector<Stream> streams;
};

// "slob_alloc.constprop.0" -> "slob_alloc": the name in the source. Compilers mark a specialised
// copy of a function with .constprop, .isra, .part, .cold or .lto_priv, most with a number behind.
// The result refers to `name`.
absl::string_view SourceName(absl::string_view name);

// True for the functions that an interrupt enters first (do_IRQ, smp_apic_timer_interrupt, ...):
// what they call does not belong to the code that was interrupted.
bool IsInterruptEntry(absl::string_view name);

}  // namespace kpath
