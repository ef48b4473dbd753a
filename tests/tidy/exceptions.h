// SPDX-License-Identifier: Apache-2.0
//
// The offences that are allowed, each with its reason.

#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tests/tidy/rules.h"

namespace kpath::tidy {

// Allows the offences against `rule` at `path` that are about `what` (see Finding).
struct Exception {
  absl::string_view rule;
  absl::string_view path;
  absl::string_view what;
  absl::string_view reason;
};

// All exceptions of the project. To add one, add a line to exceptions.cc.
std::vector<Exception> Exceptions();

// Returns `findings` without those that `exceptions` allow. An exception that allows nothing is
// itself a finding (rule "unused_exception"), so that the list never outlives its reasons.
std::vector<Finding> Apply(absl::Span<const Exception> exceptions,
                           const std::vector<Finding>& findings);

}  // namespace kpath::tidy
