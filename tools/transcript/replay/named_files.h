// SPDX-License-Identifier: Apache-2.0
//
// By which paths a transcript's files were opened: read ahead, before anything is replayed.
//
//   NamedFiles files;
//   for (const PlanStep& step : plan.steps) {
//     const std::string path = files.PathOf(step.pid, fd);   // of a descriptor, before the step
//     files.Follow(step);
//   }
//
// Names that begin elsewhere than at the root are taken from the working directory that the
// transcript shows (chdir, fchdir), or from the directory's descriptor. Where nothing shows it, a
// process is in "/", as it is when it is replayed.
#pragma once

#include <map>
#include <string>

#include "tools/transcript/replay/plan.h"

namespace kpath {

class NamedFiles {
 public:
  // The path of the file behind `fd`; "": it is no file with a name; kUnknown: no recorded call
  // made the descriptor.
  static constexpr const char* kUnknown = "?";
  std::string PathOf(int pid, int fd) const;
  // The whole path, without "." and "..", of a name that a call of `pid` gives; `dirfd`: a
  // descriptor or AT_FDCWD. "": nobody knows.
  std::string WholePath(int pid, int dirfd, const std::string& name) const;

  // What the step did to descriptors and working directories, if it succeeded.
  void Follow(const PlanStep& step);

 private:
  struct Process {
    int table = 0;  // whose descriptors these are: its own pid, or that of who it shares them with
    std::string directory = "/";
  };
  const Process& Of(int pid) const;
  void FollowChild(const PlanStep& step);
  void FollowDirectory(const PlanStep& step);
  void FollowDescriptors(const PlanStep& step);

  mutable std::map<int, Process> processes_;
  std::map<std::pair<int, int>, std::string> paths_;  // by table and descriptor
};

}  // namespace kpath
