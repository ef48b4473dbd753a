// SPDX-License-Identifier: Apache-2.0
//
// Open files: making them, counting their users, letting them go. v4.19 fs/file_table.c
//
//   kptr<file> file = alloc_file_pseudo(inode, mnt, "[aio]", O_RDWR, &aio_ring_fops);
//   if (IS_ERR(file)) { iput(inode); return PTR_ERR(file); }
//   ...
//   fput(file);
//
// The last fput does not close the file at once: in a task that will return to user mode it is done
// there (task work), from an interrupt or a kernel thread about one tick later in a workqueue. So
// fput is allowed in any context, while the file's release method may sleep.
//
// Invariants
//   1. f_count = references from descriptors, mappings, requests and callers of fget that are not
//   put.
//   2. The object stays until a grace period of RCU after its last reference has been put, so that
//      __fget may look at a file that is being closed.
#pragma once

#include "sim/vfs/fs.h"

namespace kpath {

// A file that is not open yet, with one reference. An error pointer: -ENOMEM.
// Departs: there is no limit on open files (-ENFILE), as there is none for root in Linux.
kptr<file> alloc_empty_file(unsigned flags);
// Opens `inode` without a name: takes over the caller's reference on it. An error pointer leaves
// that reference with the caller: -ENOMEM.
// `name` is what /proc shows; `flags`: O_RDONLY, O_WRONLY or O_RDWR, and O_NONBLOCK and so on.
kptr<file> alloc_file_pseudo(kptr<inode> inode, kptr<vfsmount> mnt, const std::string& name,
                             unsigned flags, const file_operations* fops);
// A second open file of the same object, with flags and operations of its own.
kptr<file> alloc_file_clone(kptr<file> base, unsigned flags, const file_operations* fops);

inline long file_count(kptr<file> file) { return file->f_count; }
inline kptr<file> get_file(kptr<file> file) {
  ++file->f_count;
  return file;
}
// v4.19 include/linux/fs.h: get_file_rcu_many. Takes references unless the last one is gone
// already.
bool get_file_rcu_many(kptr<file> file, long references);

// Puts a reference. Context: any.
void fput(kptr<file> file);
// Puts a reference, closing in place; for kernel threads. Context: process.
void __fput_sync(kptr<file> file);
// Closes what fput left to the workqueue, now. Context: process.
void flush_delayed_fput();

// Once per machine; see vfs_caches_init.
void files_init();

}  // namespace kpath
