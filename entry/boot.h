// SPDX-License-Identifier: Apache-2.0
//
// A machine with a kernel in it, and what a run of it came to.
//
//   System system({.cpus = 2});
//   system.Start("prog", [] {
//     const int64_t fd = user::open("/tmp/x", O_RDWR | O_CREAT, 0600);
//     user::write(fd, "hello");
//   });
//   EXPECT_EQ(system.Run(), "");   // no report, nobody hangs, nothing is left
//
// Boot is for who brings a Machine along.
//
// Context: all of it is called from outside of the machine.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "sim/block/drivers/devices.h"
#include "sim/machine/machine.h"
#include "sim/process/start.h"
#include "sim/user/user.h"

namespace kpath {

// A file system that is there from the start, without files: ext2 on a device
// (sim/vfs/ext2/ext2.h).
struct MountOptions {
  std::string device;     // "/dev/vda"
  std::string directory;  // "/data"; made if it is not there
};

struct BootOptions {
  bool x32 = true;                     // CONFIG_X86_X32
  std::vector<DeviceOptions> devices;  // disks, with the nodes that files open
  std::vector<MountOptions> mounts;    // in this order
};

// Makes the kernel run on the machine: scheduler, time, RCU, workqueues; the tree of names, a tmpfs
// with an empty /tmp; memory; system calls, page faults and interrupts; the block layer, disks;
// AIO. v4.19 init/main.c: start_kernel REQUIRES: nothing has run in the machine yet.
void Boot(Machine& machine, const BootOptions& options = {});

struct SystemOptions {
  int cpus = 1;                        // 1 … Machine::kMaxCpus
  int slice = Machine::kSliceProbes;   // probes that a CPU passes at a time: Machine::SetSlice
  absl::optional<uint64_t> seed = {};  // departs from the ordinary course by it; none: does not
  bool x32 = true;
  std::vector<DeviceOptions> devices = {};
  std::vector<MountOptions> mounts = {};
};

class System {
 public:
  explicit System(const SystemOptions& options = {});
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  Machine& machine() { return machine_; }

  // Starts `program` as a process of its own; it ends when the function returns. What it captures
  // by reference must outlive the System.
  task_struct* Start(const std::string& comm, user::Code program, StartOptions options = {});

  // Runs until nothing is left to happen. Returns the kernel's report on itself, or "".
  std::string RunUntilIdle();

  // Runs to the end of all processes and looks at what they leave. Returns "" if all is well, or
  // text: the kernel's report on itself; else the tasks that wait for ever; else the kernel objects
  // and pages that should be gone but are not, when all names in the tree are removed. No process
  // may be started after it.
  std::string Run();

  // How a process ended, as wait4 reports it: 0 for exit(0), 256 for exit(1), 11 for SIGSEGV. None
  // if no process of this pid has ended.
  absl::optional<int> ExitStatus(int pid) const;

 private:
  std::string Shutdown();
  std::string DescribeRemains();

  Machine machine_;
  std::map<int, int> exit_statuses_;
  size_t pages_at_boot_ = 0;
  std::string objects_at_boot_;
};

}  // namespace kpath
