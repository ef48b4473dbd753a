// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/lockdep.h"

#include <algorithm>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "sim/kernel/lockdep_graph.h"
#include "sim/kernel/report.h"

namespace kpath {
namespace {

struct lockdep_globals {
  bool prove_locking = true;
  LockGraph graph;
};

KernelGlobal<lockdep_globals> lockdep;

// The function that takes or releases a lock: the caller of the lock's own function.
const char* Here() {
  const FunctionProbe* lock_function = current_function;
  if (lock_function == nullptr || lock_function->caller() == nullptr) return "?";
  return lock_function->caller()->info().name;
}

std::string Who() { return absl::StrCat(current->comm, "/", current->pid); }

std::string DescribeHeld(const held_lock& held) {
  return absl::StrCat(" ", held.instance->key.name, ", in ", held.acquired_in, " at ",
                      held.acquired_at.ToString());
}

int CurrentIrqContext() { return (in_irq() ? 2 : 0) + (in_serving_softirq() ? 1 : 0); }

// v4.19 kernel/locking/lockdep.c: mark_irqflags
ABSL_ATTRIBUTE_ALWAYS_INLINE inline unsigned CurrentUsage(bool trylock) {
  unsigned usage = 0;
  if (!trylock && in_irq()) usage |= LOCK_USED_IN_HARDIRQ;
  if (!trylock && in_serving_softirq()) usage |= LOCK_USED_IN_SOFTIRQ;
  if (irqs_disabled()) return usage;
  usage |= LOCK_ENABLED_HARDIRQ;
  if (softirq_count() == 0) usage |= LOCK_ENABLED_SOFTIRQ;
  return usage;
}

ABSL_ATTRIBUTE_NOINLINE int FindClass(lockdep_map* map, int subclass) {
  const int found = lockdep->graph.FindClass(map->key, subclass);
  if (subclass == 0) map->lock_class = found;
  return found;
}

int ClassOf(lockdep_map* map, int subclass) {
  if (subclass == 0 && map->lock_class >= 0) [[likely]]
    return map->lock_class;
  return FindClass(map, subclass);
}

// v4.19 kernel/locking/lockdep.c: print_circular_bug
[[noreturn]] ABSL_ATTRIBUTE_NOINLINE void ReportCircle(const held_lock& next, const held_lock& prev,
                                                       const std::vector<int>& path) {
  const LockGraph& graph = lockdep->graph;
  std::vector<std::string> lines = {absl::StrCat(Who(), " is trying to acquire lock:"),
                                    DescribeHeld(next),
                                    "but task is already holding lock:", DescribeHeld(prev),
                                    "which is taken after the new one elsewhere:"};
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    lines.push_back(graph.DescribeDependency(path[i], path[i + 1]));
  }
  Report("WARNING: possible circular locking dependency detected", lines);
}

// v4.19 kernel/locking/lockdep.c: print_irq_inversion_bug
void CheckInversion() {
  for (const LockIrq& irq : kLockIrqs) {
    const std::vector<int> path = lockdep->graph.FindInversion(irq);
    if (path.empty()) continue;
    const LockGraph& graph = lockdep->graph;
    std::vector<std::string> lines = {graph.DescribeUsage(path.front(), irq.used_in),
                                      graph.DescribeUsage(path.back(), irq.enabled)};
    for (size_t i = 0; i + 1 < path.size(); ++i) {
      lines.push_back(graph.DescribeDependency(path[i], path[i + 1]));
    }
    Report("WARNING: possible irq lock inversion dependency detected", lines);
  }
}

// A use that is new to the lock's class.
ABSL_ATTRIBUTE_NOINLINE void LearnUsage(LockGraph& graph, const held_lock& held, unsigned usage) {
  graph.AddUsage(held.lock_class, usage, Here());
  for (const LockIrq& irq : kLockIrqs) {
    if ((graph.usage(held.lock_class) & irq.used_in) == 0) continue;
    if ((graph.usage(held.lock_class) & irq.enabled) == 0) continue;
    Report("WARNING: inconsistent lock state",
           {absl::StrCat(Who(), " holds or takes:"), DescribeHeld(held),
            graph.DescribeUsage(held.lock_class, irq.used_in),
            graph.DescribeUsage(held.lock_class, irq.enabled)});
  }
  CheckInversion();
}

// v4.19 kernel/locking/lockdep.c: mark_lock
void MarkUsage(LockGraph& graph, const held_lock& held, unsigned usage) {
  if ((usage & ~graph.usage(held.lock_class)) != 0) [[unlikely]]
    LearnUsage(graph, held, usage);
}

[[noreturn]] ABSL_ATTRIBUTE_NOINLINE void ReportRecursion(const held_lock& next,
                                                          const held_lock& held) {
  Report("WARNING: possible recursive locking detected",
         {absl::StrCat(Who(), " is trying to acquire lock:"), DescribeHeld(next),
          "but task is already holding lock:", DescribeHeld(held),
          held.instance == next.instance ? "It is the same lock."
                                         : "It is another lock of the same class."});
}

// v4.19 kernel/locking/lockdep.c: check_deadlock
void CheckRecursion(const held_lock& next) {
  for (const held_lock& held : current->held_locks) {
    if (held.lock_class == next.lock_class) [[unlikely]]
      ReportRecursion(next, held);
  }
}

// A dependency that is not known yet.
ABSL_ATTRIBUTE_NOINLINE void LearnDependency(LockGraph& graph, const held_lock& prev,
                                             const held_lock& next) {
  const std::vector<int> path = graph.FindPath(next.lock_class, prev.lock_class);
  if (!path.empty()) ReportCircle(next, prev, path);
  graph.AddDependency(prev.lock_class, next.lock_class, Here(), Who());
  CheckInversion();
}

// v4.19 kernel/locking/lockdep.c: check_prevs_add. The innermost lock that was waited for stands
// for those around it: they are in the graph before it.
void AddDependencies(LockGraph& graph, const held_lock& next) {
  const auto& held = current->held_locks;
  for (auto prev = held.rbegin(); prev != held.rend(); ++prev) {
    if (prev->irq_context != next.irq_context) return;
    if (!graph.Knows(prev->lock_class, next.lock_class)) [[unlikely]]
      LearnDependency(graph, *prev, next);
    if (!prev->trylock) return;
  }
}

[[noreturn]] ABSL_ATTRIBUTE_NOINLINE void ReportBadUnlock(const lockdep_map* map) {
  Report("WARNING: bad unlock balance detected!",
         {absl::StrCat(Who(), " is trying to release lock (", map->key.name, ") in ", Here()),
          "but it does not hold it"});
}

}  // namespace

void lock_acquire(lockdep_map* map, int subclass, bool trylock, bool read) {
  const held_lock next = {map,    ClassOf(map, subclass),      CurrentIrqContext(), read, trylock,
                          Here(), current->machine->position()};
  lockdep_globals& learned = *lockdep;
  if (learned.prove_locking) {
    MarkUsage(learned.graph, next, CurrentUsage(trylock));
    if (!trylock) {
      CheckRecursion(next);
      AddDependencies(learned.graph, next);
    }
  }
  current->held_locks.push_back(next);
}

void lock_release(lockdep_map* map) {
  auto& held = current->held_locks;
  for (auto lock = held.rbegin(); lock != held.rend(); ++lock) {
    if (lock->instance != map) continue;
    held.erase(std::next(lock).base());
    return;
  }
  ReportBadUnlock(map);
}

void lock_downgrade(lockdep_map* map) {
  for (held_lock& held : current->held_locks) {
    if (held.instance == map) held.read = true;
  }
}

bool lock_is_held(const lockdep_map* map) {
  const auto& held = current->held_locks;
  return std::any_of(held.begin(), held.end(),
                     [&](const held_lock& lock) { return lock.instance == map; });
}

// v4.19 kernel/locking/lockdep.c: mark_held_locks
void MarkHeldLocks() {
  if (!lockdep->prove_locking) return;
  const unsigned usage = CurrentUsage(/*trylock=*/true);
  LockGraph& graph = lockdep->graph;
  for (const held_lock& held : current->held_locks) MarkUsage(graph, held, usage);
}

void debug_check_no_locks_held() {
  if (current->held_locks.empty()) return;
  Report(absl::StrCat("WARNING: ", Who(), " still has locks held!"), {DescribeHeldLocks(current)});
}

void ReportLocksInUserMode() {
  Report("WARNING: lock held when returning to user space!", {DescribeHeldLocks(current)});
}

void SetProveLocking(bool on) { lockdep->prove_locking = on; }

std::string DescribeHeldLocks(const task_struct* task) {
  std::string text;
  int number = 0;
  for (const held_lock& held : task->held_locks) {
    absl::StrAppend(&text, number == 0 ? "" : "\n", "#", number, ":", DescribeHeld(held));
    ++number;
  }
  return text;
}

}  // namespace kpath
