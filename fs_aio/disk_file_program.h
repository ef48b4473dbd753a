// SPDX-License-Identifier: Apache-2.0
//
// What the tests of files on a disk share: a program with such a file, and a disk that is watched.
//
//   RunOnFile(O_DIRECT, [](AioProgram& p) {
//     MakeOnDisk(p, 2);
//     EXPECT_EQ(p.Submit({p.Read(4096)}), 1);
//     EXPECT_EQ(WaitForOne(p), 4096);
//     EXPECT_EQ(WatchedDisk::reads, 1);
//   });
#pragma once

#include <sys/mman.h>

#include <memory>

#include "fs_aio/aio_test_program.h"
#include "sim/block/blkdev.h"
#include "sim/mm/vmstat.h"
#include "sim/vfs/block_dev/block_dev.h"
#include "sim/vfs/ext2/ext2.h"
#include "sim/vfs/file.h"

namespace kpath {

inline constexpr int64_t kPage = 4096;
inline constexpr int64_t kLatency = 80'000;

// A disk that fails where it is told to, and counts what it is asked.
class WatchedDisk : public DiskModel {
 public:
  using DiskModel::DiskModel;
  DiskPlan Plan(Machine& machine, const DiskCommand& command) override {
    DiskPlan plan = DiskModel::Plan(machine, command);
    if (command.kind == DiskCommand::Kind::kRead) {
      ++reads;
      if (fail_reads) plan.result = DiskResult::kIoError;
    } else if (command.kind == DiskCommand::Kind::kWrite) {
      ++writes;
      bytes_written += command.bytes;
      if (fail_writes) plan.result = DiskResult::kIoError;
    } else {
      ++flushes;
      return plan;
    }
    if (bad_sector >= command.sector && bad_sector < command.sector + command.bytes / 512) {
      plan.result = DiskResult::kIoError;
    }
    return plan;
  }
  static void Forget() {
    reads = writes = flushes = 0;
    bytes_written = 0;
  }
  static constexpr uint64_t kNone = ~0ull;
  static inline int reads, writes, flushes;
  static inline uint64_t bytes_written;
  static inline bool fail_reads, fail_writes;
  static inline uint64_t bad_sector;  // commands that touch it fail
};

inline SystemOptions WithDisk(uint64_t size = 16 << 20) {
  WatchedDisk::Forget();
  WatchedDisk::fail_reads = WatchedDisk::fail_writes = false;
  WatchedDisk::bad_sector = WatchedDisk::kNone;
  DeviceOptions vda;
  vda.path = "/dev/vda";
  vda.size = size;
  vda.latency_ns = kLatency;
  vda.write_cache = true;
  vda.make_disk = [](const DeviceOptions& options) {
    return std::make_unique<WatchedDisk>(options.size, options.latency_ns);
  };
  SystemOptions options;
  options.devices.push_back(std::move(vda));
  options.mounts.push_back({.device = "/dev/vda", .directory = "/data"});
  return options;
}

inline int Open(int flags, const char* name = "/data/x") {
  const auto fd = static_cast<int>(user::open(name, flags, 0600));
  EXPECT_GE(fd, 0) << AioProgram::Reason();
  return fd;
}

inline uint8_t ByteOf(int64_t i) { return static_cast<uint8_t>(i * 7 + i / 4096); }

inline void Fill(uint64_t buffer, int64_t bytes, int64_t from = 0) {
  for (int64_t i = 0; i < bytes; ++i) {
    user::Store<uint8_t>(buffer + static_cast<uint64_t>(i), ByteOf(from + i));
  }
}
// The first byte that is not that of Fill; -1: none.
inline int64_t FirstWrong(uint64_t buffer, int64_t bytes, int64_t from = 0) {
  for (int64_t i = 0; i < bytes; ++i) {
    if (user::Load<uint8_t>(buffer + static_cast<uint64_t>(i)) != ByteOf(from + i)) return i;
  }
  return -1;
}

inline int64_t Now() { return current->machine->now_ns(); }

// Runs `body` with /data/x open as p.fd, read and write, with `flags`; p.buffer has 256 pages.
inline void RunOnFile(int flags, const std::function<void(AioProgram&)>& body,
                      SystemOptions options = WithDisk()) {
  RunAio(options, [&](AioProgram& p) {
    user::close(p.fd);
    p.fd = Open(O_RDWR | O_CREAT | flags);
    p.buffer = static_cast<uint64_t>(
        user::mmap(0, 256 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    p.Setup(8);
    body(p);
  });
}

// Makes /data/x of `pages` pages on the disk, nothing of it cached.
inline void MakeOnDisk(AioProgram& p, int64_t pages) {
  const int fd = Open(O_RDWR | O_DIRECT);
  Fill(p.buffer, pages * kPage);
  EXPECT_EQ(user::pwrite(fd, p.buffer, static_cast<uint64_t>(pages * kPage), 0), pages * kPage)
      << AioProgram::Reason();
  user::close(fd);
  for (int64_t i = 0; i < pages * kPage; ++i) {
    user::Store<uint8_t>(p.buffer + static_cast<uint64_t>(i), 0);
  }
  WatchedDisk::Forget();
}

// The open file behind p.fd; the descriptor holds it.
inline kptr<file> FileOf(const AioProgram& p) {
  const struct fd f = fdget(static_cast<unsigned>(p.fd));
  fdput(f);
  return f.file;
}
inline kptr<inode> InodeOf(const AioProgram& p) { return file_inode(FileOf(p)); }

inline int64_t WaitForOne(AioProgram& p) {
  EXPECT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), 1);
  return static_cast<int64_t>(p.Event(0).res);
}

}  // namespace kpath
