// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/waits.h"

#include "absl/strings/str_cat.h"
#include "sim/machine/machine.h"
#include "sim/user/user.h"

namespace kpath {

std::string DescribeWait(const task_struct* task) {
  if (task == nullptr) return "its process has ended";
  std::string text = "waits in";
  for (const FunctionProbe* f = task->function(); f != nullptr; f = f->caller()) {
    absl::StrAppend(&text, f == task->function() ? " " : " < ", f->info().name);
  }
  return text;
}

bool WaitUntil(const std::function<bool()>& is_true) {
  constexpr int kShort = 1'000, kMost = 10'000;
  for (int i = 0; i < kMost; ++i) {
    if (is_true()) return true;
    user::nanosleep(i < kShort ? 20'000 : 1'000'000);
  }
  return false;
}

}  // namespace kpath
