// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/program.h"

#include <algorithm>
#include <cstring>

#include "tools/diff_host/layout.h"

namespace kpath::diff_host {

const char* NameOf(OpKind kind) {
  static constexpr const char* kNames[kOpKinds] = {
      "io_setup", "io_destroy", "io_submit", "io_getevents", "io_pgetevents", "io_cancel",
      "store",    "consume",    "close",     "read",         "write",         "ftruncate",
      "mprotect", "mprotect",   "munmap",    "mremap"};
  return kNames[static_cast<int>(kind)];
}

bool InArena(uint64_t address, uint64_t size) {
  return address >= kArena && address < kHole && size <= kHole - address;
}

bool CompletesLater(const user::iocb& iocb) {
  switch (iocb.aio_lio_opcode) {
    case user::IOCB_CMD_FSYNC:
    case user::IOCB_CMD_FDSYNC:
    case user::IOCB_CMD_POLL:
      return true;
    default:
      return false;
  }
}

bool HasLateCompletions(const Program& program) {
  return std::any_of(program.ops.begin(), program.ops.end(), [](const Op& op) {
    return std::any_of(op.entries.begin(), op.entries.end(),
                       [](const Entry& entry) { return CompletesLater(entry.iocb); });
  });
}

bool Same(const Program& left, const Program& right) {
  const auto same_entry = [](const Entry& a, const Entry& b) {
    return a.address == b.address && a.store == b.store && a.vectors == b.vectors &&
           std::memcmp(&a.iocb, &b.iocb, sizeof(a.iocb)) == 0;
  };
  const auto same_op = [&](const Op& a, const Op& b) {
    return a.kind == b.kind && a.in_child == b.in_child && a.context == b.context &&
           a.args == b.args &&
           std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                      same_entry);
  };
  return std::equal(left.ops.begin(), left.ops.end(), right.ops.begin(), right.ops.end(), same_op);
}

}  // namespace kpath::diff_host
