// SPDX-License-Identifier: Apache-2.0
//
// The tree of names: a tmpfs, mounted at "/". v4.19 mm/shmem.c (its directories), fs/namespace.c
//
// Departs: the half of mm/shmem.c that makes and removes names is here and not in sim/mm, so that
// there are directories without it. Regular files get their operations from sim/mm, through
// VfsHooks::shmem_init_regular; without it they have none and reads say -EINVAL.
#pragma once

#include "sim/vfs/fs.h"

namespace kpath {

inline constexpr uint32_t TMPFS_MAGIC = 0x01021994;

// v4.19 mm/shmem.c: shmem_get_inode. A new inode of a tmpfs. Null: out of memory.
// `dir`: the directory it will be in, or null. `mode`: type and permissions.
kptr<inode> shmem_get_inode(kptr<super_block> sb, kptr<inode> dir, umode_t mode);

// v4.19 mm/shmem.c: shmem_fill_super, without the root: what makes `sb` a tmpfs.
void shmem_fill_super(kptr<super_block> sb);

// The root of the tree. The path is not held for the caller.
path root_path();
// v4.19 init/do_mounts.c: prepare_namespace, its end: `mnt`, which is mounted on the root, is the
// root from now on.
void ChangeRoot(kptr<vfsmount> mnt);

// Sets the file systems of the current machine up: the tree, and the pseudo file systems of pipes
// and of files without a name. Called once, by Boot. v4.19 fs/dcache.c: vfs_caches_init, fs/pipe.c:
// init_pipe_fs, fs/anon_inodes.c: anon_inode_init
void vfs_caches_init();

}  // namespace kpath
