// SPDX-License-Identifier: Apache-2.0
//
// Faults of machine.h.
#include <algorithm>
#include <csignal>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/mm/mm_types.h"
#include "sim/mm/mmap.h"
#include "sim/process/process.h"
#include "sim/process/signal.h"
#include "testing/machine.h"
#include "testing/machine_impl.h"

namespace kpath::testing {
namespace {

// True if a CPU other than the current one runs a task of this process.
bool OthersRun(kptr<mm_struct> mm) {
  ::kpath::Machine& machine = *current->machine;
  for (int id = 0; id < machine.cpus(); ++id) {
    const auto* running = static_cast<const task_struct*>(machine.cpu(id).running());
    if (id != current->cpu->id() && running != nullptr && running->mm == mm) return true;
  }
  return false;
}

}  // namespace

void Machine::FailAllocation(int n, absl::string_view of) {
  if (n < 1) {
    ADD_FAILURE() << "FailAllocation(" << n << "): the next allocation is number 1";
    return;
  }
  faults().FailAllocation(n, std::string(of));
}

void Machine::DelayDevice(absl::string_view path, int64_t ns) {
  FaultPlan::Device* const device = impl_->plan->device(std::string(path));
  if (device == nullptr || ns < 0) {
    ADD_FAILURE() << "DelayDevice(\"" << path << "\", " << ns
                  << "): the machine's virtio_blk disks are: " << impl_->plan->DeviceNames();
    return;
  }
  device->delay_ns = ns;
}

void Machine::FailDevice(absl::string_view path, int n) {
  FaultPlan::Device* const device = impl_->plan->device(std::string(path));
  if (device == nullptr || n < 1) {
    ADD_FAILURE() << "FailDevice(\"" << path << "\", " << n
                  << "): the machine's virtio_blk disks are: " << impl_->plan->DeviceNames();
    return;
  }
  device->fail_in = n;
}

// ---- A user page ----

void Machine::FaultUserPage(uint64_t address, int pid) {
  const uint64_t page = address & kPageMask;
  if (impl_->IsInside()) {
    EXPECT_EQ(user::munmap(page, kPageSize), 0) << "FaultUserPage(0x" << std::hex << address << ")";
    return;
  }
  if (pid == 0) pid = Where().pid;
  task_struct* const task = impl_->FindProcess(pid);
  if (task == nullptr || !task->mm) {
    ADD_FAILURE() << "FaultUserPage: there is no process " << pid;
    return;
  }
  int error = 0;
  impl_->InKernelOfStop([&] {
    const kptr<mm_struct> mm = task->mm;
    if (OthersRun(mm) || down_write_trylock(&mm->mmap_sem) == 0) {
      error = -EBUSY;
      return;
    }
    error = do_munmap(mm, page, kPageSize, nullptr);
    up_write(&mm->mmap_sem);
  });
  if (error == -EBUSY) {
    ADD_FAILURE() << "FaultUserPage: at " << Where()
                  << " a task holds the mmap_sem of the process, or another CPU runs it";
  } else if (error != 0) {
    ADD_FAILURE() << "FaultUserPage: do_munmap returned " << error;
  }
}

// ---- Signals ----

void Machine::SignalAt(Position position, int sig, int pid) {
  impl_->signals.push_back({position, sig, pid});
  std::stable_sort(impl_->signals.begin(), impl_->signals.end(),
                   [](const auto& a, const auto& b) { return a.position < b.position; });
  if (impl_->IsInside()) {
    impl_->machine().RequestStop();  // GoOn looks at the list again
  } else {
    impl_->SendDueSignals();
  }
}

void Machine::Impl::SendDueSignals() {
  while (!signals.empty() && signals.front().position <= machine().position()) {
    const SignalToSend signal = signals.front();
    signals.erase(signals.begin());
    SendSignal(signal);
  }
}

bool Machine::Impl::SendSignalOfTheIdle() {
  const auto next = std::find_if(signals.begin(), signals.end(), [this](const auto& signal) {
    return FindProcess(signal.pid) != nullptr;
  });
  if (next == signals.end()) return false;
  const SignalToSend signal = *next;
  signals.erase(next);
  SendSignal(signal);
  return true;
}

void Machine::Impl::SendSignal(const SignalToSend& signal) {
  task_struct* const task = FindProcess(signal.pid);
  if (task == nullptr) {
    ADD_FAILURE() << "SignalAt(" << signal.position.ToString() << ", " << signal.sig
                  << "): there is no process" << (signal.pid == 0 ? "" : " ")
                  << (signal.pid == 0 ? "" : std::to_string(signal.pid)) << " any more";
    return;
  }
  int error = 0;
  InKernelOfStop([&] { error = do_send_sig_info(signal.sig, SEND_SIG_PRIV, task, PIDTYPE_TGID); });
  if (error != 0) ADD_FAILURE() << "SignalAt: do_send_sig_info returned " << error;
}

// ---- From outside ----

task_struct* Machine::Impl::FindProcess(int pid) {
  for (task_struct* task : AllTasks(machine())) {
    const bool process = (task->flags & (PF_KTHREAD | PF_EXITING)) == 0 && task->pid == task->tgid;
    if (process && (pid == 0 || task->pid == pid)) return task;
  }
  return nullptr;
}

// The boot context takes the place of the task on its CPU, whose registers are as they were
// afterwards.
void Machine::Impl::InKernelOfStop(const std::function<void()>& work) {
  Context& boot = machine().boot_context();
  Cpu* const before = boot.cpu;
  Cpu& cpu = machine().cpu(stopper.place().cpu);
  const struct Registers registers = cpu.regs;
  boot.cpu = &cpu;
  {
    EnterMachine enter(machine());
    work();
  }
  cpu.regs = registers;
  boot.cpu = before;
}

}  // namespace kpath::testing
