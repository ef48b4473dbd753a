// SPDX-License-Identifier: Apache-2.0
//
// What the commands of `kpath` have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath {

// Exit statuses, the same for all commands.
inline constexpr int kExitGood = 0;       // legal, equal, shown
inline constexpr int kExitBad = 1;        // a result is not legal, graphs differ
inline constexpr int kExitBadInput = 2;   // files or options that cannot be used
inline constexpr int kExitKernelBug = 3;  // the simulated kernel reported a bug of its own
inline constexpr int kExitSkipped = 6;    // nothing was done: this computer lacks what it takes

// Each adds a command to `app`; `*status` is set when it was chosen and has run.
void AddRunCommand(CLI::App* app, int* status);
void AddCompareCommand(CLI::App* app, int* status);
void AddStepCommand(CLI::App* app, int* status);
void AddDiffHostCommand(CLI::App* app, int* status);
void AddSyscallsCommand(CLI::App* app, int* status);
void AddCheckTableCommand(CLI::App* app, int* status);

// Prints the one line of an error to stderr and returns kExitBadInput.
int BadInput(const absl::Status& status);

// Reads and parses a transcript that holds at least one call. Errors are one line.
absl::StatusOr<strace::Transcript> LoadTranscript(const std::string& path);

// Where a command's output goes: standard output, or a file that appears only when all of it has
// been written.
class Output {
 public:
  // `path` empty: standard output. `input` is a file that must not be written over.
  static absl::StatusOr<std::unique_ptr<Output>> Open(const std::string& path,
                                                      const std::string& input);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void Write(absl::string_view text);
  // Everything has been written: gives the file its name. An error if something could not be
  // written, say on a full disk. A reader of standard output that went away is none.
  absl::Status Close();

 private:
  Output(FILE* file, std::string path, std::string temporary)
      : file_(file), path_(std::move(path)), temporary_(std::move(temporary)) {}

  FILE* file_;
  const std::string path_;
  const std::string temporary_;  // empty: what is at the path is no file, and written as it is
  int error_ = 0;                // the first errno of a write that failed
};

// A line on the terminal that says how far a long command has come. Says nothing during the first
// second, nor where stderr is no terminal.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress() { Done(); }
  // `all` 0: nobody knows how much there is to do.
  void Show(size_t done, size_t all);
  // Takes the line away; what is shown next belongs to another command.
  void Done();

 private:
  const std::string what_;
  const bool terminal_;
  int64_t begin_ms_;
  int64_t shown_ms_ = 0;
  unsigned calls_ = 0;
};

}  // namespace kpath
