// SPDX-License-Identifier: Apache-2.0
//
// What stands behind a process's descriptors in the model, and putting something there.
//
// Context: ring 3 of the process. The caller keeps what is done here out of the trace.
#pragma once

#include <cstdint>
#include <memory>

#include "sim/vfs/recorded_file.h"

namespace kpath {

enum class FileKind : uint8_t {
  kRegular,
  kDirectory,
  kPipe,
  kEventfd,
  kTimerfd,
  kEpoll,
  kOutside,
  kOther
};

struct OpenFile {
  int fd = -1;
  bool open = false;
  FileKind kind = FileKind::kOther;
  uint64_t inode = 0;  // of one file system or another: unique in the machine
  int64_t size = 0;    // bytes
  int64_t position = 0;
  unsigned flags = 0;  // O_*
  uint64_t id = 0;     // of the open file: that of its duplicates, too; unique as long as it lives
};

OpenFile FileBehind(int fd);

// Makes `fd` a file whose data come from `source`, or an eventfd with count 0.
void InstallOutside(int fd, std::shared_ptr<RecordedSource> source);
void InstallEventfd(int fd);
// The file behind `fd` neither blocks nor waits from now on.
void SetNonblocking(int fd);
// The file behind `fd` can be read and written with RWF_NOWAIT.
void EnableNowait(int fd);
// Gives the regular file behind `fd` another size, however it was opened.
void ResizeFile(int fd, int64_t size);
// The count of the eventfd behind `fd`.
uint64_t EventfdCount(int fd);
// What of `events` (POLL*) the file behind `fd` is ready for, with POLLERR, POLLHUP and POLLNVAL.
uint32_t ReadyEvents(int fd, uint32_t events);

}  // namespace kpath
