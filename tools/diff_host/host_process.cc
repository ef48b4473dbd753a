// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/host_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "tools/diff_host/interpreter.h"

namespace kpath::diff_host {
namespace {

class HostExecutor : public Executor {
 public:
  explicit HostExecutor(std::string directory) : directory_(std::move(directory)) {}

  int64_t Syscall(uint64_t number, const user::SyscallArguments& arguments) override {
    const long result = ::syscall(static_cast<long>(number), arguments[0], arguments[1],
                                  arguments[2], arguments[3], arguments[4], arguments[5]);
    return result == -1 ? -errno : result;
  }
  void Read(uint64_t address, void* to, size_t size) override {
    if (size > 0) std::memcpy(to, reinterpret_cast<const void*>(address), size);
  }
  void Write(uint64_t address, const void* from, size_t size) override {
    if (size > 0) std::memcpy(reinterpret_cast<void*>(address), from, size);
  }
  void InChild(const std::function<void()>& code) override {
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      code();
      _exit(0);
    }
    waitpid(child, nullptr, 0);
  }
  std::string Directory() const override { return directory_; }

 private:
  const std::string directory_;
};

// What a process starts with is that of its parent: makes it what the model's process has.
void BecomeAProgram() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int signal : {SIGSEGV, SIGBUS, SIGPIPE, SIGABRT, SIGFPE, SIGILL}) {
    std::signal(signal, SIG_DFL);
  }
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const rlimit any_size = {RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_FSIZE, &any_size);
  umask(0);
  // Credits of a context are kept by CPU.
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<size_t>(sched_getcpu()), &one);
  sched_setaffinity(0, sizeof(one), &one);
  ::syscall(SYS_close_range, 0u, ~0u, 0u);
}

// 'R', 'S', 'D', … of the process; '?' if it cannot be read.
char StateOf(pid_t pid) {
  const int fd = open(absl::StrCat("/proc/", pid, "/stat").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return '?';
  char text[512];
  const ssize_t size = read(fd, text, sizeof(text) - 1);
  close(fd);
  if (size <= 0) return '?';
  text[size] = '\0';
  const char* end_of_name = std::strrchr(text, ')');
  return end_of_name == nullptr || end_of_name[1] == '\0' ? '?' : end_of_name[2];
}

bool ExitsWithin(int pidfd, int milliseconds) {
  pollfd wait = {pidfd, POLLIN, 0};
  return poll(&wait, 1, milliseconds) == 1;
}

// Returns false if the process sleeps without beginning another operation: for `patience_ms` where
// a signal could wake it, for much longer where it waits for the kernel itself, as io_destroy and
// exit do for grace periods.
bool WatchUntilExit(pid_t child, int pidfd, const Trace& trace, int patience_ms) {
  constexpr int kLookEveryMs = 5;
  constexpr int kUninterruptible = 20;
  const volatile uint32_t& op = trace.op;
  int asleep_ms = 0;
  uint32_t last_op = op;
  while (!ExitsWithin(pidfd, kLookEveryMs)) {
    const char state = StateOf(child);
    const bool sleeps = (state == 'S' || state == 'D') && op == last_op;
    asleep_ms = sleeps ? asleep_ms + kLookEveryMs : 0;
    last_op = op;
    if (asleep_ms >= (state == 'S' ? patience_ms : patience_ms * kUninterruptible)) return false;
  }
  return true;
}

}  // namespace

pid_t StartOnHost(const Program& program, const std::string& directory, Trace* trace) {
  trace->Clear();
  HostExecutor executor(directory);
  const pid_t child = fork();
  if (child < 0) return -errno;
  if (child > 0) return child;
  BecomeAProgram();
  Interpret(program, executor, trace);
  _exit(0);
}

Ended WaitOnHost(pid_t child, const Trace& trace, int patience_ms, int* signal) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  const bool exited = WatchUntilExit(child, pidfd, trace, patience_ms);
  if (!exited) kill(child, SIGKILL);
  int status = 0;
  // A process that not even SIGKILL ends is left behind.
  constexpr int kLastWaitMs = 2000;
  if (exited || ExitsWithin(pidfd, kLastWaitMs)) waitpid(child, &status, 0);
  close(pidfd);
  if (!exited) return Ended::kBlocked;
  if (WIFEXITED(status)) return Ended::kExited;
  *signal = WTERMSIG(status);
  return Ended::kKilled;
}

}  // namespace kpath::diff_host
