// SPDX-License-Identifier: Apache-2.0
//
// ptrace: each request has arguments of its own, and strace prints each in its own way.
//
//   ptrace(PTRACE_GETREGS, 7, {r15=0, …, orig_rax=0x27, rip=0x401000, …}) = 0
//   ptrace(PTRACE_PEEKUSER, 7, 8*ORIG_RAX, [0x27]) = 0
//   ptrace(PTRACE_GETSIGINFO, 7, NULL, {si_signo=SIGTRAP, si_code=SIGTRAP, …}) = 0
//   ptrace(PTRACE_GETREGSET, 7, NT_PRSTATUS, {iov_base={…}, iov_len=216}) = 0
//
// Judged of what a request stores: the number of the system call that the tracee stopped at, and
// -ENOSYS where it stopped at its entry; cs and ss; the signal of a siginfo, and of a stop of
// ptrace's own its si_code; the message of an event. Not known in the model, so not judged, are the
// addresses in a program's registers, and the words in its memory.
#pragma once

#include <cstdint>
#include <string>

#include "absl/types/optional.h"
#include "tools/transcript/replay/frame.h"

namespace kpath {

// What a request's last argument points to.
enum class PtraceData : uint8_t {
  kNumber,   // nothing: it is a number
  kWord,     // PEEKUSER, PEEKTEXT, PEEKDATA
  kRegs,     // GETREGS: struct user_regs_struct
  kRegset,   // GETREGSET: a struct iovec, and what that points to
  kSiginfo,  // GETSIGINFO
  kMessage,  // GETEVENTMSG: unsigned long
};

// False: the request is replayed as recorded. So are those of floating point and debug registers,
// and those that set registers or a siginfo as a whole: the tracee's own are not the recorded ones.
bool IsModelledPtrace(const strace::Call& call);
// REQUIRES, here and below: IsModelledPtrace.
PtraceData DataOf(const strace::Call& call);
// Bytes of what it points to.
uint64_t BytesOf(PtraceData data);
// The argument `addr`: 8*ORIG_RAX …, or a number. Nothing: neither.
absl::optional<uint64_t> PtraceAddress(const strace::Value& value);

// True if a request for a word of the tracee's memory finds memory there. Not so in what the
// transcript does not show: its program, libraries, stack. Such a request is replayed as recorded.
bool TraceeHasMemory(const strace::Call& call);

// Holds what a request that succeeded has stored against what was printed. Returns what differs,
// or nothing. Context: ring 3 of the tracer, while the tracee is stopped.
std::string JudgePtrace(const CallFrame& frame);

}  // namespace kpath
