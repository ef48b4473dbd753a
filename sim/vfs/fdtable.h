// SPDX-License-Identifier: Apache-2.0
//
// The table behind descriptors, for sim/vfs's own files. v4.19 include/linux/fdtable.h
#pragma once

#include "sim/vfs/file.h"

namespace kpath {

inline kptr<fdtable> files_fdtable(kptr<files_struct> files) { return files->fdt; }
inline bool fd_is_open(unsigned fd, kptr<fdtable> fdt) { return fdt->open_fds[fd]; }

// v4.19 include/linux/fdtable.h: __fcheck_files. Null: no file there. REQUIRES: RCU or file_lock.
kptr<file> fcheck_files(kptr<files_struct> files, unsigned fd);

// v4.19 fs/file.c: expand_files. Makes room for descriptor `nr`. Returns 0 if there was room, 1 if
// the table has grown (file_lock was dropped in between: look again), -EMFILE or -ENOMEM. REQUIRES:
// file_lock held.
int expand_files(kptr<files_struct> files, unsigned nr);

void __set_open_fd(unsigned fd, kptr<fdtable> fdt);
void __clear_open_fd(unsigned fd, kptr<fdtable> fdt);
inline void __set_close_on_exec(unsigned fd, kptr<fdtable> fdt) { fdt->close_on_exec[fd] = true; }
inline void __clear_close_on_exec(unsigned fd, kptr<fdtable> fdt) {
  fdt->close_on_exec[fd] = false;
}

// A table of `max_fds` places. Null: out of memory.
kptr<fdtable> alloc_fdtable(unsigned max_fds);

}  // namespace kpath
