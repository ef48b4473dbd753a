// SPDX-License-Identifier: Apache-2.0
//
// fs.aio-nr and fs.aio-max-nr, as /proc/sys/fs shows them. v4.19 kernel/sysctl.c: fs_table
//
//   fs.aio-nr      how many events all contexts together have asked for (io_setup's nr_events, not
//                  the size of their rings); 0444
//   fs.aio-max-nr  how many they may; 65536 at boot; 0644. A context that is there already is not
//                  asked again when it gets lower.
//
//   WriteAioSysctl("fs.aio-max-nr", "8\n");        // 2: bytes taken
//   ReadAioSysctl("fs.aio-nr", &text);             // 2, "0\n"
//
// Context: process, or outside of the run of a machine that is entered (EnterMachine).
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace kpath {

// Reads the whole file. Returns its length; -ENOENT: no such name.
long ReadAioSysctl(absl::string_view name, std::string* text);
// Writes `text` to the file as one write at its beginning. Returns the bytes taken; -ENOENT: no
// such name; -EACCES: fs.aio-nr, which nobody may write; -EINVAL: not a number
// (sim/kernel/sysctl.h).
long WriteAioSysctl(absl::string_view name, const std::string& text);

}  // namespace kpath
