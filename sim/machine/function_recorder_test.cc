// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/function_recorder.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/machine/machine.h"

namespace kpath {
namespace {

constexpr FunctionInfo kOuter = {.name = "outer", .file = "", .line = 0, .arguments = ""};
constexpr FunctionInfo kInner = {.name = "inner", .file = "", .line = 0, .arguments = ""};

class NamedContext : public Context {
 public:
  NamedContext(Machine& machine, int id, std::string name)
      : Context(machine, nullptr), id_(id), name_(std::move(name)) {
    cpu = &machine.cpu(0);
  }
  int id() const override { return id_; }
  absl::string_view label() const override { return name_; }

 private:
  const int id_;
  const std::string name_;
};

struct Lines {
  std::vector<std::string> lines;
  void Switch(const FunctionRecorder::Task& task) {
    lines.push_back(absl::StrCat(task.label, "-", task.id, " on ", task.cpu));
  }
  void Enter(const FunctionInfo& function, int64_t time_ns) {
    lines.push_back(absl::StrCat(function.name, " ", time_ns));
  }
  void Exit(int64_t time_ns) { lines.push_back(absl::StrCat("} ", time_ns)); }
};

void Add(FunctionRecorder& recorder, const FunctionInfo* function, const Context& context,
         int64_t time_ns) {
  // As the machine does where another context executes; the end of a chunk it finds by itself.
  static thread_local const Context* last = nullptr;
  static thread_local const Cpu* last_cpu = nullptr;
  if (&context != last || context.cpu != last_cpu) recorder.Switch();
  last = &context;
  last_cpu = context.cpu;
  if (recorder.Add(function, time_ns)) return;
  recorder.GoOn(context);
  EXPECT_TRUE(recorder.Add(function, time_ns));
}

std::vector<std::string> LinesOf(const FunctionRecorder& recorder) {
  Lines lines;
  recorder.ForEach(lines);
  return lines.lines;
}

class FunctionRecorderTest : public testing::Test {
 protected:
  Machine machine_{2};
  NamedContext a_{machine_, 7, "a"};
  NamedContext b_{machine_, 8, "b"};
};

TEST_F(FunctionRecorderTest, TellsWhoGoesOnAndWhere) {
  FunctionRecorder recorder;
  Add(recorder, &kOuter, a_, 10);
  Add(recorder, &kInner, a_, 20);
  Add(recorder, &kOuter, b_, 30);
  Add(recorder, nullptr, a_, 40);
  a_.cpu = &machine_.cpu(1);
  Add(recorder, nullptr, a_, 50);
  EXPECT_EQ(LinesOf(recorder),
            (std::vector<std::string>{"a-7 on 0", "outer 10", "inner 20", "b-8 on 0", "outer 30",
                                      "a-7 on 0", "} 40", "a-7 on 1", "} 50"}));
  EXPECT_EQ(recorder.size(), 9u);
}

// Whatever place is left in a chunk, all comes out again, in order.
TEST_F(FunctionRecorderTest, GoesOnInAnotherChunk) {
  for (int odd = 0; odd < 3; ++odd) {
    FunctionRecorder recorder;
    int64_t time = 0;
    for (int i = 0; i < odd; ++i) Add(recorder, &kOuter, i % 2 == 0 ? a_ : b_, time++);
    for (int i = 0; i < 20'000; ++i) Add(recorder, &kInner, i % 5 < 3 ? a_ : b_, time++);
    int64_t expected = 0;
    std::string task;
    for (const std::string& line : LinesOf(recorder)) {
      if (line.find(" on ") != std::string::npos) {
        task = line;
        continue;
      }
      const int64_t i = expected - odd;
      const char* function = i < 0 ? "outer " : "inner ";
      ASSERT_EQ(line, absl::StrCat(function, expected));
      const bool is_a = i < 0 ? expected % 2 == 0 : i % 5 < 3;
      ASSERT_EQ(task, is_a ? "a-7 on 0" : "b-8 on 0") << line;
      ++expected;
    }
    EXPECT_EQ(expected, time);
  }
}

TEST_F(FunctionRecorderTest, KeepsTheLastOnes) {
  FunctionRecorder recorder(8192);
  for (int i = 0; i < 100'000; ++i) Add(recorder, &kOuter, a_, i);
  const std::vector<std::string> lines = LinesOf(recorder);
  EXPECT_EQ(lines.front(), "a-7 on 0");
  EXPECT_EQ(lines.back(), "outer 99999");
  EXPECT_GT(lines.size(), 4096u);
  EXPECT_LE(lines.size(), 8192u);
  recorder.Clear();
  EXPECT_EQ(recorder.size(), 0u);
  Add(recorder, nullptr, a_, 5);
  EXPECT_EQ(LinesOf(recorder), (std::vector<std::string>{"a-7 on 0", "} 5"}));
}

}  // namespace
}  // namespace kpath
