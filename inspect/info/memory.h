// SPDX-License-Identifier: Apache-2.0
//
// `info memory`: the address space of a process, and what the kernel has allocated.
//
//   Address space of prog/1: 3 areas, 35 pages; RSS 3: 0 file, 2 anonymous, 1 shared; 0 pinned
//   7ffff7fea000-7ffff7feb000 rw-s 00000000 00:06 7  anon_inode:[aio]
#pragma once

#include <string>

#include "inspect/info/view.h"

namespace kpath {

// The areas of the selected task as /proc/PID/maps shows them, what of it is present, which pages
// the kernel holds for I/O; then the slab's caches with objects, by name, as slabinfo does.
std::string InfoMemory(const View& view);

}  // namespace kpath
