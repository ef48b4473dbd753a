// SPDX-License-Identifier: Apache-2.0
//
// What a tracer asks of a stopped tracee: carried out by the model, and held against what the
// transcript shows of it.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/judges/replay_text.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

// The tracee has stopped itself by SIGSTOP.
constexpr const char* kStopped =
    "# kpath: cpus=2\n"
    "100  fork()                           = 101\n"
    "100  wait4(101,  <unfinished ...>\n"
    "101  ptrace(PTRACE_TRACEME)           = 0\n"
    "101  kill(101, SIGSTOP <unfinished ...>\n"
    "100  <... wait4 resumed>[{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}], 0, NULL) = 101\n"
    "100  ptrace(PTRACE_SETOPTIONS, 101, NULL, PTRACE_O_TRACESYSGOOD) = 0\n"
    "100  ptrace(PTRACE_GETSIGINFO, 101, NULL, {si_signo=SIGSTOP, si_code=SI_USER, si_pid=101, "
    "si_uid=0}) = 0\n";
// And then at the entry of getppid.
constexpr const char* kAtEntry =
    "100  ptrace(PTRACE_SYSCALL, 101, NULL, 0) = 0\n"
    "100  wait4(101,  <unfinished ...>\n"
    "101  <... kill resumed>)              = 0\n"
    "101  getppid( <unfinished ...>\n"
    "100  <... wait4 resumed>[{WIFSTOPPED(s) && WSTOPSIG(s) == SIGTRAP|0x80}], 0, NULL) = 101\n";
constexpr const char* kRegs =
    "{r15=0, r14=0x1, r13=0, r12=0, rbp=0x7ffd0000, rbx=0, r11=0x246, r10=0, r9=0, r8=0, "
    "rax=0xffffffffffffffda, rcx=0x401003, rdx=0, rsi=0, rdi=0x65, orig_rax=0x6e, rip=0x401003, "
    "cs=0x33, eflags=0x246, rsp=0x7ffd1000, ss=0x2b, fs_base=0x7f00, gs_base=0, ds=0, es=0, fs=0, "
    "gs=0}";

std::string Requests() {
  return absl::StrCat(
      kStopped, kAtEntry, "100  ptrace(PTRACE_GETREGS, 101, ", kRegs, ") = 0\n",
      "100  ptrace(PTRACE_PEEKUSER, 101, 8*ORIG_RAX, [0x6e]) = 0\n",
      "100  ptrace(PTRACE_GETREGSET, 101, NT_PRSTATUS, [{iov_base=", kRegs,
      ", iov_len=216}]) = 0\n",
      "100  ptrace(PTRACE_GETSIGINFO, 101, NULL, {si_signo=SIGTRAP, si_code=0x85, si_pid=101, "
      "si_uid=0}) = 0\n",
      // The tracee's program is not in the model.
      "100  ptrace(PTRACE_PEEKTEXT, 101, 0x401000, [0x50f]) = 0\n");
}

TEST(Ptrace, RequestsAreCarriedOut) {
  const Replayed ran = ReplayWithGraph("t.strace", Requests());
  EXPECT_EQ(Describe(ran.report), "");
  EXPECT_THAT(ran.graph, HasSubstr("genregs_get()"));
}

TEST(Ptrace, WhatTheModelKnowsIsJudged) {
  const struct {
    const char* right;
    const char* wrong;
    const char* reason;
  } kCases[] = {
      {"[0x6e]", "[0x27]", "orig_rax is 0x27 in the recording, 0x6e in the model"},
      {"orig_rax=0x6e", "orig_rax=0x27", "orig_rax is 0x27 in the recording, 0x6e in the model"},
      {"cs=0x33", "cs=0x23", "cs is 0x23 in the recording, 0x33 in the model"},
      {"si_signo=SIGSTOP", "si_signo=SIGTSTP", "si_signo is 0x14 in the recording, 0x13"},
      {"si_code=0x85", "si_code=0x5", "si_code is 0x5 in the recording, 0x85 in the model"},
      {"8*ORIG_RAX, [0x6e]) = 0", "8*ORIG_RAX, 0x7ffd0000) = -1 ESRCH (No such process)", ""},
  };
  for (const auto& c : kCases) {
    const Replayed ran =
        ReplayWithGraph("t.strace", absl::StrReplaceAll(Requests(), {{c.right, c.wrong}}));
    EXPECT_FALSE(ran.report.illegal.empty()) << c.wrong;
    EXPECT_THAT(Describe(ran.report), HasSubstr(c.reason)) << c.wrong;
  }
}

// The call that the tracee makes is another one then.
TEST(Ptrace, ARegisterThatIsSetIsSeen) {
  const std::string poked = absl::StrCat(
      kStopped, kAtEntry, "100  ptrace(PTRACE_POKEUSER, 101, 8*ORIG_RAX, 0x27) = 0\n",
      "100  ptrace(PTRACE_PEEKUSER, 101, 8*ORIG_RAX, [0x27]) = 0\n",
      "100  ptrace(PTRACE_SYSCALL, 101, NULL, 0) = 0\n",
      "100  wait4(101, [{WIFSTOPPED(s) && WSTOPSIG(s) == SIGTRAP|0x80}], 0, NULL) = 101\n",
      "100  ptrace(PTRACE_PEEKUSER, 101, 8*ORIG_RAX, [0x27]) = 0\n");
  const Replayed ran = ReplayWithGraph("t.strace", poked);
  EXPECT_EQ(Describe(ran.report), "");
  EXPECT_THAT(ran.graph, HasSubstr("sys_getpid()"));
}

// Of a tracee that is not stopped nothing can be asked. Requests of floating point registers are
// replayed as recorded.
TEST(Ptrace, ATraceeThatRunsCannotBeAsked) {
  const Replayed ran = ReplayWithGraph(
      "t.strace",
      "100  fork()                           = 101\n"
      "101  pause( <unfinished ...>\n"
      "100  ptrace(PTRACE_PEEKUSER, 101, 8*RAX, 0x7ffd0000) = -1 ESRCH (No such process)\n"
      "100  ptrace(PTRACE_GETREGS, 101, 0x7ffd0000) = -1 ESRCH (No such process)\n"
      "100  ptrace(PTRACE_GETFPREGS, 101, 0x7ffd0000) = -1 ESRCH (No such process)\n");
  EXPECT_EQ(Describe(ran.report), "");
}

}  // namespace
}  // namespace kpath
