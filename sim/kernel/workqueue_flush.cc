// SPDX-License-Identifier: Apache-2.0
//
// Waiting for works, and cancelling them. v4.19 kernel/workqueue.c
#include <utility>

#include "sim/kernel/container_of.h"
#include "sim/kernel/report.h"
#include "sim/kernel/workqueue_internal.h"

namespace kpath {
namespace {

// v4.19 kernel/workqueue.c: struct wq_barrier. A work that is put right behind the one that is
// waited for.
struct wq_barrier {
  work_struct work;
  completion done;
};

// v4.19 kernel/workqueue.c: wq_barrier_func
void wq_barrier_func(work_struct* work) {
  FUNCTION(work);
  complete(&container_of(work, &wq_barrier::work)->done);
}

// v4.19 kernel/workqueue.c: insert_wq_barrier. `worker` executes the target; null: it is queued.
// REQUIRES: the pool's lock.
void insert_wq_barrier(pool_workqueue* pwq, wq_barrier* barr, work_struct* target, worker* worker) {
  FUNCTION(target);
  INIT_WORK(&barr->work, wq_barrier_func);
  init_completion(&barr->done);
  work_data flags = {.color = WORK_NO_COLOR};
  if (worker != nullptr) {
    insert_work(pwq, &barr->work, &worker->scheduled, 0, flags);
    return;
  }
  // It belongs to the target now, and what belonged to the target belongs to it.
  flags.linked = std::exchange(target->data.linked, true);
  insert_work(pwq, &barr->work, target->entry, position_of(target) + 1, flags);
}

// v4.19 kernel/workqueue.c: start_flush_work. False: there is nothing to wait for.
bool start_flush_work(work_struct* work, wq_barrier* barr) {
  FUNCTION(work);
  might_sleep();
  local_irq_disable();
  worker_pool* pool = get_work_pool(work);
  if (pool == nullptr) {
    local_irq_enable();
    return fn.Return(false);
  }
  spin_lock(&pool->lock);
  worker* worker = nullptr;
  pool_workqueue* pwq = get_work_pwq(work);
  if (pwq == nullptr) {
    worker = find_worker_executing_work(pool, work);
    pwq = worker == nullptr ? nullptr : worker->current_pwq;
  } else if (pwq->pool != pool) {
    pwq = nullptr;  // it has been queued elsewhere meanwhile: what the caller saw is done
  }
  const bool found = pwq != nullptr;
  if (found) insert_wq_barrier(pwq, barr, work, worker);
  spin_unlock_irq(&pool->lock);
  return fn.Return(found);
}

// v4.19 kernel/workqueue.c: __flush_work
bool __flush_work(work_struct* work) {
  FUNCTION(work);
  wq_barrier barr;
  if (!start_flush_work(work, &barr)) return fn.Return(false);
  wait_for_completion(&barr.done);
  return fn.Return(true);
}

// v4.19 kernel/workqueue.c: work_next_color
int work_next_color(int color) { return (color + 1) % WORK_NR_COLORS; }

// v4.19 kernel/workqueue.c: flush_workqueue_prep_pwqs. From now on `flush_color` is waited for, and
// works are queued with `work_color` (-1: no change). False: no work of that colour is left.
bool flush_workqueue_prep_pwqs(const kptr<workqueue_struct>& wq, int flush_color, int work_color) {
  FUNCTION(flush_color, work_color);
  bool wait = false;
  // One for us, so that it cannot come to an end while we are at it.
  if (flush_color >= 0) wq->nr_pwqs_to_flush = 1;
  for (pool_workqueue* pwq : pwqs_of(wq)) {
    spin_lock_irq(&pwq->pool->lock);
    if (flush_color >= 0 && pwq->nr_in_flight[flush_color] != 0) {
      pwq->flush_color = flush_color;
      ++wq->nr_pwqs_to_flush;
      wait = true;
    }
    if (work_color >= 0) pwq->work_color = work_color;
    spin_unlock_irq(&pwq->pool->lock);
  }
  if (flush_color >= 0 && --wq->nr_pwqs_to_flush == 0) complete(&wq->first_flusher->done);
  return fn.Return(wait);
}

// v4.19 kernel/workqueue.c: part of flush_workqueue: a colour of its own for what is queued now.
// False: there is nothing to wait for. REQUIRES: wq->lock.
bool start_to_flush(const kptr<workqueue_struct>& wq, wq_flusher* flusher) {
  const int next_color = work_next_color(wq->work_color);
  if (next_color == wq->flush_color) {
    STEP("all colours are in use", wq->flush_color);
    wq->flusher_overflow.push_back(flusher);
    return true;
  }
  flusher->flush_color = std::exchange(wq->work_color, next_color);
  if (wq->first_flusher != nullptr) {
    wq->flusher_queue.push_back(flusher);
    flush_workqueue_prep_pwqs(wq, -1, wq->work_color);
    return true;
  }
  wq->first_flusher = flusher;
  if (flush_workqueue_prep_pwqs(wq, wq->flush_color, wq->work_color)) return true;
  wq->flush_color = next_color;
  wq->first_flusher = nullptr;
  return false;
}

// v4.19 kernel/workqueue.c: part of flush_workqueue: a colour has become free for those that found
// none. REQUIRES: wq->lock.
void give_color_to_overflow(const kptr<workqueue_struct>& wq) {
  if (wq->flusher_overflow.empty()) return;
  for (wq_flusher* flusher : wq->flusher_overflow) {
    flusher->flush_color = wq->work_color;
    wq->flusher_queue.push_back(flusher);
  }
  wq->flusher_overflow.clear();
  wq->work_color = work_next_color(wq->work_color);
  flush_workqueue_prep_pwqs(wq, -1, wq->work_color);
}

// v4.19 kernel/workqueue.c: part of flush_workqueue: the first flusher's colour is done; it lets
// those go that share it and makes the next one the first. REQUIRES: wq->lock.
void cascade(const kptr<workqueue_struct>& wq) {
  auto& queue = wq->flusher_queue;
  wq->first_flusher = nullptr;
  while (true) {
    while (!queue.empty() && queue.front()->flush_color == wq->flush_color) {
      complete(&queue.front()->done);
      queue.erase(queue.begin());
    }
    wq->flush_color = work_next_color(wq->flush_color);
    give_color_to_overflow(wq);
    if (queue.empty()) return;
    wq->first_flusher = queue.front();
    queue.erase(queue.begin());
    if (flush_workqueue_prep_pwqs(wq, wq->flush_color, -1)) return;
    // That colour is done already; its flusher has been told.
    wq->first_flusher = nullptr;
  }
}

// v4.19 kernel/workqueue.c: struct cwt_wait
struct cwt_wait {
  wait_queue_entry wait;
  work_struct* work;
};

// v4.19 kernel/workqueue.c: cwt_wakefn
int cwt_wakefn(wait_queue_entry* wait, unsigned mode, int flags, void* key) {
  FUNCTION();
  if (container_of(wait, &cwt_wait::wait)->work != key) return fn.Return(0);
  return fn.Return(autoremove_wake_function(wait, mode, flags, key));
}

// v4.19 kernel/workqueue.c: part of __cancel_work_timer: somebody else is cancelling it. It might
// be the wait for the work's end, so waiting for the work again would not do.
void wait_for_other_canceler(work_struct* work) {
  cwt_wait cwait;
  init_wait_entry(&cwait.wait, 0);
  cwait.wait.func = cwt_wakefn;
  cwait.work = work;
  prepare_to_wait_exclusive(&workqueues->cancel_waitq, &cwait.wait, TASK_UNINTERRUPTIBLE);
  if (work->data.canceling) schedule();
  finish_wait(&workqueues->cancel_waitq, &cwait.wait);
}

// v4.19 kernel/workqueue.c: get_work_pool_id
int get_work_pool_id(const work_struct* work) {
  return work->data.pwq != nullptr ? work->data.pwq->pool->id : work->data.pool_id;
}

// v4.19 kernel/workqueue.c: __cancel_work_timer
bool __cancel_work_timer(work_struct* work, bool is_dwork) {
  FUNCTION(work);
  unsigned long flags = 0;
  int ret;
  do {
    ret = try_to_grab_pending(work, is_dwork, &flags);
    if (ret == -ENOENT) wait_for_other_canceler(work);
  } while (ret < 0);
  // Nobody can queue it now, and it says who is at it.
  work->data = {.pending = true, .canceling = true, .pool_id = get_work_pool_id(work)};
  local_irq_restore(flags);
  __flush_work(work);
  work->data = {};  // clear_work_data
  wait_queue_head_t* waitq = &workqueues->cancel_waitq;
  if (waitqueue_active(waitq)) __wake_up(waitq, TASK_NORMAL, 1, work);
  return fn.Return(ret != 0);
}

// v4.19 kernel/workqueue.c: part of try_to_grab_pending: takes it off the list. False: it is not in
// a list. REQUIRES: interrupts off.
bool grab_queued(work_struct* work, worker_pool* pool) {
  spin_lock(&pool->lock);
  pool_workqueue* pwq = get_work_pwq(work);
  const bool queued = pwq != nullptr && pwq->pool == pool;
  if (queued) {
    // One that waits for its turn may have a barrier behind it, which must not be left there.
    if (work->data.delayed) pwq_activate_delayed_work(work);
    list_del_init(work);
    pwq_dec_nr_in_flight(pwq, work->data.color);
    work->data = {.pending = true, .pool_id = pool->id};  // set_work_pool_and_keep_pending
  }
  spin_unlock(&pool->lock);
  return queued;
}

}  // namespace

// v4.19 kernel/workqueue.c: try_to_grab_pending
int try_to_grab_pending(work_struct* work, bool is_dwork, unsigned long* flags) {
  FUNCTION(work);
  *flags = local_irq_save();
  if (is_dwork && del_timer(&to_delayed_work(work)->timer) != 0) return fn.Return(1);
  if (!work->data.pending) {
    work->data.pending = true;
    return fn.Return(0);
  }
  worker_pool* pool = get_work_pool(work);
  if (pool != nullptr && grab_queued(work, pool)) return fn.Return(1);
  local_irq_restore(*flags);
  if (work->data.canceling) return fn.Return<int>(Error(ENOENT));
  current->machine->Relax();  // its timer's callback, or a grace period's, is about to queue it
  return fn.Return<int>(Error(EAGAIN));
}

bool flush_work(work_struct* work) {
  FUNCTION(work);
  return fn.Return(__flush_work(work));
}

// v4.19 kernel/workqueue.c: flush_delayed_work
bool flush_delayed_work(delayed_work* dwork) {
  FUNCTION(&dwork->work);
  local_irq_disable();
  if (del_timer_sync(&dwork->timer) != 0) __queue_work(dwork->cpu, dwork->wq, &dwork->work);
  local_irq_enable();
  return fn.Return(flush_work(&dwork->work));
}

// v4.19 kernel/workqueue.c: flush_rcu_work
bool flush_rcu_work(rcu_work* rwork) {
  FUNCTION(&rwork->work);
  if (!rwork->work.data.pending) return fn.Return(flush_work(&rwork->work));
  rcu_barrier();
  flush_work(&rwork->work);
  return fn.Return(true);
}

// v4.19 kernel/workqueue.c: flush_workqueue
void flush_workqueue(kptr<workqueue_struct> wq) {
  FUNCTION(wq);
  wq_flusher this_flusher;
  init_completion(&this_flusher.done);
  mutex_lock(&wq->lock);
  const bool wait = start_to_flush(wq, &this_flusher);
  mutex_unlock(&wq->lock);
  if (!wait) return;
  wait_for_completion(&this_flusher.done);
  if (wq->first_flusher != &this_flusher) return;
  mutex_lock(&wq->lock);
  if (wq->first_flusher == &this_flusher) cascade(wq);
  mutex_unlock(&wq->lock);
}

// v4.19 kernel/workqueue.c: drain_workqueue
void drain_workqueue(kptr<workqueue_struct> wq) {
  FUNCTION(wq);
  mutex_lock(&wq->lock);
  if (wq->nr_drainers++ == 0) wq->flags |= __WQ_DRAINING;
  mutex_unlock(&wq->lock);
  bool drained;
  do {
    flush_workqueue(wq);
    mutex_lock(&wq->lock);
    drained = true;
    for (pool_workqueue* pwq : pwqs_of(wq)) {
      spin_lock_irq(&pwq->pool->lock);
      drained = drained && pwq->nr_active == 0 && pwq->delayed_works.empty();
      spin_unlock_irq(&pwq->pool->lock);
    }
    if (drained && --wq->nr_drainers == 0) wq->flags &= ~__WQ_DRAINING;
    mutex_unlock(&wq->lock);
  } while (!drained);
}

// v4.19 kernel/workqueue.c: cancel_work_sync
bool cancel_work_sync(work_struct* work) {
  FUNCTION(work);
  return fn.Return(__cancel_work_timer(work, /*is_dwork=*/false));
}

// v4.19 kernel/workqueue.c: cancel_delayed_work_sync
bool cancel_delayed_work_sync(delayed_work* dwork) {
  FUNCTION(&dwork->work);
  return fn.Return(__cancel_work_timer(&dwork->work, /*is_dwork=*/true));
}

// v4.19 kernel/workqueue.c: cancel_delayed_work, __cancel_work
bool cancel_delayed_work(delayed_work* dwork) {
  FUNCTION(&dwork->work);
  work_struct* work = &dwork->work;
  unsigned long flags = 0;
  int ret;
  do {
    ret = try_to_grab_pending(work, /*is_dwork=*/true, &flags);
  } while (ret == -EAGAIN);
  if (ret < 0) return fn.Return(false);
  set_work_pool_and_clear_pending(work, get_work_pool_id(work));
  local_irq_restore(flags);
  return fn.Return(ret != 0);
}

unsigned work_busy(work_struct* work) {
  FUNCTION(work);
  unsigned ret = work->data.pending ? WORK_BUSY_PENDING : 0;
  worker_pool* pool = get_work_pool(work);
  if (pool != nullptr) {
    unsigned long flags;
    spin_lock_irqsave(&pool->lock, flags);
    if (find_worker_executing_work(pool, work) != nullptr) ret |= WORK_BUSY_RUNNING;
    spin_unlock_irqrestore(&pool->lock, flags);
  }
  return fn.Return(ret);
}

}  // namespace kpath
