// SPDX-License-Identifier: Apache-2.0
//
// Runs a random program for real: in a child process, on the kernel of the host.
//
//   absl::StatusOr<std::unique_ptr<Host>> host = Host::Open();
//   if (!host.ok()) return Skip(host.status().message());
//   (*host)->Start(program);
//   Observation seen = (*host)->Finish(Judge::kPatienceMs);
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/diff_host/program.h"
#include "tools/diff_host/trace.h"
#include "tools/diff_host/version.h"

namespace kpath::diff_host {

// "6.18.44-generic" -> 6.18.44. An error if it does not begin with two numbers.
absl::StatusOr<KernelVersion> ParseKernelVersion(const std::string& release);

// "0-3,8" -> 5: how many numbers a list of the kernel's names. 0 if it cannot be read.
int CountInList(const std::string& list);

// Says what a real kernel does.
class Judge {
 public:
  virtual ~Judge() = default;

  // Starts a program; up to kMostAtOnce may have been started and not finished.
  static constexpr size_t kMostAtOnce = 48;
  virtual void Start(const Program& program) = 0;
  // Waits for the end of the program that was started first and has not been finished. A call that
  // has not returned after `patience_ms` milliseconds of sleep is taken for one that never will.
  static constexpr int kPatienceMs = 60;
  virtual Observation Finish(int patience_ms) = 0;
  virtual size_t running() const = 0;
  virtual KernelVersion version() const = 0;
};

class Host : public Judge {
 public:
  // Fails where programs cannot be compared, and says why: another architecture, no native AIO, no
  // tmpfs, something that calls itself Linux and is not, more CPUs than the model can have.
  static absl::StatusOr<std::unique_ptr<Host>> Open();
  ~Host() override;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // In a process of its own that is bound to one CPU. Most of a program's time is spent waiting for
  // grace periods, at the end of its contexts, so many should run at once. The programs' own
  // timeouts are shorter than 1 ms.
  void Start(const Program& program) override;
  Observation Finish(int patience_ms) override;
  size_t running() const override { return running_.size(); }

  KernelVersion version() const override { return version_; }
  const std::string& release() const { return release_; }
  int cpus() const { return cpus_; }  // possible ones
  uint64_t aio_max_nr() const { return aio_max_nr_; }

 private:
  // A program that runs. Its place says which trace it shares and which directory it has.
  struct Running {
    pid_t child;  // -errno: could not be started
    int place;
  };

  Host() = default;
  Observation Observe(const Running& running, int patience_ms);
  std::string DirectoryOf(int place) const { return directory_ + "/" + std::to_string(place); }

  KernelVersion version_;
  std::string release_;
  std::string directory_;
  int cpus_ = 0;
  uint64_t aio_max_nr_ = 0;
  std::vector<Trace*> traces_;  // by place
  std::vector<int> free_;       // places that no program has
  std::deque<Running> running_;
};

}  // namespace kpath::diff_host
