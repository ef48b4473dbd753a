// SPDX-License-Identifier: Apache-2.0
//
// Direct I/O on memory files, with a completion that takes its time.
//
// Departs: tmpfs of v4.19 has no direct I/O, open with O_DIRECT is refused. A file system on a disk
// has it, and where the block layer is not in the way, this stands for both: the data move when the
// request is made, a request of AIO ends in the interrupt of a timer DirectIoDevice::latency_ns
// later. The checks are those of fs/direct-io.c. A file has this, or a directory with all that is
// made in it, once EnableDirectIo has been called.
#pragma once

#include <cstdint>

#include "sim/vfs/fs.h"

namespace kpath {

struct DirectIoDevice {
  int64_t latency_ns = 80'000;  // of each read or write, at least 1; ChoiceKind::kDeviceDelay
  unsigned block_bits = 9;      // offsets, addresses and sizes are multiples of 1 << block_bits
};
extern KernelGlobal<DirectIoDevice> direct_io_device;

// `inode` is a regular file or a directory of a tmpfs. Context: process.
void EnableDirectIo(kptr<inode> inode);
// True if direct I/O on the file is possible.
bool HasDirectIo(kptr<inode> inode);

}  // namespace kpath
