// SPDX-License-Identifier: Apache-2.0
#include "tools/kpath/command.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
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

// The file that `path` leads to, if it is a symbolic link to one.
std::string BehindLinks(const std::string& path) {
  char* real = realpath(path.c_str(), nullptr);
  if (real == nullptr) return path;
  const std::string result = real;
  std::free(real);
  return result;
}

absl::Status CannotWrite(const std::string& path, int error) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": cannot be written: ", std::strerror(error)));
}

}  // namespace

int BadInput(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return kExitBadInput;
}

absl::StatusOr<strace::Transcript> LoadTranscript(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(path);
  if (!text.ok()) return text.status();
  absl::StatusOr<strace::Transcript> transcript = strace::ParseTranscript(path, *text);
  if (transcript.ok() && transcript->calls.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ":1:1: there is no system call in it, expected lines such as: close(3) = 0"));
  }
  return transcript;
}

// ---- Output ----

absl::StatusOr<std::unique_ptr<Output>> Output::Open(const std::string& path,
                                                     const std::string& input) {
  if (path.empty()) return std::unique_ptr<Output>(new Output(stdout, "", ""));
  const std::string target = BehindLinks(path);
  if (target == BehindLinks(input)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is the input, expected another file"));
  }
  struct stat there;
  const bool special = stat(target.c_str(), &there) == 0 && !S_ISREG(there.st_mode);
  // A terminal, /dev/null, a pipe: nothing can take its place.
  const std::string written = special ? target : absl::StrCat(target, ".part");
  FILE* file = std::fopen(written.c_str(), "w");
  if (file == nullptr) return CannotWrite(path, errno);
  return std::unique_ptr<Output>(new Output(file, target, special ? "" : written));
}

Output::~Output() {
  if (path_.empty() || file_ == nullptr) return;
  std::fclose(file_);
  if (!temporary_.empty()) std::remove(temporary_.c_str());
}

void Output::Write(absl::string_view text) {
  if (error_ != 0) return;
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) error_ = errno;
}

absl::Status Output::Close() {
  if (std::fflush(file_) != 0 && error_ == 0) error_ = errno;
  if (path_.empty()) {
    const bool reader_left = error_ == EPIPE;
    return error_ == 0 || reader_left ? absl::OkStatus() : CannotWrite("standard output", error_);
  }
  if (std::fclose(file_) != 0 && error_ == 0) error_ = errno;
  file_ = nullptr;
  if (temporary_.empty()) return error_ == 0 ? absl::OkStatus() : CannotWrite(path_, error_);
  if (error_ == 0 && std::rename(temporary_.c_str(), path_.c_str()) != 0) error_ = errno;
  if (error_ == 0) return absl::OkStatus();
  std::remove(temporary_.c_str());
  return CannotWrite(path_, error_);
}

// ---- Progress ----

Progress::Progress(std::string what)
    : what_(std::move(what)), terminal_(isatty(STDERR_FILENO) == 1), begin_ms_(NowMs()) {}

void Progress::Done() {
  if (shown_ms_ != 0) std::fprintf(stderr, "\r\033[K");
  shown_ms_ = 0;
  begin_ms_ = NowMs();
}

void Progress::Show(size_t done, size_t all) {
  if (!terminal_ || ++calls_ % 64 != 0) return;
  const int64_t now = NowMs();
  if (now - begin_ms_ < 1000 || now - shown_ms_ < 200) return;
  shown_ms_ = now;
  std::fprintf(stderr, "\r\033[Kkpath: %s: %zu", what_.c_str(), done);
  if (all != 0) std::fprintf(stderr, " of %zu", all);
  std::fflush(stderr);
}

}  // namespace kpath
