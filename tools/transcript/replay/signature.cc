// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/signature.h"

#include <iterator>

namespace kpath {
namespace {

constexpr Parameter kNumber = {ParameterKind::kNumber};
constexpr Parameter kFd = {ParameterKind::kFd};
constexpr Parameter kPath = {ParameterKind::kPath};
constexpr Parameter kAddress = {ParameterKind::kAddress};
constexpr Parameter kFdPairOut = {ParameterKind::kFdPairOut, -1, 8};
constexpr Parameter kTimespecIn = {ParameterKind::kTimespecIn, -1, 16};
constexpr Parameter kTimespecOut = {ParameterKind::kTimespecOut, -1, 16};
constexpr Parameter kContextOut = {ParameterKind::kContextOut, -1, 8};
constexpr Parameter kIocbs = {ParameterKind::kIocbs};
constexpr Parameter kIocbIn = {ParameterKind::kIocbIn, -1, 64};
constexpr Parameter kEvents = {ParameterKind::kEvents, 2, 32};
constexpr Parameter kStatusOut = {ParameterKind::kStatusOut, -1, 4};
constexpr Parameter kStatOut = {ParameterKind::kStatOut, -1, 144};
constexpr Parameter kSiginfoOut = {ParameterKind::kTimespecOut, -1, 128};  // not judged, as a time
constexpr Parameter kTimevalOut = {ParameterKind::kTimespecOut, -1, 16};
constexpr Parameter kTimezoneOut = {ParameterKind::kTimespecOut, -1, 8};  // the machine's own
constexpr Parameter kTimeOut = {ParameterKind::kTimespecOut, -1, 8};
constexpr Parameter kSigactionIn = {ParameterKind::kSigactionIn};
constexpr Parameter kSigactionOut = {ParameterKind::kSigactionOut};
constexpr Parameter kSigsetIn = {ParameterKind::kSigsetIn};
constexpr Parameter kSigsetOut = {ParameterKind::kSigsetOut};
constexpr Parameter kRlimitIn = {ParameterKind::kRlimitIn};
constexpr Parameter kRlimitOut = {ParameterKind::kRlimitOut};
constexpr Parameter kItimerIn = {ParameterKind::kItimerIn};
constexpr Parameter kItimerOut = {ParameterKind::kItimerOut};
constexpr Parameter kStackIn = {ParameterKind::kStackIn};
constexpr Parameter kFilterIn = {ParameterKind::kFilterIn};
constexpr Parameter kStackOut = {ParameterKind::kStackOut};
constexpr Parameter kTimevalIn = {ParameterKind::kTimevalIn};
constexpr Parameter kItimerspecIn = {ParameterKind::kItimerspecIn};
constexpr Parameter kItimerspecOut = {ParameterKind::kItimerspecOut};
constexpr Parameter kResolutionOut = {ParameterKind::kResolutionOut};
constexpr Parameter kSiginfoIn = {ParameterKind::kSiginfoIn};
constexpr Parameter kPollfds = {ParameterKind::kPollfds, 1, 8};
constexpr Parameter kFdSet = {ParameterKind::kFdSet};
constexpr Parameter kSigsetArgument = {ParameterKind::kSigsetArgument};
constexpr Parameter kEpollEventIn = {ParameterKind::kEpollEventIn};
constexpr Parameter kEpollEventsOut = {ParameterKind::kEpollEventsOut, 2, 12};
constexpr Parameter In(int size_argument) { return {ParameterKind::kIn, size_argument}; }
constexpr Parameter Out(int size_argument) { return {ParameterKind::kOut, size_argument}; }
constexpr Parameter kIovIn = {ParameterKind::kIovIn, 2};
constexpr Parameter kIovOut = {ParameterKind::kIovOut, 2};

// clang-format off
constexpr Signature kSignatures[] = {
    {"access", {kPath, kNumber}},
    {"alarm", {kNumber}},
    {"brk", {kAddress}, ResultKind::kAddress},
    {"chdir", {kPath}},
    {"clock_getres", {kNumber, kResolutionOut}},
    {"clock_gettime", {kNumber, kTimespecOut}},
    {"clock_nanosleep", {kNumber, kNumber, kTimespecIn, kTimespecOut}},
    {"clone", {}, ResultKind::kExact, CallForm::kClone},
    {"clone3", {}, ResultKind::kExact, CallForm::kClone3},
    {"close", {kFd}},
    {"creat", {kPath, kNumber}},
    {"dup", {kFd}},
    {"dup2", {kFd, kNumber}},
    {"dup3", {kFd, kNumber, kNumber}},
    {"epoll_create", {kNumber}},
    {"epoll_create1", {kNumber}},
    {"epoll_ctl", {kFd, kNumber, kFd, kEpollEventIn}},
    {"epoll_pwait", {kFd, kEpollEventsOut, kNumber, kNumber, kSigsetIn, kNumber},
     ResultKind::kReady},
    {"epoll_wait", {kFd, kEpollEventsOut, kNumber, kNumber}, ResultKind::kReady},
    {"eventfd", {kNumber}},
    {"eventfd2", {kNumber, kNumber}},
    {"exit", {kNumber}, ResultKind::kNothing},
    {"exit_group", {kNumber}, ResultKind::kNothing},
    {"faccessat", {kFd, kPath, kNumber}},
    {"fchdir", {kFd}},
    {"fcntl", {kFd, kNumber, kNumber}},
    {"fdatasync", {kFd}},
    {"fork", {}},
    {"fstat", {kFd, kStatOut}},
    {"fsync", {kFd}},
    {"ftruncate", {kFd, kNumber}},
    {"getitimer", {kNumber, kItimerOut}},
    {"getpid", {}},
    {"getppid", {}},
    {"getrlimit", {kNumber, kRlimitOut}},
    {"gettid", {}},
    {"gettimeofday", {kTimevalOut, kTimezoneOut}},
    {"io_cancel", {kAddress, kIocbIn, kAddress}},
    {"io_destroy", {kAddress}},
    {"io_getevents", {kAddress, kNumber, kNumber, kEvents, kTimespecIn}, ResultKind::kReaped},
    {"io_pgetevents", {kAddress, kNumber, kNumber, kEvents, kTimespecIn, kSigsetArgument},
     ResultKind::kReaped},
    {"io_setup", {kNumber, kContextOut}},
    {"io_submit", {kAddress, kNumber, kIocbs}, ResultKind::kSubmitted},
    {"kill", {kNumber, kNumber}},
    {"lseek", {kFd, kNumber, kNumber}},
    {"lstat", {kPath, kStatOut}},
    {"madvise", {In(1), kNumber, kNumber}},
    {"mkdir", {kPath, kNumber}},
    {"mkdirat", {kFd, kPath, kNumber}},
    {"mmap", {kAddress, kNumber, kNumber, kNumber, kFd, kNumber}, ResultKind::kAddress},
    {"mprotect", {In(1), kNumber, kNumber}},
    {"mremap", {kAddress, kNumber, kNumber, kNumber, kAddress}, ResultKind::kAddress},
    {"munmap", {kAddress, kNumber}},
    {"nanosleep", {kTimespecIn, kTimespecOut}},
    {"newfstatat", {kFd, kPath, kStatOut, kNumber}},
    {"open", {kPath, kNumber, kNumber}},
    {"openat", {kFd, kPath, kNumber, kNumber}},
    {"pause", {}},
    {"pipe", {kFdPairOut}},
    {"pipe2", {kFdPairOut, kNumber}},
    {"poll", {kPollfds, kNumber, kNumber}, ResultKind::kReady},
    {"ppoll", {kPollfds, kNumber, kTimespecIn, kSigsetIn, kNumber}, ResultKind::kReady},
    {"pread64", {kFd, Out(2), kNumber, kNumber}, ResultKind::kCount},
    {"preadv", {kFd, kIovOut, kNumber, kNumber}, ResultKind::kCount, CallForm::kPositioned},
    {"preadv2", {kFd, kIovOut, kNumber, kNumber, kNumber}, ResultKind::kCount,
     CallForm::kPositioned},
    {"prctl", {kNumber, kNumber, kFilterIn, kNumber, kNumber}},
    {"prlimit64", {kNumber, kNumber, kRlimitIn, kRlimitOut}},
    {"pselect6", {kNumber, kFdSet, kFdSet, kFdSet, kTimespecIn, kSigsetArgument},
     ResultKind::kReady},
    {"ptrace", {}, ResultKind::kExact, CallForm::kPtrace},
    {"pwrite64", {kFd, In(2), kNumber, kNumber}, ResultKind::kCount},
    {"pwritev", {kFd, kIovIn, kNumber, kNumber}, ResultKind::kCount, CallForm::kPositioned},
    {"pwritev2", {kFd, kIovIn, kNumber, kNumber, kNumber}, ResultKind::kCount,
     CallForm::kPositioned},
    {"read", {kFd, Out(2), kNumber}, ResultKind::kCount},
    {"readv", {kFd, kIovOut, kNumber}, ResultKind::kCount},
    {"restart_syscall", {}},
    {"rmdir", {kPath}},
    {"rt_sigaction", {kNumber, kSigactionIn, kSigactionOut, kNumber}},
    {"rt_sigpending", {kSigsetOut, kNumber}},
    {"rt_sigprocmask", {kNumber, kSigsetIn, kSigsetOut, kNumber}},
    {"rt_sigqueueinfo", {kNumber, kNumber, kSiginfoIn}},
    {"rt_sigsuspend", {kSigsetIn, kNumber}},
    {"rt_sigtimedwait", {kSigsetIn, kSiginfoOut, kTimespecIn, kNumber}},
    {"rt_tgsigqueueinfo", {kNumber, kNumber, kNumber, kSiginfoIn}},
    {"select", {kNumber, kFdSet, kFdSet, kFdSet, kTimevalIn}, ResultKind::kReady},
    {"seccomp", {kNumber, kNumber, kFilterIn}},
    {"set_tid_address", {kAddress}},
    {"setitimer", {kNumber, kItimerIn, kItimerOut}},
    {"setrlimit", {kNumber, kRlimitIn}},
    {"sigaltstack", {kStackIn, kStackOut}},
    {"stat", {kPath, kStatOut}},
    {"tgkill", {kNumber, kNumber, kNumber}},
    {"time", {kTimeOut}, ResultKind::kTime},
    {"timerfd_create", {kNumber, kNumber}},
    {"timerfd_gettime", {kFd, kItimerspecOut}},
    {"timerfd_settime", {kFd, kNumber, kItimerspecIn, kItimerspecOut}},
    {"tkill", {kNumber, kNumber}},
    {"truncate", {kPath, kNumber}},
    {"umask", {kNumber}},
    {"unlink", {kPath}},
    {"unlinkat", {kFd, kPath, kNumber}},
    {"vfork", {}},
    {"wait4", {kNumber, kStatusOut, kNumber, kAddress}},
    {"write", {kFd, In(2), kNumber}, ResultKind::kCount},
    {"writev", {kFd, kIovIn, kNumber}, ResultKind::kCount},
};
// clang-format on

}  // namespace

const Signature* FindSignature(absl::string_view name) {
  for (const Signature& signature : kSignatures) {
    if (name == signature.name) return &signature;
  }
  return nullptr;
}

}  // namespace kpath
