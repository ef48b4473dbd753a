// SPDX-License-Identifier: Apache-2.0
//
// The built program as a user meets it: exit statuses, what it prints and where, bad input.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/kpath/test_program.h"

namespace kpath {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kKpath[] = "tools/kpath/kpath";
constexpr char kFirstRead[] = "examples/first-read.strace";
constexpr char kSummary[] = "examples/first-read.strace: 12 calls, 12 legal, 0 not legal\n";

bool IsThere(const std::string& path) { return std::ifstream(path).good(); }

Ran Kpath(const std::string& arguments) { return Shell(absl::StrCat("$kpath ", arguments)); }

size_t Lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

// Nothing on stdout, one line on stderr, status 2.
void ExpectRefused(const Ran& ran, const std::string& what) {
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(Lines(ran.err), 1u) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(what));
}

// ---- run: what comes out ----

TEST(Run, AllLegalIsStatus0) {
  const Ran ran = Kpath(absl::StrCat("run ", kFirstRead));
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.err, kSummary);
  EXPECT_THAT(ran.out, HasSubstr("__x64_sys_io_submit() {\n"));
}

TEST(Run, AResultThatIsNotLegalIsStatus1) {
  const std::string lie =
      Make("lie2.strace", "1  openat(AT_FDCWD, \"/a\", O_RDONLY) = -1 EIO (x)\n");
  const Ran lying = Kpath(absl::StrCat("run --trace=none ", lie));
  EXPECT_EQ(lying.status, 1);
  EXPECT_EQ(lying.out, "");
  EXPECT_THAT(
      lying.err,
      AllOf(StartsWith(absl::StrCat(lie, ":1: openat(")), HasSubstr("\n  recorded:  -1 EIO (x)\n"),
            HasSubstr("\n  simulated: "), EndsWith("1 call, 0 legal, 1 not legal\n")));
}

TEST(Run, QuietSaysNothingWhenAllIsLegal) {
  const Ran ran = Kpath(absl::StrCat("run --quiet --trace=none ", kFirstRead));
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out + ran.err, "");
}

TEST(Run, QuietStillTellsWhatIsNotLegal) {
  const std::string lie =
      Make("lie.strace", "1  openat(AT_FDCWD, \"/a\", O_RDONLY) = -1 EIO (x)\n");
  const Ran ran = Kpath(absl::StrCat("run --quiet --trace=none ", lie));
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("recorded:"), Not(HasSubstr("1 call,"))));
}

TEST(Run, TheErrorThatStoppedASubmissionIsTold) {
  const Ran ran = Kpath("run tests/reference/scenarios/io_submit_second_of_three_bad_fd.strace");
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out, HasSubstr("/* EBADF: fd 9999 is not open; it is iocbpp[1], at 0x"));
  EXPECT_THAT(ran.out, HasSubstr("io_submit stopped there: 1 of 3 taken */"));
}

TEST(Run, TheGrainsOfTrace) {
  const std::string graph = Kpath(absl::StrCat("run ", kFirstRead)).out;
  EXPECT_EQ(Kpath(absl::StrCat("run --trace=graph ", kFirstRead)).out, graph);
  EXPECT_THAT(graph, AllOf(StartsWith("# tracer: function_graph\n"), Not(HasSubstr("swapgs"))));
  const std::string steps = Kpath(absl::StrCat("run --trace=steps ", kFirstRead)).out;
  EXPECT_THAT(steps, AllOf(HasSubstr("swapgs"), HasSubstr("io_submit_one(")));
  EXPECT_EQ(Kpath(absl::StrCat("run --trace=none ", kFirstRead)).out, "");
}

TEST(Run, TheSameBytesEachTime) {
  const std::string line = absl::StrCat("run --trace=steps ", kFirstRead);
  EXPECT_EQ(Kpath(line).out, Kpath(line).out);
}

// ---- run: the examples ----

struct Example {
  const char* name;
  int status;
  const char* verdict;  // in the last lines of stderr
};

constexpr Example kExamples[] = {
    {"block-device", 0, ": 18 calls, 18 legal, 0 not legal\n"},
    {"compaction", 0,
     ": 10 calls, 9 legal, 0 not legal, 1 not judged, replayed as recorded: openat"},
    {"direct", 0, ": 13 calls, 13 legal, 0 not legal\n"},
    {"eventfd", 0, ": 11 calls, 11 legal, 0 not legal\n"},
    {"eventfd-recursion", 3, "BUG: spinlock recursion on CPU#0, replay/7\n lock: &ctx->wqh, "},
    {"full-circle", 0, ": 7 calls, 7 legal, 0 not legal\n"},
    {"first-read", 0, ": 12 calls, 12 legal, 0 not legal\n"},
    {"limits", 0,
     ": 13 calls, 10 legal, 0 not legal, 3 not judged, replayed as recorded: openat (3)"},
    {"seccomp", 0, ": 9 calls, 8 legal, 0 not legal\n"},
    {"slots", 0, ": 10 calls, 10 legal, 0 not legal\n"},
    {"two-processes", 0, ": 15 calls, 15 legal, 0 not legal\n"},
};

TEST(Examples, EachHasItsVerdict) {
  for (const Example& example : kExamples) {
    const Ran ran = Kpath(absl::StrCat("run --trace=none examples/", example.name, ".strace"));
    EXPECT_EQ(ran.status, example.status) << example.name;
    EXPECT_THAT(ran.err, HasSubstr(example.verdict));
  }
}

TEST(Examples, CompactionMovesTheRing) {
  const std::string trace = Kpath("run examples/compaction.strace").out;
  EXPECT_THAT(trace, AllOf(HasSubstr("compact_nodes() {"), HasSubstr("aio_migratepage() {")));
}

TEST(Examples, NoneIsForgotten) {
  for (const auto& entry : std::filesystem::directory_iterator("examples")) {
    if (entry.path().extension() != ".strace") continue;
    EXPECT_TRUE(std::any_of(std::begin(kExamples), std::end(kExamples), [&](const Example& e) {
      return entry.path().stem() == e.name;
    })) << entry.path();
  }
}

// A bug of the simulated kernel: the call that met it, its report, and no verdict on the rest.
TEST(Run, AKernelBugIsStatus3) {
  const Ran ran = Kpath("run --quiet --trace=none examples/eventfd-recursion.strace");
  EXPECT_EQ(ran.status, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, AllOf(StartsWith("examples/eventfd-recursion.strace:7: write(3, "),
                             HasSubstr("\nCall Trace:\n _raw_spin_lock_irqsave\n eventfd_signal\n"),
                             Not(HasSubstr("legal"))));
}

// ---- run: --out ----

TEST(Out, HoldsTheTraceAndNothingIsLeftBeside) {
  const std::string path = TempPath("trace");
  const Ran ran = Kpath(absl::StrCat("run --out=", path, " ", kFirstRead));
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, kSummary);
  EXPECT_EQ(Slurp(path), Kpath(absl::StrCat("run ", kFirstRead)).out);
  EXPECT_FALSE(IsThere(path + ".part"));
}

TEST(Out, IsWrittenWhenResultsAreNotLegal) {
  const std::string path = TempPath("trace_of_lie");
  const std::string lie =
      Make("lie.strace", "1  openat(AT_FDCWD, \"/a\", O_RDONLY) = -1 EIO (x)\n");
  EXPECT_EQ(Kpath(absl::StrCat("run --out=", path, " ", lie)).status, 1);
  EXPECT_THAT(Slurp(path), HasSubstr("do_sys_open"));
}

TEST(Out, BadInputLeavesAnOldFileAlone) {
  const std::string path = Make("old", "old\n");
  const std::string bad = Make("bad.strace", "1  close(3) = 0\n1  lseek(3, 0, SEEK_FOO) = 0\n");
  ExpectRefused(Kpath(absl::StrCat("run --out=", path, " ", bad)), "bad.strace:2:");
  EXPECT_EQ(Slurp(path), "old\n");
  EXPECT_FALSE(IsThere(path + ".part"));
}

TEST(Out, WhereNothingCanBeWritten) {
  ExpectRefused(Kpath(absl::StrCat("run --out=/nonexistent/x ", kFirstRead)),
                "/nonexistent/x: cannot be written: No such file or directory");
  ExpectRefused(Kpath(absl::StrCat("run --out=", TempPath(""), " ", kFirstRead)),
                "cannot be written");
}

TEST(Out, NeverReplacesADevice) {
  EXPECT_EQ(Kpath(absl::StrCat("run --out=/dev/null ", kFirstRead)).status, 0);
  EXPECT_EQ(Shell("test -c /dev/null").status, 0);
}

TEST(Out, NeverOverwritesTheInput) {
  const std::string input = Make("input.strace", "1  getpid() = 1\n");
  ExpectRefused(Kpath(absl::StrCat("run --out=", input, " ", input)), "is the input");
  EXPECT_EQ(Slurp(input), "1  getpid() = 1\n");
}

TEST(Out, AFullDiskIsToldOnce) {
  if (!IsThere("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  ExpectRefused(Kpath(absl::StrCat("run ", kFirstRead, " >/dev/full")),
                "standard output: cannot be written: No space left on device");
}

// ---- Pipes and terminals ----

TEST(Pipe, AReaderThatLeavesIsNoError) {
  const Ran ran = Shell(absl::StrCat("{ $kpath run ", kFirstRead, "; echo $? >&2; } | head -n 1"));
  EXPECT_EQ(ran.out, "# tracer: function_graph\n");
  EXPECT_EQ(ran.err, absl::StrCat(kSummary, "0\n"));
}

TEST(Pipe, ATranscriptMayComeThroughOne) {
  const Ran ran = Shell(absl::StrCat("cat ", kFirstRead, " | $kpath run --trace=none /dev/stdin"));
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.err, StartsWith("/dev/stdin: 12 calls, 12 legal"));
}

// `script` of Debian's bsdutils runs a command on a terminal of its own.
bool HasTerminal() { return Shell("command -v script").status == 0; }

// A run that takes longer than a second, with its output on a terminal.
TEST(Progress, IsShownOnATerminalWhenARunIsLong) {
  if (!HasTerminal()) GTEST_SKIP() << "no script(1) here";
  std::string calls;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&calls, "1  getpid() = 1\n");
  std::string text;
  for (int thousands = 60; thousands <= 4800; thousands *= 2) {
    text.clear();
    for (int i = 0; i < thousands; ++i) text += calls;
    const std::string file = Make("long.strace", text);
    const std::string kpath = absl::StrCat(kKpath, " run --out=/dev/null ", file);
    const Ran ran = Shell(absl::StrCat("script -qec '", kpath, "' /dev/null"));
    ASSERT_EQ(ran.status, 0);
    if (ran.out.find("kpath: calls replayed: ") == std::string::npos) continue;
    EXPECT_THAT(ran.out, HasSubstr("\r\033[K")) << "the line is wiped";
    EXPECT_EQ(Kpath(absl::StrCat("run --quiet --out=/dev/null ", file)).err, "") << "no terminal";
    return;
  }
  FAIL() << "no progress was shown";
}

TEST(Progress, AShortRunShowsNone) {
  if (!HasTerminal()) GTEST_SKIP() << "no script(1) here";
  const Ran ran =
      Shell(absl::StrCat("script -qec '", kKpath, " run --trace=none ", kFirstRead, "' /dev/null"));
  EXPECT_THAT(ran.out, Not(HasSubstr("replayed:")));
}

constexpr char kGraph[] = "tests/reference/linux-4.19.13/graph/getpid.graph";
constexpr char kGetpid[] = "tests/reference/scenarios/getpid.strace";

TEST(Colour, OnlyOnATerminalAndNotWithNoColor) {
  if (!HasTerminal()) GTEST_SKIP() << "no script(1) here";
  const std::string compare = absl::StrCat(kKpath, " compare ", kGraph, " ", kFirstRead);
  const Ran coloured =
      Shell(absl::StrCat("unset NO_COLOR; TERM=xterm script -qec '", compare, "' /dev/null"));
  const Ran plain =
      Shell(absl::StrCat("NO_COLOR=1 TERM=xterm script -qec '", compare, "' /dev/null"));
  EXPECT_THAT(coloured.out, HasSubstr("\033[1m"));
  EXPECT_THAT(plain.out, Not(HasSubstr("\033[1m")));
  EXPECT_THAT(Shell(compare).out, Not(HasSubstr("\033")));
}

// ---- Bad input ----

TEST(BadInput, FilesThatCannotBeRead) {
  ExpectRefused(Kpath("run /nonexistent"), "/nonexistent: cannot read: No such file or directory");
  ExpectRefused(Kpath(absl::StrCat("run ", TempPath(""))), "cannot read: Is a directory");
  ExpectRefused(Kpath(absl::StrCat("compare /nonexistent ", kFirstRead)), "/nonexistent: cannot");
  ExpectRefused(Kpath(absl::StrCat("compare ", kGraph, " /nonexistent")), "/nonexistent: cannot");
}

TEST(BadInput, FilesThatAreNoTranscripts) {
  ExpectRefused(Kpath(absl::StrCat("run ", Make("empty", ""))),
                "empty:1:1: there is no system call");
  ExpectRefused(Kpath(absl::StrCat("run ", Make("comment", "# nothing\n\n"))), "no system call");
  ExpectRefused(Kpath(absl::StrCat("run ", kKpath)), "kpath:1:1: unexpected ");
  ExpectRefused(Kpath(absl::StrCat("run ", Make("zeros", std::string(1000, '\0')))), "zeros:1:1: ");
  ExpectRefused(Kpath(absl::StrCat("run ", kGraph)), "getpid.graph:");
}

TEST(BadInput, SaysWhereAndWhatWasExpected) {
  const std::string file = Make("bad.strace", "1  close(3) = 0\n1  read(3, \"abc, 3) = 3\n");
  const Ran ran = Kpath(absl::StrCat("run ", file));
  ExpectRefused(ran, "expected");
  EXPECT_THAT(ran.err, MatchesRegex(".*/bad\\.strace:2:[0-9]+: .*\n"));
}

TEST(BadInput, GraphsAreToldByLineToo) {
  ExpectRefused(Kpath(absl::StrCat("compare ", kFirstRead, " ", kFirstRead)),
                "examples/first-read.strace:");
  ExpectRefused(Kpath(absl::StrCat("compare ", Make("empty", ""), " ", kFirstRead)), "empty");
}

TEST(BadInput, OptionsAndCommands) {
  ExpectRefused(Kpath(""),
                "kpath: expected a command: run, step, compare, diff-host, syscalls or "
                "check-table");
  ExpectRefused(Kpath("frobnicate"), "kpath: there is no command 'frobnicate'; see: kpath --help");
  ExpectRefused(Kpath("--frobnicate"), "kpath: there is no option '--frobnicate'");
  ExpectRefused(Kpath("run"), "kpath run: FILE is required; see: kpath run --help");
  ExpectRefused(Kpath("run --frob x"), "--frob");
  ExpectRefused(Kpath("run a b"), "kpath run: ");
  ExpectRefused(Kpath("run --trace=all x"), "--trace: all not in {graph,steps,none}");
  ExpectRefused(Kpath("compare one"), "kpath compare: FILE is required");
  ExpectRefused(Kpath("syscalls --abi=sparc"), "sparc");
  ExpectRefused(Kpath("diff-host --programs=many"), "--programs");
  ExpectRefused(Kpath("diff-host --program=-1"), "--program");
}

TEST(Help, IsThereForEveryCommand) {
  const Ran all = Kpath("--help");
  EXPECT_EQ(all.status, 0);
  for (const char* command : {"run", "compare", "diff-host", "syscalls", "check-table"}) {
    EXPECT_THAT(all.out, HasSubstr(absl::StrCat("\n  ", command, " ")));
    for (const char* option : {"--help", "-h"}) {
      const Ran one = Kpath(absl::StrCat(command, " ", option));
      EXPECT_EQ(one.status, 0);
      EXPECT_THAT(one.out,
                  AllOf(HasSubstr(absl::StrCat("kpath ", command)), HasSubstr("Exit status: 0")));
      EXPECT_EQ(one.err, "");
    }
  }
}

// ---- diff-host ----

TEST(DiffHost, ListsTheKnownDifferences) {
  const Ran ran = Kpath("diff-host --known");
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out, HasSubstr("\neventfd-read (since 5.8): an eventfd has no read_iter"));
}

// Where programs cannot be compared, it says why.
TEST(DiffHost, ComparesASeriesOrSaysWhyNot) {
  const Ran ran = Kpath("diff-host --programs=20 --seed=3");
  if (ran.status == 6) {
    EXPECT_THAT(ran.out, StartsWith("skipped: "));
    return;
  }
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, StartsWith("seed 3: 20 programs, v4.19 model against Linux "));
}

TEST(DiffHost, ShowsOneProgramAsATranscript) {
  const Ran ran = Kpath("diff-host --seed=3 --program=1");
  if (ran.status == 6) return;
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("io_setup("));
}

// ---- compare ----

TEST(Compare, EqualIsStatus0) {
  const Ran ran = Kpath(absl::StrCat("compare ", kGraph, " ", kGetpid));
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("equal"));
}

TEST(Compare, UnequalIsStatus1AndShowsBothSides) {
  const Ran ran = Kpath(absl::StrCat("compare --root=do_syscall_64:2 ", kGraph, " ", kFirstRead));
  EXPECT_EQ(ran.status, 2) << "there is no second call in the recording: " << ran.out;
  const Ran unequal = Kpath(absl::StrCat("compare --root=do_syscall_64 ", kGraph, " ", kFirstRead));
  EXPECT_EQ(unequal.status, 1) << unequal.out << unequal.err;
  EXPECT_THAT(unequal.out, AllOf(HasSubstr("__x64_sys_openat"), HasSubstr("getpid")));
}

TEST(Compare, TheRootIsPickedByNumber) {
  const std::string four = Make("four.strace",
                                "1  gettid() = 1\n1  getpid() = 1\n1  gettid() = 1\n"
                                "1  getpid() = 1\n");
  EXPECT_EQ(Kpath(absl::StrCat("compare --root=do_syscall_64 ", kGraph, " ", four)).status, 1);
  EXPECT_EQ(Kpath(absl::StrCat("compare --root=__ia32_sys_getpid:1 ", kGraph, " ", four)).status,
            0);
}

TEST(Compare, BadRoots) {
  const std::string files = absl::StrCat(kGraph, " ", kGetpid);
  ExpectRefused(Kpath(absl::StrCat("compare --root=nothing ", files)), "nothing");
  ExpectRefused(Kpath(absl::StrCat("compare --root=do_syscall_64:9 ", files)), "do_syscall_64");
  ExpectRefused(Kpath(absl::StrCat("compare --root=do_syscall_64:x ", files)), "do_syscall_64:x");
  ExpectRefused(Kpath(absl::StrCat("compare --root= ", files)), "");
}

TEST(Compare, ATranscriptWithALieIsNotCompared) {
  const std::string lie =
      Make("lie.strace", "1  openat(AT_FDCWD, \"/a\", O_RDONLY) = -1 EIO (x)\n");
  ExpectRefused(Kpath(absl::StrCat("compare ", kGraph, " ", lie)), "kpath run");
}

// ---- syscalls ----

TEST(Syscalls, Lists) {
  const Ran ran = Kpath("syscalls --name=io_submit --abi=64");
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(Kpath("syscalls").out, HasSubstr("__x64_sys_io_submit"));
  EXPECT_THAT(Kpath("syscalls --name=io_submit").out,
              AllOf(HasSubstr("209"), Not(HasSubstr("io_setup"))));
}

TEST(Syscalls, ShowsAbisSideBySide) {
  const Ran ran = Kpath("syscalls --abi=i386,ia64 --name=io_submit");
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("248"), HasSubstr("1241"), Not(HasSubstr("209"))));
  EXPECT_THAT(Kpath("syscalls --abi=i386").out, HasSubstr("__ia32_compat_sys_io_submit"));
}

// ---- check-table ----

TEST(CheckTable, OneLineAFindingAndAStatusForEachOutcome) {
  const std::string good = Make("good.tbl", "0 common read __x64_sys_read\n");
  const std::string bad = Make("bad.tbl", "1 common read __x64_sys_read\n");
  EXPECT_EQ(Kpath(absl::StrCat("check-table ", good)).status, 0);
  const Ran ran = Kpath(absl::StrCat("check-table ", bad, " --against=", good));
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.out, absl::StrCat(bad, ":1: gap: nothing has the number 0\n", bad,
                                  ":1: read has number 1, 0 in ", good, " (line 1)\n"));
  ExpectRefused(Kpath("check-table /no/such.tbl"), "/no/such.tbl");
}

}  // namespace
}  // namespace kpath
