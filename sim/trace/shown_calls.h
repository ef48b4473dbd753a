// SPDX-License-Identifier: Apache-2.0
//
// Which calls of a task a trace shows: those of tasks that are not hidden, the interrupts wherever
// they arrive, and all inside of what is shown. So of the idle loops only interrupts are. Inside
// sim/trace.
#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "sim/trace/call_tree.h"

namespace kpath {

class ShownCalls {
 public:
  // A call is entered; `visible` says whether its task is to be seen. Returns whether it is shown.
  template <typename Visible>
  bool Enter(absl::string_view name, Visible&& visible) {
    const bool shown = shown_ > 0 || IsInterruptEntry(name) || visible();
    calls_.push_back(shown);
    shown_ += shown;
    return shown;
  }

  // The innermost call returns. Returns whether it was shown; one that was entered before anybody
  // listened was not.
  bool Exit() {
    if (calls_.empty()) return false;
    const bool shown = calls_.back() != 0;
    calls_.pop_back();
    shown_ -= shown;
    return shown;
  }

 private:
  std::vector<char> calls_;  // those that are open: 1 if it is shown, else 0
  int shown_ = 0;            // how many of them are
};

}  // namespace kpath
