// SPDX-License-Identifier: Apache-2.0
//
// One recorded call, made ready to be executed: registers and memory.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "fs_aio/aio_abi.h"
#include "tools/transcript/replay/plan.h"
#include "tools/transcript/replay/signature.h"
#include "tools/transcript/replay/staging.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath {

// An iocb of an io_submit, where the replay put it.
struct StagedIocb {
  uint64_t address = 0;
  iocb value = {};           // as it was written there
  bool shown = false;        // false: the transcript shows an address only
  uint64_t kept_buffer = 0;  // Staging::Keep, or 0
  bool kept_iocb = false;
};

struct CallFrame {
  const strace::Call* call = nullptr;
  const Signature* signature = nullptr;
  int number = 0;
  std::array<uint64_t, 6> arguments = {};
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

// Addresses that the recording shows later for things whose address it did not show at first:
// io_event::obj for iocbs. By call and index in its array.
using IocbAddresses = std::map<std::pair<const strace::Call*, size_t>, uint64_t>;
IocbAddresses InferIocbAddresses(const Plan& plan);

// Puts the call's arguments into memory and registers. Context: ring 3 of the process.
CallFrame Marshal(const strace::Call& call, const Signature& signature, int number,
                  const IocbAddresses& iocb_addresses, Staging* staging);

}  // namespace kpath
