// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/resource.h"

namespace kpath {

// v4.19 include/asm-generic/resource.h: INIT_RLIMITS, in the order of RLIMIT_*. Departs: the
// numbers of tasks and of queued signals that a computer of 4 GiB gets; Linux takes them from its
// memory.
const struct ::rlimit INIT_RLIMITS[] = {
    {RLIM_INFINITY, RLIM_INFINITY},  // RLIMIT_CPU
    {RLIM_INFINITY, RLIM_INFINITY},  // RLIMIT_FSIZE
    {RLIM_INFINITY, RLIM_INFINITY},  // RLIMIT_DATA
    {8 << 20, RLIM_INFINITY},        // RLIMIT_STACK
    {0, RLIM_INFINITY},              // RLIMIT_CORE
    {RLIM_INFINITY, RLIM_INFINITY},  // RLIMIT_RSS
    {15731, 15731},                  // RLIMIT_NPROC
    {1024, 4096},                    // RLIMIT_NOFILE
    {64 << 10, 64 << 10},            // RLIMIT_MEMLOCK
    {RLIM_INFINITY, RLIM_INFINITY},  // RLIMIT_AS
    {RLIM_INFINITY, RLIM_INFINITY},  // RLIMIT_LOCKS
    {15731, 15731},                  // RLIMIT_SIGPENDING
    {819200, 819200},                // RLIMIT_MSGQUEUE
    {0, 0},                          // RLIMIT_NICE
    {0, 0},                          // RLIMIT_RTPRIO
    {RLIM_INFINITY, RLIM_INFINITY},  // RLIMIT_RTTIME
};

}  // namespace kpath
