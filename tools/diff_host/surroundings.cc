// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/surroundings.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/string_view.h"
#include "syscall_table/numbers_64.h"
#include "tools/diff_host/layout.h"

namespace kpath::diff_host {
namespace {

uint64_t Number(int64_t value) { return static_cast<uint64_t>(value); }

// Makes calls that have to succeed; after one that failed nothing more is done.
class Maker {
 public:
  explicit Maker(Executor& executor) : executor_(executor) {}

  int error() const { return error_; }

  // `expected`: the result; -1: any that is no error.
  void Call(int64_t expected, uint64_t number, const user::SyscallArguments& arguments) {
    if (error_ != 0) return;
    const int64_t result = executor_.Syscall(number, arguments);
    if (result < 0) error_ = static_cast<int>(-result);
    if (result >= 0 && expected >= 0 && result != expected) error_ = EBADF;
  }

  void Open(int fd, absl::string_view name, int flags) {
    if (error_ != 0) return;
    const std::string path = executor_.Directory() + std::string(name);
    executor_.Write(kScratch, path.c_str(), path.size() + 1);
    Call(fd, NR_open, {kScratch, Number(flags), 0600});
  }

 private:
  Executor& executor_;
  int error_ = 0;
};

void MapArena(Executor& executor, Maker& make) {
  constexpr int kReadWrite = PROT_READ | PROT_WRITE;
  make.Call(kArena, NR_mmap,
            {kArena, kArenaPages * kPage, kReadWrite,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, Number(-1), 0});
  if (make.error() != 0) return;
  std::array<uint8_t, kPage> pattern;
  for (uint64_t page = 0; page < kBufferPages; ++page) {
    for (size_t i = 0; i < kPage; ++i)
      pattern[i] = static_cast<uint8_t>(page * 37 + i * 7 + i / 256);
    executor.Write(kBuffers + page * kPage, pattern.data(), kPage);
  }
  // At the end of the page that cannot be written: an iocb that could be submitted, and zeros.
  const user::iocb cb = user::PreadIocb(kFile, kBuffers, 64, 0);
  std::fill(pattern.end() - kReadOnlyZeros, pattern.end(), uint8_t{0});
  std::memcpy(pattern.data() + (kReadOnlyIocb - kReadOnly), &cb, sizeof(cb));
  executor.Write(kReadOnly, pattern.data(), kPage);
  make.Call(0, NR_munmap, {kHole, kPage});
  make.Call(0, NR_mprotect, {kReadOnly, kPage, PROT_READ});
  make.Call(0, NR_mprotect, {kNoAccess, kPage, PROT_NONE});
  make.Call(0, NR_munmap, {kSecondHole, kPage});
}

void OpenFiles(Executor& executor, Maker& make) {
  make.Open(kDirectory, "", O_RDONLY | O_DIRECTORY);
  make.Call(1, NR_dup, {kDirectory});
  make.Call(2, NR_dup, {kDirectory});
  make.Open(kFile, "/a", O_RDWR | O_CREAT | O_TRUNC);
  make.Open(kFileReadOnly, "/a", O_RDONLY);
  make.Open(kFileWriteOnly, "/a", O_WRONLY);
  make.Open(kFileAppend, "/a", O_RDWR | O_APPEND);
  make.Open(kFileSync, "/a", O_RDWR | O_SYNC);
  make.Open(kOtherFile, "/b", O_RDWR | O_CREAT | O_TRUNC);
  make.Call(0, NR_pipe2, {kScratch, O_NONBLOCK});
  make.Call(0, NR_pipe2, {kScratch, 0});
  make.Call(kEventfd, NR_eventfd2, {0, O_NONBLOCK});
  make.Call(kEventfd2, NR_eventfd2, {1, O_NONBLOCK});
  make.Open(kPathOnly, "/a", O_PATH);
  // Files of their own: a descriptor made by dup would share its position.
  make.Open(kFileWitness, "/a", O_RDWR);
  make.Open(kOtherFileWitness, "/b", O_RDWR);
  make.Call(kFileSize, NR_pwrite64, {kFile, kBuffers, kFileSize, 0});
  for (const absl::string_view name : {"/a", "/b"}) {
    if (make.error() != 0) return;
    const std::string path = executor.Directory() + std::string(name);
    executor.Write(kScratch, path.c_str(), path.size() + 1);
    make.Call(0, NR_unlink, {kScratch});
  }
}

void NoteMemory(Executor& executor, Trace* trace) {
  constexpr uint64_t kPiece = 256;
  executor.Syscall(NR_mprotect, {kArena, kHole - kArena, PROT_READ | PROT_WRITE});
  std::array<uint8_t, kPage> bytes;
  for (uint64_t page = 0; kArena + page * kPage < kHole; ++page) {
    executor.Read(kArena + page * kPage, bytes.data(), kPage);
    // The first piece holds handles, which every kernel chooses for itself.
    for (uint64_t at = page == 0 ? kPiece : 0; at < kPage; at += kPiece) {
      trace->Add(What::kMemory, static_cast<uint32_t>((page * kPage + at) / kPiece),
                 Digest(absl::MakeSpan(bytes.data() + at, kPiece)));
    }
  }
}

void NoteFile(Executor& executor, int fd, uint32_t index, Trace* trace) {
  constexpr uint32_t kMaxPages = 8;
  std::array<uint8_t, kPage> bytes;
  for (uint32_t page = 0; page < kMaxPages; ++page) {
    const int64_t got = executor.Syscall(NR_pread64, {Number(fd), kScratch, kPage, page * kPage});
    if (got <= 0) return;
    executor.Read(kScratch, bytes.data(), static_cast<size_t>(got));
    trace->Add(What::kFileContent, index * 64 + page,
               Digest(absl::MakeSpan(bytes.data(), static_cast<size_t>(got))));
  }
}

void NoteLeft(Executor& executor, int fd, Trace* trace) {
  std::array<uint8_t, kPage> bytes;
  for (int turn = 0; turn < 20; ++turn) {
    const int64_t got = executor.Syscall(NR_read, {Number(fd), kScratch, kPage});
    trace->Add(What::kLeftToRead, static_cast<uint32_t>(fd), Number(got));
    if (got <= 0 || got > int64_t{kPage}) return;
    executor.Read(kScratch, bytes.data(), static_cast<size_t>(got));
    trace->Add(What::kReadDigest, static_cast<uint32_t>(fd),
               Digest(absl::MakeSpan(bytes.data(), static_cast<size_t>(got))));
  }
}

}  // namespace

int MakeSurroundings(Executor& executor) {
  Maker make(executor);
  MapArena(executor, make);
  if (make.error() == 0) OpenFiles(executor, make);
  return make.error();
}

void NoteFileSizes(Executor& executor, Trace* trace) {
  const int witnesses[] = {kFileWitness, kOtherFileWitness};
  for (uint32_t i = 0; i < 2; ++i) {
    trace->Add(What::kFileSize, i,
               Number(executor.Syscall(NR_lseek, {Number(witnesses[i]), 0, SEEK_END})));
  }
}

void NoteRemains(Executor& executor, Trace* trace) {
  NoteMemory(executor, trace);
  NoteFile(executor, kFileWitness, 0, trace);
  NoteFile(executor, kOtherFileWitness, 1, trace);
  executor.Syscall(NR_fcntl, {kPipe2Read, F_SETFL, O_NONBLOCK});
  // Reading wakes those who poll, and their requests signal eventfds: these come first.
  for (const int fd : {kEventfd, kEventfd2, kPipeRead, kPipe2Read}) NoteLeft(executor, fd, trace);
}

}  // namespace kpath::diff_host
