// SPDX-License-Identifier: Apache-2.0
//
// The debugger's commands. Their words and abbreviations are gdb's wherever gdb has one.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kpath::debugger {

class Session;

struct Command {
  const char* name;
  std::vector<const char*> aliases;  // besides every beginning of the name that is no other's
  const char* usage;                 // "break LOCATION [if EXPR]"
  const char* help;                  // what it does, in lines of 100 columns at most
  absl::Status (*run)(Session& session, absl::string_view arguments);
};

// By group: "Moving", "Breakpoints", "Looking", "The session".
struct CommandGroup {
  const char* title;
  std::vector<Command> commands;
};
const std::vector<CommandGroup>& AllCommands();

// The command that a word means: a name, an alias, or the beginning of one name. Errors: there is
// none, or several.
absl::StatusOr<const Command*> FindCommand(absl::string_view word);

// What may stand where the cursor is, at the end of `line`: whole words, sorted.
std::vector<std::string> Complete(const Session& session, absl::string_view line);

// The groups, each in a file of its own.
CommandGroup MovingCommands();      // commands_move.cc
CommandGroup BreakpointCommands();  // commands_break.cc
CommandGroup LookingCommands();     // commands_look.cc
CommandGroup SessionCommands();     // commands_session.cc

}  // namespace kpath::debugger
