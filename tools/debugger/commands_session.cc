// SPDX-License-Identifier: Apache-2.0
//
// The commands for the session itself: settings, scripts, help.
#include <cstdint>
#include <cstdio>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/debugger/command_table.h"
#include "tools/debugger/script.h"
#include "tools/debugger/session.h"

namespace kpath::debugger {
namespace {

constexpr const char* kGrains[] = {"function", "statement", "instruction"};

absl::Status SetGrain(Session& session, absl::string_view value) {
  for (int i = 0; i < 3; ++i) {
    if (value != kGrains[i]) continue;
    session.grain = static_cast<Grain>(i);
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("expected function, statement or instruction, not '", value, "'"));
}

absl::Status SetWidth(Session& session, absl::string_view value) {
  int width;
  if (!absl::SimpleAtoi(value, &width) || width < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a number of columns, or 0 for any, not '", value, "'"));
  }
  session.options.width = width;
  return absl::OkStatus();
}

absl::Status SetPretty(Session& session, absl::string_view value) {
  if (value != "on" && value != "off") {
    return absl::InvalidArgumentError(absl::StrCat("expected on or off, not '", value, "'"));
  }
  session.pretty = value == "on";
  return absl::OkStatus();
}

absl::Status UnknownSetting(absl::string_view name) {
  return absl::NotFoundError(
      absl::StrCat("there is no setting '", name, "'; there are grain, width and print pretty"));
}

absl::Status Set(Session& session, absl::string_view text) {
  std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  words.resize(3);
  if (words[0] == "grain") return SetGrain(session, words[1]);
  if (words[0] == "width") return SetWidth(session, words[1]);
  if (words[0] == "print" && words[1] == "pretty") return SetPretty(session, words[2]);
  return UnknownSetting(text);
}

absl::Status ShowSetting(Session& session, absl::string_view text) {
  const bool all = text.empty();
  if (!all && text != "grain" && text != "width" && text != "print pretty") {
    return UnknownSetting(text);
  }
  if (all || text == "grain") {
    session.Print(absl::StrCat("grain ", kGrains[static_cast<int>(session.grain)], "\n"));
  }
  if (all || text == "width") session.Print(absl::StrCat("width ", session.options.width, "\n"));
  if (all || text == "print pretty") {
    session.Print(absl::StrCat("print pretty ", session.pretty ? "on" : "off", "\n"));
  }
  return absl::OkStatus();
}

absl::Status Record(Session& session, absl::string_view file) {
  if (file.empty()) return absl::InvalidArgumentError("expected a file, or stop");
  if (file == "stop") {
    if (session.record_file.empty()) {
      return absl::FailedPreconditionError("no commands are being recorded");
    }
    session.Print(absl::StrCat("Commands are in ", session.record_file, ".\n"));
    session.record_file.clear();
    return absl::OkStatus();
  }
  const std::string path(file);
  FILE* made = std::fopen(path.c_str(), "wx");  // never over another file
  if (made == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot make ", path,
                                               ": it is there already, or "
                                               "its folder cannot be written to"));
  }
  std::fclose(made);
  session.record_file = path;
  return absl::OkStatus();
}

absl::Status Source(Session& session, absl::string_view file) {
  if (file.empty()) return absl::InvalidArgumentError("expected a file with commands");
  return RunScriptFile(session, std::string(file));
}

absl::Status Echo(Session& session, absl::string_view text) {
  session.Print(absl::StrCat(text, "\n"));
  return absl::OkStatus();
}

absl::Status Quit(Session& session, absl::string_view) {
  session.Quit();
  return absl::OkStatus();
}

// A command with the first sentence of its help, as wide as the screen: what is said begins at one
// column, or on a screen that is not wide enough for that, below.
std::string HelpEntry(const Command& command, int width) {
  const size_t limit = width == 0 ? SIZE_MAX : static_cast<size_t>(width);
  const bool narrow = limit < 70;
  const size_t column = narrow ? 6 : 37;
  std::string text;
  std::string line = absl::StrCat("  ", command.usage);
  if (narrow || line.size() >= column) text = absl::StrCat(std::exchange(line, ""), "\n");
  line.resize(column, ' ');
  for (const absl::string_view word : absl::StrSplit(command.help, absl::ByAnyChar(" \n"))) {
    if (line.size() > column && line.size() + 1 + word.size() > limit) {
      absl::StrAppend(&text, line, "\n");
      line.assign(column, ' ');
    }
    absl::StrAppend(&line, line.size() > column ? " " : "", word);
    if (absl::EndsWith(word, ".")) break;
  }
  return absl::StrCat(text, line, "\n");
}

void HelpGroups(Session& session) {
  for (const CommandGroup& group : AllCommands()) {
    session.Print(absl::StrCat(session.Strong(group.title), "\n"));
    for (const Command& command : group.commands) {
      session.Print(HelpEntry(command, session.options.width));
    }
  }
  session.Print(
      "help COMMAND tells all of one. Names may be cut short: s, n, bt, rc, info b.\n"
      "An empty line repeats the last command, at a terminal.\n");
}

absl::Status Help(Session& session, absl::string_view text) {
  if (text.empty()) {
    HelpGroups(session);
    return absl::OkStatus();
  }
  const absl::StatusOr<const Command*> command = FindCommand(text);
  if (!command.ok()) return command.status();
  session.Print(absl::StrCat(session.Strong((*command)->usage), "\n", (*command)->help, "\n"));
  if (!(*command)->aliases.empty()) {
    session.Print("Short:");
    for (const char* alias : (*command)->aliases) session.Print(absl::StrCat(" ", alias));
    session.Print("\n");
  }
  return absl::OkStatus();
}

}  // namespace

CommandGroup SessionCommands() {
  return {"The session",
          {
              {"set",
               {},
               "set SETTING VALUE",
               "Change how the debugger goes about it.\n"
               "set grain function|statement|instruction   how fine step and next are\n"
               "set width COLUMNS                          of the output; 0: as wide as need be\n"
               "set print pretty on|off                    objects with a field in a line",
               Set},
              {"show", {}, "show [SETTING]", "What is set.", ShowSetting},
              {"record",
               {},
               "record FILE|stop",
               "Write the commands that follow to a new file, for source and -x.",
               Record},
              {"source",
               {},
               "source FILE",
               "Carry out the commands in a file, up to the first error.",
               Source},
              {"echo", {}, "echo TEXT", "Print a line of text.", Echo},
              {"help", {"h"}, "help [COMMAND]", "This list, or all about one command.", Help},
              {"quit", {"q", "exit"}, "quit", "Leave the debugger.", Quit},
          }};
}

}  // namespace kpath::debugger
