// SPDX-License-Identifier: Apache-2.0
//
// Compares the tables with the system's headers and C library.
#include "tools/transcript/syntax/constants.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "tools/transcript/syntax/print.h"

namespace kpath::strace {
namespace {

struct Expected {
  const char* name;
  uint64_t value;
};

// Sign-extends ints, as FindConstant does.
template <typename T>
uint64_t Widen(T value) {
  return static_cast<uint64_t>(static_cast<int64_t>(value));
}

uint64_t Widen(void (*handler)(int)) { return reinterpret_cast<uint64_t>(handler); }

#define CONSTANT(name) \
  { #name, Widen(name) }

TEST(ConstantsTest, AgreeWithTheHeaders) {
  // clang-format off: it would put each on a line of its own.
  const Expected kExpected[] = {
      CONSTANT(O_RDONLY),
      CONSTANT(O_WRONLY),
      CONSTANT(O_RDWR),
      CONSTANT(O_ACCMODE),
      CONSTANT(O_CREAT),
      CONSTANT(O_EXCL),
      CONSTANT(O_NOCTTY),
      CONSTANT(O_TRUNC),
      CONSTANT(O_APPEND),
      CONSTANT(O_NONBLOCK),
      CONSTANT(O_DSYNC),
      CONSTANT(O_SYNC),
      CONSTANT(O_RSYNC),
      CONSTANT(FASYNC),
      CONSTANT(O_ASYNC),
      CONSTANT(O_DIRECT),
      CONSTANT(O_DIRECTORY),
      CONSTANT(O_NOFOLLOW),
      CONSTANT(O_NOATIME),
      CONSTANT(O_CLOEXEC),
      CONSTANT(O_PATH),
      CONSTANT(O_TMPFILE),
      CONSTANT(AT_FDCWD),
      CONSTANT(AT_SYMLINK_NOFOLLOW),
      CONSTANT(AT_REMOVEDIR),
      CONSTANT(AT_SYMLINK_FOLLOW),
      CONSTANT(AT_NO_AUTOMOUNT),
      CONSTANT(AT_EMPTY_PATH),
      CONSTANT(AT_EACCESS),
      CONSTANT(AT_STATX_SYNC_AS_STAT),
      CONSTANT(AT_STATX_FORCE_SYNC),
      CONSTANT(AT_STATX_DONT_SYNC),
      CONSTANT(SEEK_SET),
      CONSTANT(SEEK_CUR),
      CONSTANT(SEEK_END),
      CONSTANT(SEEK_DATA),
      CONSTANT(SEEK_HOLE),
      CONSTANT(F_OK),
      CONSTANT(R_OK),
      CONSTANT(W_OK),
      CONSTANT(X_OK),
      CONSTANT(S_IFMT),
      CONSTANT(S_IFSOCK),
      CONSTANT(S_IFLNK),
      CONSTANT(S_IFREG),
      CONSTANT(S_IFBLK),
      CONSTANT(S_IFDIR),
      CONSTANT(S_IFCHR),
      CONSTANT(S_IFIFO),
      CONSTANT(S_ISUID),
      CONSTANT(S_ISGID),
      CONSTANT(S_ISVTX),
      CONSTANT(F_DUPFD),
      CONSTANT(F_GETFD),
      CONSTANT(F_SETFD),
      CONSTANT(F_GETFL),
      CONSTANT(F_SETFL),
      CONSTANT(F_GETLK),
      CONSTANT(F_SETLK),
      CONSTANT(F_SETLKW),
      CONSTANT(F_SETOWN),
      CONSTANT(F_GETOWN),
      CONSTANT(F_SETSIG),
      CONSTANT(F_GETSIG),
      CONSTANT(F_OFD_GETLK),
      CONSTANT(F_OFD_SETLK),
      CONSTANT(F_OFD_SETLKW),
      CONSTANT(F_DUPFD_CLOEXEC),
      CONSTANT(F_SETPIPE_SZ),
      CONSTANT(F_GETPIPE_SZ),
      CONSTANT(F_ADD_SEALS),
      CONSTANT(F_GET_SEALS),
      CONSTANT(FD_CLOEXEC),
      CONSTANT(F_RDLCK),
      CONSTANT(F_WRLCK),
      CONSTANT(F_UNLCK),
      CONSTANT(LOCK_SH),
      CONSTANT(LOCK_EX),
      CONSTANT(LOCK_UN),
      CONSTANT(LOCK_NB),
      CONSTANT(PROT_NONE),
      CONSTANT(PROT_READ),
      CONSTANT(PROT_WRITE),
      CONSTANT(PROT_EXEC),
      CONSTANT(PROT_GROWSDOWN),
      CONSTANT(PROT_GROWSUP),
      CONSTANT(MAP_SHARED),
      CONSTANT(MAP_PRIVATE),
      CONSTANT(MAP_SHARED_VALIDATE),
      CONSTANT(MAP_FIXED),
      CONSTANT(MAP_ANONYMOUS),
      CONSTANT(MAP_32BIT),
      CONSTANT(MAP_GROWSDOWN),
      CONSTANT(MAP_DENYWRITE),
      CONSTANT(MAP_EXECUTABLE),
      CONSTANT(MAP_LOCKED),
      CONSTANT(MAP_NORESERVE),
      CONSTANT(MAP_POPULATE),
      CONSTANT(MAP_NONBLOCK),
      CONSTANT(MAP_STACK),
      CONSTANT(MAP_HUGETLB),
      CONSTANT(MAP_SYNC),
      CONSTANT(MAP_FIXED_NOREPLACE),
      CONSTANT(MAP_HUGE_SHIFT),
      CONSTANT(MREMAP_MAYMOVE),
      CONSTANT(MREMAP_FIXED),
      CONSTANT(MREMAP_DONTUNMAP),
      CONSTANT(MS_ASYNC),
      CONSTANT(MS_INVALIDATE),
      CONSTANT(MS_SYNC),
      CONSTANT(MADV_NORMAL),
      CONSTANT(MADV_RANDOM),
      CONSTANT(MADV_SEQUENTIAL),
      CONSTANT(MADV_WILLNEED),
      CONSTANT(MADV_DONTNEED),
      CONSTANT(MADV_FREE),
      CONSTANT(MADV_REMOVE),
      CONSTANT(MADV_DONTFORK),
      CONSTANT(MADV_DOFORK),
      CONSTANT(MADV_MERGEABLE),
      CONSTANT(MADV_UNMERGEABLE),
      CONSTANT(MADV_HUGEPAGE),
      CONSTANT(MADV_NOHUGEPAGE),
      CONSTANT(MADV_DONTDUMP),
      CONSTANT(MADV_DODUMP),
      CONSTANT(MADV_WIPEONFORK),
      CONSTANT(MADV_KEEPONFORK),
      CONSTANT(MCL_CURRENT),
      CONSTANT(MCL_FUTURE),
      CONSTANT(MCL_ONFAULT),
      CONSTANT(POSIX_FADV_NORMAL),
      CONSTANT(POSIX_FADV_RANDOM),
      CONSTANT(POSIX_FADV_SEQUENTIAL),
      CONSTANT(POSIX_FADV_WILLNEED),
      CONSTANT(POSIX_FADV_DONTNEED),
      CONSTANT(POSIX_FADV_NOREUSE),
      CONSTANT(EFD_SEMAPHORE),
      CONSTANT(EFD_CLOEXEC),
      CONSTANT(EFD_NONBLOCK),
      CONSTANT(MFD_CLOEXEC),
      CONSTANT(MFD_ALLOW_SEALING),
      CONSTANT(MFD_HUGETLB),
      CONSTANT(FALLOC_FL_KEEP_SIZE),
      CONSTANT(FALLOC_FL_PUNCH_HOLE),
      CONSTANT(FALLOC_FL_COLLAPSE_RANGE),
      CONSTANT(FALLOC_FL_ZERO_RANGE),
      CONSTANT(FALLOC_FL_INSERT_RANGE),
      CONSTANT(IOCB_CMD_PREAD),
      CONSTANT(IOCB_CMD_PWRITE),
      CONSTANT(IOCB_CMD_FSYNC),
      CONSTANT(IOCB_CMD_FDSYNC),
      CONSTANT(IOCB_CMD_POLL),
      CONSTANT(IOCB_CMD_NOOP),
      CONSTANT(IOCB_CMD_PREADV),
      CONSTANT(IOCB_CMD_PWRITEV),
      CONSTANT(IOCB_FLAG_RESFD),
      CONSTANT(IOCB_FLAG_IOPRIO),
      CONSTANT(RWF_HIPRI),
      CONSTANT(RWF_DSYNC),
      CONSTANT(RWF_SYNC),
      CONSTANT(RWF_NOWAIT),
      CONSTANT(RWF_APPEND),
      CONSTANT(IOPRIO_CLASS_NONE),
      CONSTANT(IOPRIO_CLASS_RT),
      CONSTANT(IOPRIO_CLASS_BE),
      CONSTANT(IOPRIO_CLASS_IDLE),
      CONSTANT(CLONE_VM),
      CONSTANT(CLONE_FS),
      CONSTANT(CLONE_FILES),
      CONSTANT(CLONE_SIGHAND),
      CONSTANT(CLONE_PIDFD),
      CONSTANT(CLONE_PTRACE),
      CONSTANT(CLONE_VFORK),
      CONSTANT(CLONE_PARENT),
      CONSTANT(CLONE_THREAD),
      CONSTANT(CLONE_NEWNS),
      CONSTANT(CLONE_SYSVSEM),
      CONSTANT(CLONE_SETTLS),
      CONSTANT(CLONE_PARENT_SETTID),
      CONSTANT(CLONE_CHILD_CLEARTID),
      CONSTANT(CLONE_DETACHED),
      CONSTANT(CLONE_UNTRACED),
      CONSTANT(CLONE_CHILD_SETTID),
      CONSTANT(CLONE_NEWCGROUP),
      CONSTANT(CLONE_NEWUTS),
      CONSTANT(CLONE_NEWIPC),
      CONSTANT(CLONE_NEWUSER),
      CONSTANT(CLONE_NEWPID),
      CONSTANT(CLONE_NEWNET),
      CONSTANT(CLONE_IO),
      CONSTANT(POLLIN),
      CONSTANT(POLLPRI),
      CONSTANT(POLLOUT),
      CONSTANT(POLLERR),
      CONSTANT(POLLHUP),
      CONSTANT(POLLNVAL),
      CONSTANT(POLLRDNORM),
      CONSTANT(POLLRDBAND),
      CONSTANT(POLLWRNORM),
      CONSTANT(POLLWRBAND),
      CONSTANT(POLLMSG),
      CONSTANT(POLLRDHUP),
      CONSTANT(EPOLLIN),
      CONSTANT(EPOLLPRI),
      CONSTANT(EPOLLOUT),
      CONSTANT(EPOLLRDNORM),
      CONSTANT(EPOLLRDBAND),
      CONSTANT(EPOLLWRNORM),
      CONSTANT(EPOLLWRBAND),
      CONSTANT(EPOLLMSG),
      CONSTANT(EPOLLERR),
      CONSTANT(EPOLLHUP),
      CONSTANT(EPOLLRDHUP),
      CONSTANT(EPOLLEXCLUSIVE),
      CONSTANT(EPOLLWAKEUP),
      CONSTANT(EPOLLONESHOT),
      CONSTANT(EPOLLET),
      CONSTANT(EPOLL_CLOEXEC),
      CONSTANT(EPOLL_CTL_ADD),
      CONSTANT(EPOLL_CTL_DEL),
      CONSTANT(EPOLL_CTL_MOD),
      CONSTANT(CLOCK_REALTIME),
      CONSTANT(CLOCK_MONOTONIC),
      CONSTANT(CLOCK_PROCESS_CPUTIME_ID),
      CONSTANT(CLOCK_THREAD_CPUTIME_ID),
      CONSTANT(CLOCK_MONOTONIC_RAW),
      CONSTANT(CLOCK_REALTIME_COARSE),
      CONSTANT(CLOCK_MONOTONIC_COARSE),
      CONSTANT(CLOCK_BOOTTIME),
      CONSTANT(CLOCK_REALTIME_ALARM),
      CONSTANT(CLOCK_BOOTTIME_ALARM),
      CONSTANT(CLOCK_TAI),
      CONSTANT(TIMER_ABSTIME),
      CONSTANT(TFD_NONBLOCK),
      CONSTANT(TFD_CLOEXEC),
      CONSTANT(TFD_TIMER_ABSTIME),
      CONSTANT(TFD_TIMER_CANCEL_ON_SET),
      CONSTANT(ITIMER_REAL),
      CONSTANT(ITIMER_VIRTUAL),
      CONSTANT(ITIMER_PROF),
      CONSTANT(UTIME_NOW),
      CONSTANT(UTIME_OMIT),
      CONSTANT(SIG_BLOCK),
      CONSTANT(SIG_UNBLOCK),
      CONSTANT(SIG_SETMASK),
      CONSTANT(SIG_DFL),
      CONSTANT(SIG_IGN),
      CONSTANT(SIG_ERR),
      CONSTANT(SA_NOCLDSTOP),
      CONSTANT(SA_NOCLDWAIT),
      CONSTANT(SA_SIGINFO),
      CONSTANT(SA_ONSTACK),
      CONSTANT(SA_RESTART),
      CONSTANT(SA_NODEFER),
      CONSTANT(SA_RESETHAND),
      CONSTANT(SFD_CLOEXEC),
      CONSTANT(SFD_NONBLOCK),
      CONSTANT(SS_ONSTACK),
      CONSTANT(SS_DISABLE),
      CONSTANT(SI_USER),
      CONSTANT(SI_KERNEL),
      CONSTANT(SI_QUEUE),
      CONSTANT(SI_TIMER),
      CONSTANT(SI_MESGQ),
      CONSTANT(SI_ASYNCIO),
      CONSTANT(SI_SIGIO),
      CONSTANT(SI_TKILL),
      CONSTANT(CLD_EXITED),
      CONSTANT(CLD_KILLED),
      CONSTANT(CLD_DUMPED),
      CONSTANT(CLD_TRAPPED),
      CONSTANT(CLD_STOPPED),
      CONSTANT(CLD_CONTINUED),
      CONSTANT(SEGV_MAPERR),
      CONSTANT(SEGV_ACCERR),
      CONSTANT(WNOHANG),
      CONSTANT(WUNTRACED),
      CONSTANT(WSTOPPED),
      CONSTANT(WEXITED),
      CONSTANT(WCONTINUED),
      CONSTANT(WNOWAIT),
      CONSTANT(__WALL),
      CONSTANT(__WCLONE),
      CONSTANT(__WNOTHREAD),
      CONSTANT(P_ALL),
      CONSTANT(P_PID),
      CONSTANT(P_PGID),
      CONSTANT(FUTEX_WAIT),
      CONSTANT(FUTEX_WAKE),
      CONSTANT(FUTEX_REQUEUE),
      CONSTANT(FUTEX_CMP_REQUEUE),
      CONSTANT(FUTEX_WAKE_OP),
      CONSTANT(FUTEX_LOCK_PI),
      CONSTANT(FUTEX_UNLOCK_PI),
      CONSTANT(FUTEX_WAIT_BITSET),
      CONSTANT(FUTEX_WAKE_BITSET),
      CONSTANT(FUTEX_PRIVATE_FLAG),
      CONSTANT(FUTEX_CLOCK_REALTIME),
      CONSTANT(FUTEX_WAIT_PRIVATE),
      CONSTANT(FUTEX_WAKE_PRIVATE),
      CONSTANT(FUTEX_BITSET_MATCH_ANY),
      CONSTANT(RLIMIT_CPU),
      CONSTANT(RLIMIT_FSIZE),
      CONSTANT(RLIMIT_DATA),
      CONSTANT(RLIMIT_STACK),
      CONSTANT(RLIMIT_CORE),
      CONSTANT(RLIMIT_RSS),
      CONSTANT(RLIMIT_NPROC),
      CONSTANT(RLIMIT_NOFILE),
      CONSTANT(RLIMIT_MEMLOCK),
      CONSTANT(RLIMIT_AS),
      CONSTANT(RLIMIT_LOCKS),
      CONSTANT(RLIMIT_SIGPENDING),
      CONSTANT(RLIMIT_MSGQUEUE),
      CONSTANT(RLIMIT_NICE),
      CONSTANT(RLIMIT_RTPRIO),
      CONSTANT(RLIMIT_RTTIME),
      CONSTANT(RLIM64_INFINITY),
      CONSTANT(RLIM_INFINITY),
      CONSTANT(GRND_NONBLOCK),
      CONSTANT(GRND_RANDOM),
      CONSTANT(ARCH_SET_GS),
      CONSTANT(ARCH_SET_FS),
      CONSTANT(ARCH_GET_FS),
      CONSTANT(ARCH_GET_GS),
      CONSTANT(SPLICE_F_MOVE),
      CONSTANT(SPLICE_F_NONBLOCK),
      CONSTANT(SPLICE_F_MORE),
      CONSTANT(SPLICE_F_GIFT),
      CONSTANT(SYNC_FILE_RANGE_WAIT_BEFORE),
      CONSTANT(SYNC_FILE_RANGE_WRITE),
      CONSTANT(SYNC_FILE_RANGE_WAIT_AFTER),
      CONSTANT(SCHED_OTHER),
      CONSTANT(SCHED_FIFO),
      CONSTANT(SCHED_RR),
      CONSTANT(SCHED_BATCH),
      CONSTANT(SCHED_IDLE),
      CONSTANT(PRIO_PROCESS),
      CONSTANT(PRIO_PGRP),
      CONSTANT(PRIO_USER),
      CONSTANT(PR_SET_NAME),
      CONSTANT(PR_GET_NAME),
      CONSTANT(PR_SET_DUMPABLE),
      CONSTANT(PR_GET_DUMPABLE),
      CONSTANT(PR_SET_PDEATHSIG),
      CONSTANT(BLKGETSIZE64),
      CONSTANT(BLKSSZGET),
      CONSTANT(BLKBSZGET),
      CONSTANT(BLKDISCARD),
      CONSTANT(BLKFLSBUF),
      CONSTANT(BLKGETSIZE),
      CONSTANT(FIONREAD),
      CONSTANT(FIONBIO),
      CONSTANT(FIGETBSZ),
      CONSTANT(TCGETS),
      CONSTANT(TIOCGWINSZ),
  };
  // clang-format on
  for (const Expected& expected : kExpected) {
    EXPECT_EQ(FindConstant(expected.name), expected.value) << expected.name;
  }
}

#undef CONSTANT

// The C library's O_LARGEFILE is 0 on x86-64, strace's is the kernel's; SA_RESTORER is the
// kernel's alone.
TEST(ConstantsTest, OfTheKernelAlone) {
  EXPECT_EQ(FindConstant("O_LARGEFILE"), 0100000);
  EXPECT_EQ(FindConstant("SA_RESTORER"), 0x04000000);
}

TEST(ConstantsTest, UnknownNames) {
  for (const char* name : {"", "O_", "O_RDONL", "O_RDONLYY", "ZZZ", "o_rdonly", "SIG", "SIGRT_0"}) {
    EXPECT_EQ(FindConstant(name), absl::nullopt) << name;
  }
}

TEST(ErrorsTest, AgreeWithTheLibrary) {
  for (int number = 1; number <= EHWPOISON; ++number) {
    const char* name = strerrorname_np(number);
    if (name == nullptr) {
      EXPECT_EQ(ErrorName(number), "") << number;
      continue;
    }
    // Two names of one number: strace prints the other one.
    const absl::string_view printed = number == EOPNOTSUPP ? "EOPNOTSUPP" : absl::string_view(name);
    EXPECT_EQ(ErrorName(number), printed);
    EXPECT_EQ(ErrorMessage(number), strerror(number)) << name;
    EXPECT_EQ(ErrorNumber(printed), number);
  }
}

TEST(ErrorsTest, OfTheKernelAlone) {
  EXPECT_EQ(ErrorNumber("ERESTARTSYS"), 512);
  EXPECT_EQ(ErrorName(513), "ERESTARTNOINTR");
  EXPECT_EQ(ErrorMessage(514), "To be restarted if no handler");
  EXPECT_EQ(ErrorNumber("ERESTART_RESTARTBLOCK"), 516);
}

TEST(ErrorsTest, Unknown) {
  EXPECT_EQ(ErrorNumber("EFOO"), absl::nullopt);
  for (const int number : {-1, 0, 134, 511, 100000}) {
    EXPECT_EQ(ErrorName(number), "");
    EXPECT_EQ(ErrorMessage(number), "");
  }
}

TEST(SignalsTest, AgreeWithTheLibrary) {
  for (int number = 1; number <= SIGSYS; ++number) {
    // Two names of one number: strace prints the other one.
    const std::string bare = number == SIGIO ? "IO" : sigabbrev_np(number);
    EXPECT_EQ(SignalName(number), "SIG" + bare);
    EXPECT_EQ(SignalNumber("SIG" + bare), number);
    EXPECT_EQ(BareSignalNumber(bare), number);
    EXPECT_EQ(FindConstant("SIG" + bare), number);
  }
}

TEST(SignalsTest, RealTime) {
  EXPECT_EQ(SignalName(32), "SIGRTMIN");
  EXPECT_EQ(SignalNumber("SIGRTMIN"), 32);
  for (int above = 1; above <= 32; ++above) {
    const std::string name = "SIGRT_" + std::to_string(above);
    EXPECT_EQ(SignalName(32 + above), name);
    EXPECT_EQ(SignalNumber(name), 32 + above);
  }
}

TEST(SignalsTest, Unknown) {
  for (const int number : {-1, 0, 65}) EXPECT_EQ(SignalName(number), "");
  for (const char* name : {"", "SIG", "CHLD", "SIGFOO", "SIGRT_0", "SIGRT_33", "SIGRT_"}) {
    EXPECT_EQ(SignalNumber(name), absl::nullopt) << name;
  }
}

}  // namespace
}  // namespace kpath::strace
