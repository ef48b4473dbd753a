// SPDX-License-Identifier: Apache-2.0
//
// A way to get an error out of native AIO, and what comes of it on a simulated machine.
//
//   const Outcome outcome = Provoke(condition);
//   outcome.kernel;     // "-EAGAIN": what the kernel's function returned
//   outcome.libaio;     // "-EAGAIN": what the function of libaio returned
//   outcome.syscall2;   // "-1, errno EAGAIN": what syscall(2) returned
//   outcome.reason;     // "no free slot: …"
//
// Each call of Provoke runs machines of its own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fs_aio/aio_test_program.h"

namespace kpath {

// The call that is to fail.
struct DocCall {
  uint64_t number = 0;
  user::SyscallArguments arguments = {};
  int failing_allocation = -1;  // the one of this rank in the call fails, from 0; -1: none
};

struct Condition {
  std::string call;       // "io_submit"
  std::string condition;  // in words
  // Brings the machine to where the call fails; in ring 3.
  std::function<DocCall(AioProgram& p)> prepare;
};

// What is completed with an error, or with something else that is no success.
struct EventCondition {
  std::string operation;  // "IOCB_CMD_PREAD"
  std::string condition;
  std::function<user::iocb(AioProgram& p)> prepare;
  bool cancel = false;  // by io_cancel, after it was submitted
};

struct Outcome {
  std::string kernel;
  std::string libaio;
  std::string syscall2;
  std::string reason;
};

// All that there are, in the order of the kernel's checks.
std::vector<Condition> SetupConditions();      // io_setup, io_destroy, io_cancel
std::vector<Condition> SubmitConditions();     // io_submit
std::vector<Condition> GeteventsConditions();  // io_getevents, io_pgetevents
std::vector<EventCondition> EventConditions();

Outcome Provoke(const Condition& condition);
// io_event::res, "-EFAULT" or a number.
std::string EventResult(const EventCondition& condition);

}  // namespace kpath
