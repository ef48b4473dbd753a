// SPDX-License-Identifier: Apache-2.0
//
// The examples of the public headers, which run here. Each line of code that a header shows at its
// top stands in this file.
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sim/trace/graph_reader_file.h"
#include "testing/kpath.h"

using namespace kpath::testing;

// ---- kpath.h ----

TEST_F(MachineTest, AClosedFileIsRefused) {
  machine.Run([] {
    user::Arena arena;
    const auto ctx = arena.New<user::io_context_t>();
    EXPECT_THAT(Call([&] { return user::io_setup(8, ctx); }), Returns(0));
    const auto cb = arena.Put(user::PreadIocb(9999, arena.Bytes(512), 512, 0));
    const auto iocbs = arena.Put(cb);
    EXPECT_THAT(Call([&] { return user::io_submit(ctx.Load(), 1, iocbs); }),
                AllOf(FailsWith(EBADF, HasSubstr("fd 9999")),
                      PassesThrough("entry_SYSCALL_64", "do_syscall_64", "io_submit_one")));
  });
}

// ---- machine.h ----

TEST(Close, StopsInTheFileTable) {
  Machine machine;
  machine.Start("closer", [] { user::close(9999); });
  ASSERT_TRUE(machine.RunToSyscall("close"));
  EXPECT_EQ(machine.Registers()[Reg::rdi], 9999);
  ASSERT_TRUE(machine.RunTo("__close_fd"));
  EXPECT_THAT(machine.BackTrace(), Contains("do_syscall_64"));
  EXPECT_EQ(machine.Print("current->comm"), "\"closer\"");
  EXPECT_THAT(machine, LeavesNothingBehind());  // runs the rest
}

// ---- call.h ----

TEST_F(MachineTest, OneCall) {
  machine.Run([] {
    EXPECT_THAT(Call([] { return user::close(9999); }),
                AllOf(FailsWith(EBADF, HasSubstr("fd 9999")),
                      PassesThrough("entry_SYSCALL_64", "do_syscall_64", "__x64_sys_close")));
  });
}

// ---- trace.h ----

TEST_F(MachineTest, AWholeRun) {
  machine.Start("closer", [] { user::close(9999); });
  std::string text;
  const Trace trace = machine.Record([&] { machine.Run(); });
  for (const SyscallRecord& syscall : trace.syscalls) text += syscall.ToString() + "\n";
  EXPECT_EQ(text, "close(0x270f) = -EBADF\nexit_group() = ?\n");
}

// ---- matchers.h, golden.h ----

TEST(Matchers, All) {
  Machine machine;
  machine.Run([] {
    user::Arena arena;
    const auto ctxp = arena.New<user::io_context_t>();
    ASSERT_EQ(user::io_setup(8, ctxp), 0);
    const user::io_context_t ctx = ctxp.Load();
    const int fd = static_cast<int>(user::open("/tmp/x", O_RDWR | O_CREAT, 0600));
    EXPECT_EQ(user::ftruncate(fd, 512), 0);
    auto read = user::PreadIocb(fd, arena.Bytes(512), 512, 0);
    read.aio_data = 7;
    const auto iocbs = arena.Put(arena.Put(read));
    const auto events = arena.New<user::io_event>();

    RecordedCall call = Call([&] { return user::io_submit(ctx, 1, iocbs); });
    EXPECT_THAT(call, Returns(1));
    EXPECT_THAT(call, PassesThrough("do_syscall_64", "__x64_sys_io_submit", "io_submit_one"));
    EXPECT_THAT(call, DispatchesTo(209, "io_submit"));
    EXPECT_THAT(call, CallGraphIs("testing/testdata/submit.graph"));
    EXPECT_THAT(Call([] { return user::close(9999); }), FailsWith(EBADF, HasSubstr("fd 9999")));
    EXPECT_EQ(user::io_getevents(ctx, 1, 1, events, {}), 1);
    EXPECT_THAT(events.Load(), CompletesWith(7, 512));
  });
  EXPECT_THAT(machine, LeavesNothingBehind());
}

TEST_F(MachineTest, AGoldenCallGraph) {
  machine.Run([] {
    user::Arena arena;
    const auto ctxp = arena.New<user::io_context_t>();
    ASSERT_EQ(user::io_setup(8, ctxp), 0);
    const user::io_context_t ctx = ctxp.Load();
    const auto iocbs = arena.Put(arena.Put(user::PreadIocb(9, arena.Bytes(512), 512, 0)));
    EXPECT_THAT(Call([&] { return user::io_submit(ctx, 1, iocbs); }),
                CallGraphIs("testing/testdata/io_submit.graph"));
  });
}

// ---- faults.h ----

TEST(Faults, EachPoint) {
  const int points = ForEachFailure(
      [] {
        user::Arena arena;
        const auto ctx = arena.New<user::io_context_t>();
        if (user::io_setup(8, ctx) == 0) user::io_destroy(ctx.Load());
      },
      {.within = "__x64_sys_io_setup"});
  EXPECT_GE(points, 8);
}

// ---- scenario.h ----

KPATH_SCENARIO_TEST(MyProgram, Refused, "testing/testdata/refused.strace")

// ---- The headers show what is above ----

// The lines of code at the top of a header: indented in its first comment, and not text.
std::vector<std::string> CodeOf(const std::string& header) {
  std::vector<std::string> code;
  for (absl::string_view line : absl::StrSplit(header, '\n')) {
    if (absl::StartsWith(line, "#pragma")) break;
    if (!absl::ConsumePrefix(&line, "//   ")) continue;
    line = absl::StripAsciiWhitespace(line);
    if (absl::StartsWith(line, "#include")) continue;
    const bool is_code = absl::EndsWith(line, ";") || absl::EndsWith(line, "{") ||
                         absl::StartsWith(line, "EXPECT_") || absl::StartsWith(line, "KPATH_S");
    if (!is_code) continue;
    code.emplace_back(line);
  }
  return code;
}

TEST(HeaderExamples, AreThoseOfThisFile) {
  const auto test = kpath::ReadTextFile("testing/header_examples_test.cc");
  ASSERT_TRUE(test.ok()) << test.status();
  for (const char* name :
       {"call", "faults", "golden", "kpath", "machine", "matchers", "scenario", "trace"}) {
    const auto header = kpath::ReadTextFile(std::string("testing/") + name + ".h");
    ASSERT_TRUE(header.ok()) << header.status();
    const std::vector<std::string> code = CodeOf(*header);
    EXPECT_THAT(code, Not(IsEmpty())) << name;
    for (const std::string& line : code) EXPECT_THAT(*test, HasSubstr(line)) << name;
  }
}
