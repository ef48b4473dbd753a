// SPDX-License-Identifier: Apache-2.0
//
// A file whose data come from outside of the machine: a terminal, a socket, a file of /proc that a
// recorded run has read and that nobody models.
//
//   class Console : public RecordedSource {
//     ssize_t Write(absl::string_view bytes) override { text += ...; return bytes.size(); }
//   };
//   kptr<file> file = RecordedFile(std::make_shared<Console>(), O_WRONLY);   // inside of the
//   machine InstallAt(1, file, 0);
//
// Departs: there is no such file in Linux. To the rest of the kernel it is a character device
// without positions that is always ready and never sleeps: what the source answers is what the call
// returns.
//
// A source is called in process context, between two probes. It must not call into the machine and
// must answer the same in every run.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "sim/vfs/fs.h"

namespace kpath {

class RecordedSource {
 public:
  virtual ~RecordedSource() = default;
  // Appends at most `count` bytes to *bytes. Returns their number, 0 at the end, or a negative
  // errno.
  virtual ssize_t Read(size_t count, std::string* bytes);
  // Returns how many of the bytes were taken, or a negative errno.
  virtual ssize_t Write(absl::string_view bytes);
  // What poll says: EPOLL*.
  virtual __poll_t Poll() { return DEFAULT_POLLMASK; }
};

extern const file_operations recorded_fops;

// An open file for `source`, with one reference. `flags` as of open. An error pointer: -ENOMEM.
kptr<file> RecordedFile(std::shared_ptr<RecordedSource> source, unsigned flags);

}  // namespace kpath
