// SPDX-License-Identifier: Apache-2.0
//
// What the arguments of a system call mean: which are numbers, which point to memory and how much
// of it, and how its result is judged. One row a call (signature.cc).
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace kpath {

enum class ParameterKind : uint8_t {
  kNone,
  kNumber,      // an integer, flags, a symbol
  kFd,          // a descriptor
  kPath,        // a string, NUL terminated
  kAddress,     // an address that the call does not read or write through
  kIn,          // memory that the call reads, `size` bytes
  kOut,         // memory that the call writes, `size` bytes
  kIovIn,       // an array of iovec whose bytes the call reads; `size_argument`: how many
  kIovOut,      // the same, whose bytes it writes
  kFdPairOut,   // int[2], printed as [3, 4]
  kTimespecIn,  // {tv_sec=…, tv_nsec=…} or NULL
  kTimespecOut,
  kContextOut,  // io_setup: aio_context_t, read and written, printed as [0x7f…]
  kIocbs,       // io_submit: an array of pointers to iocbs
  kIocbIn,      // io_cancel: the iocb of a request in flight
  kEvents,      // io_getevents, io_pgetevents: an array of io_event
  kStatusOut,   // wait4: int
  kStatOut,     // struct stat
  // records.h
  kSigactionIn,
  kSigactionOut,
  kSigsetIn,
  kSigsetOut,
  kRlimitIn,
  kRlimitOut,
  kItimerIn,
  kItimerOut,
  kStackIn,
  kStackOut,
  kTimevalIn,
  kItimerspecIn,
  kItimerspecOut,
  kResolutionOut,  // clock_getres
  kEpollEventIn,
  kSiginfoIn,
  // poll_records.h
  kPollfds,         // poll: an array of pollfd, read and written; `size_argument`: how many
  kFdSet,           // select: read and written; argument 0: how many descriptors
  kSigsetArgument,  // pselect6, io_pgetevents: {sigmask=…, sigsetsize=…}
  kEpollEventsOut,  // epoll_wait: an array of epoll_event
  // filters.h
  kFilterIn,  // struct sock_fprog and the program
};

enum class ResultKind : uint8_t {
  kExact,      // the number recorded
  kCount,      // read, write: at most what was asked for; fewer where a real kernel may do so
  kAddress,    // mmap: an address
  kSubmitted,  // io_submit
  kReaped,     // io_getevents, io_pgetevents
  kReady,      // poll, select, epoll_wait: how many are ready
  kTime,       // time: the seconds of the clock
  kNothing,    // exit: does not return
};

struct Parameter {
  ParameterKind kind = ParameterKind::kNone;
  int size_argument = -1;  // kIn, kOut: the argument that holds the size; -1: `size`
  uint32_t size = 0;       // bytes
};

// How the printed arguments stand to the registers.
enum class CallForm : uint8_t {
  kInOrder,
  kPositioned,  // preadv, pwritev: one position is printed for two registers
  kClone,       // clone(child_stack=…, flags=…, …): named, in strace's own order
  kPtrace,      // as the request wants (ptrace_requests.h)
  kClone3,  // clone3({flags=…, …}, size): newer than v4.19, made as the clone that it stands for
};

struct Signature {
  static constexpr int kMaxParameters = 6;

  const char* name;
  Parameter parameters[kMaxParameters];
  ResultKind result = ResultKind::kExact;
  CallForm form = CallForm::kInOrder;
};

// Null: this call is not known here; it is replayed as recorded.
const Signature* FindSignature(absl::string_view name);

}  // namespace kpath
