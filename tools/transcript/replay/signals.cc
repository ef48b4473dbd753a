// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/signals.h"

#include <algorithm>
#include <cstring>

#include "entry/kernel_mode.h"
#include "sim/kernel/container_of.h"
#include "sim/process/signal.h"
#include "tools/transcript/replay/records.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

constexpr ktime_t kALittle = NSEC_PER_MSEC;

int64_t FieldOf(const PlanStep& step, absl::string_view name, int64_t otherwise) {
  if (step.event == nullptr || step.event->siginfo == nullptr) return otherwise;
  const strace::Value* field = strace::FindField(*step.event->siginfo, name);
  if (field == nullptr) return otherwise;
  const absl::StatusOr<uint64_t> number = strace::Evaluate(*field);
  return number.ok() ? static_cast<int64_t>(*number) : otherwise;
}

siginfo_t InfoOf(const PlanStep& step) {
  siginfo_t info = {};
  info.si_signo = step.signal;
  info.si_code = static_cast<int>(FieldOf(step, "si_code", SI_USER));
  info.si_pid = static_cast<pid_t>(FieldOf(step, "si_pid", 0));
  info.si_uid = static_cast<uid_t>(FieldOf(step, "si_uid", 0));
  if (step.signal == SIGCHLD) {
    info.si_status = static_cast<int>(FieldOf(step, "si_status", 0));
  }
  return info;
}

bool Succeeded(const strace::Call& call) {
  return call.returned && call.result.known && call.result.error.empty();
}

// The printed struct behind an argument; null if an address was printed, or nothing.
const strace::Value* Shown(const strace::Call& call, size_t index) {
  const strace::Value* value = PrintedArgument(call, index);
  return value != nullptr && IsPrintedRecord(*value) ? value : nullptr;
}

int NumberOf(const strace::Call& call, size_t index) {
  const strace::Value* value = PrintedArgument(call, index);
  return value == nullptr ? -1 : static_cast<int>(strace::Evaluate(*value).value_or(0));
}

template <typename T>
T Decode(ParameterKind kind, const strace::Value& value) {
  T record;
  const std::string bytes = EncodeRecord(kind, value);
  std::memcpy(static_cast<void*>(&record), bytes.data(), sizeof(record));
  return record;
}

}  // namespace

int Signals::Pid() { return current->tgid; }

void Signals::Watch(Machine& machine) {
  process_hooks.Get(machine).signal_generate =
      [this](const task_struct* task, const siginfo_t& info, signal_generate_result result) {
        if (result != TRACE_SIGNAL_ALREADY_PENDING) ++sent_[{task->tgid, info.si_signo}];
      };
}

bool Signals::IsSent(int pid, int sig) const {
  const auto found = sent_.find({pid, sig});
  return found != sent_.end() && found->second > 0;
}

bool Signals::TakeSent(int sig) {
  if (!IsSent(Pid(), sig)) return false;
  --sent_[{Pid(), sig}];
  return true;
}

bool Signals::TakeEarly(int sig) {
  int& early = early_[{Pid(), sig}];
  if (early == 0) return false;
  --early;
  return true;
}

bool Signals::SendsSignals(int pid) const {
  return std::any_of(plan_.steps.begin(), plan_.steps.end(), [pid](const PlanStep& step) {
    if (step.pid != pid || step.call == nullptr) return false;
    const absl::string_view name = step.call->name;
    return name == "kill" || name == "tkill" || name == "tgkill" || name == "rt_sigqueueinfo" ||
           name == "rt_tgsigqueueinfo";
  });
}

bool Signals::MayCome(const PlanStep& step) const {
  if (IsSent(Pid(), step.signal)) return true;
  const int sender = static_cast<int>(FieldOf(step, "si_pid", 0));
  if (step.signal == SIGALRM && current->signal->real_timer.enqueued) return true;
  if (step.signal == SIGCHLD) return plan_.processes.count(sender) != 0;
  const bool by_user = FieldOf(step, "si_code", SI_USER) <= 0;
  return by_user && SendsSignals(sender);
}

void Signals::Raise(const PlanStep& step) {
  const siginfo_t info = InfoOf(step);
  InKernelMode([&] { do_send_sig_info(step.signal, &info, current, PIDTYPE_TGID); });
}

enum hrtimer_restart Signals::RaiseNow(hrtimer* timer) {
  Later* later = container_of(timer, &Later::timer);
  const int sig = later->info.si_signo;
  if (!later->signals->IsSent(later->task->tgid, sig)) {
    do_send_sig_info(sig, &later->info, later->task, PIDTYPE_TGID);
  }
  return HRTIMER_NORESTART;
}

void Signals::RaiseLater(const PlanStep& step) {
  Later& later = later_[current->pid];
  later.task = current;
  later.info = InfoOf(step);
  later.signals = this;
  InKernelMode([&] {
    hrtimer_init(&later.timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
    later.timer.function = RaiseNow;
    hrtimer_start(&later.timer, kALittle, HRTIMER_MODE_REL);
  });
}

void Signals::CancelLater() {
  const auto later = later_.find(current->pid);
  if (later == later_.end()) return;
  InKernelMode([&] { hrtimer_cancel(&later->second.timer); });
  later_.erase(later);
}

void Signals::Kill(int sig) {
  InKernelMode([&] {
    current->sighand->action[sig - 1].handler = kSigDfl;
    force_sig(sig, current);
  });
}

void Signals::Adopt(const strace::Call& call) {
  if (!Succeeded(call)) return;
  if (call.name == "rt_sigaction") AdoptAction(call);
  if (call.name == "rt_sigprocmask") AdoptMask(call);
  if (call.name == "getrlimit") AdoptLimit(NumberOf(call, 0), Shown(call, 1));
  if (call.name == "prlimit64" && NumberOf(call, 0) == 0) {
    AdoptLimit(NumberOf(call, 1), Shown(call, 3));
  }
}

bool Signals::ShowsExecs(int pid) const {
  return std::any_of(plan_.steps.begin(), plan_.steps.end(), [pid](const PlanStep& step) {
    return step.pid == pid && step.call != nullptr && step.call->name == "execve";
  });
}

void Signals::AdoptAction(const strace::Call& call) {
  const int sig = NumberOf(call, 0);
  if (!valid_signal(sig) || sig == 0) return;
  const bool first = actions_.insert({Pid(), sig}).second;
  const strace::Value* shown = Shown(call, 2);
  if (shown == nullptr) return;
  const auto old = Decode<k_sigaction>(ParameterKind::kSigactionOut, *shown);
  const bool as_after_exec =
      old.handler == kSigDfl && old.sa_flags == 0 && sigisemptyset(&old.sa_mask);
  if (first || (as_after_exec && !ShowsExecs(current->pid))) {
    current->sighand->action[sig - 1] = old;
  }
}

void Signals::AdoptMask(const strace::Call& call) {
  if (!masks_.insert(current->pid).second) return;
  const strace::Value* old = Shown(call, 2);
  if (old == nullptr) return;
  auto set = Decode<sigset_t>(ParameterKind::kSigsetOut, *old);
  InKernelMode([&] { set_current_blocked(&set); });
}

void Signals::AdoptLimit(int resource, const strace::Value* shown) {
  if (resource < 0 || resource >= static_cast<int>(RLIM_NLIMITS)) return;
  if (!limits_.insert({Pid(), resource}).second || shown == nullptr) return;
  current->signal->rlim[resource] = Decode<struct ::rlimit>(ParameterKind::kRlimitOut, *shown);
}

// ---- RLIMIT_FSIZE ----

namespace {

bool SetsLimit(const PlanStep& step) {
  if (step.call == nullptr) return false;
  const strace::Call& call = *step.call;
  const bool sets = call.name == "setrlimit" || (call.name == "prlimit64" && Shown(call, 2));
  return sets && NumberOf(call, call.name == "setrlimit" ? 0 : 1) == RLIMIT_FSIZE;
}

uint64_t OffsetOf(const strace::Call& call, size_t index) {
  const strace::Value* offset = strace::FindField(call.args[2].children[index], "aio_offset");
  return offset == nullptr ? 0 : strace::Evaluate(*offset).value_or(0);
}

}  // namespace

uint64_t InferFileSizeLimit(const Plan& plan, const IocbOutcomes& outcomes) {
  bool shown = false;
  for (const PlanStep& step : plan.steps) {
    if (SetsLimit(step)) return RLIM_INFINITY;
    shown |= step.kind == PlanStep::Kind::kSignal && step.signal == SIGXFSZ;
  }
  uint64_t limit = RLIM_INFINITY;
  if (!shown) return limit;
  for (const auto& [request, outcome] : outcomes) {
    if (outcome.res == -EFBIG) limit = std::min(limit, OffsetOf(*request.first, request.second));
  }
  for (const PlanStep& step : plan.steps) {
    if (step.call == nullptr || step.call->name != "pwrite64" || !FailedWith(*step.call, "EFBIG")) {
      continue;
    }
    limit = std::min(limit, strace::Evaluate(step.call->args[3]).value_or(limit));
  }
  return limit;
}

}  // namespace kpath
