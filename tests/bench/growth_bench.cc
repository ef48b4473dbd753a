// SPDX-License-Identifier: Apache-2.0
//
// Point 7: what a request costs as there are more of them, of contexts, tasks and CPUs. It should
// stay the same.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "tests/bench/bench.h"
#include "tests/bench/model_aio.h"

namespace kpath {
namespace {

constexpr int kReads = 2000;

// `tasks` programs, each of which makes `reads` reads.
void Reads(benchmark::State& state, int cpus, int tasks, int64_t reads) {
  for (auto _ : state) {
    SystemOptions options;
    options.cpus = cpus;
    System system(options);
    for (int i = 0; i < tasks; ++i) {
      system.Start("bench", [reads] {
        ModelAio model("/tmp/x", O_RDWR | O_CREAT);
        for (int64_t n = 0; n < reads; ++n) model.SubmitAndReap(1);
      });
    }
    const std::string report = system.RunUntilIdle();
    if (!report.empty()) return state.SkipWithError(report.c_str());
  }
  state.SetItemsProcessed(state.iterations() * tasks * reads);
}

// A process with so many contexts, which uses one after the other.
void Contexts(benchmark::State& state, int contexts) {
  int64_t requests = 0;
  RunModel(state, Traced::kNothing, {}, [&] {
    std::vector<std::unique_ptr<ModelAio>> all;
    for (int i = 0; i < contexts; ++i) {
      all.push_back(std::make_unique<ModelAio>("/tmp/x", O_RDWR | O_CREAT));
    }
    size_t next = 0;
    for (auto _ : state) all[next++ % all.size()]->SubmitAndReap(1);
    requests = state.iterations();
  });
  state.SetItemsProcessed(requests);
}

}  // namespace

void RegisterGrowth() {
  for (const int64_t requests : {1'000, 10'000, 100'000, 1'000'000}) {
    Register(absl::StrCat("growth: ", requests, " requests, each"), "kpath",
             [requests](benchmark::State& state) { Reads(state, 1, 1, requests); });
  }
  for (const int contexts : {1, 10, 100, 1000}) {
    Register(absl::StrCat("growth: ", contexts, " contexts, a request"), "kpath",
             [contexts](benchmark::State& state) { Contexts(state, contexts); });
  }
  for (const int tasks : {1, 10, 100, 1000}) {
    Register(absl::StrCat("growth: ", tasks, " tasks, a request"), "kpath",
             [tasks](benchmark::State& state) { Reads(state, 1, tasks, kReads / 10); });
  }
  for (const int cpus : {1, 4, 16, 64}) {
    Register(absl::StrCat("growth: ", cpus, " CPUs, a request"), "kpath",
             [cpus](benchmark::State& state) { Reads(state, cpus, cpus, kReads); });
  }
}

}  // namespace kpath
