// SPDX-License-Identifier: Apache-2.0
//
// Holds what the model showed against what the host showed.
#pragma once

#include <string>

#include "absl/types/optional.h"
#include "tools/diff_host/program.h"
#include "tools/diff_host/trace.h"
#include "tools/diff_host/version.h"

namespace kpath::diff_host {

// The first place where two runs part. Behind it nothing can be compared.
struct Difference {
  uint32_t op = 0;               // the operation; behind the last: the end of the program
  absl::optional<Record> model;  // nullopt: its run had ended
  absl::optional<Record> host;
  Outcome model_outcome = Outcome::kFinished;  // where the runs ended differently
  Outcome host_outcome = Outcome::kFinished;
};

absl::optional<Difference> FirstDifference(const Observation& model, const Observation& host);

struct KnownDifference;

struct Verdict {
  absl::optional<Difference> difference;   // nullopt: they agree
  const KnownDifference* known = nullptr;  // the difference between v4.19 and the host that it is

  bool unexplained() const { return difference.has_value() && known == nullptr; }
};

// `version`: the host's.
Verdict Compare(const Program& program, const Observation& model, const Observation& host,
                KernelVersion version);

// The result of operation `op`; nullopt: it has none, or did not return.
absl::optional<int64_t> ResultOf(const Observation& seen, uint32_t op);

// The iocb that a pointer of operation `op` led to, as it was when it was submitted.
user::iocb IocbAt(const Program& program, uint32_t op, uint64_t address);

}  // namespace kpath::diff_host
