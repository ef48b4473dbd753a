// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/replayer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "entry/boot.h"
#include "fs_aio/kioctx.h"
#include "sim/process/exec.h"
#include "sim/process/fork.h"
#include "sim/process/sighand.h"
#include "sim/trace/graph_listener.h"
#include "sim/user/user.h"
#include "syscall_table/tables.h"
#include "tools/transcript/replay/aio_ledger.h"
#include "tools/transcript/replay/disks.h"
#include "tools/transcript/replay/honour_address.h"
#include "tools/transcript/replay/infer_cpus.h"
#include "tools/transcript/replay/infer_mounts.h"
#include "tools/transcript/replay/known_calls.h"
#include "tools/transcript/replay/outcome.h"
#include "tools/transcript/replay/progress.h"
#include "tools/transcript/replay/readiness.h"
#include "tools/transcript/replay/signals.h"
#include "tools/transcript/replay/turns.h"
#include "tools/transcript/replay/verdict.h"
#include "tools/transcript/replay/visible_probes.h"
#include "tools/transcript/replay/waits.h"
#include "tools/transcript/replay/world.h"
#include "tools/transcript/syntax/evaluate.h"
#include "tools/transcript/syntax/print.h"

namespace kpath {
namespace {

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
        signals_(plan_),
        progress_(plan_, &turns_, &signals_, MakeProgressHooks()),
        world_(descriptors_, outcomes_),
        readiness_(plan_, &world_),
        system_(MakeSystemOptions(scenario)),
        graph_(options.calls),
        probes_(options.probes, hidden_) {
    graph_.hidden = [this](const Context& context) { return hidden_.count(&context) != 0; };
    if (options_.calls != nullptr) machine().AddListener(&graph_);
    if (options_.probes != nullptr) machine().AddListener(&probes_);
    report_.calls = transcript.calls.size();
    ApplyScenario();
    if (scenario.cpus_shown_by_line != 0) report_.inferred_cpus = scenario.cpus;
    report_.inferred_cpus_line = scenario.cpus_shown_by_line;
  }

  Machine& machine() override { return system_.machine(); }

  void Start() override {
    signals_.Watch(machine());
    FollowDeaths();
    for (const auto& [pid, process] : plan_.processes) {
      if (process.parent != 0) continue;
      StartOptions start;
      start.pid = pid;
      task_struct* task = system_.Start(
          "replay", [this, pid = pid] { RunProcess(pid); }, start);
      hidden_.insert(task);
    }
  }

  ReplayReport Finish() override {
    report_.kernel_report = machine().report();
    if (!report_.kernel_report.empty()) {
      for (size_t index : turns_.active()) {
        const strace::Call* call = plan_.steps[index].call;
        if (call == nullptr) continue;
        report_.kernel_report_during.emplace_back(call->begin.line, CallText(*call));
      }
    } else {
      ReportStuck();
    }
    report_.assumed_descriptors = world_.assumed_descriptors();
    report_.disks = DescribeDisks(machine(), scenario_);
    return std::move(report_);
  }

 private:
  void ApplyScenario() {
    EnterMachine enter(machine());
    if (!scenario_.aio_max_nr.has_value()) return;
    aio->aio_max_nr = *scenario_.aio_max_nr;
    world_.SysctlsAreGiven();
  }

  static SystemOptions MakeSystemOptions(const Scenario& scenario) {
    SystemOptions options;
    options.cpus = scenario.cpus;
    options.slice = scenario.slice;
    options.seed = scenario.seed;
    options.x32 = scenario.x32;
    options.devices = scenario.devices;
    options.mounts = MountsOf(scenario);
    return options;
  }

  Progress::Hooks MakeProgressHooks() {
    Progress::Hooks hooks;
    hooks.run_step = [this](const PlanStep& step, size_t index) {
      if (options_.progress) options_.progress(turns_.begun(), plan_.steps.size());
      RunStep(step, index);
    };
    hooks.hide = [this] {
      const bool visible = hidden_.count(current) == 0;
      Hidden();
      return visible;
    };
    hooks.show = [this] { Visible(); };
    hooks.remark = [this](const std::string& text) { Remark(text); };
    hooks.returned = [this](const strace::Call& call) {
      Announce(call);
      ++report_.legal;
    };
    return hooks;
  }

  // ---- Programs: ring 3 from here on ----

  void RunProcess(int pid) {
    hidden_.insert(current);
    turns_.Join(pid);
    const PlanProcess& process = plan_.processes.at(pid);
    if (process.parent == 0) {
      world_.OpenStandardStreams();
      if (!std::exchange(files_made_, true)) MakeFiles(world_, scenario_);
      current->signal->rlim[RLIMIT_FSIZE].rlim_cur = InferFileSizeLimit(plan_, outcomes_);
    }
    progress_.RunAll();
    turns_.ParkForGood();
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
      case PlanStep::Kind::kSignal:
        progress_.RunSignal(step);
        turns_.End(index);
        break;
      case PlanStep::Kind::kEnd:
        turns_.End(index);
        signals_.Kill(step.signal);
        Visible();
        user::getpid();  // the signal acts on the way back
    }
  }

  // A process that ends before its steps do makes way for the others.
  void FollowDeaths() {
    auto& ended = process_hooks.Get(machine()).process_ended;
    ended = [this, before = std::move(ended)](const task_struct* leader, int exit_code) {
      before(leader, exit_code);
      const bool visible = hidden_.count(current) == 0;
      Hidden();
      turns_.Leave(leader->pid, [this, exit_code](size_t index) {
        const PlanStep& step = plan_.steps[index];
        if (step.call == nullptr) return;
        AddIllegal(*step.call, "not made",
                   absl::StrCat("the process has ended with status ", exit_code));
      });
      if (visible) Visible();
    };
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
    const Signature* signature = SignatureOf(call);
    const PlanStep* signal = progress_.InterruptedBy(step);
    // The signal that it waited for is not in the transcript.
    const bool for_ever = Progress::IsInterrupted(call) && signal == nullptr;
    const bool other_layout = scenario_.IsI386(call.first_line) && NumberOfCall32(call.name) < 0;
    if (signature == nullptr || for_ever || other_layout || !world_.Prepare(step)) {
      RunAsRecorded(step, signature == nullptr && !Progress::IsSigreturn(step));
    } else {
      if (signal != nullptr && !signals_.MayCome(*signal)) signals_.RaiseLater(*signal);
      Execute(step, *signature, index);
      signals_.CancelLater();
    }
    turns_.End(index);
  }

  void RunAsRecorded(const PlanStep& step, bool dispatch) {
    const strace::Call& call = *step.call;
    ++report_.as_recorded[std::string(call.name)];
    Remark("replayed as recorded");
    const int number = NumberOfCall(call.name);
    const SyscallInfo* info = FindSyscall64(call.name, SyscallAbi::k64);
    const bool modelled = info != nullptr && info->IsModelled();
    if (dispatch && !modelled && number >= 0) {
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
    signals_.Adopt(*step.call);
    LoadHandler(frame);
    if (step.call->name == "io_cancel" && !frame.iocbs.empty()) {
      const uint64_t iocb = ledger_.InFlight(frame.arguments[0], frame.iocbs[0]);
      if (iocb != 0) frame.arguments[1] = iocb;
    }
    for (StagedIocb& iocb : frame.iocbs) iocb.certain = world_.IsCertain(iocb.value);
    AllowForEarlyEvents(&frame);
    readiness_.Begins(frame);
    // Between two recorded calls time has passed: what the second one found had come by then.
    WaitUntil([&] { return IsReady(frame); });
    LetProgramRead(frame);
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

  // Programs may read the ring without a system call. No transcript shows that; but where io_submit
  // took more than fits beside the events that nobody has read, somebody has read them.
  void LetProgramRead(const CallFrame& frame) {
    const strace::Call& call = *frame.call;
    if (frame.signature->result != ResultKind::kSubmitted || !Succeeded(call)) return;
    const uint64_t ctx = frame.arguments[0];
    int64_t slots = SlotsOfRing(ctx);
    if (slots == 0) return;
    // CPUs take them in batches; what is left over, nobody gets.
    const int64_t batch = std::max<int64_t>(slots / (scenario_.cpus * 4), 1);
    slots = slots / batch * batch;
    if (ResultOf(call) + ledger_.InFlight(ctx) <= slots) return;
    const std::vector<io_event> unread = EventsInRing(ctx);
    report_.taken_by_program += unread.size();
    TakeEvents(ctx);
    for (uint64_t place : ledger_.Taken(ctx, unread)) StagingOf(current->pid).GiveBack(place);
  }

  bool IsReady(const CallFrame& frame) {
    const strace::Call& call = *frame.call;
    if (frame.signature->result == ResultKind::kReaped) {
      const uint64_t ctx = frame.arguments[0];
      const std::vector<io_event> shown = EventsShown(call);
      if (shown.empty() || !ledger_.Waits(ctx)) return true;
      // It waits for all that is in flight by itself.
      const auto all = static_cast<int64_t>(shown.size());
      const bool timed = frame.arguments[4] != 0;
      if (!timed && frame.min_nr == all && ledger_.InFlight(ctx) == all) return true;
      return ledger_.AreComplete(ctx, shown, EventsInRing(ctx));
    }
    if (frame.signature->result == ResultKind::kReady) {
      return readiness_.MayBegin(frame, ledger_.Waits());
    }
    return !world_.MustWait(call, frame, ledger_.Waits());
  }

  int64_t Enter(const PlanStep& step, const CallFrame& frame) {
    if (Progress::IsInterrupted(*step.call)) {
      // The transcript shows it when it is made again.
      bool again;
      const int64_t result =
          user::SyscallOnceAt(user::kSyscallInstruction, frame.number, frame.arguments, &again);
      return again ? -EINTR : result;
    }
    if (scenario_.IsI386(step.call->first_line)) return EnterInt80(frame);
    if (step.child == 0) {
      return user::SyscallAt(user::kSyscallInstruction, frame.number, frame.arguments);
    }
    SetNextPid(step.child);
    const int child = step.child;
    return user::SyscallWithChild(frame.number, frame.arguments,
                                  [this, child] { RunProcess(child); });
  }

  // The handler that an rt_sigaction sets is where the recording says.
  void LoadHandler(const CallFrame& frame) {
    const strace::Value* action = PrintedArgument(*frame.call, 1);
    if (frame.call->name != "rt_sigaction" || action->kind != strace::ValueKind::kStruct) return;
    const auto ka = user::Load<k_sigaction>(frame.arguments[1]);
    if (ka.handler == kSigDfl || ka.handler == kSigIgn) return;
    user::LoadCodeAt(machine(), ka.handler, [this] { progress_.RunHandler(); });
    user::LoadRestorerAt(machine(), ka.sa_restorer);
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
    if (IsShortSubmit(frame, result) && !reason.empty()) {
      Remark(absl::StrCat(ErrnoName(current->reason.number), ": ", reason));
    }
    if (!failed) {
      std::string wrong = JudgeMemory(frame, result, PlaceOf(frame, result), world_.content(),
                                      &ledger_, &StagingOf(current->pid));
      if (wrong.empty()) wrong = readiness_.Judge(frame, result);
      if (!wrong.empty()) {
        verdict.legal = false;
        verdict.reason = wrong;
      }
    }
    readiness_.Ends(frame);
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

  void Announce(const strace::Call& call) {
    if (options_.begins) options_.begins(current->pid, call);
    if (options_.calls != nullptr) Remark(strace::PrintCall(call));
  }

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
    const size_t told = report_.illegal.size();
    for (size_t index : turns_.active()) {
      const PlanStep& step = plan_.steps[index];
      if (step.call == nullptr || step.end > plan_.steps[turns_.begun()].begin) continue;
      AddIllegal(*step.call, "has not returned",
                 absl::StrCat(DescribeWait(FindTask(machine(), step.pid)), UnseenProcesses(plan_)));
    }
    if (report_.illegal.size() != told) return;
    // Nobody is in a call that ought to have ended, and yet the next one does not come.
    const auto next = std::find_if(plan_.steps.begin() + turns_.begun(), plan_.steps.end(),
                                   [](const PlanStep& step) { return step.call != nullptr; });
    if (next != plan_.steps.end()) {
      AddIllegal(*next->call, "has not begun", DescribeWait(FindTask(machine(), next->pid)));
    }
  }

  const Plan plan_;
  const Scenario scenario_;
  const ReplayOptions options_;
  const IocbOutcomes outcomes_;
  const Descriptors descriptors_;
  std::set<const Context*> hidden_;
  Turns turns_;
  Signals signals_;
  Progress progress_;
  World world_;
  Readiness readiness_;
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
    const Signature* signature = SignatureOf(call);
    if (signature == nullptr) continue;
    absl::Status status = CheckArguments(transcript.file_name, call, *signature);
    if (!status.ok()) return status;
  }
  const absl::optional<InferredCpus> cpus = InferCpus(*plan);
  if (cpus.has_value() && !scenario->cpus_given) {
    scenario->cpus = cpus->cpus;
    scenario->cpus_shown_by_line = cpus->line;
  }
  InferMounts(*plan, &*scenario);
  return std::make_unique<ReplayerImpl>(transcript, *std::move(plan), *scenario, options);
}

}  // namespace kpath
