// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/world.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sim/user/memory.h"
#include "sim/user/syscall.h"
#include "sim/vfs/file.h"
#include "syscall_table/numbers_64.h"
#include "tools/transcript/replay/kernel_mode.h"
#include "tools/transcript/syntax/constants.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

using strace::Call;
using strace::ValueKind;

constexpr size_t kStatBytes = 144;  // struct stat of x86-64

// Calls that return a descriptor of something that kpath does not model.
constexpr const char* kMakeDescriptors[] = {
    "accept",        "accept4",         "epoll_create",   "epoll_create1",
    "fanotify_init", "inotify_init",    "inotify_init1",  "memfd_create",
    "openat2",       "perf_event_open", "pidfd_open",     "signalfd",
    "signalfd4",     "socket",          "timerfd_create", "userfaultfd",
};

int64_t NumberOf(const strace::Value* value, int64_t otherwise = 0) {
  if (value == nullptr) return otherwise;
  return static_cast<int64_t>(strace::Evaluate(*value).value_or(otherwise));
}

bool Succeeded(const Call& call) {
  return call.returned && call.result.known && call.result.error.empty();
}

int64_t ResultOf(const Call& call) { return static_cast<int64_t>(call.result.value.number); }

uint64_t StagedPath(const std::string& path) {
  const uint64_t address = user::StackBytes(path.size() + 1);
  user::WriteString(address, path);
  return address;
}

// The path under a name that only a live system can answer for.
bool IsLive(const std::string& path) {
  for (const char* root : {"/proc", "/sys", "/dev"}) {
    if (path == root || absl::StartsWith(path, absl::StrCat(root, "/"))) {
      return !absl::StartsWith(path, "/dev/shm/");
    }
  }
  return false;
}

}  // namespace

bool World::Prepare(const Call& call) {
  const absl::string_view name = call.name;
  if (name == "open" || name == "creat") {
    const uint64_t flags =
        name == "creat" ? O_CREAT | O_WRONLY | O_TRUNC : NumberOf(PrintedArgument(call, 1));
    return PrepareOpen(call, AT_FDCWD, call.args[0], flags);
  }
  if (name == "openat") {
    const int dirfd = static_cast<int>(NumberOf(PrintedArgument(call, 0)));
    return PrepareOpen(call, dirfd, call.args[1], NumberOf(PrintedArgument(call, 2)));
  }
  const Signature* signature = FindSignature(name);
  if (signature == nullptr || signature->form != CallForm::kInOrder) return true;
  for (int i = 0; i < Signature::kMaxParameters; ++i) {
    if (signature->parameters[i].kind != ParameterKind::kFd) continue;
    const int fd = static_cast<int>(NumberOf(PrintedArgument(call, i), -1));
    if (!FailedWith(call, "EBADF")) AssumeDescriptor(fd);
    if (name == "read" || name == "pread64") PrepareRead(call, fd, name == "pread64");
    if (name == "fstat" || name == "lseek") PrepareSize(call, fd);
  }
  PrepareTransfer(call);
  return true;
}

// What a file from outside answers, should the call reach one.
void World::PrepareTransfer(const Call& call) {
  const strace::Value* bytes = PrintedArgument(call, 1);
  int64_t result = call.returned && call.result.known ? ResultOf(call) : INT64_MAX;
  if (!call.result.error.empty()) result = -strace::ErrorNumber(call.result.error).value_or(EIO);
  source_->SetNext(result, bytes == nullptr ? "" : strace::Bytes(*bytes));
}

ssize_t World::Source::Read(size_t count, std::string* bytes) {
  if (result_ < 0) return result_;
  const size_t size = std::min(count, static_cast<size_t>(result_));
  std::string shown = bytes_.substr(0, size);
  shown.resize(size, '\0');
  bytes->append(shown);
  return static_cast<ssize_t>(size);
}

ssize_t World::Source::Write(absl::string_view bytes) {
  if (result_ < 0) return result_;
  return static_cast<ssize_t>(std::min<uint64_t>(bytes.size(), static_cast<uint64_t>(result_)));
}

// ---- Paths ----

bool World::PrepareOpen(const Call& call, int dirfd, const strace::Value& path_value,
                        uint64_t flags) {
  if (path_value.kind != ValueKind::kString) return true;
  const std::string path = strace::Bytes(path_value);
  if (IsOutside(dirfd, path)) return false;
  const bool opened = Succeeded(call);
  const bool creates = (flags & O_CREAT) != 0;
  if (opened && creates) {
    MakeParents(path);
    return true;
  }
  // Errors that only an existing file gives.
  const bool was_there = opened || FailedWith(call, "ENOTDIR") || FailedWith(call, "EISDIR") ||
                         FailedWith(call, "EEXIST");
  if (!was_there || Exists(dirfd, path)) return true;
  MakeParents(path);
  const bool directory = FailedWith(call, "EISDIR") || (opened && (flags & O_DIRECTORY) != 0);
  MakeFile(dirfd, path, directory);
  return true;
}

bool World::IsOutside(int dirfd, const std::string& path) const {
  if (!path.empty() && path[0] == '/') return IsLive(path);
  File directory;
  return dirfd != AT_FDCWD && Describe(dirfd, &directory) && !S_ISDIR(directory.mode);
}

bool World::Exists(int dirfd, const std::string& path) const {
  const int64_t fd = user::Syscall(NR_openat, dirfd, StagedPath(path), O_PATH, 0);
  if (fd < 0) return false;
  user::Syscall(NR_close, fd);
  return true;
}

void World::MakeParents(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    user::Syscall(NR_mkdir, StagedPath(path.substr(0, slash)), 0777);
  }
}

void World::MakeFile(int dirfd, const std::string& path, bool directory) {
  if (directory) {
    user::Syscall(NR_mkdirat, dirfd, StagedPath(path), 0777);
    return;
  }
  const int64_t fd = user::Syscall(NR_openat, dirfd, StagedPath(path), O_CREAT | O_WRONLY, 0777);
  if (fd < 0) return;
  File file;
  if (Describe(static_cast<int>(fd), &file)) {
    assumed_[file.inode] = path;
    unknown_content_.insert(file.inode);
  }
  user::Syscall(NR_close, fd);
}

// ---- Sizes ----

bool World::Describe(int fd, File* file) const {
  const uint64_t address = user::StackBytes(kStatBytes);
  if (user::Syscall(NR_fstat, fd, address) != 0) return false;
  file->inode = user::Load<uint64_t>(address + 8);
  file->mode = user::Load<uint32_t>(address + 24);
  file->size = user::Load<int64_t>(address + 48);
  return true;
}

void World::MakeSized(const std::string& path, int64_t size) {
  MakeParents(path);
  const int64_t fd = user::Syscall(NR_openat, AT_FDCWD, StagedPath(path), O_CREAT | O_WRONLY, 0666);
  if (fd < 0) return;
  user::Syscall(NR_ftruncate, fd, size);
  user::Syscall(NR_close, fd);
}

void World::Resize(const File& file, int64_t size) {
  user::Syscall(NR_truncate, StagedPath(assumed_.at(file.inode)), size);
}

// A read that brought fewer bytes than asked for stood at the file's end.
void World::PrepareRead(const Call& call, int fd, bool positioned) {
  if (!Succeeded(call)) return;
  const int64_t got = ResultOf(call);
  File file;
  if (!Describe(fd, &file) || assumed_.count(file.inode) == 0) return;
  const int64_t offset =
      positioned ? NumberOf(PrintedArgument(call, 3)) : user::Syscall(NR_lseek, fd, 0, SEEK_CUR);
  const int64_t asked = NumberOf(PrintedArgument(call, 2));
  const int64_t end = offset + got;
  if (end > file.size || (got < asked && end < file.size)) Resize(file, end);
}

void World::PrepareSize(const Call& call, int fd) {
  File file;
  if (!Succeeded(call) || !Describe(fd, &file) || assumed_.count(file.inode) == 0) return;
  if (call.name == "lseek") {
    if (NumberOf(PrintedArgument(call, 2)) != SEEK_END) return;
    Resize(file, ResultOf(call) - NumberOf(PrintedArgument(call, 1)));
  } else if (const strace::Value* stat = PrintedArgument(call, 1)) {
    const strace::Value* size = strace::FindField(*stat, "st_size");
    if (size != nullptr) Resize(file, NumberOf(size));
  }
}

// ---- Descriptors ----

void World::OpenStandardStreams() {
  for (const int fd : {0, 1, 2}) AssumeDescriptor(fd);
}

void World::AssumeDescriptor(int fd) {
  File file;
  if (fd >= 0 && !Describe(fd, &file)) Install(fd);
}

void World::Install(int fd) {
  InKernelMode([&] {
    kptr<file> file = RecordedFile(source_, O_RDWR);
    if (!IS_ERR(file)) InstallAt(static_cast<unsigned>(fd), file, 0);
  });
}

void World::AdoptDescriptor(const Call& call) {
  if (!Succeeded(call)) return;
  const bool opens = call.name == "open" || call.name == "openat" || call.name == "creat" ||
                     std::find(std::begin(kMakeDescriptors), std::end(kMakeDescriptors),
                               call.name) != std::end(kMakeDescriptors);
  if (opens) AssumeDescriptor(static_cast<int>(ResultOf(call)));
}

// ---- Content ----

bool World::ContentIsKnown(int fd) {
  File file;
  return Describe(fd, &file) && unknown_content_.count(file.inode) == 0;
}

void World::ForgetContent(int fd) {
  File file;
  if (Describe(fd, &file)) unknown_content_.insert(file.inode);
}

}  // namespace kpath
