// SPDX-License-Identifier: Apache-2.0
//
// Points 1 to 4: what calls cost, on this computer's kernel and on the model.
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "tests/bench/bench.h"
#include "tests/bench/host_aio.h"
#include "tests/bench/model_aio.h"
#include "tests/bench/run_model.h"

namespace kpath {
namespace {

constexpr long kNoSuchCall = 5000;

constexpr std::pair<Traced, const char*> kTraces[] = {{Traced::kNothing, "kpath"},
                                                      {Traced::kFunctions, "functions"},
                                                      {Traced::kText, "as text"},
                                                      {Traced::kInstructions, "instructions"}};

void HostCall(benchmark::State& state, long number) {
  for (auto _ : state) benchmark::DoNotOptimize(syscall(number));
}

void ModelCall(benchmark::State& state, long number, Traced traced) {
  RunModel(state, traced, {}, [&] {
    for (auto _ : state) benchmark::DoNotOptimize(user::Syscall(number));
  });
}

void HostReads(benchmark::State& state, int count) {
  HostAio host;
  if (!host.ok()) return state.SkipWithError("no native AIO here");
  for (auto _ : state) {
    if (!host.SubmitAndReap(count)) return state.SkipWithError("io_submit or io_getevents");
  }
  state.SetItemsProcessed(state.iterations() * count);
}

void ModelReads(benchmark::State& state, int count, Traced traced, const SystemOptions& options,
                const std::string& path, int flags) {
  RunModel(state, traced, options, [&] {
    ModelAio model(path, flags);
    bool good = true;
    for (auto _ : state) good = model.SubmitAndReap(count) && good;
    if (!good) state.SkipWithError("io_submit or io_getevents");
  });
  state.SetItemsProcessed(state.iterations() * count);
}

}  // namespace

void RegisterCalls() {
  const std::pair<const char*, long> kCalls[] = {{"getpid", SYS_getpid},
                                                 {"a number that does not exist", kNoSuchCall}};
  for (const auto& [name, number] : kCalls) {
    Register(name, "host", [number = number](benchmark::State& state) { HostCall(state, number); });
    for (const auto& [traced, column] : kTraces) {
      Register(name, column, [number = number, traced = traced](benchmark::State& state) {
        ModelCall(state, number, traced);
      });
    }
  }
  for (const int count : {1, 32}) {
    const std::string name = absl::StrCat("io_submit + io_getevents, cached read, ", count,
                                          count == 1 ? " request" : " requests, each");
    Register(name, "host", [count](benchmark::State& state) { HostReads(state, count); });
    for (const auto& [traced, column] : kTraces) {
      Register(name, column, [count, traced = traced](benchmark::State& state) {
        ModelReads(state, count, traced, {}, "/tmp/x", O_RDWR | O_CREAT);
      });
    }
  }
  for (const int depth : {1, 32}) {
    const std::string name = absl::StrCat("full circle on virtio_blk, depth ", depth, ", each");
    for (const auto& [traced, column] : kTraces) {
      Register(name, column, [depth, traced = traced](benchmark::State& state) {
        SystemOptions options;
        options.devices.push_back({.path = "/dev/vda"});
        ModelReads(state, depth, traced, options, "/dev/vda", O_RDONLY | O_DIRECT);
      });
    }
  }
}

}  // namespace kpath
