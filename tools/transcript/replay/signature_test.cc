// SPDX-License-Identifier: Apache-2.0
//
// Every system call that the kernel model has can be replayed.
#include "tools/transcript/replay/signature.h"

#include <map>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "syscall_table/tables.h"

namespace kpath {
namespace {

// Modelled, and yet replayed in another way than by their arguments.
const std::map<std::string, std::string> kWithout = {
    {"getcwd", "its result is the path of the recorded program, which the model's tree has not"},
    {"rt_sigreturn", "its argument is the frame on the stack: a handler's return makes it"},
};

TEST(Signature, OfEveryModelledCall) {
  std::set<std::string> without;
  for (const SyscallInfo& call : Syscalls64()) {
    if (!call.IsModelled() || call.row.abi == SyscallAbi::kX32) continue;
    if (FindSignature(call.row.name) == nullptr) without.insert(call.row.name);
  }
  for (const std::string& name : without) {
    EXPECT_EQ(kWithout.count(name), 1u) << name << " is modelled and has no row in signature.cc";
  }
  for (const auto& [name, reason] : kWithout) {
    EXPECT_EQ(without.count(name), 1u) << name << " has a row now: " << reason;
  }
}

}  // namespace
}  // namespace kpath
