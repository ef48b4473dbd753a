// SPDX-License-Identifier: Apache-2.0
//
// Inodes and their times. v4.19 fs/inode.c
//
// Departs: no inode hash and no list of unused inodes: an inode is evicted with its last reference.
//
// Invariants
//   1. i_count = references from dentries, plus those taken with ihold and not put.
//   2. An inode whose last reference is put has no pages, no mappings and is freed.
#pragma once

#include "sim/vfs/fs.h"

namespace kpath {

// ---- Life ----
// v4.19 fs/inode.c: new_inode_pseudo. An inode of `sb` with one reference, no operations and no
// number yet. Null: out of memory. Context: process.
kptr<inode> new_inode_pseudo(kptr<super_block> sb);
// The same: for file systems that have a tree.
kptr<inode> new_inode(kptr<super_block> sb);
// v4.19 fs/libfs.c: alloc_anon_inode. For objects that are a file without a name, such as the ring
// of an AIO context. An error pointer: -ENOMEM.
kptr<inode> alloc_anon_inode(kptr<super_block> sb);
// Unique in a machine; each CPU draws from a batch of its own.
uint64_t get_next_ino();
// Owner and mode of a new inode. `dir` may be null.
void inode_init_owner(kptr<inode> inode, kptr<struct inode> dir, umode_t mode);

void ihold(kptr<inode> inode);
// Puts a reference; the last one evicts the inode. Null is allowed. Context: process.
void iput(kptr<inode> inode);
void drop_nlink(kptr<inode> inode);
void clear_nlink(kptr<inode> inode);
void inc_nlink(kptr<inode> inode);

inline void inode_lock(kptr<inode> inode) { down_write(&inode->i_rwsem); }
inline void inode_unlock(kptr<inode> inode) { up_write(&inode->i_rwsem); }
inline void inode_lock_shared(kptr<inode> inode) { down_read(&inode->i_rwsem); }
inline void inode_unlock_shared(kptr<inode> inode) { up_read(&inode->i_rwsem); }
inline int inode_trylock(kptr<inode> inode) { return down_write_trylock(&inode->i_rwsem); }

// v4.19 include/linux/fs.h: inode_dio_begin. A direct read or write of the file is on its way until
// inode_dio_end. Context of the latter: any.
void inode_dio_begin(kptr<inode> inode);
void inode_dio_end(kptr<inode> inode);
// v4.19 fs/inode.c: inode_dio_wait. Sleeps until none is. REQUIRES: the caller lets no new one
// begin.
void inode_dio_wait(kptr<inode> inode);

// v4.19 include/linux/fs.h: get_write_access. Counts a writer. -ETXTBSY while it is being executed.
int get_write_access(kptr<inode> inode);
void put_write_access(kptr<inode> inode);

// ---- Times ----
// update_time's flags.
inline constexpr int S_ATIME = 1;
inline constexpr int S_MTIME = 2;
inline constexpr int S_CTIME = 4;
inline constexpr int S_VERSION = 8;

// v4.19 fs/inode.c: current_time. The coarse clock, cut to what the file system can store.
timespec64 current_time(kptr<inode> inode);
timespec64 timespec64_trunc(timespec64 time, unsigned granularity);
// v4.19 fs/inode.c: touch_atime. The file was read. On mounts with relatime (all of ours) the
// access time moves only if it is not later than the last change, or is older than a day.
void touch_atime(const path& path);
bool atime_needs_update(const path& path, kptr<inode> inode);
// v4.19 include/linux/fs.h: file_accessed
void file_accessed(kptr<file> file);
// v4.19 fs/inode.c: file_update_time. The file is about to be written. Returns 0 or -EROFS.
int file_update_time(kptr<file> file);
int generic_update_time(kptr<inode> inode, timespec64 time, int flags);
// v4.19 fs/fs-writeback.c: __mark_inode_dirty. `flags`: I_DIRTY_*
void __mark_inode_dirty(kptr<inode> inode, int flags);
inline void mark_inode_dirty(kptr<inode> inode) { __mark_inode_dirty(inode, I_DIRTY); }
inline void mark_inode_dirty_sync(kptr<inode> inode) { __mark_inode_dirty(inode, I_DIRTY_SYNC); }
// v4.19 fs/inode.c: file_remove_privs. A write takes the set-user-id bits away. 0 or a negative
// errno.
int file_remove_privs(kptr<file> file);
int should_remove_suid(kptr<inode> inode);

// ---- Attributes; v4.19 fs/attr.c ----
// Changes attributes through the inode's setattr, or simple_setattr. REQUIRES: i_rwsem held.
int notify_change(kptr<dentry> dentry, const iattr& attr);
// For setattr methods: checks, and the store of everything but the size.
int setattr_prepare(kptr<dentry> dentry, const iattr& attr);
void setattr_copy(kptr<inode> inode, const iattr& attr);
// v4.19 fs/attr.c: inode_newsize_ok. 0, -EFBIG beyond the file system's largest file.
int inode_newsize_ok(kptr<inode> inode, loff_t offset);

}  // namespace kpath
