// SPDX-License-Identifier: Apache-2.0
//
// What can be asked of a target that stands still: the commands of the debugger that look and
// change nothing.
//
//   Look(target, {.words = {"print", "/x", "ctx->ring->tail"}})   "0x3"
//   Look(target, {.words = {"bt"}, .pid = 101})
//
//   where            where it stopped: position, time, task, place; what an instruction did
//   call             the recorded call that the task which stopped is in
//   bt               frames of the task
//   task             the task and its innermost frame, in two lines
//   frame            the selected frame, in a line
//   list             the source around it
//   print F EXPR     a value; F is "/x" or ""; with its type's name where it is a pointer
//   members EXPR     the fields of the object that it is; of none, names that may begin one
//   whatis EXPR      its type
//   x FORMAT EXPR    memory
//   info TOPIC ARG   registers tasks cpus locks files idt syscalls kioctx ring plug requests memory
//   changes          the fields in sight, as "name<TAB>value" lines: two stops are compared by them
//   constant EXPR    its value, as an expression that means the same at another stop
//   location EXPR    the place that it is in, as an expression without names
//   bind EXPR        the expression with what the frame calls by name replaced by its address
//
// Errors are one line, as gdb words them where gdb has it.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/debugger/target.h"

namespace kpath::debugger {

struct LookRequest {
  std::vector<std::string> words = {};
  int pid = 0;    // the selected task; 0: the one that passed the last probe
  int frame = 0;  // counted from the innermost
  int width = 80;
  bool pretty = false;
  std::string sources = {};  // the folder that the sources are in; empty: they are not at hand
};

absl::StatusOr<std::string> Look(Target& target, const LookRequest& request);

// Where a target stands, for who steps on from there.
struct Here {
  int pid = 0;
  int depth = 0;          // frames of that task
  bool at_entry = false;  // right where the innermost function was entered
  std::string file;
  int line = 0;
};
// Of the selected frame.
Here WhereIs(Target& target, const LookRequest& request);

}  // namespace kpath::debugger
