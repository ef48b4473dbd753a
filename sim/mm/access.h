// SPDX-License-Identifier: Apache-2.0
//
// Another process's memory. v4.19 mm/memory.c
//
// Context: process; may sleep.
#pragma once

#include "sim/mm/mm_types.h"

namespace kpath {

// v4.19 mm/memory.c: __access_remote_vm, with FOLL_FORCE. Copies `len` bytes between `buf` and the
// address `addr` of `mm`, whose user the caller is. A debugger may read what the process may not,
// and write to its private copy of what is read-only. Returns how many bytes were copied, up to the
// first that is not there.
int __access_remote_vm(kptr<mm_struct> mm, unsigned long addr, void* buf, int len, bool write);

}  // namespace kpath
