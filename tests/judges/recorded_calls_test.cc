// SPDX-License-Identifier: Apache-2.0
//
// What a FunctionRecorder kept is what a listener was told: programs on two CPUs that sleep, wait
// for a disk and are interrupted.
#include "sim/trace/recorded_calls.h"

#include <fcntl.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "entry/boot.h"
#include "gtest/gtest.h"
#include "sim/trace/call_tree_builder.h"
#include "sim/trace/graph_listener.h"
#include "sim/trace/graph_writer.h"
#include "sim/user/user.h"

namespace kpath {
namespace {

constexpr int kReads = 8;

void ReadDisk() {
  user::Arena arena(1 << 16);
  const auto fd = static_cast<int>(user::open("/dev/vda", O_RDONLY | O_DIRECT, 0));
  const uint64_t buffer = arena.Bytes(4096, 4096);
  const auto context = arena.New<user::io_context_t>();
  user::io_setup(1, context);
  const auto events = arena.New<user::io_event>();
  const auto pointer = arena.New<user::Pointer<user::iocb>>();
  for (int i = 0; i < kReads; ++i) {
    pointer.Store(arena.Put(user::PreadIocb(fd, buffer, 512, 4096 * i)));
    EXPECT_EQ(user::io_submit(context.Load(), 1, pointer), 1);
    EXPECT_EQ(user::io_getevents(context.Load(), 1, 1, events, {}), 1);
  }
}

struct Traced {
  FunctionRecorder recorder;
  std::string heard;
  uint64_t probes = 0;
};

// With a recorder, a listener, both, or nobody.
Traced RunPrograms(bool recorded, bool listened_to, size_t most = FunctionRecorder::kAll) {
  Traced traced;
  traced.recorder = FunctionRecorder(most);
  GraphWriter writer([&](absl::string_view text) { absl::StrAppend(&traced.heard, text); },
                     {.cpus = 2});
  GraphListener listener(&writer);
  SystemOptions options;
  options.cpus = 2;
  options.devices.push_back({.path = "/dev/vda"});
  System system(options);
  if (recorded) system.machine().SetRecorder(&traced.recorder);
  if (listened_to) system.machine().AddListener(&listener);
  system.Start("first", ReadDisk);
  system.Start("second", ReadDisk);
  EXPECT_EQ(system.RunUntilIdle(), "");
  if (recorded) system.machine().SetRecorder(nullptr);
  if (listened_to) system.machine().RemoveListener(&listener);
  writer.Finish();
  traced.probes = system.machine().position().probes_passed();
  return traced;
}

std::string TextOf(const FunctionRecorder& recorder) {
  std::string text;
  GraphWriter writer([&](absl::string_view part) { absl::StrAppend(&text, part); }, {.cpus = 2});
  TellCalls(recorder, &writer);
  writer.Finish();
  return text;
}

TEST(RecordedCalls, AreThoseThatAListenerIsTold) {
  const Traced heard = RunPrograms(false, true);
  const Traced recorded = RunPrograms(true, false);
  EXPECT_EQ(TextOf(recorded.recorder), heard.heard);
  EXPECT_NE(heard.heard.find("io_submit"), std::string::npos);
  EXPECT_NE(heard.heard.find("==========> |"), std::string::npos) << "no interrupt";
  EXPECT_NE(heard.heard.find("=>"), std::string::npos) << "no switch";
}

TEST(RecordedCalls, ARecorderAndAListenerDoNotMindEachOther) {
  const Traced both = RunPrograms(true, true);
  EXPECT_EQ(TextOf(both.recorder), both.heard);
}

TEST(RecordedCalls, ChangeNothing) {
  const uint64_t probes = RunPrograms(false, false).probes;
  EXPECT_EQ(RunPrograms(true, false).probes, probes);
  EXPECT_EQ(RunPrograms(true, true).probes, probes);
}

TEST(RecordedCalls, BecomeATree) {
  const Traced recorded = RunPrograms(true, false);
  GraphBuilder builder;
  TellCalls(recorded.recorder, &builder);
  size_t calls = 0;
  for (const Stream& stream : builder.Take().streams) calls += stream.calls.size();
  EXPECT_GT(calls, 1000u);
  EXPECT_LT(calls, recorded.recorder.size());
}

// What is kept is the end of the trace; what it begins with may lack a line that the listener
// wrote.
TEST(RecordedCalls, AreTheLastOnesWhereThereIsNoRoomForAll) {
  const Traced all = RunPrograms(true, false);
  const Traced last = RunPrograms(true, false, 1);
  EXPECT_LT(last.recorder.size(), 2 * 4096u + 1);
  EXPECT_GT(last.recorder.size(), 4096u);
  EXPECT_GT(all.recorder.size(), last.recorder.size());
  const std::string text = TextOf(last.recorder);
  const std::string end = text.substr(text.size() / 2);
  EXPECT_EQ(TextOf(all.recorder).substr(TextOf(all.recorder).size() - end.size()), end);
}

TEST(RecordedCalls, AreForgotten) {
  Traced recorded = RunPrograms(true, false);
  recorded.recorder.Clear();
  EXPECT_EQ(recorded.recorder.size(), 0u);
  EXPECT_EQ(TextOf(recorded.recorder), "");
}

}  // namespace
}  // namespace kpath
