// SPDX-License-Identifier: Apache-2.0
//
// kpath check-table: a system call table held against the rules of dispatch.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/trace/graph_reader_file.h"
#include "syscall_table/check_table.h"
#include "tools/kpath/command.h"

namespace kpath {
namespace {

struct Options {
  std::string table;
  std::string against;
  std::vector<std::string> functions;
};

int CheckTableFile(const Options& options) {
  const absl::StatusOr<std::string> text = ReadTextFile(options.table);
  if (!text.ok()) return BadInput(text.status());
  CheckTableOptions check;
  check.functions.insert(options.functions.begin(), options.functions.end());
  TableFile against;
  if (!options.against.empty()) {
    const absl::StatusOr<std::string> old = ReadTextFile(options.against);
    if (!old.ok()) return BadInput(old.status());
    against = {.name = options.against, .text = *old};
    check.against = &against;
  }
  const std::vector<std::string> findings =
      CheckTable({.name = options.table, .text = *text}, check);
  for (const std::string& finding : findings) std::puts(finding.c_str());
  return findings.empty() ? kExitGood : kExitBad;
}

}  // namespace

void AddCheckTableCommand(CLI::App* app, int* status) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app->add_subcommand(
      "check-table", "Find duplicates, gaps, moved numbers and missing entries in a .tbl file");
  command->add_option("FILE", options->table, "the table, in the format of syscall_64.tbl")
      ->required();
  command->add_option("--against", options->against, "an earlier version: nothing may have moved");
  command->add_option("--function", options->functions,
                      "an entry point that exists besides those of v4.19");
  command->footer(
      "One line per finding: FILE:LINE: what.\n"
      "Exit status: 0 none, 1 findings, 2 for a file that cannot be read.");
  command->callback([options, status] { *status = CheckTableFile(*options); });
}

}  // namespace kpath
