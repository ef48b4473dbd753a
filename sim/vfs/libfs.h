// SPDX-License-Identifier: Apache-2.0
//
// What simple file systems are made of. v4.19 fs/libfs.c
#pragma once

#include "sim/vfs/fs.h"

namespace kpath {

// Nothing to write back.
int noop_fsync(kptr<file> file, loff_t start, loff_t end, int datasync);
// Sizes and modes of a file whose pages are all in memory.
int simple_setattr(kptr<dentry> dentry, const iattr& attr);
bool simple_empty(kptr<dentry> dentry);
loff_t dcache_dir_lseek(kptr<file> file, loff_t offset, int whence);

// A directory's file_operations: it can be sought and synced, and not read.
// Departs: getdents is not modelled.
extern const file_operations simple_dir_operations;

// v4.19 fs/libfs.c: init_pseudo_mount. The mount of a file system without a tree, for objects that
// are files without a name. An error pointer: out of memory.
kptr<vfsmount> mount_pseudo(const char* type, uint32_t magic, const super_operations* ops = nullptr,
                            const dentry_operations* d_ops = nullptr);

}  // namespace kpath
