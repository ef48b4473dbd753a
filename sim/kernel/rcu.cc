// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/rcu.h"

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/kernel/completion.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/jiffies.h"
#include "sim/kernel/report.h"
#include "sim/kernel/softirq.h"
#include "sim/kernel/tick.h"

namespace kpath {
namespace {

struct rcu_callback {
  rcu_head* head;
  uint64_t grace_period;  // the one it waits for, counted from 1
};

// v4.19 kernel/rcu/tree.h: struct rcu_data
struct rcu_data {
  std::deque<rcu_callback> cblist;  // oldest first
  bool core_needs_qs = false;       // the current grace period waits for this CPU
  bool eqs = false;                 // v4.19 rcu_dynticks: in an extended quiescent state
  bool idle = false;                // the idle task is about to halt, or has
  int irq_nesting = 0;              // interrupts that are being served
};

// v4.19 kernel/rcu/tree.h: struct rcu_state
struct rcu_state {
  uint64_t started = 0;    // grace periods begun
  uint64_t completed = 0;  // grace periods ended
  std::vector<rcu_data> cpus;
  std::map<rcu_head*, std::unique_ptr<kfree_rcu_head>> kfree_heads;
};

KernelGlobal<rcu_state> rcu_sched_state;

rcu_data& this_cpu_data() { return rcu_sched_state->cpus[static_cast<size_t>(smp_processor_id())]; }

void WantTick(int id) {
  Cpu& cpu = current->machine->cpu(id);
  if (!TickIsSet(cpu, TickReason::kRcu)) SetTick(cpu, TickReason::kRcu, jiffies + 1);
}

bool AnyoneWaits(const rcu_state& rsp) {
  for (const rcu_data& rdp : rsp.cpus) {
    if (!rdp.cblist.empty() && rdp.cblist.back().grace_period > rsp.completed) return true;
  }
  return false;
}

// v4.19 kernel/rcu/tree.c: rcu_gp_init. CPUs that are idle are in a quiescent state already.
void rcu_gp_init(rcu_state& rsp) {
  ++rsp.started;
  for (size_t cpu = 0; cpu < rsp.cpus.size(); ++cpu) {
    rsp.cpus[cpu].core_needs_qs = !rsp.cpus[cpu].eqs;
    if (rsp.cpus[cpu].core_needs_qs) WantTick(static_cast<int>(cpu));
  }
}

// v4.19 kernel/rcu/tree.c: rcu_gp_cleanup. The CPUs with callbacks that are due learn it at their
// tick.
void rcu_gp_cleanup(rcu_state& rsp) {
  rsp.completed = rsp.started;
  for (size_t cpu = 0; cpu < rsp.cpus.size(); ++cpu) {
    if (!rsp.cpus[cpu].cblist.empty()) WantTick(static_cast<int>(cpu));
  }
}

// Goes on to where the next quiescent state is needed.
void Advance() {
  rcu_state& rsp = *rcu_sched_state;
  while (true) {
    if (rsp.started == rsp.completed) {
      if (!AnyoneWaits(rsp)) return;
      rcu_gp_init(rsp);
    }
    for (const rcu_data& rdp : rsp.cpus) {
      if (rdp.core_needs_qs) return;
    }
    rcu_gp_cleanup(rsp);
  }
}

// This CPU is in no read-side section.
void ReportQuiescentState() {
  rcu_data& rdp = this_cpu_data();
  if (!rdp.core_needs_qs) return;
  rdp.core_needs_qs = false;
  Advance();
}

// v4.19 kernel/rcu/tree.c: rcu_sched_qs
void rcu_sched_qs() {
  FUNCTION();
  ReportQuiescentState();
}

// v4.19 kernel/rcu/tree.c: rcu_note_context_switch
void rcu_note_context_switch(Cpu&) {
  FUNCTION();
  rcu_sched_qs();
}

// v4.19 kernel/rcu/tree.c: rcu_dynticks_eqs_enter. From here on the CPU reads nothing.
void rcu_dynticks_eqs_enter() {
  FUNCTION();
  this_cpu_data().eqs = true;
  ReportQuiescentState();
}

// v4.19 kernel/rcu/tree.c: rcu_dynticks_eqs_exit
void rcu_dynticks_eqs_exit() {
  this_cpu_data().eqs = false;
  FUNCTION();
}

// v4.19 kernel/rcu/tree.c: rcu_idle_enter. Interrupts off.
void rcu_idle_enter(Cpu&) {
  FUNCTION();
  this_cpu_data().idle = true;
  rcu_dynticks_eqs_enter();
}

// v4.19 kernel/rcu/tree.c: rcu_idle_exit
void rcu_idle_exit(Cpu&) {
  const unsigned long flags = local_irq_save();
  FUNCTION();
  this_cpu_data().idle = false;
  rcu_dynticks_eqs_exit();
  local_irq_restore(flags);
}

// v4.19 kernel/rcu/tree.c: rcu_irq_enter. An interrupt in the idle loop may read.
void rcu_irq_enter() {
  FUNCTION();
  rcu_data& rdp = this_cpu_data();
  if (rdp.irq_nesting++ == 0 && rdp.idle) rcu_dynticks_eqs_exit();
}

// v4.19 kernel/rcu/tree.c: rcu_irq_exit
void rcu_irq_exit() {
  FUNCTION();
  rcu_data& rdp = this_cpu_data();
  if (--rdp.irq_nesting == 0 && rdp.idle) rcu_dynticks_eqs_enter();
}

// v4.19 kernel/rcu/tree.c: rcu_all_qs. A task offered its CPU. Departs: Linux takes that for a
// quiescent state only when the grace period has gone on for long.
void rcu_all_qs() {
  FUNCTION();
  if (this_cpu_data().core_needs_qs && current->preempt_count == 0) ReportQuiescentState();
}

bool CallbacksDue(const rcu_data& rdp) {
  return !rdp.cblist.empty() && rdp.cblist.front().grace_period <= rcu_sched_state->completed;
}

// v4.19 kernel/rcu/tree.c: rcu_check_callbacks. At each tick; `user`: it came in user mode.
void rcu_check_callbacks(bool user) {
  FUNCTION(user);
  if (user) rcu_sched_qs();  // the idle loop is no case: it has reported before it halted
  rcu_data& rdp = this_cpu_data();
  if (CallbacksDue(rdp)) raise_softirq_irqoff(RCU_SOFTIRQ);
  if (rdp.core_needs_qs || !rdp.cblist.empty()) WantTick(smp_processor_id());
}

void CheckHead(const rcu_head* head) {
  if (head->magic == rcu_head::kMagic) return;
  Report("BUG: KASAN: use-after-free in rcu_do_batch",
         {"An object was freed while its rcu_head was queued"});
}

// v4.19 kernel/rcu/tree.c: rcu_do_batch
void rcu_do_batch(rcu_data& rdp) {
  FUNCTION(rdp.cblist.size());
  while (CallbacksDue(rdp)) {
    rcu_head* head = rdp.cblist.front().head;
    rdp.cblist.pop_front();
    STEP("callback", rdp.cblist.size());
    CheckHead(head);
    head->queued = false;
    const rcu_callback_t func = head->func;
    func(head);  // may free the head, or queue it again
  }
}

// v4.19 kernel/rcu/tree.c: rcu_process_callbacks
void rcu_process_callbacks() {
  FUNCTION();
  rcu_do_batch(this_cpu_data());
}

// v4.19 kernel/rcu/rcu_segcblist.c: rcu_segcblist_enqueue
void rcu_segcblist_enqueue(rcu_head* head) {
  FUNCTION();
  const rcu_state& rsp = *rcu_sched_state;
  // A grace period that goes on already may have begun before the caller took the object out.
  this_cpu_data().cblist.push_back({head, rsp.started + 1});
}

// v4.19 kernel/rcu/tree.c: rcu_dynticks_curr_cpu_in_eqs
bool rcu_dynticks_curr_cpu_in_eqs() {
  FUNCTION();
  return fn.Return(this_cpu_data().eqs);
}

// v4.19 kernel/rcu/tree.c: __call_rcu
void __call_rcu(rcu_head* head, rcu_callback_t func) {
  FUNCTION();
  if (head->queued) Report("BUG: call_rcu() of an rcu_head that is queued already");
  *head = {.func = func, .queued = true};
  const unsigned long flags = local_irq_save();
  rcu_segcblist_enqueue(head);
  rcu_dynticks_curr_cpu_in_eqs();
  WantTick(smp_processor_id());
  Advance();
  local_irq_restore(flags);
}

// v4.19 kernel/rcu/update.c: struct rcu_synchronize
struct rcu_synchronize {
  rcu_head head;
  completion done;
};

// v4.19 kernel/rcu/update.c: wakeme_after_rcu
void wakeme_after_rcu(rcu_head* head) {
  FUNCTION();
  complete(&container_of(head, &rcu_synchronize::head)->done);
}

}  // namespace

void call_rcu_sched(rcu_head* head, rcu_callback_t func) {
  FUNCTION();
  __call_rcu(head, func);
}

void synchronize_sched() {
  FUNCTION();
  if (rcu_read_lock_sched_held()) {
    Report("WARNING: suspicious RCU usage",
           {"Illegal synchronize_sched() in RCU-sched read-side critical section"});
  }
  might_sleep();
  if (current->machine->cpus() == 1) return;  // rcu_blocking_is_gp
  rcu_synchronize rs;
  init_completion(&rs.done);
  call_rcu_sched(&rs.head, wakeme_after_rcu);
  wait_for_completion(&rs.done);
}

// v4.19 kernel/rcu/tree.c: _rcu_barrier. Departs: the callbacks are put at the end of each CPU's
// list at once, without interrupting the CPUs.
void rcu_barrier() {
  FUNCTION();
  might_sleep();
  std::vector<rcu_synchronize> last(rcu_sched_state->cpus.size());
  for (rcu_synchronize& rs : last) init_completion(&rs.done);
  for (size_t cpu = 0; cpu < last.size(); ++cpu) {
    std::deque<rcu_callback>& cblist = rcu_sched_state->cpus[cpu].cblist;
    if (cblist.empty()) {
      last[cpu].done.done = 1;
      continue;
    }
    last[cpu].head = {.func = wakeme_after_rcu, .queued = true};
    // It waits for what the one before it waits for.
    cblist.push_back({&last[cpu].head, cblist.back().grace_period});
  }
  for (rcu_synchronize& rs : last) wait_for_completion(&rs.done);
}

uint64_t rcu_batches_completed() { return rcu_sched_state->completed; }

void QueueKfreeRcu(std::unique_ptr<kfree_rcu_head> head) {
  rcu_head* raw = head.get();
  rcu_sched_state->kfree_heads[raw] = std::move(head);
  call_rcu(raw, [](rcu_head* freed) {
    auto node = rcu_sched_state->kfree_heads.extract(freed);
    node.mapped()->Free();
  });
}

void rcu_init() {
  rcu_sched_state->cpus.resize(static_cast<size_t>(current->machine->cpus()));
  sched_hooks->context_switch = rcu_note_context_switch;
  sched_hooks->idle = rcu_idle_enter;
  sched_hooks->idle_exit = rcu_idle_exit;
  sched_hooks->cond_resched = rcu_all_qs;
  irq_hooks->irq_enter = rcu_irq_enter;
  irq_hooks->irq_exit = rcu_irq_exit;
  tick_hooks->rcu_check_callbacks = rcu_check_callbacks;
  open_softirq(RCU_SOFTIRQ, rcu_process_callbacks);
}

}  // namespace kpath
