// SPDX-License-Identifier: Apache-2.0
//
// The same calls on this computer's kernel, to compare with: raw system calls, no library between.
//
//   HostAio host;
//   if (!host.ok()) …   // this kernel has no native AIO, or a filter forbids it, or has enough
//   host.SubmitAndReap(32);
#pragma once

#include <memory>

namespace kpath {

class HostAio {
 public:
  static constexpr int kMost = 64;  // requests at a time; with several contexts: kMostOfSeveral
  static constexpr int kMostOfSeveral = 4;

  explicit HostAio(int contexts = 1);
  ~HostAio();

  bool ok() const;
  // `count` reads of 512 bytes of a memory file in one call, and their events in another.
  bool SubmitAndReap(int count);
  // Goes on with the context made after the present one, or with the first.
  void NextContext();

 private:
  struct Impl;  // the host's structures have the names of the model's
  std::unique_ptr<Impl> impl_;
};

}  // namespace kpath
