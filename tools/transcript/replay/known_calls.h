// SPDX-License-Identifier: Apache-2.0
//
// Which of a transcript's calls the replay makes on the model, and by which number. The others are
// replayed as recorded.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "tools/transcript/replay/frame.h"
#include "tools/transcript/replay/signature.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath {

// The number behind a call's name, strace's syscall_0x1388 included; -1 if there is none.
int NumberOfCall(absl::string_view name);

// The number that 32-bit programs use, of a call whose arguments have the same layout for them; -1:
// there is none.
int NumberOfCall32(absl::string_view name);

// Makes the call by INT 0x80, with its number in the 32-bit table. Context: ring 3.
int64_t EnterInt80(const CallFrame& frame);

// How the call is made; null: it is not modelled, or the replay does not know its arguments.
const Signature* SignatureOf(const strace::Call& call);

}  // namespace kpath
