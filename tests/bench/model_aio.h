// SPDX-License-Identifier: Apache-2.0
//
// Programs on a simulated machine, to be measured: what a program does again and again, with nobody
// listening or with a trace.
#pragma once

#include <fcntl.h>

#include <functional>
#include <string>

#include "benchmark/benchmark.h"
#include "entry/boot.h"
#include "sim/trace/graph_listener.h"
#include "sim/trace/graph_writer.h"
#include "sim/user/user.h"
#include "tools/kpath/steps_writer.h"

namespace kpath {

enum class Traced {
  kNothing,       // nobody listens
  kFunctions,     // function_graph, written as text and thrown away
  kInstructions,  // every probe, written as text and thrown away
};

// Runs `body` as a program of a machine with `options`; it makes its own loop over `state`. The end
// of the machine is not measured.
inline void RunModel(benchmark::State& state, Traced traced, const SystemOptions& options,
                     const std::function<void()>& body) {
  System system(options);
  size_t written = 0;
  const auto sink = [&written](absl::string_view text) { written += text.size(); };
  GraphWriter graph(sink, {});
  GraphListener graph_listener(&graph);
  StepsWriter steps(sink);
  if (traced == Traced::kFunctions) system.machine().AddListener(&graph_listener);
  if (traced == Traced::kInstructions) system.machine().AddListener(&steps);
  system.Start("bench", body);
  const std::string report = system.RunUntilIdle();
  if (!report.empty()) state.SkipWithError(report.c_str());
  state.counters["probes"] =
      benchmark::Counter(static_cast<double>(system.machine().position().probes_passed()));
}

// A context and iocbs that read 512 bytes each, one behind the other: of a memory file, or of a
// device with O_DIRECT.
class ModelAio {
 public:
  static constexpr int kMost = 64;

  ModelAio(const std::string& path, int flags) : arena_(1 << 20) {
    const auto fd = static_cast<int>(user::open(path, flags, 0600));
    buffer_ = arena_.Bytes(kMost * 4096, 4096);
    if ((flags & O_CREAT) != 0) user::write(fd, buffer_, 4096);
    const auto place = arena_.New<user::io_context_t>();
    user::io_setup(kMost, place);
    ctx_ = place.Load();
    events_ = arena_.New<user::io_event>(kMost);
    pointers_ = arena_.New<user::Pointer<user::iocb>>(kMost);
    const bool direct = (flags & O_DIRECT) != 0;
    for (int i = 0; i < kMost; ++i) {
      // Of a device, places that are no neighbours: each is a request.
      const int64_t offset = direct ? int64_t{65536} * i : 0;
      const uint64_t buffer = direct ? buffer_ + uint64_t{4096} * i : buffer_;
      const user::iocb one = user::PreadIocb(fd, buffer, 512, offset);
      (pointers_ + i).Store(arena_.Put(one));
    }
  }

  bool SubmitAndReap(int count) {
    return user::io_submit(ctx_, count, pointers_) == count &&
           user::io_getevents(ctx_, count, count, events_, {}) == count;
  }

 private:
  user::Arena arena_;
  uint64_t buffer_ = 0;
  user::io_context_t ctx_ = 0;
  user::Pointer<user::io_event> events_;
  user::Pointer<user::Pointer<user::iocb>> pointers_;
};

}  // namespace kpath
