// SPDX-License-Identifier: Apache-2.0
//
// `info files`: the descriptors of a process.
//
//   files of prog/1, which is in /
//   FD  FLAGS               POSITION  REFS  KIND                               PATH
//    3  O_RDWR|O_LARGEFILE      4096     2  regular, shmem_file_operations     /tmp/file
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "inspect/info/view.h"

namespace kpath {

// Of the process with this pid; none: of the selected task. Errors (NotFound): No task has the pid
// 99.
absl::StatusOr<std::string> InfoFiles(const View& view, absl::optional<int> pid = {});

}  // namespace kpath
