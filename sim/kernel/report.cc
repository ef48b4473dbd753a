// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/report.h"

#include "absl/strings/str_cat.h"
#include "sim/kernel/sched.h"

namespace kpath {

std::vector<std::string> CallTrace() {
  std::vector<std::string> names;
  for (const FunctionProbe* f = current_function; f != nullptr; f = f->caller()) {
    names.push_back(f->info().name);
  }
  return names;
}

void Report(absl::string_view headline, const std::vector<std::string>& details) {
  std::string text(headline);
  for (const std::string& line : details) absl::StrAppend(&text, "\n", line);
  absl::StrAppend(&text, "\nCPU: ", current->cpu == nullptr ? 0 : current->cpu->id(),
                  " PID: ", current->pid, " Comm: ", current->comm, " at ",
                  current->machine->position().ToString(), "\nCall Trace:");
  for (const std::string& name : CallTrace()) absl::StrAppend(&text, "\n ", name);
  current->machine->Panic(std::move(text));
}

}  // namespace kpath
