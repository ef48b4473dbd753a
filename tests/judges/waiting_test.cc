// SPDX-License-Identifier: Apache-2.0
//
// Calls that wait for several descriptors: what they show is held against the model, and what may
// race may differ.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/judges/replay_text.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// ---- Planted lies in a recorded run, one of each kind ----

struct Lie {
  const char* name;
  const char* from;  // in waiting-calls.strace, all of them
  const char* to;
  const char* reason;
};

constexpr Lie kLies[] = {
    {"another_event", "= 1 ([{fd=4, revents=POLLOUT}])", "= 1 ([{fd=4, revents=POLLHUP}])",
     "fd 4 is ready for POLLOUT in the model, in the recording it is not"},
    {"another_descriptor", "= 1 ([{fd=4, revents=POLLOUT}])", "= 1 ([{fd=3, revents=POLLOUT}])",
     ""},
    {"not_ready", "= 1 ([{fd=4, revents=POLLOUT}])", "= 0 (Timeout)",
     "fd 4 is ready for POLLOUT in the model"},
    {"ready", "= 0 (Timeout)", "= 1 ([{fd=3, revents=POLLIN}])", ""},
    {"closed", "= 1 ([{fd=4, revents=POLLOUT}])", "= 1 ([{fd=4, revents=POLLNVAL}])",
     "fd 4 is ready for POLLOUT in the model"},
    {"count_of_poll", "= 1 ([{fd=4", "= 2 ([{fd=4", "the result is 2, 1 are shown as ready"},
    {"count_of_select", "= 2 (in [3], out [4]", "= 1 (in [3], out [4]",
     "the result is 1, 2 are shown as ready"},
    {"set_of_select", "(in [3], out [4]", "(in [3], out [3]", "was not asked for"},
    {"one_of_two_sets", "= 2 (in [3], out [4]", "= 1 (in [3]",
     "fd 4 is ready for POLLOUT in the model"},
    {"data", "data={u32=7, u64=77309411335}}], 4, -1)", "data={u32=8, u64=77309411336}}], 4, -1)",
     "data=77309411336} is in the recording"},
    {"events", "[{events=EPOLLOUT,", "[{events=EPOLLOUT|EPOLLERR,", "is in the recording"},
    {"count_of_events", "], 4, -1) = 1", "], 4, -1) = 2", "the result is 2, 1 events are shown"},
    {"no_event", "[{events=EPOLLOUT, data={u32=7, u64=77309411335}}], 4, -1) = 1", "[], 4, -1) = 0",
     "is in the model"},
    {"resolution", "{tv_sec=0, tv_nsec=1}) = 0", "{tv_sec=0, tv_nsec=4000000}) = 0", "tv_nsec"},
    {"interval", "{it_interval={tv_sec=0, tv_nsec=3000000}, it_value={tv_sec=0, tv_nsec=1",
     "{it_interval={tv_sec=0, tv_nsec=3000001}, it_value={tv_sec=0, tv_nsec=1", "it_interval"},
    {"result_of_aio", "res=1, res2=0", "res=4, res2=0", "is not one of those delivered"},
    {"error", "= -1 EEXIST (File exists)", "= -1 ENOENT (No such file or directory)", ""},
};

class PlantedLie : public testing::TestWithParam<Lie> {};

TEST_P(PlantedLie, IsFound) {
  constexpr char kPath[] = "tests/transcripts/waiting-calls.strace";
  const std::string truth = ReadOrFail(kPath);
  ASSERT_THAT(truth, HasSubstr(GetParam().from));
  const ReplayReport report =
      ReplayText(kPath, absl::StrReplaceAll(truth, {{GetParam().from, GetParam().to}}));
  ASSERT_FALSE(report.illegal.empty());
  EXPECT_THAT(Describe(report), HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(All, PlantedLie, testing::ValuesIn(kLies),
                         [](const auto& info) { return std::string(info.param.name); });

// ---- What is executed ----

TEST(Waiting, NoCallOfTheModelIsReplayedAsRecorded) {
  const ReplayReport report =
      ReplayText("t.strace", ReadOrFail("tests/transcripts/waiting-calls.strace"));
  EXPECT_THAT(report.as_recorded,
              UnorderedElementsAre(Pair("arch_prctl", 1), Pair("execve", 1), Pair("rseq", 1),
                                   Pair("set_robust_list", 1)));
}

TEST(Waiting, OfSomethingOutsideOfTheModelIsReplayedAsRecorded) {
  const ReplayReport report =
      ReplayText("t.strace",
                 "7  socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\n"
                 "7  pipe2([4, 5], 0) = 0\n"
                 "7  poll([{fd=5, events=POLLOUT}, {fd=3, events=POLLIN}], 2, -1) = 1 ([{fd=3, "
                 "revents=POLLHUP}])\n"
                 "7  select(4, [3], NULL, NULL, NULL) = 1 (in [3])\n"
                 "7  poll([{fd=9, events=POLLIN}], 1, -1) = 1 ([{fd=9, revents=POLLIN}])\n"
                 "7  epoll_create1(0) = 6\n"
                 "7  epoll_ctl(6, EPOLL_CTL_ADD, 5, {events=EPOLLOUT, data={u32=1, u64=1}}) = 0\n"
                 "7  epoll_wait(6, [{events=EPOLLOUT, data={u32=1, u64=1}}], 4, -1) = 1\n"
                 "7  epoll_ctl(6, EPOLL_CTL_ADD, 3, {events=EPOLLIN, data={u32=2, u64=2}}) = 0\n"
                 "7  epoll_wait(6, [{events=EPOLLIN, data={u32=2, u64=2}}], 4, -1) = 1\n"
                 "7  close(3) = 0\n"
                 "7  epoll_wait(6, [{events=EPOLLOUT, data={u32=1, u64=1}}], 4, -1) = 1\n");
  EXPECT_TRUE(report.AllLegal()) << Describe(report);
  EXPECT_THAT(report.as_recorded,
              UnorderedElementsAre(Pair("socket", 1), Pair("poll", 2), Pair("select", 1),
                                   Pair("epoll_ctl", 1), Pair("epoll_wait", 1)));
}

TEST(Waiting, TheCoarseClocksAreThoseOfTheRecordedMachine) {
  const ReplayReport report =
      ReplayText("t.strace",
                 "7  clock_getres(CLOCK_MONOTONIC_COARSE, {tv_sec=0, tv_nsec=3333333}) = 0\n"
                 "7  clock_getres(CLOCK_MONOTONIC, {tv_sec=0, tv_nsec=1}) = 0\n");
  EXPECT_TRUE(report.AllLegal()) << Describe(report);
}

// ---- What may race ----

constexpr char kDirectRead[] =
    "7  openat(AT_FDCWD, \"/t/a\", O_RDWR|O_DIRECT) = 3\n"
    "7  eventfd2(0, EFD_NONBLOCK) = 4\n"
    "7  epoll_create1(0) = 5\n"
    "7  epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN|@, data={u32=1, u64=1}}) = 0\n"
    "7  io_setup(4, [0x7f0000000000]) = 0\n"
    "7  io_submit(0x7f0000000000, 1, [{aio_data=1, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, "
    "aio_buf=0x7f0000010000, aio_nbytes=512, aio_offset=0, aio_flags=IOCB_FLAG_RESFD, "
    "aio_resfd=4}]) = 1\n";
constexpr char kItsEvents[] =
    "7  io_getevents(0x7f0000000000, 1, 1, [{data=1, obj=0x7ffe00000000, res=512, res2=0}], NULL) "
    "= 1\n";

ReplayReport AfterDirectRead(const std::string& flags, const std::string& calls) {
  return ReplayText("t.strace", absl::StrReplaceAll(absl::StrCat(kDirectRead, calls, kItsEvents),
                                                    {{"@", flags}}));
}

TEST(Waiting, RequestsInFlightEndWhenTheyEnd) {
  const std::string not_yet = "7  poll([{fd=4, events=POLLIN}], 1, 0) = 0 (Timeout)\n";
  const std::string ready =
      "7  poll([{fd=4, events=POLLIN}], 1, 0) = 1 ([{fd=4, revents=POLLIN}])\n";
  const std::string slow = "7  poll([{fd=4, events=POLLIN}], 1, 50) = 0 (Timeout)\n";
  for (const std::string& calls : {not_yet, ready, slow, absl::StrCat(not_yet, slow, ready)}) {
    const ReplayReport report = AfterDirectRead("EPOLLET", calls);
    EXPECT_TRUE(report.AllLegal()) << calls << Describe(report);
    EXPECT_TRUE(report.as_recorded.empty());
  }
}

TEST(Waiting, AnEventThatIsGivenOnceIsShownOnceWheneverItComes) {
  const std::string none = "7  epoll_wait(5, [], 4, 50) = 0\n";
  const std::string one = "7  epoll_wait(5, [{events=EPOLLIN, data={u32=1, u64=1}}], 4, -1) = 1\n";
  for (const char* flags : {"EPOLLET", "EPOLLONESHOT"}) {
    for (const std::string& calls : {none, one, absl::StrCat(none, none, one)}) {
      const ReplayReport report = AfterDirectRead(flags, calls);
      EXPECT_TRUE(report.AllLegal()) << flags << "\n" << calls << Describe(report);
    }
    const std::string again = absl::StrReplaceAll(one, {{", -1)", ", 0)"}});
    const ReplayReport twice = AfterDirectRead(flags, absl::StrCat(none, one, again));
    EXPECT_EQ(twice.illegal.size(), 1u) << flags << Describe(twice);
  }
}

TEST(Waiting, WhatIsThereBeforeTheCallDoesNotRace) {
  const ReplayReport report = ReplayText("t.strace",
                                         "7  eventfd2(1, 0) = 3\n"
                                         "7  poll([{fd=3, events=POLLIN}], 1, 50) = 0 (Timeout)\n");
  ASSERT_EQ(report.illegal.size(), 1u);
  EXPECT_EQ(report.illegal[0].reason,
            "fd 3 is ready for POLLIN in the model, in the recording it is not");
}

TEST(Waiting, TimersExpireWhenTheyDo) {
  const std::string timer =
      "7  timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK) = 3\n"
      "7  timerfd_settime(3, 0, {it_interval={tv_sec=0, tv_nsec=0}, it_value={tv_sec=0, "
      "tv_nsec=@}}, NULL) = 0\n";
  const std::string late =
      "7  poll([{fd=3, events=POLLIN}], 1, 5) = 0 (Timeout)\n"
      "7  read(3, 0x7ffe00000000, 8) = -1 EAGAIN (Resource temporarily unavailable)\n";
  const std::string soon =
      "7  poll([{fd=3, events=POLLIN}], 1, 0) = 1 ([{fd=3, revents=POLLIN}])\n"
      "7  read(3, \"\\1\\0\\0\\0\\0\\0\\0\\0\", 8) = 8\n";
  for (const char* ns : {"1000", "20000000"}) {
    for (const std::string& calls : {late, soon, absl::StrCat(late, soon)}) {
      const ReplayReport report =
          ReplayText("t.strace", absl::StrReplaceAll(absl::StrCat(timer, calls), {{"@", ns}}));
      EXPECT_TRUE(report.AllLegal()) << ns << "\n" << calls << Describe(report);
    }
  }
  const ReplayReport never =
      ReplayText("t.strace", absl::StrReplaceAll(absl::StrCat(timer, soon), {{"@", "0"}}));
  EXPECT_EQ(never.illegal.size(), 2u) << Describe(never);
}

// ---- Several processes ----

constexpr char kTwo[] =
    "7  pipe2([3, 4], 0) = 0\n"
    "7  pipe2([5, 6], 0) = 0\n"
    "7  clone(child_stack=NULL, flags=SIGCHLD) = 8\n";

TEST(Waiting, ForWhatAnotherProcessDoesMeanwhile) {
  const std::string both =
      "7  poll([{fd=3, events=POLLIN}, {fd=5, events=POLLIN}], 2, 10 <unfinished ...>\n"
      "8  write(6, \"b\", 1) = 1\n"
      "8  write(4, \"a\", 1) = 1\n"
      "7  <... poll resumed>) = @\n";
  for (const char* result :
       {"2 ([{fd=3, revents=POLLIN}, {fd=5, revents=POLLIN}])", "1 ([{fd=3, revents=POLLIN}])",
        "1 ([{fd=5, revents=POLLIN}])", "0 (Timeout)"}) {
    const ReplayReport report =
        ReplayText("t.strace", absl::StrReplaceAll(absl::StrCat(kTwo, both), {{"@", result}}));
    EXPECT_TRUE(report.AllLegal()) << result << Describe(report);
  }
  const ReplayReport never = ReplayText(
      "t.strace",
      absl::StrReplaceAll(absl::StrCat(kTwo, both), {{"@", "1 ([{fd=3, revents=POLLHUP}])"}}));
  EXPECT_EQ(never.illegal.size(), 1u);
}

TEST(Waiting, NotForWhatItDoesAfterwards) {
  const ReplayReport report = ReplayText(
      "t.strace",
      absl::StrCat(kTwo,
                   "7  select(6, [3 5], NULL, NULL, {tv_sec=0, tv_usec=10}) = 1 (in [5], left "
                   "{tv_sec=0, tv_usec=1})\n"
                   "8  write(6, \"b\", 1) = 1\n"));
  ASSERT_EQ(report.illegal.size(), 1u);
  EXPECT_EQ(report.illegal[0].reason,
            "fd 5 is ready for POLLIN in the recording, in the model it is not");
}

// Two threads wait for one set whose events are given once. Which of them a kernel wakes is its
// own affair; what each got has to be what the recording says.
TEST(Waiting, OfTwoThreadsEitherGetsTheEvent) {
  const std::string text =
      "7  mmap(NULL, 262144, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = "
      "0x7f0000000000\n"
      "7  pipe2([3, 4], 0) = 0\n"
      "7  epoll_create1(0) = 5\n"
      "7  epoll_ctl(5, EPOLL_CTL_ADD, 3, {events=EPOLLIN|EPOLLONESHOT, data={u32=1, u64=1}}) = 0\n"
      "7  clone(child_stack=0x7f0000020000, flags=CLONE_VM|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD)"
      " = 8\n"
      "7  clone(child_stack=0x7f0000030000, flags=CLONE_VM|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD)"
      " = 9\n"
      "8  epoll_wait(5,  <unfinished ...>\n"
      "9  epoll_wait(5,  <unfinished ...>\n"
      "7  write(4, \"ab\", 2) = 2\n"
      "@1  <... epoll_wait resumed>[{events=EPOLLIN, data={u32=1, u64=1}}], 4, -1) = 1\n"
      "@1  read(3, \"a\", 1) = 1\n"
      "@1  epoll_ctl(5, EPOLL_CTL_MOD, 3, {events=EPOLLIN|EPOLLONESHOT, data={u32=1, u64=1}}) = 0\n"
      "@2  <... epoll_wait resumed>[{events=EPOLLIN, data={u32=1, u64=1}}], 4, -1) = 1\n"
      "@2  read(3, \"b\", 1) = 1\n";
  for (const auto& [first, second] : {std::pair("8", "9"), std::pair("9", "8")}) {
    const ReplayReport report =
        ReplayText("t.strace", absl::StrReplaceAll(text, {{"@1", first}, {"@2", second}}));
    EXPECT_TRUE(report.AllLegal()) << first << Describe(report);
    const ReplayReport lie =
        ReplayText("t.strace", absl::StrReplaceAll(text, {{"@1", first},
                                                          {"@2", second},
                                                          {"[{events=EPOLLIN, data={u32=1,",
                                                           "[{events=EPOLLHUP, data={u32=1,"}}));
    EXPECT_FALSE(lie.AllLegal());
  }
}

TEST(Waiting, OnAnyNumberOfCpus) {
  const std::string text = ReadOrFail("tests/transcripts/waiting-threads-2.strace");
  for (int cpus = 1; cpus <= 4; ++cpus) {
    for (const char* seed : {"", " seed=1", " seed=2", " seed=3"}) {
      const ReplayReport report =
          ReplayText("t.strace", absl::StrCat("# kpath: cpus=", cpus, seed, "\n", text));
      EXPECT_TRUE(report.AllLegal()) << cpus << " CPUs" << seed << Describe(report);
    }
  }
}

// ---- Signals ----

constexpr char kCatch[] =
    "7  rt_sigaction(SIGUSR1, {sa_handler=0x401136, sa_mask=[], sa_flags=SA_RESTORER, "
    "sa_restorer=0x7f8a44a38050}, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0\n";

TEST(Waiting, ASignalThatOnlyTheCallLetsThrough) {
  const std::string before = absl::StrCat(
      kCatch,
      "7  rt_sigprocmask(SIG_BLOCK, [USR1], NULL, 8) = 0\n"
      "7  io_setup(1, [0x7f0000000000]) = 0\n"
      "7  rt_sigqueueinfo(7, SIGUSR1, {si_signo=SIGUSR1, si_code=SI_QUEUE, si_pid=7, si_uid=0, "
      "si_int=42, si_ptr=0x2a}) = 0\n");
  const std::string interrupted =
      " = ? ERESTARTNOHAND (To be restarted if no handler)\n"
      "7  --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_QUEUE, si_pid=7, si_uid=0, si_int=42, "
      "si_ptr=0x2a} ---\n"
      "7  rt_sigreturn({mask=[USR1]}) = -1 EINTR (Interrupted system call)\n";
  for (const char* call :
       {"io_pgetevents(0x7f0000000000, 1, 1, 0x7ffe00000000, NULL, {sigmask=[], sigsetsize=8})",
        "pselect6(0, NULL, NULL, NULL, NULL, {sigmask=[], sigsetsize=8})",
        "ppoll(NULL, 0, NULL, [], 8)"}) {
    const ReplayReport report =
        ReplayText("t.strace", absl::StrCat(before, "7  ", call, interrupted));
    EXPECT_TRUE(report.AllLegal()) << Describe(report);
    EXPECT_TRUE(report.as_recorded.empty()) << call;
    const ReplayReport blocked = ReplayText(
        "t.strace", absl::StrCat(before, "7  ", absl::StrReplaceAll(call, {{"[]", "[USR1]"}}),
                                 " = -1 EINTR (Interrupted system call)\n7  getpid() = 7\n"));
    ASSERT_EQ(blocked.illegal.size(), 1u) << call;
    EXPECT_EQ(blocked.illegal[0].simulated, "has not returned");
  }
}

// ---- Bad input ----

TEST(Waiting, CallsWithoutAllOfTheirArgumentsDoNoHarm) {
  for (const char* line :
       {"epoll_wait() = 1", "epoll_wait(5) = 0", "epoll_ctl() = 0", "epoll_ctl(5) = 0",
        "poll() = 1", "select() = -1 EBADF (Bad file descriptor)", "select(1) = 1",
        "pselect6() = 0", "epoll_wait( <unfinished ...>) = ?", "poll( <unfinished ...>) = ?",
        "io_pgetevents(0x1000) = 0", "timerfd_settime(3) = 0"}) {
    ReplayText("t.strace",
               absl::StrCat("7  epoll_create1(0) = 3\n7  pipe2([4, 5], 0) = 0\n7  ", line, "\n"));
  }
}

TEST(Waiting, BadInputIsRefusedWhereItStands) {
  const struct {
    const char* line;
    const char* message;
  } kBad[] = {
      {"poll([{fd=3, events=POLLFOO}], 1, 0) = 0", "t:1:14: unknown name \"POLLFOO\""},
      {"poll([{events=POLLIN}], 1, 0) = 0", "t:1:7: expected {fd=…, events=…}"},
      {"poll([3], 1, 0) = 0", "t:1:7: expected {fd=…, events=…}"},
      {"poll([{fd=3, events=POLLIN}], 1, 0) = 1 ([{fd=3}])", "t:1:43: expected {fd=…, revents=…}"},
      {"select(5, [x], NULL, NULL, NULL) = 0", "t:1:12: unknown name \"x\""},
      {"select(5, [-1], NULL, NULL, NULL) = 0", "t:1:12: expected a descriptor"},
      {"select(5, [3], NULL, NULL, {tv_sec=0}) = 0", "t:1:28: expected the field tv_usec"},
      {"pselect6(5, [3], NULL, NULL, NULL, {sigmask=[USR1]}) = 0",
       "t:1:36: expected {sigmask=…, sigsetsize=…}"},
      {"io_pgetevents(0x1000, 0, 1, [], NULL, {sigmask=[FOO], sigsetsize=8}) = 0",
       "t:1:49: unexpected \"FOO\", expected the name of a signal without SIG"},
      {"epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN}) = 0",
       "t:1:32: expected the field data.u64"},
      {"epoll_wait(5, [{events=EPOLLIN}], 4, -1) = 1",
       "t:1:16: expected {events=…, data={u32=…, u64=…}}"},
      {"timerfd_settime(3, 0, {it_value={tv_sec=0, tv_nsec=0}}, NULL) = 0",
       "t:1:23: expected the field it_interval.tv_sec"},
  };
  for (const auto& bad : kBad) {
    EXPECT_THAT(Refusal("t", absl::StrCat(bad.line, "\n")), HasSubstr(bad.message)) << bad.line;
  }
}

}  // namespace
}  // namespace kpath
