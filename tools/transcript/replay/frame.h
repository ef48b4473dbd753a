// SPDX-License-Identifier: Apache-2.0
//
// One recorded call, made ready to be executed: registers and memory.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fs_aio/aio_abi.h"
#include "tools/transcript/replay/plan.h"
#include "tools/transcript/replay/signature.h"
#include "tools/transcript/replay/staging.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath {

// One piece of memory that data are moved from or to, and what the transcript shows of it: a string
// with the bytes, or an address.
struct Segment {
  uint64_t address = 0;
  uint64_t bytes = 0;
  const strace::Value* printed = nullptr;
};

// An iocb of an io_submit, where the replay put it.
struct StagedIocb {
  uint64_t address = 0;
  iocb value = {};                // as it was written there
  bool shown = false;             // false: the transcript shows an address only
  bool certain = false;           // complete when io_submit returns: see aio_ledger.h
  std::vector<Segment> segments;  // of a read or write
  std::vector<uint64_t> kept;     // places of Staging::Keep, free when its event has been read
};

struct CallFrame {
  const strace::Call* call = nullptr;
  const Signature* signature = nullptr;
  int number = 0;
  std::array<uint64_t, 6> arguments = {};
  // io_getevents: as the program asked; the arguments may ask for less.
  int64_t min_nr = 0, nr = 0;
  std::vector<Segment> segments;  // of a read or write: its buffers
  std::vector<StagedIocb> iocbs;
};

// The value behind argument `index` as strace printed it; null if it was not printed.
inline const strace::Value* PrintedArgument(const strace::Call& call, size_t index) {
  return index < call.args.size() ? &call.args[index] : nullptr;
}

// True if the call failed with this errno in the recording.
inline bool FailedWith(const strace::Call& call, absl::string_view error) {
  return call.returned && call.result.error == error;
}

// Looks at every argument without a machine: are all names and numbers known? An error is one line,
// "FILE:LINE:COLUMN: …".
absl::Status CheckArguments(absl::string_view file_name, const strace::Call& call,
                            const Signature& signature);

// What the recording shows of an iocb later, in its event.
struct IocbOutcome {
  uint64_t address = 0;  // io_event::obj: where the iocb was
  int64_t res = 0;
};
// By call and index in its array; without those whose event is not shown.
using IocbOutcomes = std::map<std::pair<const strace::Call*, size_t>, IocbOutcome>;
IocbOutcomes InferIocbOutcomes(const Plan& plan);

// Puts the call's arguments into memory and registers. Context: ring 3 of the process.
CallFrame Marshal(const strace::Call& call, const Signature& signature, int number,
                  const IocbOutcomes& iocb_outcomes, Staging* staging);

}  // namespace kpath
