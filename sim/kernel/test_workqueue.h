// SPDX-License-Identifier: Apache-2.0
//
// Works that say what was done with them, for the tests of workqueues.
//
//   RunWell(2, [] {                                  // in a task of a machine with two CPUs
//     job* a = a_job(1, [] { msleep(4); });
//     schedule_work(&a->work);
//     flush_work(&a->work);
//     EXPECT_EQ(a->runs, 1);
//   });
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/kernel/completion.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/test_kernel.h"
#include "sim/kernel/workqueue.h"

namespace kpath {

// A work, what it does, and what was seen of it.
struct job {
  work_struct work;
  std::function<void()> body;
  int runs = 0;
  bool running = false;
  std::string name;
  std::string worker;  // who did it last
};

struct things {
  std::vector<std::string> order;
  job jobs[64];
  completion go;
  completion begun;
  int at_work = 0;
  int most_at_work = 0;
};
inline KernelGlobal<things> t;

inline void run_job(work_struct* work) {
  FUNCTION();
  job* done = container_of(work, &job::work);
  EXPECT_FALSE(done->running) << done->name << " runs twice at a time";
  done->running = true;
  t->most_at_work = std::max(t->most_at_work, ++t->at_work);
  ++done->runs;
  done->worker = current->comm;
  t->order.push_back(done->name);
  if (done->body) done->body();
  --t->at_work;
  done->running = false;
}

inline job* a_job(int i, std::function<void()> body = nullptr) {
  job* made = &t->jobs[i];
  INIT_WORK(&made->work, run_job);
  made->name = absl::StrCat(i);
  made->body = std::move(body);
  return made;
}

// A job that does not end before complete(&t->go).
inline job* a_sleeper(int i) {
  return a_job(i, [] {
    complete(&t->begun);
    wait_for_completion(&t->go);
  });
}

inline void start() {
  init_completion(&t->go);
  init_completion(&t->begun);
}

// Runs `body` in a task of a machine with so many CPUs.
inline std::string RunTask(int cpus, std::function<void()> body) {
  TestKernel kernel(cpus);
  kernel.Spawn("test", [&] {
    start();
    body();
  });
  return kernel.Run();
}

inline void RunWell(int cpus, std::function<void()> body) {
  EXPECT_EQ(RunTask(cpus, std::move(body)), "");
}

}  // namespace kpath
