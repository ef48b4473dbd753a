// SPDX-License-Identifier: Apache-2.0
#include "syscall_table/abi_numbers.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "syscall_table/tables.h"

namespace kpath {
namespace {

constexpr int kNone = -1;
constexpr int kX32Bit = 0x40000000;

// v4.19 include/uapi/asm-generic/unistd.h, arch/ia64/kernel/syscalls/syscall.tbl's forerunner
// arch/ia64/include/uapi/asm/unistd.h
struct AioCall {
  const char* name;
  int generic;
  bool has_compat;
  int ia64;
};
constexpr AioCall kAioCalls[] = {
    {"io_setup", 0, true, 1238},     {"io_destroy", 1, false, 1239},
    {"io_getevents", 4, true, 1240}, {"io_submit", 2, true, 1241},
    {"io_cancel", 3, false, 1242},   {"io_pgetevents", 292, true, kNone},
};

struct Cell {
  std::string number = "-";
  std::string entry = "no such call";
};

Cell Of64(const AioCall& call, SyscallAbi abi) {
  const SyscallInfo* info = FindSyscall64(call.name, abi);
  if (info == nullptr) return {};
  const int number = info->row.number;
  if (abi != SyscallAbi::kX32) return {absl::StrCat(number), info->row.entry};
  return {absl::StrFormat("0x%x", number | kX32Bit), info->row.entry};
}

Cell Of32(const AioCall& call) {
  for (const SyscallInfo& info : Syscalls32()) {
    if (info.row.name == call.name) {
      return {absl::StrCat(info.row.number), info.row.compat_entry};
    }
  }
  return {};
}

Cell OfGeneric(const AioCall& call) {
  std::string entry = absl::StrCat("sys_", call.name);
  if (call.has_compat) absl::StrAppend(&entry, ", 32-bit tasks compat_sys_", call.name);
  return {absl::StrCat(call.generic), entry};
}

Cell Of(const AioCall& call, const std::string& abi) {
  if (abi == "x86_64") return Of64(call, SyscallAbi::k64);
  if (abi == "x32") return Of64(call, SyscallAbi::kX32);
  if (abi == "i386") return Of32(call);
  if (abi == "generic") return OfGeneric(call);
  if (call.ia64 == kNone) return {};
  return {absl::StrCat(call.ia64), absl::StrCat("sys_", call.name)};
}

}  // namespace

const std::vector<std::string>& AllAbis() {
  static const auto* const abis =
      new std::vector<std::string>{"x86_64", "x32", "i386", "generic", "ia64"};
  return *abis;
}

absl::StatusOr<std::string> RenderAbis(const std::vector<std::string>& abis,
                                       const std::string& name) {
  for (const std::string& abi : abis) {
    if (std::count(AllAbis().begin(), AllAbis().end(), abi) == 0) {
      return absl::InvalidArgumentError(absl::StrCat("--abi=", abi, ": unknown ABI, expected ",
                                                     absl::StrJoin(AllAbis(), ", "),
                                                     ", or common, 64 or x32 alone"));
    }
  }
  constexpr char kFormat[] = "%-14s %-8s %-11s %s\n";
  std::string out = absl::StrFormat(kFormat, "CALL", "ABI", "NR", "ENTRY POINT");
  bool any = false;
  for (const AioCall& call : kAioCalls) {
    if (!absl::StrContains(call.name, name)) continue;
    std::string shown = call.name;
    for (const std::string& abi : abis) {
      const Cell cell = Of(call, abi);
      out += absl::StrFormat(kFormat, shown, abi, cell.number, cell.entry);
      shown.clear();
      any = true;
    }
  }
  if (!any) return absl::StrCat("no call of native AIO has a name with '", name, "'\n");
  return out;
}

}  // namespace kpath
