// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/host.h"

#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "fs_aio/aio_abi.h"
#include "sim/machine/check.h"
#include "tools/diff_host/host_process.h"
#include "tools/diff_host/layout.h"

namespace kpath::diff_host {
namespace {

absl::Status Unfit(const std::string& why) { return absl::UnavailableError(why); }

// The first line of a small file; empty if there is none.
std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Makes a context and looks at its ring.
absl::Status CheckAio() {
  aio_context_t context = 0;
  if (::syscall(SYS_io_setup, 1, &context) != 0) {
    return Unfit(absl::StrCat("io_setup: ", std::strerror(errno)));
  }
  aio_ring ring;
  std::memcpy(&ring, reinterpret_cast<const void*>(context), sizeof(ring));
  ::syscall(SYS_io_destroy, context);
  if (ring.magic != AIO_RING_MAGIC || ring.header_length != sizeof(aio_ring)) {
    return Unfit("the host's kernel does not lay out the ring of events as Linux does");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> MakeDirectory() {
  for (const char* where : {"/dev/shm", "/tmp", "/run"}) {
    struct statfs info;
    if (statfs(where, &info) != 0 || info.f_type != TMPFS_MAGIC) continue;
    std::string path = absl::StrCat(where, "/kpath-XXXXXX");
    if (mkdtemp(path.data()) != nullptr) return path;
  }
  return Unfit("no tmpfs to write to at /dev/shm, /tmp or /run");
}

}  // namespace

absl::StatusOr<KernelVersion> ParseKernelVersion(const std::string& release) {
  const std::vector<std::string> parts = absl::StrSplit(release, absl::ByAnyChar(".-+ "));
  KernelVersion version;
  if (parts.size() < 2 || !absl::SimpleAtoi(parts[0], &version.major) ||
      !absl::SimpleAtoi(parts[1], &version.minor)) {
    return Unfit(absl::StrCat("the kernel's release, ", release, ", has no version"));
  }
  if (parts.size() > 2 && !absl::SimpleAtoi(parts[2], &version.patch)) version.patch = 0;
  return version;
}

int CountInList(const std::string& list) {
  int count = 0;
  for (const absl::string_view range : absl::StrSplit(list, ',')) {
    const std::vector<std::string> ends = absl::StrSplit(range, '-');
    int first, last;
    if (ends.empty() || ends.size() > 2 || !absl::SimpleAtoi(ends.front(), &first) ||
        !absl::SimpleAtoi(ends.back(), &last) || last < first) {
      return 0;
    }
    count += last - first + 1;
  }
  return count;
}

absl::StatusOr<std::unique_ptr<Host>> Host::Open() {
#ifndef __x86_64__
  return Unfit("the host is not an x86-64 machine");
#endif
  std::unique_ptr<Host> host(new Host());
  utsname name;
  uname(&name);
  host->release_ = name.release;
  const absl::StatusOr<KernelVersion> version = ParseKernelVersion(name.release);
  if (!version.ok()) return version.status();
  host->version_ = *version;
  if (absl::Status status = CheckAio(); !status.ok()) return status;
  host->cpus_ = CountInList(FirstLine("/sys/devices/system/cpu/possible"));
  if (host->cpus_ < 1 || host->cpus_ > 64) {
    return Unfit(absl::StrCat("the host may have ", host->cpus_, " CPUs, the model 1 to 64"));
  }
  if (!absl::SimpleAtoi(FirstLine("/proc/sys/fs/aio-max-nr"), &host->aio_max_nr_)) {
    return Unfit("/proc/sys/fs/aio-max-nr cannot be read");
  }
  const absl::StatusOr<std::string> directory = MakeDirectory();
  if (!directory.ok()) return directory.status();
  host->directory_ = *directory;
  for (int i = 0; i < static_cast<int>(kMostAtOnce); ++i) {
    void* memory =
        mmap(nullptr, sizeof(Trace), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return Unfit(absl::StrCat("mmap: ", std::strerror(errno)));
    host->traces_.push_back(static_cast<Trace*>(memory));
    host->free_.push_back(i);
    if (mkdir(host->DirectoryOf(i).c_str(), 0700) != 0) {
      return Unfit(absl::StrCat(host->DirectoryOf(i), ": ", std::strerror(errno)));
    }
  }
  return host;
}

Host::~Host() {
  while (!running_.empty()) Finish(kPatienceMs);
  const int directories = static_cast<int>(traces_.size());
  for (Trace* trace : traces_) munmap(trace, sizeof(Trace));
  if (directory_.empty()) return;
  for (int i = 0; i < directories; ++i) {
    const std::string directory = DirectoryOf(i);
    // A program that was killed early leaves its files.
    for (const char* file : {"/a", "/b"}) unlink(absl::StrCat(directory, file).c_str());
    rmdir(directory.c_str());
  }
  rmdir(directory_.c_str());
}

void Host::Start(const Program& program) {
  KPATH_CHECK(!free_.empty(), "too many programs at once");
  const int place = free_.back();
  free_.pop_back();
  running_.push_back({StartOnHost(program, DirectoryOf(place), traces_[place]), place});
}

Observation Host::Finish(int patience_ms) {
  KPATH_CHECK(!running_.empty(), "no program is running");
  const Running running = running_.front();
  running_.pop_front();
  Observation seen = Observe(running, patience_ms);
  free_.push_back(running.place);
  return seen;
}

Observation Host::Observe(const Running& running, int patience_ms) {
  Observation seen;
  const Trace& trace = *traces_[running.place];
  if (running.child < 0) {
    seen.outcome = Outcome::kBroken;
    seen.report = absl::StrCat("fork: ", std::strerror(-running.child));
    return seen;
  }
  const Ended ended = WaitOnHost(running.child, trace, patience_ms, &seen.signal);
  seen.op = trace.op;
  seen.records.assign(trace.records, trace.records + trace.count);
  if (ended == Ended::kBlocked) seen.outcome = Outcome::kBlocked;
  if (ended == Ended::kKilled) seen.outcome = Outcome::kKilled;
  if (trace.failed != 0) {
    seen.outcome = Outcome::kBroken;
    seen.report = absl::StrCat("a step that has to succeed failed on the host: ",
                               std::strerror(static_cast<int>(trace.failed)));
  }
  return seen;
}

}  // namespace kpath::diff_host
