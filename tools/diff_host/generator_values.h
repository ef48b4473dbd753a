// SPDX-License-Identifier: Apache-2.0
//
// Random arguments. Inside tools/diff_host.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/diff_host/program.h"
#include "tools/diff_host/random.h"

namespace kpath::diff_host {

// An address at which there is nothing, or not what is needed there.
uint64_t BadAddress(Decisions& decide);
// Data to read from or write to, mostly; `size` bytes from there are usually, not always, memory.
uint64_t BufferAddress(Decisions& decide, uint64_t size);
uint64_t BufferSize(Decisions& decide);
int64_t FileOffset(Decisions& decide, uint64_t size);

int FileDescriptor(Decisions& decide);    // of a file, mostly
int StreamDescriptor(Decisions& decide);  // of a pipe or an eventfd, mostly

// An iocb without vectors.
user::iocb PlainIocb(Decisions& decide, uint16_t opcode);
// An iocb and, for PREADV and PWRITEV, its vectors, at place `slot` of the iovecs.
Entry RandomEntry(Decisions& decide, int slot);

}  // namespace kpath::diff_host
