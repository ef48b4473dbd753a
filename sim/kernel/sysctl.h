// SPDX-License-Identifier: Apache-2.0
//
// The files below /proc/sys: how a number is written as text and taken from it. v4.19
// kernel/sysctl.c
//
// Context: process.
#pragma once

#include <cstddef>
#include <string>

namespace kpath {

// v4.19 kernel/sysctl.c: proc_doulongvec_minmax, for one number without bounds.
//   read   `*text` becomes the number and a newline; at a position behind the first byte, nothing.
//   write  Takes a number from `text`: decimal, octal behind a 0, hexadecimal behind a 0x; white
//          space before and behind it. A negative one is taken and changes nothing. At a position
//          behind the first byte all is taken and ignored (sysctl_writes_strict).
// Returns the number of bytes read or taken, which may be fewer than there are; or -EINVAL: no
// number, or more digits than any has, or something else right behind it.
long proc_doulongvec_minmax_read(const unsigned long* data, std::string* text, long pos);
long proc_doulongvec_minmax_write(unsigned long* data, const std::string& text, long pos);

}  // namespace kpath
