// SPDX-License-Identifier: Apache-2.0
//
// workloads NAME TIMES: does one thing TIMES times on a simulated machine, with nobody listening or
// with functions recorded. What instruction_counts_test.py and link_order_test.py measure.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "sim/machine/function_recorder.h"
#include "tests/bench/model_aio.h"

namespace kpath {
namespace {

struct Workload {
  const char* name;
  int requests;  // at a time; 0: no AIO
  bool on_disk;
  bool recorded;  // what functions it executes
  int cpus = 1;   // each with a task of its own
};

constexpr Workload kWorkloads[] = {
    {"getpid", 0, false, false},
    {"cached-read", 1, false, false},
    {"cached-read-recorded", 1, false, true},
    {"cached-reads-32", 32, false, false},
    {"full-circle-32", 32, true, false},
    {"cached-read-4-cpus", 1, false, false, 4},
};

void Work(const Workload& workload, int times) {
  if (workload.requests == 0) {
    for (int i = 0; i < times; ++i) user::getpid();
    return;
  }
  ModelAio model(workload.on_disk ? "/dev/vda" : "/tmp/x",
                 workload.on_disk ? O_RDONLY | O_DIRECT : O_RDWR | O_CREAT);
  for (int i = 0; i < times; ++i) {
    if (!model.SubmitAndReap(workload.requests)) std::exit(1);
  }
}

int Run(const Workload& workload, int times) {
  SystemOptions options;
  options.cpus = workload.cpus;
  options.devices.push_back({.path = "/dev/vda"});
  System system(options);
  FunctionRecorder functions(1 << 16);
  if (workload.recorded) system.machine().SetRecorder(&functions);
  for (int i = 0; i < workload.cpus; ++i) {
    system.Start("bench", [&] { Work(workload, times); });
  }
  const std::string report = system.RunUntilIdle();
  if (!report.empty()) std::fprintf(stderr, "%s\n", report.c_str());
  return report.empty() ? 0 : 1;
}

}  // namespace
}  // namespace kpath

int main(int argc, char** argv) {
  for (const kpath::Workload& workload : kpath::kWorkloads) {
    if (argc == 3 && argv[1] == std::string(workload.name)) {
      return kpath::Run(workload, std::atoi(argv[2]));
    }
  }
  std::fprintf(stderr, "usage: workloads NAME TIMES\n");
  return 2;
}
