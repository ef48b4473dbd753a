// SPDX-License-Identifier: Apache-2.0

#include "syscall_table/tables.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "syscall_table/tbl_parser.h"

namespace kpath {

// Defined by sources that tbl_gen writes.
extern const char kSyscall64TblText[];
extern const char kSyscall32TblText[];
extern const char kFidelityTblText[];

namespace {

// The build has parsed these very tables, so an error here is a bug of kpath.
template <typename T>
T ValueOrDie(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::cerr << "kpath was built from a bad table: " << value.status().message() << "\n";
  std::abort();
}

std::vector<SyscallInfo> Describe() {
  const auto table = ValueOrDie(ParseTbl("syscall_64.tbl", Syscall64TblText()));
  const auto fidelity = ValueOrDie(ParseFidelity("fidelity.tbl", FidelityTblText()));
  return ValueOrDie(DescribeSyscalls(table, fidelity));
}

// The 64-bit call whose function an entry __ia32_sys_name shares; nullptr: none.
const SyscallInfo* SharedWith(const SyscallInfo& call) {
  absl::string_view name = call.row.compat_entry;
  if (!absl::ConsumePrefix(&name, "__ia32_sys_")) return nullptr;
  const std::string entry = absl::StrCat("__x64_sys_", name);
  for (const SyscallInfo& of_64 : Syscalls64()) {
    if (of_64.row.entry == entry) return &of_64;
  }
  return nullptr;
}

std::vector<SyscallInfo> Describe32() {
  const auto table = ValueOrDie(ParseTbl("syscall_32.tbl", Syscall32TblText()));
  const auto fidelity = ValueOrDie(ParseFidelity("fidelity.tbl", FidelityTblText()));
  std::vector<SyscallInfo> calls = ValueOrDie(DescribeSyscalls(table, fidelity));
  for (SyscallInfo& call : calls) {
    const SyscallInfo* shared = SharedWith(call);
    if (shared == nullptr) continue;
    call.fidelity = shared->fidelity;
    call.note = shared->note;
  }
  return calls;
}

using NameIndex = absl::flat_hash_map<absl::string_view, const SyscallInfo*>;

NameIndex IndexNames(SyscallAbi abi) {
  NameIndex index;
  for (const SyscallInfo& call : Syscalls64()) {
    if (AbisOverlap(call.row.abi, abi)) index.emplace(call.row.name, &call);
  }
  return index;
}

}  // namespace

absl::string_view Syscall64TblText() { return kSyscall64TblText; }

absl::string_view Syscall32TblText() { return kSyscall32TblText; }

absl::string_view FidelityTblText() { return kFidelityTblText; }

const std::vector<SyscallInfo>& Syscalls64() {
  static const auto* const syscalls = new std::vector<SyscallInfo>(Describe());
  return *syscalls;
}

const std::vector<SyscallInfo>& Syscalls32() {
  static const auto* const syscalls = new std::vector<SyscallInfo>(Describe32());
  return *syscalls;
}

const SyscallInfo* FindSyscall64(int number) {
  const std::vector<SyscallInfo>& calls = Syscalls64();
  const auto call =
      std::lower_bound(calls.begin(), calls.end(), number,
                       [](const SyscallInfo& c, int wanted) { return c.row.number < wanted; });
  if (call == calls.end() || call->row.number != number) return nullptr;
  return &*call;
}

const SyscallInfo* FindSyscall64(absl::string_view name, SyscallAbi abi) {
  static const NameIndex* const of_64 = new NameIndex(IndexNames(SyscallAbi::k64));
  static const NameIndex* const of_x32 = new NameIndex(IndexNames(SyscallAbi::kX32));
  const NameIndex& index = abi == SyscallAbi::kX32 ? *of_x32 : *of_64;
  const auto found = index.find(name);
  return found == index.end() ? nullptr : found->second;
}

}  // namespace kpath
