// SPDX-License-Identifier: Apache-2.0
//
// Point 7: what a request costs, in time and memory, as there are more of them, of contexts, tasks
// and CPUs. It should stay the same.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "tests/bench/bench.h"
#include "tests/bench/host_aio.h"
#include "tests/bench/model_aio.h"
#include "tests/bench/run_model.h"

namespace kpath {
namespace {

constexpr int kReads = 2000;

// `tasks` programs, each of which makes `reads` reads. Only the reads are measured: they begin when
// all programs are ready for them, and none of these ends before the last read.
void Reads(benchmark::State& state, int cpus, int tasks, int64_t reads,
           int slice = Machine::kSliceProbes) {
  for (auto _ : state) {
    state.PauseTiming();
    {
      int ready = 0;
      int done = 0;
      SystemOptions options;
      options.cpus = cpus;
      options.slice = slice;
      System system(options);
      for (int i = 0; i < tasks; ++i) {
        system.Start("bench", [&, tasks, reads] {
          ModelAio model("/tmp/x", O_RDWR | O_CREAT);
          model.SubmitAndReap(1);
          if (++ready == tasks) state.ResumeTiming();
          while (ready < tasks) user::Syscall(NR_sched_yield);
          for (int64_t n = 0; n < reads; ++n) model.SubmitAndReap(1);
          if (++done == tasks) state.PauseTiming();
          if (done != tasks) user::pause();
        });
      }
      const std::string report = system.RunUntilIdle();
      if (!report.empty()) return state.SkipWithError(report.c_str());
    }
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * tasks * reads);
}

// What the machine has kept after so many requests.
void KeptBytes(benchmark::State& state, int64_t requests) {
  for (auto _ : state) {
    const double before = HeapBytes();
    System system;
    system.Start("bench", [requests] {
      ModelAio model("/tmp/x", O_RDWR | O_CREAT);
      for (int64_t n = 0; n < requests; ++n) model.SubmitAndReap(1);
    });
    system.RunUntilIdle();
    state.counters[kBytes] = HeapBytes() - before;
  }
}

// Once, so that the page fault of the first use is not measured.
template <typename Aio>
void UseEachContext(Aio& aio, int contexts) {
  for (int i = 0; i < contexts; ++i) {
    aio.SubmitAndReap(1);
    aio.NextContext();
  }
}

// A process with so many contexts, which uses one after the other.
void Contexts(benchmark::State& state, int contexts) {
  int64_t requests = 0;
  RunModel(state, Traced::kNothing, {}, [&] {
    ModelAio model("/tmp/x", O_RDWR | O_CREAT, contexts);
    UseEachContext(model, contexts);
    for (auto _ : state) {
      model.SubmitAndReap(1);
      model.NextContext();
    }
    requests = state.iterations();
  });
  state.SetItemsProcessed(requests);
}

// The same on the host. Its contexts are kept to the program's end: io_destroy of each takes it
// milliseconds.
void HostContexts(benchmark::State& state, int contexts) {
  static auto* const hosts = new std::map<int, HostAio>;
  const auto [found, made] = hosts->try_emplace(contexts, contexts);
  HostAio& host = found->second;
  if (!host.ok()) return state.SkipWithError("no native AIO here, or too few contexts");
  if (made) UseEachContext(host, contexts);
  for (auto _ : state) {
    if (!host.SubmitAndReap(1)) return state.SkipWithError("io_submit or io_getevents");
    host.NextContext();
  }
  state.SetItemsProcessed(state.iterations());
}

}  // namespace

void RegisterGrowth(bool more) {
  std::vector<int64_t> requests = {1'000, 10'000, 100'000, 1'000'000};
  if (more) requests.push_back(10'000'000);
  for (const int64_t count : requests) {
    Register(absl::StrCat("growth: ", count, " requests, each"), "kpath",
             [count](benchmark::State& state) { Reads(state, 1, 1, count); });
  }
  for (const int64_t count : {1'000, 1'000'000}) {
    Register(absl::StrCat("growth: memory after ", count, " requests"), "kpath",
             [count](benchmark::State& state) { KeptBytes(state, count); });
  }
  for (const int contexts : {1, 10, 100, 1000, 10'000}) {
    const std::string row = absl::StrCat("growth: ", contexts, " contexts, a request");
    Register(row, "host", [contexts](benchmark::State& state) { HostContexts(state, contexts); });
    Register(row, "kpath", [contexts](benchmark::State& state) { Contexts(state, contexts); });
  }
  for (const int tasks : {1, 10, 100, 1000}) {
    Register(absl::StrCat("growth: ", tasks, " tasks, a request"), "kpath",
             [tasks](benchmark::State& state) { Reads(state, 1, tasks, kReads / 10); });
  }
  for (const int cpus : {1, 4, 16, 64}) {
    Register(absl::StrCat("growth: ", cpus, " CPUs, one of them busy, a request"), "kpath",
             [cpus](benchmark::State& state) { Reads(state, cpus, 1, kReads); });
  }
  for (const int cpus : {1, 4, 16, 64}) {
    Register(absl::StrCat("growth: ", cpus, " CPUs, all of them busy, a request"), "kpath",
             [cpus](benchmark::State& state) { Reads(state, cpus, cpus, kReads); });
  }
  for (const int cpus : {4, 16, 64}) {
    Register(absl::StrCat("growth: ", cpus, " CPUs, all busy, slices of 4096 probes, a request"),
             "kpath",
             [cpus](benchmark::State& state) { Reads(state, cpus, cpus, kReads, /*slice=*/4096); });
  }
}

}  // namespace kpath
