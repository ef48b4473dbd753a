// SPDX-License-Identifier: Apache-2.0
//
// Golden traces: the calls that a path is made of, kept in a file beside the test.
//
//   EXPECT_THAT(Call([&] { return user::io_submit(ctx, 1, iocbs); }),
//               CallGraphIs("testing/testdata/io_submit.graph"));
//
// Made, and made anew after a change that is meant, by
//
//   KPATH_UPDATE_GOLDENS=1 bazel run //testing:golden_test
//
// which writes into the source tree (Bazel's BUILD_WORKSPACE_DIRECTORY); without Bazel, into the
// working directory. The file is to be among the test's `data`. The text is that of
// Trace::call_graph, so `kpath compare` reads it, too.
//
// Part of testing/kpath.h.
#pragma once

#include <ostream>
#include <string>
#include <utility>

#include "testing/trace.h"

namespace kpath::testing {

class CallGraphIsMatcher {
 public:
  using is_gtest_matcher = void;
  explicit CallGraphIsMatcher(std::string path) : path_(std::move(path)) {}
  bool MatchAndExplain(const Trace& trace, std::ostream* os) const;
  void DescribeTo(std::ostream* os) const;
  void DescribeNegationTo(std::ostream* os) const;

 private:
  const std::string path_;
};

// `path`: from the root of the workspace. With KPATH_UPDATE_GOLDENS=1 the file is written and the
// matcher matches; it does not where the file cannot be read or written, and says why. A
// difference is shown side by side:
//
//   golden                            now
//     do_syscall_64() {                 do_syscall_64() {
//       fget();                       |   fdget();
//                                     >   fdput();
//     }                                 }
inline CallGraphIsMatcher CallGraphIs(std::string path) {
  return CallGraphIsMatcher(std::move(path));
}

}  // namespace kpath::testing
