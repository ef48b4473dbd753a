// SPDX-License-Identifier: Apache-2.0
//
// For the files that make up block/bio.c.
#pragma once

#include "sim/block/bio.h"

namespace kpath {

[[noreturn]] void ReportBadBio(const bio* bio);

// Stops the machine if the bio was never initialised, or has been freed.
inline void CheckBio(const bio* bio) {
  if (bio->magic != bio::kMagic) [[unlikely]]
    ReportBadBio(bio);
}

}  // namespace kpath
