// SPDX-License-Identifier: Apache-2.0
//
// A random program: a list of operations with plain numbers for arguments, which the interpreter
// carries out on the host and on the model.
//
//   Program program;
//   program.ops.push_back({.kind = OpKind::kSetup, .args = {8, HandleAddress(0)}});
//   program.ops.push_back({.kind = OpKind::kDestroy, .context = Context(0)});
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/user/libaio.h"

namespace kpath::diff_host {

enum class OpKind : uint8_t {
  kSetup,        // nr_events, ctxp
  kDestroy,      // context
  kSubmit,       // context; nr, where the list is; entries
  kGetevents,    // context; min_nr, nr, events, timeout, tv_sec, tv_nsec
  kPgetevents,   // the same; struct __aio_sigset, mask, size of the mask
  kCancel,       // context; iocb, result
  kStore,        // context (of its ring; none: the address is absolute); value of 32 bits
  kConsume,      // context; how many events user mode takes from the ring as libaio does
  kClose,        // fd
  kRead,         // fd, buffer, size
  kWrite,        // fd, buffer, size
  kTruncate,     // fd, size
  kProtect,      // page of the arena, PROT_*
  kProtectRing,  // context; PROT_*
  kUnmapRing,    // context; the page to begin with, pages
  kMoveRing,     // context; slot of the place, flags of mremap, bytes more than it has
};
inline constexpr int kOpKinds = 16;

// "io_submit"; what has no system call of its own is described: "*ring".
const char* NameOf(OpKind kind);

// A value of aio_context_t: what a slot holds, plus an offset.
struct Handle {
  int slot = -1;  // -1: `offset` is the value
  uint64_t offset = 0;

  friend bool operator==(const Handle&, const Handle&) = default;
};
inline constexpr Handle Context(int slot, uint64_t offset = 0) { return {slot, offset}; }

struct Vector {
  uint64_t base = 0;
  uint64_t size = 0;

  friend bool operator==(const Vector&, const Vector&) = default;
};

// One of the pointers that io_submit is given.
struct Entry {
  uint64_t address = 0;              // of the iocb
  bool store = true;                 // false: what is there already is submitted
  user::iocb iocb = {};              // stored at `address`, as far as there is memory
  std::vector<Vector> vectors = {};  // stored at iocb.aio_buf
};

struct Op {
  OpKind kind = OpKind::kDestroy;
  // A forked child does it, which has the rings mapped but no contexts, and ends.
  bool in_child = false;
  Handle context = {};
  std::array<uint64_t, 9> args = {};
  std::vector<Entry> entries = {};
};

struct Program {
  std::vector<Op> ops;
};

// True for memory that a program can always read and write (pages 0 to 7, and not across the hole).
bool InArena(uint64_t address, uint64_t size);

// True if an iocb of this kind completes in another context than io_submit's: a worker, a waker.
bool CompletesLater(const user::iocb& iocb);
// True if one of the program's requests does.
bool HasLateCompletions(const Program& program);

// A difference in iocb's fields is one in the text, too.
bool Same(const Program& left, const Program& right);

}  // namespace kpath::diff_host
