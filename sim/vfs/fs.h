// SPDX-License-Identifier: Apache-2.0
//
// Files, inodes, super blocks. v4.19 include/linux/fs.h
//
// This header has the objects; what is done with them is in
//   file.h         descriptors: fget, fdget, close, dup          fs/file.c
//   file_table.h   open files: alloc_file, get_file, fput        fs/file_table.c
//   inode.h        inodes and their times                        fs/inode.c
//   super.h        super blocks, freeze protection               fs/super.c
//   dcache.h       names, mounts, paths                          fs/dcache.c, fs/namespace.c
//   open.h         opening, truncating                           fs/open.c, fs/namei.c
//   read_write.h   reading, writing, seeking, fsync              fs/read_write.c, fs/sync.c
//   kiocb.h        one read or write on its way
//   iov_iter.h     the buffers of one read or write
//   poll.h         readiness
//
// Ownership: an object is freed by the put of its last reference. What a field refers to is held by
// the object that has the field, unless the field says otherwise.
//
// Lock order: i_rwsem, then mmap_sem (faults while copying), then i_mmap_rwsem, then the spinlocks.
#pragma once

#include <any>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/kernel/mutex.h"
#include "sim/kernel/rcu.h"
#include "sim/kernel/rwsem.h"
#include "sim/kernel/slab.h"
#include "sim/kernel/spinlock.h"
#include "sim/kernel/time64.h"
#include "sim/kernel/user_ptr.h"
#include "sim/kernel/wait.h"
#include "sim/vfs/dcache.h"
#include "sim/vfs/errseq.h"
#include "sim/vfs/fcntl.h"
#include "sim/vfs/iov_iter.h"
#include "sim/vfs/kiocb.h"
#include "sim/vfs/poll.h"

namespace kpath {

struct block_device;       // sim/block
struct page;               // sim/mm
struct vm_area_struct;     // sim/mm
struct workqueue_struct;   // sim/kernel
struct writeback_control;  // sim/mm

using loff_t = int64_t;
using pgoff_t = uint64_t;
using fmode_t = uint32_t;
using fl_owner_t = const void*;

inline constexpr loff_t MAX_LFS_FILESIZE = INT64_MAX;

// ---- file::f_mode ----
inline constexpr fmode_t FMODE_READ = 0x1;
inline constexpr fmode_t FMODE_WRITE = 0x2;
inline constexpr fmode_t FMODE_LSEEK = 0x4;
inline constexpr fmode_t FMODE_PREAD = 0x8;
inline constexpr fmode_t FMODE_PWRITE = 0x10;
inline constexpr fmode_t FMODE_EXEC = 0x20;
inline constexpr fmode_t FMODE_NOCMTIME = 0x800;
inline constexpr fmode_t FMODE_UNSIGNED_OFFSET = 0x2000;
inline constexpr fmode_t FMODE_PATH = 0x4000;        // opened O_PATH: nearly no operation works
inline constexpr fmode_t FMODE_ATOMIC_POS = 0x8000;  // f_pos needs f_pos_lock
inline constexpr fmode_t FMODE_WRITER = 0x10000;     // counts as a writer of the mount
inline constexpr fmode_t FMODE_CAN_READ = 0x20000;   // has a read method
inline constexpr fmode_t FMODE_CAN_WRITE = 0x40000;
inline constexpr fmode_t FMODE_OPENED = 0x80000;
inline constexpr fmode_t FMODE_CREATED = 0x100000;
inline constexpr fmode_t FMODE_NONOTIFY = 0x4000000;
inline constexpr fmode_t FMODE_NOWAIT = 0x8000000;  // can read and write without sleeping

// O_RDONLY, O_WRONLY, O_RDWR, 3 -> FMODE_READ and FMODE_WRITE.
constexpr fmode_t OPEN_FMODE(unsigned flags) { return (flags + 1) & O_ACCMODE; }

// ---- Operations ----
// A null entry is an operation that the file does not have. Functions return the negative errno, or
// what the system call returns.
struct file_operations {
  const char* name = "";  // of this table in Linux
  loff_t (*llseek)(kptr<file> file, loff_t offset, int whence) = nullptr;
  ssize_t (*read)(kptr<file> file, user_ptr<char> buf, size_t count, loff_t* pos) = nullptr;
  ssize_t (*write)(kptr<file> file, user_ptr<const char> buf, size_t count, loff_t* pos) = nullptr;
  ssize_t (*read_iter)(kiocb* iocb, iov_iter* to) = nullptr;
  ssize_t (*write_iter)(kiocb* iocb, iov_iter* from) = nullptr;
  __poll_t (*poll)(kptr<file> file, poll_table* table) = nullptr;
  int (*mmap)(kptr<file> file, kptr<vm_area_struct> vma) = nullptr;
  unsigned long (*get_unmapped_area)(kptr<file> file, unsigned long addr, unsigned long len,
                                     unsigned long pgoff, unsigned long flags) = nullptr;
  int (*open)(kptr<inode> inode, kptr<file> file) = nullptr;
  int (*flush)(kptr<file> file, fl_owner_t id) = nullptr;
  int (*release)(kptr<inode> inode, kptr<file> file) = nullptr;
  int (*fsync)(kptr<file> file, loff_t start, loff_t end, int datasync) = nullptr;
  long (*fallocate)(kptr<file> file, int mode, loff_t offset, loff_t len) = nullptr;
};

struct iattr {
  unsigned ia_valid = 0;  // ATTR_*
  umode_t ia_mode = 0;
  loff_t ia_size = 0;
  kptr<struct file> ia_file;  // the open file the change came through, if any
};
inline constexpr unsigned ATTR_MODE = 1 << 0;
inline constexpr unsigned ATTR_SIZE = 1 << 3;
inline constexpr unsigned ATTR_MTIME = 1 << 5;
inline constexpr unsigned ATTR_CTIME = 1 << 6;
inline constexpr unsigned ATTR_FILE = 1 << 13;
inline constexpr unsigned ATTR_OPEN = 1 << 15;

struct inode_operations {
  // Directories. `dentry` is a negative dentry of the directory; success makes it positive and
  // enters it.
  int (*create)(kptr<inode> dir, kptr<dentry> dentry, umode_t mode, bool excl) = nullptr;
  int (*mkdir)(kptr<inode> dir, kptr<dentry> dentry, umode_t mode) = nullptr;
  int (*unlink)(kptr<inode> dir, kptr<dentry> dentry) = nullptr;
  int (*rmdir)(kptr<inode> dir, kptr<dentry> dentry) = nullptr;
  // All kinds. Null: the default of fs/libfs.c or fs/inode.c.
  int (*setattr)(kptr<dentry> dentry, const iattr& attr) = nullptr;
  int (*update_time)(kptr<inode> inode, timespec64 time, int flags) = nullptr;
};

struct address_space_operations {
  int (*set_page_dirty)(kptr<page> page) = nullptr;
  // Begins to read a locked page, which is unlocked when it has been read; PG_uptodate, or
  // PG_error, tells how that went. 0, or a negative errno: nothing was begun.
  int (*readpage)(kptr<file> file, kptr<page> page) = nullptr;
  // The same for pages that are not in the cache yet, by ascending index; their references are the
  // callee's. What cannot be read now is left out.
  int (*readpages)(kptr<file> file, struct address_space* mapping,
                   const std::vector<kptr<page>>& pages) = nullptr;
  // Begins to write a locked page, whose dirty bit has been cleared, and unlocks it. 0 or a
  // negative errno.
  int (*writepage)(kptr<page> page, writeback_control* wbc) = nullptr;
  // Begins to write dirty pages back. Null: the file's pages are not written back.
  int (*writepages)(struct address_space* mapping, writeback_control* wbc) = nullptr;
  int (*write_begin)(kptr<file> file, struct address_space* mapping, loff_t pos, unsigned len,
                     unsigned flags, kptr<page>* page, void** fsdata) = nullptr;
  int (*write_end)(kptr<file> file, struct address_space* mapping, loff_t pos, unsigned len,
                   unsigned copied, kptr<page> page, void* fsdata) = nullptr;
  // The bytes [offset, offset + length) of a locked page with PG_private are gone.
  void (*invalidatepage)(kptr<page> page, unsigned offset, unsigned length) = nullptr;
  // Takes what PG_private stands for off a locked page. Returns whether it could.
  bool (*releasepage)(kptr<page> page) = nullptr;
  ssize_t (*direct_IO)(kiocb* iocb, iov_iter* iter) = nullptr;
  int (*migratepage)(struct address_space* mapping, kptr<page> newpage, kptr<page> page,
                     int mode) = nullptr;
};

struct super_operations {
  // Gives back what the file system keeps with an inode, before it is freed. Null: its pages are
  // dropped (truncate_inode_pages_final).
  void (*evict_inode)(kptr<inode> inode) = nullptr;
  void (*dirty_inode)(kptr<inode> inode, int flags) = nullptr;
};

// ---- Objects ----

// The pages of a file in memory. Its locks are usable from the start: Linux initialises them when
// the slab allocator makes the inode's place (inode_init_once).
struct address_space {
  kptr<inode> host;                              // not held: the inode that this is part of
  std::map<pgoff_t, kptr<page>> i_pages;         // by index; one reference each
  spinlock_t i_pages_lock{"&mapping->i_pages"};  // xa_lock of i_pages
  int i_mmap_writable = 0;                       // shared writable mappings
  std::vector<kptr<vm_area_struct>> i_mmap;      // mappings of these pages, not held
  rw_semaphore i_mmap_rwsem = {.wait_lock = spinlock_t("&mapping->i_mmap_rwsem"),
                               .wait_list = {},
                               .dep_map = {.key = {"&mapping->i_mmap_rwsem"}}};  // guards i_mmap
  unsigned long nrpages = 0;
  const address_space_operations* a_ops = nullptr;
  unsigned long flags = 0;  // AS_*
  errseq_t wb_err;          // the last error of writing back
  int gfp_mask = 0;
  spinlock_t private_lock{"&mapping->private_lock"};
  std::any private_data;  // guarded by private_lock; `void *` in Linux
};

// inode::i_state
inline constexpr unsigned I_DIRTY_SYNC = 1 << 0;
inline constexpr unsigned I_DIRTY_DATASYNC = 1 << 1;
inline constexpr unsigned I_DIRTY_PAGES = 1 << 2;
inline constexpr unsigned I_NEW = 1 << 3;
inline constexpr unsigned I_FREEING = 1 << 5;
inline constexpr unsigned I_CLEAR = 1 << 6;
inline constexpr unsigned I_DIRTY_TIME = 1 << 11;
inline constexpr unsigned I_DIRTY_INODE = I_DIRTY_SYNC | I_DIRTY_DATASYNC;
inline constexpr unsigned I_DIRTY = I_DIRTY_INODE | I_DIRTY_PAGES;

// inode::i_flags
inline constexpr unsigned S_SYNC = 1;
inline constexpr unsigned S_NOATIME = 2;
inline constexpr unsigned S_APPEND = 4;
inline constexpr unsigned S_IMMUTABLE = 8;
inline constexpr unsigned S_DEAD = 16;
inline constexpr unsigned S_NOCMTIME = 128;
inline constexpr unsigned S_SWAPFILE = 256;
inline constexpr unsigned S_PRIVATE = 512;
inline constexpr unsigned S_NOSEC = 4096;
inline constexpr unsigned S_DAX = 8192;

struct inode {
  static constexpr const char* kSlabName = "inode_cache";

  umode_t i_mode = 0;
  unsigned i_flags = 0;
  const inode_operations* i_op = nullptr;
  const file_operations* i_fop = nullptr;
  kptr<super_block> i_sb;
  address_space* i_mapping = nullptr;  // i_data, save for block devices
  address_space i_data;
  uint64_t i_ino = 0;
  unsigned i_nlink = 1;
  uint64_t i_rdev = 0;
  loff_t i_size = 0;
  timespec64 i_atime, i_mtime, i_ctime;
  spinlock_t i_lock;
  unsigned i_blkbits = 12;
  uint64_t i_blocks = 0;  // of 512 bytes
  unsigned i_state = 0;   // guarded by i_lock
  rw_semaphore i_rwsem;
  int i_count = 1;
  int i_writecount = 0;  // files open for writing
  int i_dio_count = 0;   // direct reads and writes on their way
  std::any i_private;    // what the file system or driver keeps here; i_pipe, i_bdev too
};

inline loff_t i_size_read(kptr<inode> inode) { return inode->i_size; }
inline void i_size_write(kptr<inode> inode, loff_t size) { inode->i_size = size; }

// super_block::s_flags
inline constexpr unsigned long SB_RDONLY = 1;
inline constexpr unsigned long SB_SYNCHRONOUS = 16;
inline constexpr unsigned long SB_NOATIME = 1024;
inline constexpr unsigned long SB_NODIRATIME = 2048;
inline constexpr unsigned long SB_NOSEC = 1ul << 28;
inline constexpr unsigned long SB_ACTIVE = 1ul << 30;
inline constexpr unsigned long SB_NOUSER = 1ul << 31;
// super_block::s_iflags
inline constexpr unsigned long SB_I_NOEXEC = 0x2;

// Freeze protection: how far a file system is frozen, and what each user of it counts under.
enum freeze_level {
  SB_UNFROZEN = 0,
  SB_FREEZE_WRITE = 1,
  SB_FREEZE_PAGEFAULT = 2,
  SB_FREEZE_FS = 3
};
inline constexpr int SB_FREEZE_LEVELS = 3;

struct sb_writers {
  int frozen = SB_UNFROZEN;
  int writers[SB_FREEZE_LEVELS] = {};  // by level - 1
  wait_queue_head_t wait_unfrozen;
};

struct super_block {
  static constexpr const char* kSlabName = "super_block";

  std::string s_id;  // the file system's type: "tmpfs", "pipefs", "aio"
  uint32_t s_magic = 0;
  unsigned long s_flags = 0;
  unsigned long s_iflags = 0;
  const super_operations* s_op = nullptr;
  const dentry_operations* s_d_op = nullptr;
  kptr<dentry> s_root;
  unsigned long s_blocksize = 4096;
  unsigned s_blocksize_bits = 12;
  block_device* s_bdev = nullptr;        // that it lives on, if any
  kptr<workqueue_struct> s_dio_done_wq;  // made for the first direct write
  std::any s_fs_info;                    // the file system's own
  loff_t s_maxbytes = MAX_LFS_FILESIZE;
  unsigned s_time_gran = 1;  // ns
  uint64_t s_dev = 0;
  sb_writers s_writers;
};

struct epitem;

// v4.19 include/linux/mm.h: VM_MAX_READAHEAD, in pages: 128 KiB.
inline constexpr unsigned VM_MAX_READAHEAD_PAGES = 32;

// What a file was read for last, to guess what it will be read for next. In pages.
struct file_ra_state {
  pgoff_t start = 0;        // of the last window that was read ahead
  unsigned size = 0;        // its pages
  unsigned async_size = 0;  // when no more of them than these are left, the next window is begun
  unsigned ra_pages = 0;    // the largest window; 0: nothing is read ahead
  loff_t prev_pos = -1;     // bytes: where the last read ended
};

// An open file: what a descriptor refers to.
struct file {
  static constexpr const char* kSlabName = "filp";

  struct path f_path;
  kptr<inode> f_inode;  // held through f_path
  const file_operations* f_op = nullptr;
  spinlock_t f_lock;  // guards f_flags
  long f_count = 1;
  unsigned f_flags = 0;  // O_*
  fmode_t f_mode = 0;    // FMODE_*
  mutex f_pos_lock;
  loff_t f_pos = 0;
  file_ra_state f_ra;
  address_space* f_mapping = nullptr;  // of f_inode
  errseq_t f_wb_err;                   // of f_mapping's errors, those that this file was told
  std::vector<epitem*> f_ep_links;     // the items of epoll sets that watch it; guarded by f_lock
  rcu_head f_rcuhead;                  // while it is being freed
  std::any private_data;               // of f_op; `void *` in Linux
};

inline kptr<inode> file_inode(kptr<file> file) { return file->f_inode; }
inline kptr<dentry> file_dentry(kptr<file> file) { return file->f_path.dentry; }

// ---- Calls upwards, into sim/mm; set when it is installed ----
struct VfsHooks {
  // The part of shmem_get_inode (mm/shmem.c) for a regular file: a_ops, i_op, i_fop.
  void (*shmem_init_regular)(kptr<inode> inode) = nullptr;
  // blk_start_plug, body(data), blk_finish_plug of block/blk-core.c. Null: only body(data).
  void (*plugged)(void (*body)(void* data), void* data) = nullptr;
  // mm/truncate.c: frees all pages of a file that nobody refers to any more.
  void (*truncate_inode_pages_final)(address_space* mapping) = nullptr;
};
extern KernelGlobal<VfsHooks> vfs_hooks;

}  // namespace kpath
