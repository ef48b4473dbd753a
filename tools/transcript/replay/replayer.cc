// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/replayer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "entry/boot.h"
#include "sim/mm/mmap.h"
#include "sim/process/exec.h"
#include "sim/process/fork.h"
#include "sim/process/signal.h"
#include "sim/trace/graph_listener.h"
#include "sim/user/user.h"
#include "syscall_table/sys_call_table.h"
#include "syscall_table/tables.h"
#include "tools/transcript/replay/aio_ledger.h"
#include "tools/transcript/replay/outcome.h"
#include "tools/transcript/replay/turns.h"
#include "tools/transcript/replay/verdict.h"
#include "tools/transcript/replay/world.h"
#include "tools/transcript/syntax/evaluate.h"
#include "tools/transcript/syntax/print.h"

namespace kpath {
namespace {

// strace's name for a number that it does not know: syscall_0x1388.
constexpr absl::string_view kUnknownCall = "syscall_0x";

// A system call by a number that has no name: six numbers, an errno.
constexpr Signature kUnknownSignature = {"",
                                         {{ParameterKind::kNumber},
                                          {ParameterKind::kNumber},
                                          {ParameterKind::kNumber},
                                          {ParameterKind::kNumber},
                                          {ParameterKind::kNumber},
                                          {ParameterKind::kNumber}}};

// The number behind a call's name; -1 if there is none.
int NumberOfCall(absl::string_view name) {
  if (absl::StartsWith(name, kUnknownCall)) {
    uint64_t number = 0;
    return absl::SimpleHexAtoi(name.substr(kUnknownCall.size()), &number) ? static_cast<int>(number)
                                                                          : -1;
  }
  const SyscallInfo* info = FindSyscall64(name, SyscallAbi::k64);
  return info == nullptr ? -1 : static_cast<int>(info->row.number);
}

// The number that 32-bit programs use, of a call whose arguments have the same layout for them; -1:
// there is none.
int NumberOfCall32(absl::string_view name) {
  for (const SyscallInfo& call : Syscalls32()) {
    if (call.row.name != name) continue;
    return absl::StartsWith(call.row.compat_entry, "__ia32_sys_") ? call.row.number : -1;
  }
  return -1;
}

// How the call is known to the replay; null: as recorded.
const Signature* SignatureOf(absl::string_view name) {
  if (absl::StartsWith(name, kUnknownCall)) return &kUnknownSignature;
  const Signature* signature = FindSignature(name);
  if (signature == nullptr) return nullptr;
  if (signature->form == CallForm::kClone3) name = "clone";
  const SyscallInfo* info = FindSyscall64(name, SyscallAbi::k64);
  return info != nullptr && info->IsModelled() ? signature : nullptr;
}

// Passes probes on, but for those of hidden contexts.
class VisibleProbes : public ProbeListener {
 public:
  VisibleProbes(ProbeListener* listener, const std::set<const Context*>& hidden)
      : listener_(listener), hidden_(hidden) {}
  void OnProbe(const ProbeEvent& event) override {
    const bool idle = current_context->id() == 0;
    if (!idle && hidden_.count(current_context) == 0) listener_->OnProbe(event);
  }

 private:
  ProbeListener* const listener_;
  const std::set<const Context*>& hidden_;
};

class ReplayerImpl final : public Replayer {
 public:
  ReplayerImpl(const strace::Transcript& transcript, Plan plan, const Scenario& scenario,
               const ReplayOptions& options)
      : plan_(std::move(plan)),
        scenario_(scenario),
        options_(options),
        outcomes_(InferIocbOutcomes(plan_)),
        descriptors_(plan_),
        turns_(plan_),
        world_(descriptors_, outcomes_),
        system_(MakeSystemOptions(scenario)),
        graph_(options.calls),
        probes_(options.probes, hidden_) {
    graph_.hidden = [this](const Context& context) { return hidden_.count(&context) != 0; };
    if (options_.calls != nullptr) machine().AddListener(&graph_);
    if (options_.probes != nullptr) machine().AddListener(&probes_);
    report_.calls = transcript.calls.size();
  }

  Machine& machine() override { return system_.machine(); }

  ReplayReport Run() override {
    for (const auto& [pid, process] : plan_.processes) {
      if (process.parent != 0) continue;
      StartOptions start;
      start.pid = pid;
      task_struct* task = system_.Start(
          "replay", [this, pid = pid] { RunProcess(pid); }, start);
      hidden_.insert(task);
    }
    const std::string kernel_report = system_.RunUntilIdle();
    if (!kernel_report.empty()) {
      report_.kernel_report = kernel_report;
    } else {
      ReportStuck();
    }
    report_.assumed_descriptors = world_.assumed_descriptors();
    return std::move(report_);
  }

 private:
  static SystemOptions MakeSystemOptions(const Scenario& scenario) {
    SystemOptions options;
    options.cpus = scenario.cpus;
    options.seed = scenario.seed;
    options.x32 = scenario.x32;
    return options;
  }

  // ---- Programs: ring 3 from here on ----

  void RunProcess(int pid) {
    hidden_.insert(current);
    turns_.Join(pid);
    const PlanProcess& process = plan_.processes.at(pid);
    if (process.parent == 0) {
      world_.OpenStandardStreams();
      MakeFiles();
    }
    for (size_t index : process.steps) {
      turns_.Begin(index);
      if (options_.progress) options_.progress(turns_.begun(), plan_.steps.size());
      RunStep(plan_.steps[index], index);
    }
    turns_.ParkForGood();
  }

  void MakeFiles() {
    if (files_made_) return;
    files_made_ = true;
    for (const ScenarioFile& file : scenario_.files) world_.MakeSized(file.path, file.size);
  }

  void RunStep(const PlanStep& step, size_t index) {
    switch (step.kind) {
      case PlanStep::Kind::kCall:
        RunCall(step, index);
        break;
      case PlanStep::Kind::kExec:
        RunExec();
        turns_.End(index);
        break;
      case PlanStep::Kind::kEnd:
        turns_.End(index);
        force_sig_fault(step.killed_by, 0, 0, current);
        Visible();
        user::getpid();  // the signal acts on the way back
    }
  }

  // The execve itself was not recorded: it happens on the way back from a call that nobody sees.
  void RunExec() {
    linux_binprm bprm;
    bprm.comm = "replay";
    RequestExec(current, bprm);
    user::getpid();
    StagingOf(current->pid).ForgetAll();
    world_.ForgetBreak();
  }

  void RunCall(const PlanStep& step, size_t index) {
    const strace::Call& call = *step.call;
    Announce(call);
    const Signature* signature = SignatureOf(call.name);
    // A call that a signal interrupted waits for what is not in the model: the signal.
    const bool interrupted = absl::StartsWith(call.result.error, "ERESTART");
    const bool other_layout = scenario_.IsI386(call.first_line) && NumberOfCall32(call.name) < 0;
    if (signature == nullptr || interrupted || other_layout || !world_.Prepare(step)) {
      RunAsRecorded(step, signature == nullptr);
    } else {
      Execute(step, *signature, index);
    }
    turns_.End(index);
  }

  void RunAsRecorded(const PlanStep& step, bool dispatch) {
    const strace::Call& call = *step.call;
    ++report_.as_recorded[std::string(call.name)];
    Remark("replayed as recorded");
    const int number = NumberOfCall(call.name);
    if (dispatch && number >= 0) {
      Visible();
      user::Syscall(number);
      Hidden();
    }
    world_.Follow(step);
    const bool execs = call.name == "execve" || call.name == "execveat";
    if (execs && Succeeded(call)) RunExec();
  }

  void Execute(const PlanStep& step, const Signature& signature, size_t index) {
    Staging& staging = StagingOf(step.pid);
    staging.ForgetCall();
    CallFrame frame =
        Marshal(*step.call, signature, NumberOfCall(step.call->name), outcomes_, &staging);
    HonourAddress(frame);
    for (StagedIocb& iocb : frame.iocbs) iocb.certain = world_.IsCertain(iocb.value);
    AllowForEarlyEvents(&frame);
    WaitForWhatIsShown(frame);
    const Bounds bounds = BoundsOf(frame);
    const Position begin = machine().position();
    if (signature.result == ResultKind::kNothing) {
      ++report_.legal;
      turns_.End(index);
    }
    Visible();
    const int64_t result = Enter(step, frame);
    Hidden();
    Judge(frame, result, ReasonSince(begin), bounds);
  }

  Bounds BoundsOf(const CallFrame& frame) {
    Bounds bounds;
    const ResultKind kind = frame.signature->result;
    if (kind == ResultKind::kSubmitted) bounds.sure_to_fit = ledger_.SureToFit(frame.arguments[0]);
    if (kind == ResultKind::kReaped) bounds.sure_to_come = ledger_.BeginRead(frame.arguments[0]);
    if (kind == ResultKind::kCount) {
      bounds.exact_count =
          FileBehind(static_cast<int>(frame.arguments[0])).kind == FileKind::kRegular;
    }
    return bounds;
  }

  // Between two recorded calls time has passed: what the second one found had come by then.
  void WaitForWhatIsShown(const CallFrame& frame) {
    constexpr int kMost = 10'000;
    for (int i = 0; i < kMost && !IsReady(frame); ++i) user::nanosleep(20'000);
  }

  bool IsReady(const CallFrame& frame) {
    const strace::Call& call = *frame.call;
    if (frame.signature->result == ResultKind::kReaped) {
      const uint64_t ctx = frame.arguments[0];
      const std::vector<io_event> shown = EventsShown(call);
      if (shown.empty() || !ledger_.Waits(ctx)) return true;
      const std::vector<io_event> in_ring = EventsInRing(ctx);
      return std::all_of(shown.begin(), shown.end(), [&](const io_event& event) {
        return ledger_.IsComplete(ctx, event, in_ring);
      });
    }
    return !world_.MustWait(call, frame) || !ledger_.Waits();
  }

  // By INT 0x80. The number is that of the 32-bit table.
  int64_t EnterInt80(const PlanStep& step, const CallFrame& frame) {
    user::Arguments32 arguments;
    for (size_t i = 0; i < arguments.size(); ++i) {
      arguments[i] = static_cast<uint32_t>(frame.arguments[i]);
    }
    return user::Int80(static_cast<uint32_t>(NumberOfCall32(step.call->name)), arguments);
  }

  int64_t Enter(const PlanStep& step, const CallFrame& frame) {
    if (scenario_.IsI386(step.call->first_line)) return EnterInt80(step, frame);
    if (step.child == 0) {
      return user::SyscallAt(user::kSyscallInstruction, frame.number, frame.arguments);
    }
    SetNextPid(step.child);
    const int child = step.child;
    return user::SyscallWithChild(frame.number, frame.arguments,
                                  [this, child] { RunProcess(child); });
  }

  // The kernel maps the ring, and what mmap asked for, where the recording says.
  void HonourAddress(const CallFrame& frame) {
    const strace::Call& call = *frame.call;
    if (!call.returned || !call.result.known || !call.result.error.empty()) return;
    if (frame.signature->result == ResultKind::kAddress) {
      SetNextUnmappedArea(current->mm, call.result.value.number);
    } else if (call.name == "io_setup" && call.args[1].kind == strace::ValueKind::kArray &&
               !call.args[1].children.empty()) {
      SetNextUnmappedArea(current->mm, strace::Evaluate(call.args[1].children[0]).value_or(0));
    }
  }

  // Events that the model delivered before the recording shows them are not asked for again.
  void AllowForEarlyEvents(CallFrame* frame) {
    if (frame->signature->result != ResultKind::kReaped) return;
    frame->min_nr = static_cast<int64_t>(frame->arguments[1]);
    frame->nr = static_cast<int64_t>(frame->arguments[2]);
    const int64_t early = ledger_.delivered_early(frame->arguments[0]);
    if (early == 0) return;
    for (int i : {1, 2}) {
      const int64_t asked = static_cast<int64_t>(frame->arguments[i]);
      if (asked > 0)
        frame->arguments[i] = static_cast<uint64_t>(std::max<int64_t>(0, asked - early));
    }
  }

  void Judge(const CallFrame& frame, int64_t result, const std::string& reason,
             const Bounds& bounds) {
    Verdict verdict = JudgeResult(frame, result, reason, bounds);
    const bool failed = result < 0 && result >= -4095;
    if (failed && !verdict.reason.empty()) {
      Remark(absl::StrCat(ErrnoName(-result), ": ", verdict.reason));
    }
    if (!failed) {
      const std::string wrong = JudgeMemory(frame, result, PlaceOf(frame, result), world_.content(),
                                            &ledger_, &StagingOf(current->pid));
      if (!wrong.empty()) {
        verdict.legal = false;
        verdict.reason = wrong;
      }
    }
    if (frame.signature->result == ResultKind::kReaped) ledger_.EndRead(frame.arguments[0]);
    if (verdict.legal) {
      ++report_.legal;
      return;
    }
    AddIllegal(*frame.call, verdict.simulated, verdict.reason);
  }

  // Keeps the account of which bytes are certain, too.
  World::Place PlaceOf(const CallFrame& frame, int64_t result) {
    switch (frame.signature->result) {
      case ResultKind::kCount:
        return world_.Moved(frame, result);
      case ResultKind::kSubmitted:
        world_.NoteIocbs(frame, result);
        return {};
      default:
        world_.NoteOther(frame, result);
        return {};
    }
  }

  void AddIllegal(const strace::Call& call, const std::string& simulated,
                  const std::string& reason) {
    report_.illegal.push_back(
        {call.begin.line, CallText(call), PrintRecorded(call.result), simulated, reason});
  }

  // Why the last error of the running task came about, if it came about since `begin`.
  static std::string ReasonSince(Position begin) {
    return current->reason.position >= begin && current->reason.number != 0 ? current->reason.Text()
                                                                            : "";
  }

  Staging& StagingOf(int pid) {
    return staging_.try_emplace(pid, static_cast<int>(staging_.size())).first->second;
  }

  // ---- The trace ----

  void Visible() { hidden_.erase(current); }
  void Hidden() { hidden_.insert(current); }

  void Announce(const strace::Call& call) { Remark(strace::PrintCall(call)); }

  void Remark(const std::string& text) {
    if (options_.calls != nullptr) {
      options_.calls->Annotate(current->cpu->id(), current->pid, text);
    }
  }

  static std::string CallText(const strace::Call& call) {
    const std::string text = strace::PrintCall(call);
    return text.substr(0, text.rfind(" = "));
  }

  // ---- The end ----

  // The machine has come to rest with steps to go: something waits in the model that did not in the
  // recording.
  void ReportStuck() {
    if (turns_.begun() == plan_.steps.size()) return;
    for (size_t index : turns_.active()) {
      const PlanStep& step = plan_.steps[index];
      if (step.call == nullptr || step.end > plan_.steps[turns_.begun()].begin) continue;
      AddIllegal(*step.call, "has not returned", DescribeWait(step.pid));
    }
  }

  std::string DescribeWait(int pid) {
    const task_struct* task = FindTask(machine(), pid);
    if (task == nullptr) return "its process has ended";
    std::string text = "waits in";
    for (const FunctionProbe* f = task->function; f != nullptr; f = f->caller()) {
      absl::StrAppend(&text, f == task->function ? " " : " < ", f->info().name);
    }
    return text;
  }

  const Plan plan_;
  const Scenario scenario_;
  const ReplayOptions options_;
  const IocbOutcomes outcomes_;
  const Descriptors descriptors_;
  std::set<const Context*> hidden_;
  Turns turns_;
  World world_;
  AioLedger ledger_;
  std::map<int, Staging> staging_;
  bool files_made_ = false;
  ReplayReport report_;
  System system_;
  GraphListener graph_;
  VisibleProbes probes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Replayer>> Replayer::Create(const strace::Transcript& transcript,
                                                           const ReplayOptions& options) {
  absl::StatusOr<Scenario> scenario = ReadScenario(transcript);
  if (!scenario.ok()) return scenario.status();
  absl::StatusOr<Plan> plan = MakePlan(transcript);
  if (!plan.ok()) return plan.status();
  for (const strace::Call& call : transcript.calls) {
    const Signature* signature = SignatureOf(call.name);
    if (signature == nullptr) continue;
    absl::Status status = CheckArguments(transcript.file_name, call, *signature);
    if (!status.ok()) return status;
  }
  return std::make_unique<ReplayerImpl>(transcript, *std::move(plan), *scenario, options);
}

}  // namespace kpath
