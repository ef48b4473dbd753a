// SPDX-License-Identifier: Apache-2.0
//
// A machine for a test: a booted v4.19 kernel that runs the test's programs, can be stopped
// anywhere, looked at, and given faults.
//
//   TEST(Close, StopsInTheFileTable) {
//     Machine machine;
//     machine.Start("closer", [] { user::close(9999); });
//     ASSERT_TRUE(machine.RunToSyscall("close"));
//     EXPECT_EQ(machine.Registers()[Reg::rdi], 9999);
//     ASSERT_TRUE(machine.RunTo("__close_fd"));
//     EXPECT_THAT(machine.BackTrace(), Contains("do_syscall_64"));
//     EXPECT_EQ(machine.Print("current->comm"), "\"closer\"");
//     EXPECT_THAT(machine, LeavesNothingBehind());  // runs the rest
//   }
//
// Programs are C++ lambdas that run in ring 3 (sim/user/user.h): the calls of libaio under their
// names (user::io_submit …), other system calls (user::open, user::Syscall(NR_…, …)), loads and
// stores. EXPECT_… and ASSERT_… of gtest may be used in them. What they capture by reference must
// outlive the machine.
//
// Stopping and looking never change a run: the same machine passes the same positions. Faults do,
// and enter as the real event would: an allocation is answered no, a device takes longer, a page
// is unmapped, a signal is sent.
//
// Context: all of it is called from outside of simulated code, unless it says otherwise. One host
// thread at a time. What a function is asked for and cannot be done fails the test that runs.
//
// Part of testing/kpath.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "entry/boot.h"
#include "gtest/gtest.h"
#include "sim/machine/cpu.h"
#include "sim/machine/position.h"
#include "sim/user/user.h"
#include "testing/trace.h"

namespace kpath::testing {

namespace user = ::kpath::user;
using ::kpath::Grain;
using ::kpath::Position;
using ::kpath::Reg;
using ::kpath::SystemOptions;

class FaultPlan;

// Where a machine stands. A default one: nowhere, it has not been stopped.
struct Place {
  Position position;     // probes passed since the machine was made
  int64_t time_ns = -1;  // of the machine's clock, since it was made; -1: nowhere
  int cpu = 0;
  int pid = 0;           // 0: an idle CPU
  std::string task;      // its name
  std::string function;  // innermost kernel function; empty: none, it is in ring 3 or in assembly
  std::string label;     // of the named step; of an instruction, its symbol and offset; else empty
  bool entered = false;  // it stands where `function` is entered
  bool left = false;     // … is left
  // Where the model of this is: "fs_aio/submit.cc:120". Empty for instructions.
  std::string source;

  // `#2310 where io_submit_one is entered, task aio (pid 100) on CPU 0 (fs_aio/submit.cc:120)`,
  // `#2225 at sys_call_table in do_syscall_64, task …`.
  std::string ToString() const;
};
std::ostream& operator<<(std::ostream& os, const Place& place);

class Machine {
 public:
  // `options` (entry/boot.h): `cpus` 1 … 64; `slice`: how many probes a CPU passes before
  // another has its turn, 64 if not said, 1 for the finest interleaving; `seed`: from the boot's
  // end on, departs from the ordinary course of events, always the same way for one seed;
  // `devices`, `mounts`: disks, and file systems on them.
  explicit Machine(const SystemOptions& options = {});
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // ---- Programs ----

  // Makes a process that runs `program` and ends when that returns, and lets it begin when the
  // machine runs. `comm`: its name, up to 15 bytes. Returns its pid.
  int Start(absl::string_view comm, user::Code program);
  // Runs until nothing is left to happen. The kernel's report on itself, if it makes one, fails the
  // test.
  void Run();
  // Start("test", program) and Run().
  void Run(user::Code program);
  // How a process ended, as wait4 reports it: 0 for exit(0), 256 for exit(1), 11 for SIGSEGV. None:
  // no process of this pid has ended.
  std::optional<int> ExitStatus(int pid) const;

  // ---- Run to here ----
  // True if the place was come to; else a message that tells how the run ended. The machine then
  // stands at a probe (sim/machine/probe.h) of some task; any of these, Run and Finish go on from
  // there.

  // Where a kernel function is entered, a named step is reached, or a symbol of the entry code is
  // come to, next: "io_submit_one", "sys_call_table", "entry_SYSCALL_64". By any task or interrupt.
  ::testing::AssertionResult RunTo(absl::string_view name);
  // The first probe at or behind this position.
  ::testing::AssertionResult RunTo(Position position);
  // The next system call of this name in its table ("io_submit"), by any way in: behind the first
  // instruction of the entry code, where the registers still are as the program gave them.
  ::testing::AssertionResult RunToSyscall(absl::string_view name);
  // The next probe of this grain in the task where the machine stands; where it does not stand yet,
  // of any task. Interrupts that come in the middle are stepped into.
  ::testing::AssertionResult Step(Grain grain = Grain::kStatement);
  // To where the innermost function of the task is left.
  ::testing::AssertionResult StepOut();

  // ---- Inspect ----

  const Place& Where() const;
  // The kernel functions that the task is in, innermost first.
  const std::vector<std::string>& BackTrace() const;
  // Of the CPU where the machine stands; CPU 0 if it does not.
  const ::kpath::Registers& Registers() const;
  Position position() const;
  // The value of an expression over kernel objects, registers and memory, as gdb would print it:
  // "ctx->ring->tail" is "1", "current->comm" is "\"aio\"". Names are the arguments and step values
  // of the function where the machine stands, current, ctx, plug, regs, $rsp … (all of them:
  // inspect/expression.h). `format`: as in gdb's print/F: x, d, u, o, t, c, a, s; 0: as the type
  // asks for. One that has no value there fails the test.
  std::string Print(absl::string_view expression, char format = 0) const;
  // What the debugger's `info` shows (inspect/info/), as text. `what`: "tasks", "cpus", "locks",
  // "registers", "files", "memory", "kioctx", "ring", "plug", "requests", "idt", "syscalls", or
  // "backtrace": frames with the values of their arguments, of the task where the machine stands.
  std::string Info(absl::string_view what) const;

  // ---- Record ----

  // What the whole machine goes through while `code` runs it: all tasks, and the interrupts of idle
  // CPUs. May be called by a program, too.
  Trace Record(const std::function<void()>& code);

  // ---- Faults ----
  // May be called by a program, too, where not said otherwise.

  // The n-th allocation from now on fails, 1: the next. `of`: counts those of this slab cache
  // ("kioctx"), or made by this function ("get_page_from_freelist": pages; "pcpu_alloc"), alone.
  // v4.19 mm/slob.c, mm/page_alloc.c, mm/percpu.c: they return NULL.
  void FailAllocation(int n, absl::string_view of = "");
  // The page that `address` is in is unmapped: who touches it then gets SIGSEGV, a system call that
  // does -EFAULT. `pid`: whose; 0: of the process where the machine stands. By a program it is a
  // munmap(2) of its own; from outside, what that system call of another thread would do, for which
  // no task may hold the mmap_sem and no other CPU run the process. v4.19 mm/mmap.c: do_munmap
  void FaultUserPage(uint64_t address, int pid = 0);
  // From now on each command of this virtio_blk disk takes `ns` nanoseconds longer; 0: no longer.
  void DelayDevice(absl::string_view path, int64_t ns);
  // Its n-th command from now on, 1: the next, ends with an I/O error.
  void FailDevice(absl::string_view path, int n = 1);
  // Sends a signal, as the kernel itself does, when the run comes to this position: at once if it
  // is behind it, and at the latest when nothing else is left to happen. `sig`: SIGUSR1 and so on.
  // `pid`: to which process; 0: the one with the lowest pid that has not ended then. One that is
  // still to be sent at the end fails the test. v4.19 kernel/signal.c: do_send_sig_info
  void SignalAt(Position position, int sig, int pid = 0);

  // ---- The end ----

  // Runs to the end of all processes, shuts the machine down and returns what is wrong then: the
  // kernel's report on itself; else the tasks that wait for ever; else kernel objects, pages and
  // locks that should be gone. Empty: all is well. Nothing may be started after it; called again
  // it returns the same. LeavesNothingBehind() is made of it.
  const std::string& Finish() const;

  // For all else: the simulated computer, and what Boot made of it. sim/machine/machine.h,
  // entry/boot.h.
  ::kpath::System& system();
  // For ForEachFailure.
  FaultPlan& faults();

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

void PrintTo(const Machine& machine, std::ostream* os);

// A test with a machine that must be left clean: TEST_F(MachineTest, …) { machine.Run(…); }. To
// have it made otherwise, derive from it.
class MachineTest : public ::testing::Test {
 protected:
  explicit MachineTest(const SystemOptions& options = {}) : machine(options) {}
  // Expects that the machine LeavesNothingBehind().
  void TearDown() override;

  Machine machine;
};

}  // namespace kpath::testing
