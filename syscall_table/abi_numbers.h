// SPDX-License-Identifier: Apache-2.0
//
// The same call under every ABI: what `./kpath syscalls --abi=x86_64,i386,generic` prints.
//
//   CALL         ABI      NR          ENTRY POINT
//   io_setup     x86_64   206         __x64_sys_io_setup
//                x32      0x4000021f  __x32_compat_sys_io_setup
//                i386     245         __ia32_compat_sys_io_setup
//                generic  0           sys_io_setup, 32-bit tasks compat_sys_io_setup
//                ia64     1238        sys_io_setup
//
// The x86 numbers come from the tables. `generic` is include/uapi/asm-generic/unistd.h, which newer
// architectures share; of it, and of ia64, the calls of native AIO are known here.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace kpath {

// The ABIs in the order of the list above.
const std::vector<std::string>& AllAbis();

// The calls whose name contains `name`, of those that make native AIO, each under these ABIs.
// Errors: an ABI that is none of AllAbis().
absl::StatusOr<std::string> RenderAbis(const std::vector<std::string>& abis,
                                       const std::string& name);

}  // namespace kpath
