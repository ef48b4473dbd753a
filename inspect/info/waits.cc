// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/waits.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fs_aio/kioctx.h"
#include "inspect/info/address.h"
#include "sim/block/blk_mq.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/rwlock.h"
#include "sim/kernel/slab_caches.h"
#include "sim/kernel/spinlock.h"
#include "sim/process/process.h"
#include "sim/vfs/eventfd.h"
#include "sim/vfs/file.h"
#include "sim/vfs/pipe.h"

namespace kpath {
namespace {

absl::string_view InnermostFunction(const task_struct& task) {
  return task.function() == nullptr ? "" : task.function()->info().name;
}

// It is in the function that takes the lock, and has not got it yet.
bool IsSpinning(const task_struct& task, const held_lock& lock) {
  const absl::string_view function = InnermostFunction(task);
  if (absl::StartsWith(function, "_raw_spin_lock")) {
    return container_of(lock.instance, &spinlock_t::dep_map)->owner != &task;
  }
  if (absl::StartsWith(function, "_raw_read_lock") ||
      absl::StartsWith(function, "_raw_write_lock")) {
    const task_struct* writer = container_of(lock.instance, &rwlock_t::dep_map)->writer;
    return writer != nullptr && writer != &task;
  }
  return false;
}

bool IsIn(const wait_queue_head_t& queue, const task_struct& task) {
  return std::any_of(queue.head.begin(), queue.head.end(),
                     [&](const wait_queue_entry* entry) { return entry->task == &task; });
}

// Calls fn(queue) for each wait queue that can be found.
template <typename Fn>
void ForEachWaitQueue(const View& view, Fn fn) {
  Machine& machine = view.machine;
  for (const auto& ctx : LiveObjectsOf<kioctx>(machine)) fn(ctx->wait);
  for (const auto& ctx : LiveObjectsOf<eventfd_ctx>(machine)) fn(ctx->wqh);
  for (const auto& pipe : LiveObjectsOf<pipe_inode_info>(machine)) fn(pipe->wait);
  for (const auto& signal : LiveObjectsOf<signal_struct>(machine)) fn(signal->wait_chldexit);
  for (const auto& files : LiveObjectsOf<files_struct>(machine)) fn(files->resize_wait);
  for (const auto& queue : LiveObjectsOf<request_queue>(machine)) {
    fn(queue->mq_freeze_wq);
    for (const blk_mq_hw_ctx* hctx : queue->queue_hw_ctx) {
      for (const sbq_wait_state& state : hctx->tags->bitmap_tags.ws) fn(state.wait);
    }
  }
}

}  // namespace

const held_lock* AwaitedLock(const task_struct& task) {
  if (task.held_locks.empty()) return nullptr;
  const held_lock& last = task.held_locks.back();
  if (task.blocked_on != nullptr) {
    const bool same = absl::string_view(last.instance->key.name) == task.blocked_on;
    return same ? &last : nullptr;
  }
  return IsSpinning(task, last) ? &last : nullptr;
}

const task_struct* HolderOf(const View& view, const held_lock& lock) {
  for (const task_struct* task : TasksAndIdleTasks(view)) {
    for (const held_lock& held : task->held_locks) {
      if (held.instance == lock.instance && AwaitedLock(*task) != &held) return task;
    }
  }
  return nullptr;
}

std::string SleepingIn(const task_struct& task) {
  for (const FunctionProbe* f = task.function(); f != nullptr; f = f->caller()) {
    const absl::string_view name = f->info().name;
    if (!absl::StartsWith(name, "schedule") && !absl::StartsWith(name, "io_schedule")) {
      return std::string(name);
    }
  }
  return "";
}

std::string WaitQueueOf(const View& view, const task_struct& task) {
  std::string name;
  ForEachWaitQueue(view, [&](const wait_queue_head_t& queue) {
    if (name.empty() && IsIn(queue, task)) name = MakeValue(&queue).ToString();
  });
  return name;
}

std::string WaitText(const View& view, const task_struct& task) {
  if (task.state == TASK_DEAD) return "";
  const std::string in = SleepingIn(task);
  const std::string suffix = in.empty() ? "" : absl::StrCat(", in ", in);
  if (const held_lock* lock = AwaitedLock(task); lock != nullptr) {
    const task_struct* holder = HolderOf(view, *lock);
    return absl::StrCat(lock->instance->key.name,
                        holder == nullptr ? "" : absl::StrCat(", held by ", TaskName(*holder)),
                        suffix);
  }
  if (IsRunning(task)) return "";
  if (task.cpu == nullptr) return "its first wake-up";
  if (task.blocked_on != nullptr) return absl::StrCat(task.blocked_on, suffix);
  if (task.state == TASK_RUNNING) return task.on_rq ? "a CPU" : "";
  const std::string queue = WaitQueueOf(view, task);
  if (!queue.empty()) return absl::StrCat(queue, suffix);
  return in;
}

}  // namespace kpath
