// SPDX-License-Identifier: Apache-2.0
//
// Programs from any bytes, on the model alone: its kernel must find nothing to report, and the same
// program must show the same twice.
#include <cstdio>
#include <cstdlib>

#include "tools/diff_host/generator.h"
#include "tools/diff_host/model.h"
#include "tools/diff_host/random.h"
#include "tools/diff_host/transcript.h"

namespace {

using namespace kpath::diff_host;

void Fail(const Program& program, const Observation& seen, const char* what) {
  std::fprintf(stderr, "%s%s\n%s\n", ToTranscript(program, seen, seen).c_str(), what,
               seen.report.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteDecisions decide(data, size);
  const int cpus = 1 + static_cast<int>(decide.Below(4));
  const Program program = Generate(decide);
  Model model({.cpus = cpus});
  const Observation once = model.Run(program);
  if (once.outcome == Outcome::kBroken) {
    Fail(program, model.Run(program, /*reasons=*/true), "the model reports a bug of its own");
  }
  if (FirstDifference(once, model.Run(program)).has_value()) {
    Fail(program, once, "a second run differs");
  }
  return 0;
}
