// SPDX-License-Identifier: Apache-2.0
//
// Short ways to write programs, for tests.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "tools/diff_host/layout.h"
#include "tools/diff_host/program.h"

namespace kpath::diff_host {

inline Op SetupOp(uint64_t nr_events = 8, int slot = 0) {
  return {.kind = OpKind::kSetup, .args = {nr_events, HandleAddress(slot)}};
}

// `cbs` at the first places for iocbs.
inline Op SubmitOp(std::vector<user::iocb> cbs, int slot = 0) {
  Op op = {.kind = OpKind::kSubmit, .context = Context(slot), .args = {cbs.size(), kList}};
  for (size_t i = 0; i < cbs.size(); ++i) {
    op.entries.push_back({.address = IocbAddress(static_cast<int>(i)), .iocb = cbs[i]});
  }
  return op;
}

// Does not wait.
inline Op GeteventsOp(uint64_t nr = 8, int slot = 0) {
  return {
      .kind = OpKind::kGetevents, .context = Context(slot), .args = {0, nr, kEvents, kTimespec}};
}

inline user::iocb ReadIocb(int fd = kFile, uint64_t size = 64) {
  return user::PreadIocb(fd, kBuffers, size, 0);
}
inline user::iocb WriteIocb(int fd = kFile, uint64_t size = 64) {
  return user::PwriteIocb(fd, kBuffers, size, 0);
}
inline user::iocb PollIocb(int fd, uint64_t events) {
  return {.aio_lio_opcode = user::IOCB_CMD_POLL,
          .aio_fildes = static_cast<uint32_t>(fd),
          .aio_buf = events};
}

}  // namespace kpath::diff_host
