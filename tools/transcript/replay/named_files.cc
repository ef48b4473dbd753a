// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/named_files.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tools/transcript/replay/descriptors.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

using strace::Call;
using strace::Value;
using strace::ValueKind;

int64_t Number(const Call& call, size_t index) {
  if (index >= call.args.size()) return -1;
  return static_cast<int64_t>(strace::Evaluate(call.args[index]).value_or(~0ull));
}

// "/a/./b/../c" is "/a/c".
std::string WithoutDots(const std::string& path) {
  std::vector<std::string> parts;
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.emplace_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  return absl::StrCat("/", absl::StrJoin(parts, "/"));
}

bool Mentions(const Value& value, absl::string_view symbol) {
  if (value.kind == ValueKind::kSymbol && value.text == symbol) return true;
  return std::any_of(value.children.begin(), value.children.end(),
                     [symbol](const Value& child) { return Mentions(child, symbol); });
}

bool IsGivenAName(const Call& call) {
  return call.name == "open" || call.name == "openat" || call.name == "creat";
}

bool IsCopy(const Call& call) {
  return call.name == "dup" || call.name == "dup2" || call.name == "dup3" || call.name == "fcntl";
}

}  // namespace

const NamedFiles::Process& NamedFiles::Of(int pid) const {
  const auto [place, is_new] = processes_.try_emplace(pid);
  if (is_new) place->second.table = pid;
  return place->second;
}

std::string NamedFiles::PathOf(int pid, int fd) const {
  const auto found = paths_.find({Of(pid).table, fd});
  return found == paths_.end() ? kUnknown : found->second;
}

std::string NamedFiles::WholePath(int pid, int dirfd, const std::string& name) const {
  if (!name.empty() && name[0] == '/') return WithoutDots(name);
  const std::string directory = dirfd == AT_FDCWD ? Of(pid).directory : PathOf(pid, dirfd);
  if (directory.empty() || directory[0] != '/') return "";
  return WithoutDots(absl::StrCat(directory, "/", name));
}

void NamedFiles::Follow(const PlanStep& step) {
  if (step.call == nullptr) return;
  const Call& call = *step.call;
  if (!call.returned || !call.result.known || !call.result.error.empty()) return;
  if (step.child != 0) FollowChild(step);
  FollowDirectory(step);
  FollowDescriptors(step);
}

void NamedFiles::FollowChild(const PlanStep& step) {
  Process child = Of(step.pid);
  const int parent_table = child.table;
  const bool shared = std::any_of(step.call->args.begin(), step.call->args.end(),
                                  [](const Value& arg) { return Mentions(arg, "CLONE_FILES"); });
  if (!shared) {
    child.table = step.child;
    std::map<std::pair<int, int>, std::string> copies;
    for (const auto& [place, path] : paths_) {
      if (place.first == parent_table) copies[{step.child, place.second}] = path;
    }
    paths_.insert(copies.begin(), copies.end());
  }
  processes_[step.child] = child;
}

void NamedFiles::FollowDirectory(const PlanStep& step) {
  const Call& call = *step.call;
  std::string directory;
  if (call.name == "fchdir") {
    directory = PathOf(step.pid, static_cast<int>(Number(call, 0)));
  } else if (call.name == "chdir" && !call.args.empty() &&
             call.args[0].kind == ValueKind::kString) {
    directory = WholePath(step.pid, AT_FDCWD, strace::Bytes(call.args[0]));
  }
  if (directory.empty()) return;
  Of(step.pid);
  processes_[step.pid].directory = directory;
}

void NamedFiles::FollowDescriptors(const PlanStep& step) {
  const Call& call = *step.call;
  const int table = Of(step.pid).table;
  if (call.name == "close") {
    paths_.erase({table, static_cast<int>(Number(call, 0))});
    return;
  }
  if (!MakesDescriptor(call)) return;
  const auto fd = static_cast<int>(call.result.value.number);
  std::string path;
  if (IsGivenAName(call)) {
    const size_t at = call.name == "openat" ? 1 : 0;
    const int dirfd = at == 1 ? static_cast<int>(Number(call, 0)) : AT_FDCWD;
    if (call.args.size() > at && call.args[at].kind == ValueKind::kString) {
      path = WholePath(step.pid, dirfd, strace::Bytes(call.args[at]));
    }
  } else if (IsCopy(call)) {
    path = PathOf(step.pid, static_cast<int>(Number(call, 0)));
    if (path == kUnknown) return;
  } else if (call.name == "pipe" || call.name == "pipe2" || call.name == "socketpair") {
    for (const Value& value : call.args) {
      for (const Value& made : value.children) {
        paths_[{table, static_cast<int>(strace::Evaluate(made).value_or(~0ull))}] = "";
      }
    }
    return;
  }
  paths_[{table, fd}] = path;
}

}  // namespace kpath
