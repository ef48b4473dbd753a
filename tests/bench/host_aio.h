// SPDX-License-Identifier: Apache-2.0
//
// The same calls on this computer's kernel, to compare with: raw system calls, no library between.
//
//   HostAio host;
//   if (!host.ok()) …   // this kernel has no native AIO, or a filter forbids it
//   host.SubmitAndReap(32);
#pragma once

#include <memory>

namespace kpath {

class HostAio {
 public:
  static constexpr int kMost = 64;  // requests at a time

  HostAio();
  ~HostAio();

  bool ok() const;
  // `count` reads of 512 bytes of a memory file in one call, and their events in another.
  bool SubmitAndReap(int count);

 private:
  struct Impl;  // the host's structures have the names of the model's
  std::unique_ptr<Impl> impl_;
};

}  // namespace kpath
