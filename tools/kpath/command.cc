// SPDX-License-Identifier: Apache-2.0
#include "tools/kpath/command.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "sim/trace/graph_reader_file.h"

namespace kpath {
namespace {

// For what a person sees on the terminal; nothing of a run depends on it.
int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

int BadInput(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return kExitBadInput;
}

absl::StatusOr<strace::Transcript> LoadTranscript(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(path);
  if (!text.ok()) return text.status();
  return strace::ParseTranscript(path, *text);
}

// ---- Output ----

absl::StatusOr<std::unique_ptr<Output>> Output::Open(const std::string& path) {
  if (path.empty()) return std::unique_ptr<Output>(new Output(stdout, "", ""));
  const std::string temporary = absl::StrCat(path, ".part");
  FILE* file = std::fopen(temporary.c_str(), "w");
  if (file == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": cannot be written: ", std::strerror(errno)));
  }
  return std::unique_ptr<Output>(new Output(file, path, temporary));
}

Output::~Output() {
  if (path_.empty() || file_ == nullptr) return;
  std::fclose(file_);
  std::remove(temporary_.c_str());
}

void Output::Write(absl::string_view text) {
  if (failed_) return;
  failed_ = std::fwrite(text.data(), 1, text.size(), file_) != text.size();
}

absl::Status Output::Close() {
  if (std::fflush(file_) != 0) failed_ = true;
  if (path_.empty()) {
    return failed_ && errno != EPIPE
               ? absl::InvalidArgumentError(
                     absl::StrCat("standard output cannot be written: ", std::strerror(errno)))
               : absl::OkStatus();
  }
  if (std::fclose(file_) != 0) failed_ = true;
  file_ = nullptr;
  if (failed_ || std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    std::remove(temporary_.c_str());
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ": cannot be written: ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

// ---- Progress ----

Progress::Progress(std::string what)
    : what_(std::move(what)), terminal_(isatty(STDERR_FILENO) == 1), begin_ms_(NowMs()) {}

Progress::~Progress() {
  if (shown_ms_ != 0) std::fprintf(stderr, "\r\033[K");
}

void Progress::Show(size_t done, size_t all) {
  if (!terminal_ || ++calls_ % 64 != 0) return;
  const int64_t now = NowMs();
  if (now - begin_ms_ < 1000 || now - shown_ms_ < 200) return;
  shown_ms_ = now;
  std::fprintf(stderr, "\r\033[Kkpath: %s: %zu of %zu", what_.c_str(), done, all);
  std::fflush(stderr);
}

}  // namespace kpath
