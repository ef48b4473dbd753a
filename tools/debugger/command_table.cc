// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/command_table.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tools/debugger/locations.h"
#include "tools/debugger/session.h"

namespace kpath::debugger {
namespace {

std::vector<std::string> Starting(const std::vector<std::string>& words, absl::string_view with) {
  std::vector<std::string> starting;
  for (const std::string& word : words) {
    if (absl::StartsWith(word, with)) starting.push_back(word);
  }
  return starting;
}

std::vector<std::string> CommandNames() {
  std::set<std::string> names;
  for (const CommandGroup& group : AllCommands()) {
    for (const Command& command : group.commands) names.insert(command.name);
  }
  return {names.begin(), names.end()};
}

bool IsOfChain(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("_->.[]()*$", c);
}

// The word that an expression ends with: a name, or the field of what stands before it.
std::vector<std::string> CompleteExpression(const Session& session, absl::string_view text) {
  size_t word = text.size();
  while (word > 0 && (absl::ascii_isalnum(static_cast<unsigned char>(text[word - 1])) ||
                      text[word - 1] == '_')) {
    --word;
  }
  absl::string_view object = text.substr(0, word);
  const bool member = absl::ConsumeSuffix(&object, "->") || absl::ConsumeSuffix(&object, ".");
  // The object is as much of what stands before as is a chain of names.
  size_t begin = object.size();
  while (begin > 0 && IsOfChain(object[begin - 1])) --begin;
  const absl::StatusOr<std::string> names =
      session.Look({"members", member ? std::string(object.substr(begin)) : ""});
  if (!names.ok()) return {};
  std::vector<std::string> lines;
  for (const absl::string_view name : absl::StrSplit(*names, '\n')) {
    lines.push_back(absl::StrCat(text.substr(0, word), name));
  }
  return lines;
}

std::vector<std::string> ArgumentsOf(const Session& session, absl::string_view command,
                                     absl::string_view written) {
  if (command == "help") return CommandNames();
  if (command == "info") {
    return {"bookmarks", "breakpoints", "cpus",  "display",  "files",
            "idt",       "kioctx",      "locks", "memory",   "plug",
            "registers", "requests",    "ring",  "syscalls", "tasks"};
  }
  if (command == "goto") {
    std::vector<std::string> words = {"end", "start"};
    for (const auto& [name, position] : session.bookmarks) words.push_back(name);
    return words;
  }
  if (command == "set" || command == "show") return {"grain", "print pretty", "width"};
  if (command == "print" || command == "display" || command == "watch" || command == "whatis") {
    return CompleteExpression(session, written);
  }
  const bool place =
      command == "break" || command == "tbreak" || command == "until" || command == "reverse-until";
  return place ? LocationNames() : std::vector<std::string>();
}

}  // namespace

const std::vector<CommandGroup>& AllCommands() {
  static const auto* groups = new std::vector<CommandGroup>{MovingCommands(), BreakpointCommands(),
                                                            LookingCommands(), SessionCommands()};
  return *groups;
}

absl::StatusOr<const Command*> FindCommand(absl::string_view word) {
  std::vector<const Command*> beginning;
  for (const CommandGroup& group : AllCommands()) {
    for (const Command& command : group.commands) {
      const bool alias = std::any_of(command.aliases.begin(), command.aliases.end(),
                                     [&](const char* one) { return one == word; });
      if (command.name == word || alias) return &command;
      if (absl::StartsWith(command.name, word)) beginning.push_back(&command);
    }
  }
  if (beginning.size() == 1) return beginning.front();
  if (beginning.empty()) {
    return absl::NotFoundError(absl::StrCat("there is no command '", word, "'; see: help"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", word, "' may be ",
                   absl::StrJoin(beginning, ", ", [](std::string* text, const Command* command) {
                     text->append(command->name);
                   })));
}

std::vector<std::string> Complete(const Session& session, absl::string_view line) {
  const size_t space = line.find(' ');
  if (space == absl::string_view::npos) return Starting(CommandNames(), line);
  const absl::StatusOr<const Command*> command = FindCommand(line.substr(0, space));
  if (!command.ok()) return {};
  const absl::string_view rest = absl::StripLeadingAsciiWhitespace(line.substr(space));
  return Starting(ArgumentsOf(session, (*command)->name, rest), rest);
}

}  // namespace kpath::debugger
