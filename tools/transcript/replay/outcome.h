// SPDX-License-Identifier: Apache-2.0
//
// What a call wrote to the process's memory, held against what the transcript shows of it.
#pragma once

#include <string>

#include "tools/transcript/replay/frame.h"
#include "tools/transcript/replay/staging.h"
#include "tools/transcript/replay/verdict.h"

namespace kpath {

// Looks at the memory behind the arguments of a call that returned `result` without an error. Keeps
// the ledger. `content_known`: whether the bytes of a read can be judged. Returns what is not
// legal, or nothing. Context: ring 3 of the process.
std::string JudgeMemory(const CallFrame& frame, int64_t result, bool content_known,
                        AioLedger* ledger, Staging* staging);

}  // namespace kpath
