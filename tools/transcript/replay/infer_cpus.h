// SPDX-License-Identifier: Apache-2.0
//
// On how many CPUs a recorded run was made, as far as its AIO shows it: each CPU takes slots of a
// context in batches whose size depends on their number, so an io_submit that asked for more than
// there are tells it.
#pragma once

#include <cstdint>

#include "absl/types/optional.h"
#include "tools/transcript/replay/plan.h"

namespace kpath {

struct InferredCpus {
  int cpus = 0;
  uint32_t line = 0;  // of the io_submit that shows it
};

// Nothing: no call shows it, or any number is as good as one.
absl::optional<InferredCpus> InferCpus(const Plan& plan);

// How many iocbs an io_submit takes on a CPU of `cpus`, of a context that io_setup(nr_events) has
// just made. v4.19 fs/aio.c: ioctx_alloc, aio_setup_ring, __get_reqs_available
uint64_t SlotsForOneCpu(uint64_t nr_events, int cpus);

}  // namespace kpath
