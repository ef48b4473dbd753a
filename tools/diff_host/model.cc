// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/model.h"

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "entry/boot.h"
#include "fs_aio/kioctx.h"
#include "sim/kernel/sched.h"
#include "sim/user/user.h"
#include "tools/diff_host/interpreter.h"

namespace kpath::diff_host {
namespace {

// Ring 3 of the simulated machine.
class ModelExecutor : public Executor {
 public:
  // `reasons`: nullptr, or where to note them.
  ModelExecutor(const Trace* trace, std::vector<std::string>* reasons)
      : trace_(trace), reasons_(reasons) {}

  int64_t Syscall(uint64_t number, const user::SyscallArguments& arguments) override {
    const Position before = current->machine->position();
    const int64_t result = user::SyscallAt(user::kSyscallInstruction, number, arguments);
    if (reasons_ != nullptr) NoteReason(before);
    return result;
  }
  void Read(uint64_t address, void* to, size_t size) override {
    user::ReadMemory(address, to, size);
  }
  void Write(uint64_t address, const void* from, size_t size) override {
    user::WriteMemory(address, from, size);
  }
  void InChild(const std::function<void()>& code) override {
    int status;
    user::waitpid(static_cast<int>(user::fork(code)), &status, 0);
  }
  std::string Directory() const override { return "/tmp"; }

 private:
  void NoteReason(Position before) {
    const Reason& reason = current->reason;
    if (reason.number == 0 || reason.position <= before) return;
    reasons_->resize(trace_->op + 1);
    if (reasons_->back().empty()) reasons_->back() = reason.ToString();
  }

  const Trace* const trace_;
  std::vector<std::string>* const reasons_;
};

}  // namespace

Observation Model::Run(const Program& program, bool reasons) {
  Observation seen;
  trace_->Clear();
  SystemOptions computer;
  computer.cpus = options_.cpus;
  System system(computer);
  {
    EnterMachine enter(system.machine());
    aio->aio_max_nr = options_.aio_max_nr;
  }
  task_struct* task = system.Start("random", [&] {
    ModelExecutor executor(trace_.get(), reasons ? &seen.reasons : nullptr);
    Interpret(program, executor, trace_.get());
  });
  task->cpus_allowed = 1;
  const int pid = task->pid;
  seen.report = system.RunUntilIdle();
  const absl::optional<int> status = system.ExitStatus(pid);
  if (seen.report.empty() && trace_->finished == 1 && status.has_value()) {
    seen.report = system.Run();
  }
  seen.op = trace_->op;
  seen.records.assign(trace_->records, trace_->records + trace_->count);
  if (trace_->failed != 0 && seen.report.empty()) {
    seen.report = absl::StrCat("a step that has to succeed failed: ",
                               std::strerror(static_cast<int>(trace_->failed)));
  }
  if (!seen.report.empty()) {
    seen.outcome = Outcome::kBroken;
  } else if (!status.has_value()) {
    seen.outcome = Outcome::kBlocked;
  } else if (*status != 0) {
    seen.outcome = Outcome::kKilled;
    seen.signal = *status & 0x7f;
  }
  return seen;
}

}  // namespace kpath::diff_host
