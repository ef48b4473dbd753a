// SPDX-License-Identifier: Apache-2.0
//
// Files that are nothing but their operations and private data; all share one inode.
// v4.19 fs/anon_inodes.c
#pragma once

#include <any>
#include <string>

#include "sim/vfs/fs.h"

namespace kpath {

// v4.19 fs/anon_inodes.c: anon_inode_getfile. An error pointer: -ENOMEM; `priv` stays the caller's
// then. `name`: "[eventfd]". `flags`: O_RDONLY, O_WRONLY or O_RDWR, and O_NONBLOCK.
kptr<file> anon_inode_getfile(const std::string& name, const file_operations* fops, std::any priv,
                              unsigned flags);
// The same under the lowest free descriptor, which it returns. `flags` may have O_CLOEXEC.
int anon_inode_getfd(const std::string& name, const file_operations* fops, std::any priv,
                     unsigned flags);

// Once per machine; see vfs_caches_init.
void anon_inode_init();

}  // namespace kpath
