// SPDX-License-Identifier: Apache-2.0
//
// Paths: what has to be there before a call names it.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sim/user/calls.h"
#include "sim/user/memory.h"
#include "sim/user/syscall.h"
#include "syscall_table/numbers_64.h"
#include "tools/transcript/replay/world.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

using strace::Call;
using strace::ValueKind;

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

// Calls whose success says that the path was there, and whether it was a directory.
struct PathCall {
  const char* name;
  int path;  // argument; the one before it is the directory of calls named …at
  bool directory;
};
constexpr PathCall kPathCalls[] = {
    {"access", 0, false},   {"chdir", 0, true},       {"faccessat", 1, false},
    {"lstat", 0, false},    {"newfstatat", 1, false}, {"rmdir", 0, true},
    {"stat", 0, false},     {"truncate", 0, false},   {"unlink", 0, false},
    {"unlinkat", 1, false}, {"mkdir", 0, false},      {"mkdirat", 1, false},
};

// O_*, also of creat.
uint64_t FlagsOf(const Call& call) {
  if (call.name == "creat") return O_CREAT | O_WRONLY | O_TRUNC;
  return static_cast<uint64_t>(NumberOf(PrintedArgument(call, call.name == "open" ? 1 : 2)));
}

}  // namespace

// False: outside.
bool World::PreparePaths(const Call& call) {
  if (call.name == "open" || call.name == "openat" || call.name == "creat") {
    return PrepareOpen(call);
  }
  for (const PathCall& known : kPathCalls) {
    if (call.name != known.name) continue;
    const int dirfd =
        known.path == 0 ? AT_FDCWD : static_cast<int>(NumberOf(PrintedArgument(call, 0)));
    const strace::Value* path = PrintedArgument(call, known.path);
    if (path == nullptr || path->kind != ValueKind::kString) return true;
    return PreparePath(call, dirfd, *path);
  }
  return true;
}

bool World::PreparePath(const Call& call, int dirfd, const strace::Value& path_value) {
  const std::string path = strace::Bytes(path_value);
  if (path.empty()) return true;  // AT_EMPTY_PATH: the descriptor
  if (IsOutside(dirfd, path)) return false;
  const bool makes = call.name == "mkdir" || call.name == "mkdirat";
  if (makes && Succeeded(call)) MakeParents(dirfd, path);
  const bool was_there = makes ? FailedWith(call, "EEXIST") : Succeeded(call);
  if (!was_there || Exists(dirfd, path)) return true;
  const strace::Value* stat = PrintedArgument(call, call.name == "newfstatat" ? 2 : 1);
  const strace::Value* mode = stat == nullptr ? nullptr : strace::FindField(*stat, "st_mode");
  const auto type = static_cast<uint64_t>(NumberOf(mode, S_IFREG)) & S_IFMT;
  if (type != S_IFREG && type != S_IFDIR) return false;
  MakeParents(dirfd, path);
  const bool directory = type == S_IFDIR || call.name == "chdir" || call.name == "rmdir" || makes ||
                         (call.name == "unlinkat" && NumberOf(PrintedArgument(call, 2)) != 0);
  MakeFile(dirfd, path, directory);
  const strace::Value* size = stat == nullptr ? nullptr : strace::FindField(*stat, "st_size");
  if (!directory && size != nullptr) {
    user::Syscall(NR_truncate, StagedPath(path), NumberOf(size));
  }
  return true;
}

bool World::PrepareOpen(const Call& call) {
  const bool at = call.name == "openat";
  const int dirfd = at ? static_cast<int>(NumberOf(PrintedArgument(call, 0))) : AT_FDCWD;
  const strace::Value* path_value = PrintedArgument(call, at ? 1 : 0);
  const uint64_t flags = FlagsOf(call);
  if (path_value == nullptr || path_value->kind != ValueKind::kString) return true;
  const std::string path = strace::Bytes(*path_value);
  const bool opened = Succeeded(call);
  if (scenario_devices_.count(path) != 0) return true;
  if (IsOutside(dirfd, path)) return false;
  const bool creates = (flags & O_CREAT) != 0;
  // Errors that only an existing file gives.
  const bool was_there = (opened && !creates) || FailedWith(call, "ENOTDIR") ||
                         FailedWith(call, "EISDIR") || FailedWith(call, "EEXIST");
  if (opened || was_there) MakeParents(dirfd, path);
  const bool may = opened && creates && (flags & (O_EXCL | O_TRUNC)) == 0;
  if (may && !Exists(dirfd, path)) may_have_been_there_.insert(&call);
  if (!was_there || Exists(dirfd, path)) return true;
  const bool directory = FailedWith(call, "EISDIR") || (opened && (flags & O_DIRECTORY) != 0);
  MakeFile(dirfd, path, directory);
  return true;
}

bool World::IsOutside(int dirfd, const std::string& path) const {
  if (scenario_devices_.count(path) != 0) return false;
  if (!path.empty() && path[0] == '/') return IsLive(path);
  if (dirfd == AT_FDCWD) return outside_cwd_.count(current->pid) != 0;
  const OpenFile directory = FileBehind(dirfd);
  return directory.open && directory.kind == FileKind::kOutside;
}

bool World::Exists(int dirfd, const std::string& path) const {
  const int64_t fd = user::Syscall(NR_openat, dirfd, StagedPath(path), O_PATH, 0);
  if (fd < 0) return false;
  user::Syscall(NR_close, fd);
  return true;
}

void World::MakeParents(int dirfd, const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    user::Syscall(NR_mkdirat, dirfd, StagedPath(path.substr(0, slash)), 0777);
  }
}

void World::MakeFile(int dirfd, const std::string& path, bool directory) {
  if (directory) {
    user::Syscall(NR_mkdirat, dirfd, StagedPath(path), 0777);
    return;
  }
  const int64_t fd = user::Syscall(NR_openat, dirfd, StagedPath(path), O_CREAT | O_WRONLY, 0777);
  if (fd < 0) return;
  const OpenFile file = FileBehind(static_cast<int>(fd));
  assumed_[file.inode] = 0;
  content_.Forget(file.inode, 0, kEndOfFile);
  user::Syscall(NR_close, fd);
}

void World::MakeSized(const std::string& path, int64_t size) {
  MakeParents(AT_FDCWD, path);
  const int64_t fd = user::Syscall(NR_openat, AT_FDCWD, StagedPath(path), O_CREAT | O_WRONLY, 0666);
  if (fd < 0) return;
  user::Syscall(NR_ftruncate, fd, size);
  user::Syscall(NR_close, fd);
}

void World::MakeOnDisk(const std::string& path, int64_t size) {
  constexpr int64_t kPiece = 128 * 1024;
  MakeSized(path, 0);
  const int64_t fd = user::Syscall(NR_openat, AT_FDCWD, StagedPath(path), O_WRONLY | O_DIRECT, 0);
  if (fd < 0) return;
  const int64_t zeros =
      user::mmap(0, kPiece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int64_t at = 0; at < size; at += kPiece) {
    if (user::Syscall(NR_pwrite64, fd, zeros, kPiece, at) != kPiece) break;  // the disk is full
  }
  user::munmap(static_cast<uint64_t>(zeros), kPiece);
  user::Syscall(NR_ftruncate, fd, size);
  user::Syscall(NR_close, fd);
}

// What calls did that kpath does not model, as far as paths go.
void World::FollowPaths(const Call& call) {
  if (!Succeeded(call)) return;
  if (call.name == "fchdir" || call.name == "chdir") outside_cwd_.insert(current->pid);
  // What has the new name now is made when somebody uses it.
  const bool at = absl::StartsWith(call.name, "renameat");
  if (at || call.name == "rename") {
    const int dirfd = at ? static_cast<int>(NumberOf(PrintedArgument(call, 0))) : AT_FDCWD;
    for (const int i : {0, 1}) {
      const strace::Value* path = PrintedArgument(call, at ? 2 * i + 1 : i);
      if (path == nullptr || path->kind != ValueKind::kString) continue;
      user::Syscall(NR_unlinkat, dirfd, StagedPath(strace::Bytes(*path)), 0);
    }
  }
}

}  // namespace kpath
