// SPDX-License-Identifier: Apache-2.0
//
// For tests: reads //tests/reference:steps.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "entry/recorded_steps.h"
#include "sim/machine/check.h"

namespace kpath {

// `name`: "entry_SYSCALL_64". A file that is missing or malformed ends the test with its error.
inline RecordedSteps ReadReferenceSteps(const std::string& name) {
  const std::string path = absl::StrCat("tests/reference/linux-4.19.13/entry/", name, ".steps");
  std::ifstream file(path, std::ios::binary);
  KPATH_CHECK(file, path);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  absl::StatusOr<RecordedSteps> steps = ParseRecordedSteps(path, text);
  KPATH_CHECK(steps.ok(), steps.status().ToString());
  return *std::move(steps);
}

}  // namespace kpath
