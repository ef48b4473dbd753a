// SPDX-License-Identifier: Apache-2.0
//
// Points 5 and 6: stepping, going to a position, replaying; and what a machine costs before it does
// anything.
#include <memory>
#include <random>
#include <string>

#include "benchmark/benchmark.h"
#include "entry/boot.h"
#include "sim/machine/function_recorder.h"
#include "tests/bench/bench.h"
#include "tools/debugger/target.h"
#include "tools/debugger/test_runs.h"
#include "tools/debugger/timeline.h"
#include "tools/transcript/replay/replayer.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath {
namespace {

using debugger::ManyReads;
using debugger::RunRequest;
using debugger::StopPlan;
using debugger::Target;
using debugger::Timeline;

constexpr int kPairsOfAMillionProbes = 2700;
constexpr int kPairsOfTenMegabytes = 38'000;

StopPlan EveryProbe() {
  StopPlan plan;
  plan.stepping.mode = debugger::Stepping::Mode::kStep;
  plan.stepping.grain = Grain::kInstruction;
  return plan;
}

void SingleSteps(benchmark::State& state) {
  const strace::Transcript transcript = ManyReads(kPairsOfAMillionProbes);
  std::unique_ptr<Target> target;
  const RunRequest step = {.plan = EveryProbe()};
  for (auto _ : state) {
    if (target == nullptr || target->ended()) {
      state.PauseTiming();
      target = *Target::Load(transcript);
      state.ResumeTiming();
    }
    benchmark::DoNotOptimize(target->Run(step));
  }
}

// The whole way, with what a debugger needs to know of each probe; or with nobody listening.
void Watched(benchmark::State& state) {
  const strace::Transcript transcript = ManyReads(kPairsOfAMillionProbes);
  uint64_t probes = 0;
  for (auto _ : state) {
    const std::unique_ptr<Target> target = *Target::Load(transcript);
    const uint64_t begin = target->position();
    benchmark::DoNotOptimize(target->Run({}));
    probes += target->position() - begin;
  }
  state.SetItemsProcessed(static_cast<int64_t>(probes));
}

void Replay(benchmark::State& state) {
  const strace::Transcript transcript = ManyReads(kPairsOfAMillionProbes);
  uint64_t probes = 0;
  for (auto _ : state) {
    const std::unique_ptr<Replayer> replayer = *Replayer::Create(transcript, {});
    const uint64_t begin = replayer->machine().position().probes_passed();
    benchmark::DoNotOptimize(replayer->Run());
    probes += replayer->machine().position().probes_passed() - begin;
  }
  state.SetItemsProcessed(static_cast<int64_t>(probes));
}

void GoTo(benchmark::State& state, int pairs) {
  const strace::Transcript transcript = ManyReads(pairs);
  const std::unique_ptr<Timeline> timeline = *Timeline::Start(transcript);
  benchmark::DoNotOptimize(timeline->Forward({}));
  const uint64_t end = timeline->position();
  std::mt19937_64 random(3);
  for (auto _ : state) benchmark::DoNotOptimize(timeline->GoTo(random() % end));
}

void ReverseSteps(benchmark::State& state) {
  const strace::Transcript transcript = ManyReads(kPairsOfAMillionProbes);
  const std::unique_ptr<Timeline> timeline = *Timeline::Start(transcript);
  benchmark::DoNotOptimize(timeline->Forward({}));
  for (auto _ : state) benchmark::DoNotOptimize(timeline->Backward(EveryProbe()));
}

// Reading the text, planning, replaying, judging.
void TenMegabytes(benchmark::State& state) {
  const std::string text = debugger::TextOfManyReads(kPairsOfTenMegabytes);
  size_t calls = 0;
  for (auto _ : state) {
    const auto transcript = strace::ParseTranscript("ten-megabytes.strace", text);
    const std::unique_ptr<Replayer> replayer = *Replayer::Create(*transcript, {});
    calls += replayer->Run().legal;
  }
  state.SetItemsProcessed(static_cast<int64_t>(calls));
}

// What a recorder keeps of each function that was entered or left.
void RecordedEvent(benchmark::State& state) {
  const strace::Transcript transcript = ManyReads(kPairsOfAMillionProbes);
  for (auto _ : state) {
    const std::unique_ptr<Replayer> replayer = *Replayer::Create(transcript, {});
    FunctionRecorder recorder;
    replayer->machine().SetRecorder(&recorder);
    benchmark::DoNotOptimize(replayer->Run());
    replayer->machine().SetRecorder(nullptr);
    const double events = static_cast<double>(recorder.size());
    const double with_recorder = HeapBytes();
    recorder.Clear();
    state.counters[kBytes] = (with_recorder - HeapBytes()) / events;
  }
}

void MemoryOfMachine(benchmark::State& state) {
  for (auto _ : state) {
    const double before = HeapBytes();
    System system;
    state.counters[kBytes] = HeapBytes() - before;
  }
}

void EmptyMachine(benchmark::State& state) {
  for (auto _ : state) {
    Machine machine;
    benchmark::DoNotOptimize(machine.position());
  }
}

void BootedMachine(benchmark::State& state) {
  for (auto _ : state) {
    System system;
    benchmark::DoNotOptimize(system.machine().position());
  }
}

}  // namespace

void RegisterRuns(bool more) {
  Register("a single step through the debugger's interface", "kpath", SingleSteps);
  Register("replay with a debugger's watch, a probe", "kpath", Watched);
  Register("replay with nobody listening, a probe", "kpath", Replay);
  Register("goto, somewhere in a million probes", "kpath",
           [](benchmark::State& state) { GoTo(state, kPairsOfAMillionProbes); });
  if (more) {
    Register("goto, somewhere in a hundred million probes", "kpath",
             [](benchmark::State& state) { GoTo(state, 100 * kPairsOfAMillionProbes); });
  }
  Register("reverse-stepi, at the end of a million probes", "kpath", ReverseSteps);
  Register("memory of a recorded event (function entered or left)", "kpath", RecordedEvent);
  Register("a transcript of 10 MB, a call", "kpath", TenMegabytes);
  Register("a machine without a kernel, made", "kpath", EmptyMachine);
  Register("a machine with a kernel and no program, made", "kpath", BootedMachine);
  Register("memory of a machine with a kernel and no program", "kpath", MemoryOfMachine);
}

}  // namespace kpath
