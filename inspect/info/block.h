// SPDX-License-Identifier: Apache-2.0
//
// `info plug`, `info requests`: requests on their way to a device.
//
//   The plug of prog/1 holds 2 requests: 4 bios, 2 of them merged
//   DISK  QUEUE  TAG  OP    SECTORS  BYTES  BIOS
//   vda       0    0  READ  0-23     12288     3
//   vda       0    1  READ  80-87     4096     1
#pragma once

#include <string>

#include "inspect/info/view.h"

namespace kpath {

// What the selected task's plug holds back, in the order of submission; per hardware queue.
std::string InfoPlug(const View& view);

// Each disk: what it has done; each hardware queue: its tags, its dispatch list, the software
// queues that feed it; each request that has a tag, and where it is: in a plug, a software queue,
// the dispatch list, the device, or elsewhere in the kernel.
std::string InfoRequests(const View& view);

}  // namespace kpath
