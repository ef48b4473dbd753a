// SPDX-License-Identifier: Apache-2.0
//
// Scenario files as tests: a transcript in strace's format, whose results are its assertions.
//
//   KPATH_SCENARIO_TEST(MyProgram, Refused, "testing/testdata/refused.strace")
//
// is a gtest MyProgram.Refused, which replays the file as `kpath run` does and fails for each call
// whose result the kernel could not have returned, with the verdict's text:
//
//   testing/testdata/refused.strace:3: io_submit(0x7f0000000000, 1, [{…}])
//     recorded:  -1 EINVAL (Invalid argument)
//     simulated: -1 EBADF (Bad file descriptor)
//     reason:    fd 9 is not open
//
// Lines `# kpath: …` of the file set up the machine: README.md, "Record your own".
//
// Part of testing/kpath.h.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace kpath::testing {

// Replays the file at `path`, from the root of the workspace (it is to be among the test's `data`),
// on a machine of its own. Fails the running test for each result that is not legal, for a report
// of the simulated kernel on itself, and where the file cannot be read or replayed. Returns how
// many calls were legal. Context: outside of every machine.
size_t ExpectLegal(const std::string& path);
// The same for a transcript that stands in the test; `name` stands for the file in messages.
size_t ExpectLegalText(const std::string& name, absl::string_view text);

}  // namespace kpath::testing

#define KPATH_SCENARIO_TEST(suite, name, path) \
  TEST(suite, name) { ::kpath::testing::ExpectLegal(path); }
