// SPDX-License-Identifier: Apache-2.0
//
// What the lock validator has learned in one machine: the classes of locks, in which contexts each
// was taken, and which was taken while which was held. Used by lockdep.cc only.
//
// Invariant: the graph of dependencies has no circle (AddDependency's caller has looked).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sim/kernel/lockdep_map.h"

namespace kpath {

// v4.19 kernel/locking/lockdep_internals.h: enum lock_usage_bit
inline constexpr unsigned LOCK_USED_IN_HARDIRQ = 1;
inline constexpr unsigned LOCK_ENABLED_HARDIRQ = 2;
inline constexpr unsigned LOCK_USED_IN_SOFTIRQ = 4;
inline constexpr unsigned LOCK_ENABLED_SOFTIRQ = 8;

// A kind of interrupt: a lock that is taken in it must not be held where it is allowed.
struct LockIrq {
  unsigned used_in;
  unsigned enabled;
};
inline constexpr LockIrq kLockIrqs[] = {{LOCK_USED_IN_HARDIRQ, LOCK_ENABLED_HARDIRQ},
                                        {LOCK_USED_IN_SOFTIRQ, LOCK_ENABLED_SOFTIRQ}};

class LockGraph {
 public:
  // The number of a class, counted from 0 in the order in which classes were first asked for.
  int FindClass(const lock_class_key& key, int subclass);

  unsigned usage(int lock_class) const { return classes_[lock_class].usage; }
  // `function` is where it was used so for the first time.
  void AddUsage(int lock_class, unsigned usage, const char* function);

  bool Knows(int before, int after) const {
    const std::vector<bool>& taken = classes_[before].taken_after;
    return static_cast<size_t>(after) < taken.size() && taken[after];
  }
  // `after` was taken in `function` by `task` while `before` was held.
  void AddDependency(int before, int after, const char* function, const std::string& task);

  // A shortest chain of dependencies, both ends included; empty if there is none.
  std::vector<int> FindPath(int from, int to) const;
  // A chain from a class that is taken in the interrupt to one that is held where it is allowed;
  // empty if there is none.
  std::vector<int> FindInversion(const LockIrq& irq) const;

  std::string DescribeDependency(int before, int after) const;
  std::string DescribeUsage(int lock_class, unsigned bit) const;

 private:
  struct Dependency {
    int after;
    const char* function;
    std::string task;
  };
  struct LockClass {
    std::string name;
    unsigned usage = 0;
    std::vector<std::pair<unsigned, const char*>> usage_seen_in;  // a bit, and the function
    std::vector<Dependency> dependencies;                         // oldest first
    std::vector<bool> taken_after;                                // by class: is a dependency
  };

  template <typename IsEnd>
  std::vector<int> Search(int from, IsEnd is_end) const;

  std::vector<LockClass> classes_;
  absl::flat_hash_map<std::string, int> by_key_;
};

}  // namespace kpath
