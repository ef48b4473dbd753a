// SPDX-License-Identifier: Apache-2.0
//
// kernel/*.c, lib/*.c: locks, waiting, reference counts, RCU, timers.
#include "absl/strings/str_cat.h"
#include "inspect/objects/names.h"
#include "inspect/printer.h"
#include "inspect/types_of.h"
#include "sim/kernel/completion.h"
#include "sim/kernel/hrtimer.h"
#include "sim/kernel/mutex.h"
#include "sim/kernel/percpu_ref.h"
#include "sim/kernel/rcu.h"
#include "sim/kernel/rwlock.h"
#include "sim/kernel/rwsem.h"
#include "sim/kernel/sbitmap.h"
#include "sim/kernel/time64.h"
#include "sim/kernel/timer.h"
#include "sim/kernel/wait.h"

namespace kpath {
namespace {

template <typename Lock>
bool LockName(const Look&, const Datum& object, Datum* value) {
  const char* name = static_cast<const Lock*>(object.host)->dep_map.key.name;
  *value = MakeText(name == nullptr ? "" : name);
  return true;
}

// The references that there are: what each CPU counts belongs to it, as long as they count.
unsigned long CountReferences(const percpu_ref& ref) {
  // The bias is taken off when the CPUs' counts have been summed up; a put on another CPU makes it
  // a little less.
  if (ref.count < PERCPU_COUNT_BIAS / 2 || !ref.percpu_count.alive()) return ref.count;
  unsigned long count = ref.count - PERCPU_COUNT_BIAS;
  for (const percpu_ref_count& cpu : ref.percpu_count.get()->cpus) count += cpu.count;
  return count;
}

bool ReferenceCount(const Look&, const Datum& object, Datum* value) {
  *value =
      MakeNumber(TypeOf<long>(), CountReferences(*static_cast<const percpu_ref*>(object.host)));
  return true;
}

std::string ShowReferences(const Printer&, const Datum& object, const PrintLevel& level) {
  const auto& ref = *static_cast<const percpu_ref*>(object.host);
  std::vector<std::string> parts = {
      absl::StrCat("count = ", static_cast<long>(CountReferences(ref)))};
  parts.push_back(ref.atomic ? "atomic" : "percpu");
  if (ref.dead) parts.push_back("dead");
  if (ref.confirm_switch != nullptr) parts.push_back("switching to atomic");
  return Braces(parts, level.InALine());
}

std::string ShowBitmap(const Printer&, const Datum& object, const PrintLevel& level) {
  const auto& sb = *static_cast<const sbitmap*>(object.host);
  std::vector<std::string> set;
  unsigned long count = 0;
  sbitmap_for_each_set(&sb, [&](unsigned bit) {
    ++count;
    if (set.size() < 16) set.push_back(absl::StrCat(bit));
    return true;
  });
  if (count > set.size()) set.push_back("...");
  return Braces({absl::StrCat("depth = ", sb.depth), absl::StrCat("weight = ", count),
                 absl::StrCat("set = ", Braces(set, level.InALine()))},
                level.InALine());
}

}  // namespace

template <>
const Type& StructTypeOf<spinlock_t>() {
  using S = spinlock_t;
  static constexpr Field kFields[] = {
      KPATH_FIELD(locked),
      KPATH_FIELD(owner_cpu),
      KPATH_FIELD(owner),
      KPATH_COMPUTED("name", LockName<spinlock_t>),
  };
  static constexpr Type kType = StructType<S>("spinlock_t", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<rwlock_t>() {
  using S = rwlock_t;
  static constexpr Field kFields[] = {
      KPATH_FIELD(readers),
      KPATH_FIELD(writer),
      KPATH_COMPUTED("name", LockName<rwlock_t>),
  };
  static constexpr Type kType = StructType<S>("rwlock_t", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<mutex>() {
  using S = mutex;
  static constexpr Field kFields[] = {
      KPATH_FIELD(owner),
      KPATH_FIELD(wait_lock),
      KPATH_FIELD(wait_list),
      KPATH_COMPUTED("name", LockName<mutex>),
  };
  static constexpr Type kType = StructType<S>("struct mutex", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<mutex_waiter>() {
  using S = mutex_waiter;
  static constexpr Field kFields[] = {
      KPATH_FIELD(task),
      KPATH_FIELD(woken_in_vain),
  };
  static constexpr Type kType = StructType<S>("struct mutex_waiter", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<rw_semaphore>() {
  using S = rw_semaphore;
  static constexpr Field kFields[] = {
      KPATH_FIELD(readers),
      KPATH_FIELD(writer),
      KPATH_FIELD(wait_lock),
      KPATH_FIELD(wait_list),
      KPATH_COMPUTED("name", LockName<rw_semaphore>),
  };
  static constexpr Type kType = StructType<S>("struct rw_semaphore", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<rwsem_waiter>() {
  using S = rwsem_waiter;
  static constexpr Field kFields[] = {
      KPATH_FIELD(task),
      KPATH_FIELD(writer),
  };
  static constexpr Type kType = StructType<S>("struct rwsem_waiter", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<wait_queue_head_t>() {
  using S = wait_queue_head_t;
  static constexpr Field kFields[] = {
      KPATH_FIELD(lock),
      KPATH_FIELD(head),
  };
  static constexpr Type kType = StructType<S>("wait_queue_head_t", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<wait_queue_entry>() {
  using S = wait_queue_entry;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(flags, NamedType<unsigned, kWaitFlagNames>),
      KPATH_FIELD_OF(task, "private", &TypeOf<task_struct*>),
      KPATH_FIELD(func),
      KPATH_FIELD(queue),
  };
  static constexpr Type kType = StructType<S>("struct wait_queue_entry", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<completion>() {
  using S = completion;
  static constexpr Field kFields[] = {
      KPATH_FIELD(done),
      KPATH_FIELD(wait),
  };
  static constexpr Type kType = StructType<S>("struct completion", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<percpu_ref>() {
  using S = percpu_ref;
  static constexpr Field kFields[] = {
      KPATH_COMPUTED("count", ReferenceCount),
      KPATH_FIELD(percpu_count),
      KPATH_FIELD(atomic),
      KPATH_FIELD(dead),
      KPATH_FIELD(force_atomic),
      KPATH_FIELD(release),
      KPATH_FIELD(confirm_switch),
      KPATH_FIELD(rcu),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct percpu_ref", kFields);
    type.show = ShowReferences;
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<percpu_ref_count>() {
  using S = percpu_ref_count;
  static constexpr Field kFields[] = {
      KPATH_FIELD(count),
  };
  static constexpr Type kType = StructType<S>("struct percpu_ref_count", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<rcu_head>() {
  using S = rcu_head;
  static constexpr Field kFields[] = {
      KPATH_FIELD(func),
      KPATH_FIELD(queued),
  };
  static constexpr Type kType = StructType<S>("struct rcu_head", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<timer_list>() {
  using S = timer_list;
  static constexpr Field kFields[] = {
      KPATH_FIELD(expires),
      KPATH_FIELD(function),
      KPATH_FIELD(pending),
      KPATH_FIELD(cpu),
      KPATH_FIELD_AS(flags, HexType<unsigned>),
  };
  static constexpr Type kType = StructType<S>("struct timer_list", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<hrtimer>() {
  using S = hrtimer;
  static constexpr Field kFields[] = {
      KPATH_FIELD(clock_id), KPATH_FIELD(softexpires), KPATH_FIELD(expires),
      KPATH_FIELD(function), KPATH_FIELD(enqueued),    KPATH_FIELD(cpu),
  };
  static constexpr Type kType = StructType<S>("struct hrtimer", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<timespec64>() {
  using S = timespec64;
  static constexpr Field kFields[] = {
      KPATH_FIELD(tv_sec),
      KPATH_FIELD(tv_nsec),
  };
  static constexpr Type kType = StructType<S>("struct timespec64", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<sbitmap>() {
  using S = sbitmap;
  static constexpr Field kFields[] = {
      KPATH_FIELD(depth),
      KPATH_FIELD(shift),
      KPATH_FIELD(map),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct sbitmap", kFields);
    type.show = ShowBitmap;
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<sbq_wait_state>() {
  using S = sbq_wait_state;
  static constexpr Field kFields[] = {
      KPATH_FIELD(wait_cnt),
      KPATH_FIELD(wait),
  };
  static constexpr Type kType = StructType<S>("struct sbq_wait_state", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<sbitmap_queue>() {
  using S = sbitmap_queue;
  static constexpr Field kFields[] = {
      KPATH_FIELD(sb),         KPATH_FIELD(alloc_hint), KPATH_FIELD(wake_batch),
      KPATH_FIELD(wake_index), KPATH_FIELD(ws),
  };
  static constexpr Type kType = StructType<S>("struct sbitmap_queue", kFields);
  return kType;
}

}  // namespace kpath
