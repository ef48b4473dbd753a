// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/terminal.h"

#include <histedit.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tools/debugger/command_table.h"
#include "tools/debugger/script.h"

namespace kpath::debugger {
namespace {

constexpr int kHistoryLines = 1000;

const char* Prompt(EditLine*) { return kPrompt; }

// The longest beginning that all words have.
std::string CommonBeginning(const std::vector<std::string>& words) {
  std::string common = words.front();
  for (const std::string& word : words) {
    size_t same = 0;
    while (same < common.size() && same < word.size() && common[same] == word[same]) ++same;
    common.resize(same);
  }
  return common;
}

// What Complete has completed: the argument, or the command's name.
size_t CompletedLength(const std::string& line) {
  const size_t space = line.find(' ');
  if (space == std::string::npos) return line.size();
  const size_t begin = line.find_first_not_of(' ', space);
  return begin == std::string::npos ? 0 : line.size() - begin;
}

unsigned char CompleteWord(EditLine* edit, int) {
  Session* session;
  el_get(edit, EL_CLIENTDATA, &session);
  const LineInfo* info = el_line(edit);
  const std::string line(info->buffer, info->cursor);
  const std::vector<std::string> words = Complete(*session, line);
  if (words.empty()) return CC_REFRESH_BEEP;
  std::string rest = CommonBeginning(words).substr(CompletedLength(line));
  if (words.size() == 1) rest += ' ';
  if (!rest.empty()) return el_insertstr(edit, rest.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  session->Print("\n");
  constexpr size_t kMost = 60;
  for (size_t i = 0; i < std::min(words.size(), kMost); ++i) session->Print(words[i] + "\n");
  if (words.size() > kMost) session->Print(absl::StrCat("… ", words.size() - kMost, " more\n"));
  return CC_REDISPLAY;
}

// Set by ^C. The process that runs the machine gets it as well.
volatile std::sig_atomic_t interrupt_came = 0;
void NoteInterrupt(int) { interrupt_came = 1; }

bool TakeInterrupt() {
  const bool came = interrupt_came != 0;
  interrupt_came = 0;
  return came;
}

// Whether an empty line stands for this one again: not for `run`, which would lose the place.
bool IsRepeated(absl::string_view line) {
  const absl::StatusOr<const Command*> command = FindCommand(line.substr(0, line.find(' ')));
  return !command.ok() || absl::string_view((*command)->name) != "run";
}

// libedit's objects, made and ended together.
class Editor {
 public:
  explicit Editor(Session& session)
      : history_(history_init()), edit_(el_init("kpath", stdin, stdout, stderr)) {
    HistEvent event;
    history(history_, &event, H_SETSIZE, kHistoryLines);
    history(history_, &event, H_SETUNIQUE, 1);
    el_set(edit_, EL_PROMPT, Prompt);
    el_set(edit_, EL_EDITOR, "emacs");
    el_set(edit_, EL_SIGNAL, 1);
    el_set(edit_, EL_HIST, history, history_);
    el_set(edit_, EL_CLIENTDATA, &session);
    el_set(edit_, EL_ADDFN, "kpath-complete", "Complete the word", CompleteWord);
    el_set(edit_, EL_BIND, "^I", "kpath-complete", nullptr);
    el_set(edit_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_source(edit_, nullptr);  // the user's ~/.editrc
  }
  ~Editor() {
    el_end(edit_);
    history_end(history_);
  }
  Editor(const Editor&) = delete;
  Editor& operator=(const Editor&) = delete;

  // False at the end of the input.
  bool ReadLine(std::string* line) {
    int length;
    errno = 0;
    const char* text = el_gets(edit_, &length);
    if (text == nullptr) {
      line->clear();
      return errno == EINTR;
    }
    *line = std::string(absl::StripAsciiWhitespace(absl::string_view(text, length)));
    if (!line->empty()) {
      HistEvent event;
      history(history_, &event, H_ENTER, line->c_str());
    }
    return true;
  }

 private:
  History* history_;
  EditLine* edit_;
};

}  // namespace

void RunAtTerminal(Session& session) {
  std::signal(SIGINT, NoteInterrupt);
  session.timeline.interrupted = TakeInterrupt;
  Editor editor(session);
  std::string line;
  std::string last;
  while (!session.over()) {
    TakeInterrupt();
    if (!editor.ReadLine(&line)) {
      session.Print("\n");
      return;
    }
    // ^C gives up the line that was being typed. It is none, and repeats no other.
    if (line.empty() && TakeInterrupt()) {
      session.Print("\n");
      continue;
    }
    if (line.empty()) line = last;
    last = IsRepeated(line) ? line : "";
    TakeInterrupt();
    const absl::Status status = session.Execute(line);
    if (!status.ok()) session.Print(absl::StrCat(status.message(), "\n"));
  }
}

}  // namespace kpath::debugger
