// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/waits.h"

#include "absl/strings/str_cat.h"
#include "sim/machine/machine.h"

namespace kpath {

std::string DescribeWait(const task_struct* task) {
  if (task == nullptr) return "its process has ended";
  std::string text = "waits in";
  for (const FunctionProbe* f = task->function; f != nullptr; f = f->caller()) {
    absl::StrAppend(&text, f == task->function ? " " : " < ", f->info().name);
  }
  return text;
}

}  // namespace kpath
