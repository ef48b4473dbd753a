// SPDX-License-Identifier: Apache-2.0
//
// For tests: a booted machine that a listener has stopped in the middle of something.
//
//   Stopped run(OnCpus(2));
//   run.system.Start("prog", [] { ... });
//   ASSERT_TRUE(run.At("io_submit_one", 3));   // the third time that it is entered
//   EXPECT_EQ(Backtrace(run.view()), "...");
#pragma once

#include <fcntl.h>
#include <sys/mman.h>

#include <string>
#include <utility>
#include <vector>

#include "entry/boot.h"
#include "entry/instruction_step.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/call_stacks.h"
#include "inspect/info/view.h"
#include "sim/user/user.h"

namespace kpath {

class Stopped : public ProbeListener {
 public:
  explicit Stopped(const SystemOptions& options = {}) : system(options) {
    machine().AddListener(&stacks);
    machine().AddListener(this);
  }
  ~Stopped() override {
    machine().RemoveListener(this);
    machine().RemoveListener(&stacks);
  }

  Machine& machine() { return system.machine(); }

  // Runs until `function` is entered for the `times`th time from now on. False: it never is.
  bool At(const std::string& function, int times = 1) {
    function_ = function;
    times_ = times;
    symbol_.clear();
    label_.clear();
    return machine().Run() == Machine::Outcome::kStopped;
  }
  // Runs until the instruction at symbol + offset has been executed.
  bool AtInstruction(const std::string& symbol, uint32_t offset) {
    symbol_ = symbol;
    offset_ = offset;
    function_.clear();
    label_.clear();
    return machine().Run() == Machine::Outcome::kStopped;
  }

  // Runs until the step with this label is passed.
  bool AtStep(const std::string& label) {
    label_ = label;
    symbol_.clear();
    function_.clear();
    return machine().Run() == Machine::Outcome::kStopped;
  }

  // Of the task that was stopped.
  View view(int width = 80) {
    return {.machine = machine(), .context = context, .stacks = &stacks, .width = width};
  }
  View ViewOf(int pid, int width = 80) {
    View of = view(width);
    of.context = FindTask(machine(), pid);
    return of;
  }

  void OnProbe(const ProbeEvent& event) override {
    if (!IsPlace(event)) return;
    context = current_context;
    machine().RequestStop();
  }

  System system;
  CallStacks stacks;
  const Context* context = nullptr;

 private:
  bool IsPlace(const ProbeEvent& event) {
    if (event.kind == ProbeEvent::Kind::kInstruction && !symbol_.empty()) {
      const auto& step = *static_cast<const InstructionStep*>(event.instruction);
      return step.symbol->name == symbol_ && step.offset == offset_;
    }
    if (event.kind == ProbeEvent::Kind::kStep && !label_.empty()) {
      return event.step->label == label_;
    }
    if (event.kind != ProbeEvent::Kind::kFunctionEnter || function_.empty()) return false;
    return event.function->name == function_ && --times_ == 0;
  }

  std::string function_, symbol_, label_;
  uint32_t offset_ = 0;
  int times_ = 0;
};

inline SystemOptions OnCpus(int cpus) {
  SystemOptions options;
  options.cpus = cpus;
  return options;
}

inline SystemOptions WithDisk(int cpus = 1) {
  SystemOptions options = OnCpus(cpus);
  DeviceOptions vda;
  vda.path = "/dev/vda";
  options.devices.push_back(vda);
  return options;
}

// Reads four pages of the disk with one io_submit, three of them neighbours, and waits for them.
inline void ReadFourPages() {
  constexpr int64_t kPageBytes = 4096;
  user::Arena arena(1 << 16);
  const auto ctxp = arena.New<user::io_context_t>();
  const auto fd = static_cast<int>(user::open("/dev/vda", O_RDONLY | O_DIRECT));
  const auto buffer = static_cast<uint64_t>(
      user::mmap(0, 4 * kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  user::io_setup(8, ctxp);
  const auto iocbs = arena.New<user::iocb>(4);
  const auto pointers = arena.New<user::Pointer<user::iocb>>(4);
  const int64_t offsets[] = {0, kPageBytes, 2 * kPageBytes, 10 * kPageBytes};
  for (int64_t i = 0; i < 4; ++i) {
    user::iocb iocb =
        user::PreadIocb(fd, buffer + static_cast<uint64_t>(i * kPageBytes), kPageBytes, offsets[i]);
    iocb.aio_data = static_cast<uint64_t>(0x10 + i);
    (iocbs + i).Store(iocb);
    (pointers + i).Store(iocbs + i);
  }
  user::io_submit(ctxp.Load(), 4, pointers);
  user::io_getevents(ctxp.Load(), 4, 4, arena.New<user::io_event>(4), {});
  user::io_destroy(ctxp.Load());
}

// Makes a context and waits for an event that never comes.
inline void WaitForEver() {
  user::Arena arena;
  const auto ctxp = arena.New<user::io_context_t>();
  user::io_setup(8, ctxp);
  user::io_getevents(ctxp.Load(), 1, 1, arena.New<user::io_event>(), {});
}

}  // namespace kpath
