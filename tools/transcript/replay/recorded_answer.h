// SPDX-License-Identifier: Apache-2.0
//
// Answers a read or write of a file from outside of the model with what the transcript says.
//
// Context: SetNext: ring 3; Read, Write: inside of the call that it was set for.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "sim/vfs/recorded_file.h"

namespace kpath {

class RecordedAnswer : public RecordedSource {
 public:
  // The next call's result and, of a read, its bytes. `compacts`: a write makes the kernel move
  // pages (vm.compact_memory).
  void SetNext(int64_t result, std::string bytes, bool compacts = false) {
    result_ = result;
    bytes_ = std::move(bytes);
    compacts_ = compacts;
  }
  ssize_t Read(size_t count, std::string* bytes) override;
  ssize_t Write(absl::string_view bytes) override;

 private:
  int64_t result_ = 0;
  std::string bytes_;
  bool compacts_ = false;
};

}  // namespace kpath
