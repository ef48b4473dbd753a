// SPDX-License-Identifier: Apache-2.0
//
// Runs a random program on the simulated kernel.
#pragma once

#include <memory>

#include "tools/diff_host/program.h"
#include "tools/diff_host/trace.h"

namespace kpath::diff_host {

struct ModelOptions {
  int cpus = 1;                 // possible CPUs; the program runs on the first
  uint64_t aio_max_nr = 65536;  // fs.aio-max-nr
  bool reasons = false;         // note why calls failed
};

class Model {
 public:
  explicit Model(const ModelOptions& options) : options_(options) {}

  // A machine of its own for each run. What its kernel reports, or leaves behind, is an outcome
  // kBroken.
  Observation Run(const Program& program) { return Run(program, options_.reasons); }
  Observation Run(const Program& program, bool reasons);

 private:
  const ModelOptions options_;
  const std::unique_ptr<Trace> trace_ = std::make_unique<Trace>();
};

}  // namespace kpath::diff_host
