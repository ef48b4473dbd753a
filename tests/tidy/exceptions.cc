// SPDX-License-Identifier: Apache-2.0

#include "tests/tidy/exceptions.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "tests/tidy/rules.h"

namespace kpath::tidy {
namespace {

bool Allows(const Exception& exception, const Finding& finding) {
  return exception.rule == finding.rule && exception.path == finding.path &&
         exception.what == finding.what;
}

}  // namespace

std::vector<Exception> Exceptions() {
  return {
      // {rule, path, what, reason},
      {"function_length", "tools/transcript/syntax/constants_test.cc", "TEST",
       "a list of names and numbers, one a line"},
      {"host_state", "tools/transcript/syntax/performance_test.cc", "clock",
       "bounds the processor time that parsing 10 MB takes; prints nothing"},
      {"host_state", "inspect/expression_test.cc", "clock",
       "bounds the processor time that an evaluation takes; prints nothing"},
      {"host_state", "tools/debugger/timeline_test.cc", "steady_clock",
       "bounds how long going to a position takes; prints nothing that is compared"},
      {"host_state", "tools/kpath/command.cc", "steady_clock",
       "says on a terminal how far a long command has come; nothing of a run depends on it"},
  };
}

std::vector<Finding> Apply(absl::Span<const Exception> exceptions,
                           const std::vector<Finding>& findings) {
  std::vector<Finding> left;
  std::copy_if(findings.begin(), findings.end(), std::back_inserter(left),
               [exceptions](const Finding& finding) {
                 return std::none_of(
                     exceptions.begin(), exceptions.end(),
                     [&finding](const Exception& exception) { return Allows(exception, finding); });
               });
  for (const Exception& exception : exceptions) {
    const bool used =
        std::any_of(findings.begin(), findings.end(),
                    [&exception](const Finding& finding) { return Allows(exception, finding); });
    if (used) continue;
    left.push_back({"tests/tidy/exceptions.cc", 1, "unused_exception", "",
                    absl::StrCat("nothing at ", exception.path, " needs the exception from ",
                                 exception.rule, "; take its line out")});
  }
  return left;
}

}  // namespace kpath::tidy
