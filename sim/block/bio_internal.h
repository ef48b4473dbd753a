// SPDX-License-Identifier: Apache-2.0
//
// For the files that make up block/bio.c.
#pragma once

#include "sim/block/bio.h"

namespace kpath {

// Stops the machine if the bio was never initialised, or has been freed.
void CheckBio(const bio* bio);

}  // namespace kpath
