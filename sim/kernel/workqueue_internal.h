// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the workqueue code know of each other.
// v4.19 kernel/workqueue_internal.h, kernel/workqueue.c
//
//   workqueue_struct   what works are queued on
//     pool_workqueue   its part on one CPU: how many works are queued there, and which have to wait
//       worker_pool    works that may run now, of all workqueues, and the workers for them
//         worker       a kernel thread
//
// Locks: worker_pool::lock, with interrupts off, for all of a pool and of its pool_workqueues;
// workqueue_struct::mutex > worker_pool::lock for flushing.
#pragma once

#include <memory>
#include <vector>

#include "sim/kernel/completion.h"
#include "sim/kernel/mutex.h"
#include "sim/kernel/percpu.h"
#include "sim/kernel/spinlock.h"
#include "sim/kernel/workqueue.h"

namespace kpath {

// worker_pool::flags
inline constexpr unsigned POOL_MANAGER_ACTIVE = 1 << 0;  // a worker makes another one

// worker::flags
inline constexpr unsigned WORKER_DIE = 1 << 1;
inline constexpr unsigned WORKER_IDLE = 1 << 2;
inline constexpr unsigned WORKER_PREP = 1 << 3;           // about to run works
inline constexpr unsigned WORKER_CPU_INTENSIVE = 1 << 6;  // its work is left to the scheduler
inline constexpr unsigned WORKER_UNBOUND = 1 << 7;
// Such a worker is not counted in nr_running.
inline constexpr unsigned WORKER_NOT_RUNNING = WORKER_PREP | WORKER_CPU_INTENSIVE | WORKER_UNBOUND;

inline constexpr int NR_STD_WORKER_POOLS = 2;  // normal and high priority
inline constexpr int MAX_IDLE_WORKERS_RATIO = 4;
inline constexpr unsigned long IDLE_WORKER_TIMEOUT = 300 * HZ;
inline constexpr unsigned long CREATE_COOLDOWN = HZ;

struct worker_pool;

using work_list = std::vector<work_struct*>;

// v4.19 kernel/workqueue_internal.h: struct worker
struct worker {
  static constexpr const char* kSlabName = "worker";

  work_struct* current_work = nullptr;  // null: it executes none
  work_func_t current_func = nullptr;
  pool_workqueue* current_pwq = nullptr;
  work_list scheduled;  // for this worker and no other
  task_struct* task = nullptr;
  worker_pool* pool = nullptr;
  unsigned long last_active = 0;  // jiffies
  unsigned flags = WORKER_PREP;
  int id = 0;
};

// v4.19 kernel/workqueue.c: struct worker_pool
struct worker_pool {
  spinlock_t lock{"&(&pool->lock)->rlock"};
  int cpu = -1;  // -1: workers may run anywhere
  int id = 0;
  int nice = 0;  // -20: high priority
  unsigned flags = 0;
  work_list worklist;
  int nr_workers = 0;
  int nr_idle = 0;
  int nr_running = 0;
  std::vector<worker*> idle_list;  // the last one to become idle comes last
  timer_list idle_timer;
  std::vector<worker*> busy_hash;  // those with a current_work
  std::vector<kptr<worker>> workers;
};

// v4.19 kernel/workqueue.c: struct pool_workqueue
struct pool_workqueue {
  static constexpr const char* kSlabName = "pool_workqueue";

  worker_pool* pool = nullptr;
  kptr<workqueue_struct> wq;
  int work_color = 0;    // of works that are queued now
  int flush_color = -1;  // of those that are flushed; -1: none
  int refcnt = 0;        // one of the workqueue's, and one for each work
  int nr_in_flight[WORK_NR_COLORS] = {};
  int nr_active = 0;
  int max_active = 0;
  work_list delayed_works;  // more than max_active
};

// v4.19 kernel/workqueue.c: struct wq_flusher
struct wq_flusher {
  int flush_color = -1;
  completion done;
};

// v4.19 kernel/workqueue.c: struct workqueue_struct
struct workqueue_struct {
  static constexpr const char* kSlabName = "workqueue_struct";

  std::string name;
  unsigned flags = 0;
  // Of one that is bound to CPUs, one each; of an unbound one the first is for all (dfl_pwq).
  percpu_ptr<pool_workqueue> cpu_pwqs;
  mutex lock;  // `mutex` in Linux: for what follows
  int work_color = 0;
  int flush_color = 0;
  int nr_pwqs_to_flush = 0;
  wq_flusher* first_flusher = nullptr;
  std::vector<wq_flusher*> flusher_queue;
  std::vector<wq_flusher*> flusher_overflow;
  int nr_drainers = 0;
  rcu_head rcu;
};

struct workqueue_globals {
  // By id: of each CPU the normal pool and the one of high priority, then the two unbound ones.
  std::vector<std::unique_ptr<worker_pool>> pools;
  wait_queue_head_t cancel_waitq{"cancel_waitq"};
  kptr<workqueue_struct> system_wq;
  kptr<workqueue_struct> system_highpri_wq;
  kptr<workqueue_struct> system_long_wq;
  kptr<workqueue_struct> system_unbound_wq;
};
extern KernelGlobal<workqueue_globals> workqueues;

// ---- workqueue.cc: what is queued ----
pool_workqueue* get_work_pwq(const work_struct* work);
worker_pool* get_work_pool(const work_struct* work);
void get_pwq(pool_workqueue* pwq);
void put_pwq(pool_workqueue* pwq);
// A work of `color` is done, or was taken off.
void pwq_dec_nr_in_flight(pool_workqueue* pwq, int color);
// Adds it to `head` before the position `at`.
void insert_work(pool_workqueue* pwq, work_struct* work, work_list* head, size_t at,
                 work_data flags);
void list_del_init(work_struct* work);
size_t position_of(const work_struct* work);
// Moves `work`, and those that belong to it, to the end of `head`.
void move_linked_works(work_struct* work, work_list* head);
void set_work_pool_and_clear_pending(work_struct* work, int pool_id);
void pwq_activate_delayed_work(work_struct* work);
// REQUIRES: interrupts off, work->data.pending set by the caller.
void __queue_work(int cpu, const kptr<workqueue_struct>& wq, work_struct* work);
// All parts of a workqueue.
std::vector<pool_workqueue*> pwqs_of(const kptr<workqueue_struct>& wq);

// ---- workqueue_worker.cc: who does it ----
worker* find_worker_executing_work(worker_pool* pool, const work_struct* work);
bool __need_more_worker(const worker_pool* pool);
void wake_up_worker(worker_pool* pool);
worker* current_wq_worker();
// Gives a new pool the workers that it has had since the kernel booted.
void start_worker_pool(worker_pool* pool);
void init_worker_hooks();

// ---- workqueue_flush.cc ----
// Takes a pending work. 1: it was queued or waited for its timer; 0: it was idle; either way it is
// pending now, in the caller's hands, and interrupts are off. -EAGAIN: try again; -ENOENT: somebody
// else is cancelling it; interrupts are as before.
int try_to_grab_pending(work_struct* work, bool is_dwork, unsigned long* flags);

}  // namespace kpath
