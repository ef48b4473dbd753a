// SPDX-License-Identifier: Apache-2.0
//
// The `# kpath:` lines of a transcript: what machine it runs on.
//
//   # kpath: cpus=2 slice=1 seed=7
//   # kpath: x32=n
//   # kpath: file /data/x size=1M
//   # kpath: device /dev/vda driver=virtio_blk size=16M latency=80us
//   # kpath: sysctl fs.aio-max-nr=16
//   # kpath: abi=i386
//
//   cpus=N       1 to 64, default 1, or more where a short io_submit shows it (infer_cpus.h)
//   slice=N      how many probes a CPU passes before another has its turn, 1 to 1000000, default 64
//   seed=N       departs from the ordinary course of events at random, always the same way for N
//   x32=y|n      whether the kernel knows the x32 ABI, default y
//   file PATH size=N   a memory file that is there from the start, N bytes of zeros (K, M, G behind
//                the number: times 1024, 1024², 1024³)
//   device PATH driver=virtio_blk|null_blk ...   a disk that is there from the start, its bytes
//   zero:
//       size=N        as above, whole blocks, default 16M
//       block=N       bytes of a block, a power of two from 512 to 4096, default 512
//       depth=N       requests that it takes at a time, 1 to 1024, default 128 or 64; virtio_blk: a
//                     power of two
//     virtio_blk:
//       latency=T     how long a request takes, default 80us
//       seek=T        and besides, from one end to the other, less in proportion to the way
//       transfer=N    and besides, N bytes a second; with either, one request at a time
//       cache=writeback|writethrough   whether it has to be told to flush, default writethrough
//       fail=FIRST-LAST        commands that touch these sectors of 512 bytes end with an I/O error
//       slow=FIRST-LAST:TIME   and these take so long; both as often as need be
//                     (timeout= is refused: v4.19's driver has no .timeout, so blk-mq would only
//                     start the timer of a lost request again, for ever)
//     null_blk:
//       queues=N      hardware queues, 1 to 64, default 1
//       irqmode=N     0: requests end at once, 1: by a softirq, 2: after a time; default 1
//       completion_nsec=N   that time in nanoseconds, default 10000; latency=T is the same
//       memory_backed=y|n   whether it keeps what is written to it, default n
//       timeout=N     each Nth request is lost, and ended by its timeout after 30 s, default none
//   mount DEVICE DIRECTORY   what is below the directory are files on that disk, in blocks of 4096.
//                A "file PATH size=N" there has all its blocks on the disk. A device that no line
//                before describes is a virtio_blk of 16M. "/": all but /dev and /tmp. See
//                infer_mounts.h for what needs no line
//   latency=T    how long a request of a disk takes that no line describes (infer_mounts.h),
//   default
//                80us (ns, us, ms, s behind the number)
//   sysctl fs.aio-max-nr=N   the limit of events of all AIO contexts together, from the start
//
//   abi=i386     the calls behind this line are made by INT 0x80, with the numbers of 32-bit
//   programs;
//                abi=x86_64 goes back to SYSCALL
//
// Settings may stand anywhere; each may be given once, abi= as often as need be.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "sim/block/drivers/devices.h"
#include "sim/machine/machine.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath {

struct ScenarioFile {
  std::string path;
  int64_t size = 0;  // bytes
};

struct ScenarioMount {
  std::string device;     // one of Scenario::devices
  std::string directory;  // "/data"
};

// From this line of the transcript on.
struct ScenarioAbi {
  uint32_t line = 0;  // index in Transcript::lines
  bool i386 = false;
};

struct Scenario {
  int cpus = 1;
  int slice = Machine::kSliceProbes;
  absl::optional<uint64_t> seed;
  bool x32 = true;
  bool cpus_given = false;
  uint32_t cpus_shown_by_line = 0;  // not by the scenario, but by a call on this line
  absl::optional<int64_t> latency_ns;
  absl::optional<uint64_t> aio_max_nr;
  std::vector<ScenarioFile> files;
  std::vector<DeviceOptions> devices;
  std::vector<ScenarioMount> mounts;
  // Set when the files are there: from then on devices fail where they are to.
  std::shared_ptr<bool> faults_armed = std::make_shared<bool>(false);
  std::vector<ScenarioAbi> abis;  // by ascending line

  // Whether a call that begins in this line is one of a 32-bit program.
  bool IsI386(uint32_t line) const;
};

// An error is one line, "FILE:LINE:COLUMN: what is wrong, what was expected".
absl::StatusOr<Scenario> ReadScenario(const strace::Transcript& transcript);

}  // namespace kpath
