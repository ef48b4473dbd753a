// SPDX-License-Identifier: Apache-2.0
//
// Where newer kernels do not do what v4.19 does, and both are right. Each has a name, the kernel
// that began it, and a precise description of what it looks like; docs/fidelity.md lists them.
#pragma once

#include <string>

#include "absl/types/span.h"
#include "tools/diff_host/compare.h"
#include "tools/diff_host/program.h"
#include "tools/diff_host/trace.h"
#include "tools/diff_host/version.h"

namespace kpath::diff_host {

// What a difference is judged by.
struct Situation {
  const Program& program;
  const Difference& difference;
  const Observation& model;
  const Observation& host;
};

struct KnownDifference {
  const char* name;     // "eventfd-read"
  KernelVersion since;  // the first kernel that does it the new way
  // The stable release of an older kernel that took it over; {}: none.
  KernelVersion stable;
  const char* summary;  // what v4.19 does; what newer kernels do
  bool (*explains)(const Situation& situation);
};

// In the order of `since`.
absl::Span<const KnownDifference> KnownDifferences();

// True if a kernel of this version does it the new way.
bool HasIt(KernelVersion version, const KnownDifference& known);

// The one that explains the difference and that a kernel of this version has; nullptr: none.
const KnownDifference* FindKnownDifference(const Situation& situation, KernelVersion version);

}  // namespace kpath::diff_host
