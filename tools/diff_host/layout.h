// SPDX-License-Identifier: Apache-2.0
//
// Where everything of a random program lies: memory and descriptors, the same on the host as on the
// model, so that a program is a list of plain numbers. Only the rings are where each kernel puts
// them.
#pragma once

#include <cstdint>

namespace kpath::diff_host {

// ---- Memory ----
// One area of kArenaPages pages; low, where neither a program's text nor a sanitizer's shadow lies.

inline constexpr uint64_t kPage = 4096;
inline constexpr uint64_t kArena = 0x20000000;
inline constexpr uint64_t kArenaPages = 13;

// Page 0: eight context handles, and what a call is given by address.
inline constexpr int kSlots = 8;
inline constexpr uint64_t kHandles = kArena;
inline constexpr uint64_t kTimespec = kArena + 0x100;
inline constexpr uint64_t kSigset = kArena + 0x140;     // struct __aio_sigset
inline constexpr uint64_t kMask = kArena + 0x180;       // sigset_t
inline constexpr uint64_t kCancelled = kArena + 0x1c0;  // io_cancel's result
inline constexpr uint64_t HandleAddress(int slot) { return kHandles + 8 * uint64_t(slot); }

// Page 1: iocbs, and lists of pointers to them.
inline constexpr int kIocbSlots = 32;
inline constexpr uint64_t kIocbs = kArena + 0x1000;
inline constexpr uint64_t kList = kArena + 0x1800;
inline constexpr uint64_t IocbAddress(int slot) { return kIocbs + 64 * uint64_t(slot); }

// Page 2: events. Page 3: iovecs. Pages 4 to 7: data.
inline constexpr uint64_t kEvents = kArena + 0x2000;
inline constexpr uint64_t kVectors = kArena + 0x3000;
inline constexpr uint64_t kBuffers = kArena + 0x4000;
inline constexpr uint64_t kBufferPages = 4;

// Page 8 is not mapped: what begins on page 7 and ends there is only partly readable.
inline constexpr uint64_t kHole = kArena + 0x8000;
inline constexpr uint64_t kReadOnly = kArena + 0x9000;
inline constexpr uint64_t kReadOnlyIocb = kReadOnly + 0x800;
inline constexpr uint64_t kReadOnlyZeros = 64;  // bytes at its end
inline constexpr uint64_t kNoAccess = kArena + 0xa000;
// The interpreter's own.
inline constexpr uint64_t kScratch = kArena + 0xb000;
inline constexpr uint64_t kSecondHole = kArena + 0xc000;

// Where a program moves a ring to, one place a slot.
inline constexpr uint64_t RingPlace(int slot) { return kArena + 0x1000000 * uint64_t(slot + 1); }

// ---- Descriptors ----

enum Descriptor : int {
  kDirectory = 0,  // and 1, 2
  kFile = 3,       // O_RDWR
  kFileReadOnly = 4,
  kFileWriteOnly = 5,
  kFileAppend = 6,
  kFileSync = 7,      // O_SYNC
  kOtherFile = 8,     // O_RDWR, empty
  kPipeRead = 9,      // O_NONBLOCK
  kPipeWrite = 10,    // O_NONBLOCK
  kPipe2Read = 11,    // blocks
  kPipe2Write = 12,   // blocks
  kEventfd = 13,      // O_NONBLOCK, 0
  kEventfd2 = 14,     // O_NONBLOCK, 1
  kPathOnly = 15,     // O_PATH
  kDescriptors = 16,  // how many; the numbers from here on are not open
};
// The interpreter's own, to look at the files when a program has closed its descriptors.
inline constexpr int kFileWitness = 16;
inline constexpr int kOtherFileWitness = 17;
inline constexpr int kNeverOpen = 30;

inline constexpr uint64_t kFileSize = 8292;

}  // namespace kpath::diff_host
