// SPDX-License-Identifier: Apache-2.0
//
// The second judge: random programs of AIO calls run on the host's kernel and on the model, and
// what they show is compared.
//
//   DiffHost diff(**host, model);
//   DiffReport report = diff.Run({.seed = 1, .programs = 1000});
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "tools/diff_host/compare.h"
#include "tools/diff_host/host.h"
#include "tools/diff_host/model.h"
#include "tools/diff_host/program.h"

namespace kpath::diff_host {

struct DiffOptions {
  uint64_t seed = 1;
  uint64_t first = 0;        // index of the first program of the series
  uint64_t programs = 1000;  // how many
  // Called now and then with how many have been compared.
  std::function<void(uint64_t done, uint64_t all)> progress = {};
};

// A difference that nothing explains, in the smallest program that shows it.
struct Found {
  uint64_t index = 0;  // of the program in which it was found
  Program program;
  Difference difference;
  std::string transcript;
};

struct DiffReport {
  uint64_t compared = 0;
  uint64_t agreed = 0;
  std::map<std::string, uint64_t> known;  // by name: programs that showed a known difference
  // Programs that differed and did not when they ran a second time, alone: something else that
  // happened on the host.
  uint64_t disturbed = 0;
  absl::optional<Found> found;  // the first; nothing is compared after it
};

class DiffHost {
 public:
  DiffHost(Judge& judge, Model& model) : judge_(judge), model_(model) {}

  DiffReport Run(const DiffOptions& options);
  // Runs one program on both sides. REQUIRES: the judge runs no other one.
  Verdict Check(const Program& program);
  // The same, as a transcript.
  std::string Show(const Program& program);

 private:
  Observation Judged(const Program& program);
  Found Explain(uint64_t index, const Program& program);

  Judge& judge_;
  Model& model_;
};

}  // namespace kpath::diff_host
