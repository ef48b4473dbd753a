// SPDX-License-Identifier: Apache-2.0
//
// tbl_gen: the build-time generator of this folder. Writes C++ to standard output.
//
//   tbl_gen numbers SYSCALL_TBL FIDELITY_TBL   numbers_64.h
//   tbl_gen rows    SYSCALL_TBL FIDELITY_TBL   syscalls_64.inc
//   tbl_gen rows32  SYSCALL_TBL FIDELITY_TBL SYSCALL_64_TBL   syscalls_32.inc
//   tbl_gen text    NAME FILE                  a source that holds FILE's text in `char NAME[]`
//
// A mistake in a table stops the build with one line, FILE:LINE: what, expected what. Exit status:
// 0 written, 1 bad table or unreadable file, 2 bad arguments.

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "syscall_table/fidelity.h"
#include "syscall_table/generators.h"
#include "syscall_table/tbl_parser.h"

namespace kpath {
namespace {

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot open, expected a file"));
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

absl::StatusOr<std::vector<SyscallInfo>> ReadTables(const std::string& syscall_path,
                                                    const std::string& fidelity_path) {
  absl::StatusOr<std::string> syscall_text = ReadFile(syscall_path);
  if (!syscall_text.ok()) return syscall_text.status();
  absl::StatusOr<SyscallTable> table = ParseTbl(syscall_path, *syscall_text);
  if (!table.ok()) return table.status();

  absl::StatusOr<std::string> fidelity_text = ReadFile(fidelity_path);
  if (!fidelity_text.ok()) return fidelity_text.status();
  absl::StatusOr<FidelityTable> fidelity = ParseFidelity(fidelity_path, *fidelity_text);
  if (!fidelity.ok()) return fidelity.status();

  return DescribeSyscalls(*table, *fidelity);
}

// `arguments` are the words after the program's name.
absl::StatusOr<std::string> Generate(const std::vector<std::string>& arguments) {
  const std::string& what = arguments[0];
  if (what == "text") {
    absl::StatusOr<std::string> text = ReadFile(arguments[2]);
    if (!text.ok()) return text.status();
    return GenerateText(arguments[1], *text);
  }
  absl::StatusOr<std::vector<SyscallInfo>> syscalls = ReadTables(arguments[1], arguments[2]);
  if (!syscalls.ok()) return syscalls.status();
  if (what == "rows32") {
    absl::StatusOr<std::vector<SyscallInfo>> of_64 = ReadTables(arguments[3], arguments[2]);
    if (!of_64.ok()) return of_64.status();
    return GenerateRows32(*syscalls, *of_64);
  }
  return what == "numbers" ? GenerateNumbers(*syscalls) : GenerateRows(*syscalls);
}

bool ArgumentsAreGood(const std::vector<std::string>& arguments) {
  if (arguments.size() == 4) return arguments[0] == "rows32";
  if (arguments.size() != 3) return false;
  return arguments[0] == "numbers" || arguments[0] == "rows" || arguments[0] == "text";
}

int Main(const std::vector<std::string>& arguments) {
  if (!ArgumentsAreGood(arguments)) {
    std::cerr << "usage: tbl_gen numbers|rows SYSCALL_TBL FIDELITY_TBL\n"
                 "       tbl_gen rows32 SYSCALL_TBL FIDELITY_TBL SYSCALL_64_TBL\n"
                 "       tbl_gen text NAME FILE\n";
    return 2;
  }
  const absl::StatusOr<std::string> generated = Generate(arguments);
  if (!generated.ok()) {
    std::cerr << generated.status().message() << "\n";
    return 1;
  }
  std::cout << *generated << std::flush;
  return std::cout ? 0 : 1;
}

}  // namespace
}  // namespace kpath

int main(int argc, char** argv) {
  return kpath::Main(std::vector<std::string>(argv + 1, argv + argc));
}
