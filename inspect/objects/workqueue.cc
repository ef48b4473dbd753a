// SPDX-License-Identifier: Apache-2.0
//
// kernel/workqueue.c: works, the queues that they wait in, the threads that run them.
#include "absl/strings/str_cat.h"
#include "inspect/objects/names.h"
#include "inspect/printer.h"
#include "inspect/types_of.h"
#include "sim/kernel/workqueue_internal.h"

namespace kpath {
namespace {

bool IsPending(const Look&, const Datum& object, Datum* value) {
  *value = MakeNumber(TypeOf<bool>(),
                      static_cast<const work_struct*>(object.host)->data.pending ? 1 : 0);
  return true;
}

bool QueueOf(const Look&, const Datum& object, Datum* value) {
  const work_data& data = static_cast<const work_struct*>(object.host)->data;
  *value = MakePointer(StructTypeOf<pool_workqueue>(), data.pending ? data.pwq : nullptr);
  return true;
}

std::string PoolName(const void* object) {
  return absl::StrCat("pool ", static_cast<const worker_pool*>(object)->id);
}

std::string PwqName(const void* object) {
  const auto* pwq = static_cast<const pool_workqueue*>(object);
  return pwq->wq.alive() && pwq->pool != nullptr
             ? absl::StrCat(pwq->wq.get()->name, " on pool ", pwq->pool->id)
             : "no workqueue";
}

}  // namespace

template <>
const Type& StructTypeOf<work_struct>() {
  using S = work_struct;
  static constexpr Field kFields[] = {
      KPATH_COMPUTED("pending", IsPending),
      KPATH_FIELD(func),
      KPATH_COMPUTED("pwq", QueueOf),
  };
  static constexpr Type kType = StructType<S>("struct work_struct", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<delayed_work>() {
  using S = delayed_work;
  static constexpr Field kFields[] = {
      KPATH_FIELD(work),
      KPATH_FIELD(timer),
      KPATH_FIELD(wq),
      KPATH_FIELD(cpu),
  };
  static constexpr Type kType = StructType<S>("struct delayed_work", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<rcu_work>() {
  using S = rcu_work;
  static constexpr Field kFields[] = {
      KPATH_FIELD(work),
      KPATH_FIELD(rcu),
      KPATH_FIELD(wq),
  };
  static constexpr Type kType = StructType<S>("struct rcu_work", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<worker>() {
  using S = worker;
  static constexpr Field kFields[] = {
      KPATH_FIELD(current_work), KPATH_FIELD(scheduled),   KPATH_FIELD(task),
      KPATH_FIELD(pool),         KPATH_FIELD(last_active), KPATH_FIELD_AS(flags, HexType<unsigned>),
      KPATH_FIELD(id),
  };
  static constexpr Type kType = StructType<S>("struct worker", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<worker_pool>() {
  using S = worker_pool;
  static constexpr Field kFields[] = {
      KPATH_FIELD(lock),
      KPATH_FIELD(cpu),
      KPATH_FIELD(id),
      KPATH_FIELD(nice),
      KPATH_FIELD_AS(flags, HexType<unsigned>),
      KPATH_FIELD(worklist),
      KPATH_FIELD(nr_workers),
      KPATH_FIELD(nr_idle),
      KPATH_FIELD(nr_running),
      KPATH_FIELD(idle_list),
      KPATH_FIELD(busy_hash),
      KPATH_FIELD(workers),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct worker_pool", kFields);
    type.identity = PoolName;
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<pool_workqueue>() {
  using S = pool_workqueue;
  static constexpr Field kFields[] = {
      KPATH_FIELD(pool),       KPATH_FIELD(wq),
      KPATH_FIELD(work_color), KPATH_FIELD(flush_color),
      KPATH_FIELD(refcnt),     KPATH_FIELD(nr_active),
      KPATH_FIELD(max_active), KPATH_FIELD(delayed_works),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct pool_workqueue", kFields);
    type.identity = PwqName;
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<workqueue_struct>() {
  using S = workqueue_struct;
  static constexpr Field kFields[] = {
      KPATH_FIELD(name),
      KPATH_FIELD_AS(flags, NamedType<unsigned, kWorkqueueFlagNames>),
      KPATH_FIELD(cpu_pwqs),
      KPATH_FIELD_OF(lock, "mutex", &TypeOf<struct mutex>),
      KPATH_FIELD(work_color),
      KPATH_FIELD(flush_color),
      KPATH_FIELD(nr_pwqs_to_flush),
      KPATH_FIELD(nr_drainers),
  };
  static constexpr Type kType = StructType<S>("struct workqueue_struct", kFields, true);
  return kType;
}

}  // namespace kpath
