// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/inode.h"

#include <vector>

#include "sim/kernel/report.h"
#include "sim/kernel/sched.h"

namespace kpath {
namespace {

// v4.19 fs/inode.c: LAST_INO_BATCH
constexpr uint64_t LAST_INO_BATCH = 1024;

KernelGlobal<kmem_cache<inode>> inode_cachep;

struct inode_globals {
  uint64_t shared_last_ino = 0;
  std::vector<uint64_t> last_ino;                    // by CPU
  wait_queue_head_t dio_wait{"&inode->i_dio_wait"};  // for direct I/O to end
};
KernelGlobal<inode_globals> inodes;

constexpr inode_operations empty_iops = {};
// A file that nothing can be done with.
constexpr file_operations no_open_fops = {.name = "no_open_fops"};

// v4.19 fs/libfs.c: anon_set_page_dirty
int anon_set_page_dirty(kptr<page>) { return 0; }

constexpr address_space_operations anon_aops = {.set_page_dirty = anon_set_page_dirty};
constexpr address_space_operations empty_aops = {};

// v4.19 fs/inode.c: inode_init_always
void inode_init_always(kptr<super_block> sb, kptr<inode> inode) {
  FUNCTION(sb, inode);
  inode->i_sb = sb;
  inode->i_op = &empty_iops;
  inode->i_fop = &no_open_fops;
  spin_lock_init(&inode->i_lock);
  init_rwsem(&inode->i_rwsem);
  address_space& mapping = inode->i_data;
  mapping.a_ops = &empty_aops;
  mapping.host = inode;
  inode->i_mapping = &mapping;
}

// v4.19 fs/inode.c: alloc_inode
kptr<inode> alloc_inode(kptr<super_block> sb) {
  FUNCTION(sb);
  kptr<inode> inode = kmem_cache_zalloc(*inode_cachep, GFP_KERNEL);
  if (!inode) return fn.Return(inode);
  inode_init_always(sb, inode);
  return fn.Return(inode);
}

// v4.19 fs/inode.c: destroy_inode. Departs: at once, not after a grace period of RCU.
void destroy_inode(kptr<inode> inode) {
  FUNCTION(inode);
  kmem_cache_free(*inode_cachep, inode);
}

// v4.19 fs/inode.c: evict
void evict(kptr<inode> inode) {
  FUNCTION(inode);
  const super_operations* op = inode->i_sb->s_op;
  if (op != nullptr && op->evict_inode != nullptr) {
    op->evict_inode(inode);
  } else if (vfs_hooks->truncate_inode_pages_final != nullptr) {
    vfs_hooks->truncate_inode_pages_final(&inode->i_data);
  }
  if (!inode->i_data.i_pages.empty()) Report("BUG: pages remain in an inode that is evicted");
  inode->i_state |= I_CLEAR;
  destroy_inode(inode);
}

// v4.19 fs/inode.c: iput_final. Called with i_lock held.
void iput_final(kptr<inode> inode) {
  FUNCTION(inode);
  inode->i_state |= I_FREEING;
  spin_unlock(&inode->i_lock);
  evict(inode);
}

}  // namespace

// v4.19 fs/inode.c: new_inode_pseudo
kptr<inode> new_inode_pseudo(kptr<super_block> sb) {
  FUNCTION(sb);
  kptr<inode> inode = alloc_inode(sb);
  if (!inode) return fn.Return(inode);
  spin_lock(&inode->i_lock);
  inode->i_state = 0;
  spin_unlock(&inode->i_lock);
  return fn.Return(inode);
}

// v4.19 fs/inode.c: new_inode
kptr<inode> new_inode(kptr<super_block> sb) {
  FUNCTION(sb);
  return fn.Return(new_inode_pseudo(sb));
}

// v4.19 fs/inode.c: get_next_ino
uint64_t get_next_ino() {
  FUNCTION();
  const auto cpu = static_cast<size_t>(current->cpu == nullptr ? 0 : smp_processor_id());
  if (inodes->last_ino.size() <= cpu) inodes->last_ino.resize(cpu + 1);
  uint64_t& last = inodes->last_ino[cpu];
  if (last % LAST_INO_BATCH == 0) {
    last = inodes->shared_last_ino;
    inodes->shared_last_ino += LAST_INO_BATCH;
  }
  return fn.Return(++last);
}

// v4.19 fs/libfs.c: alloc_anon_inode
kptr<inode> alloc_anon_inode(kptr<super_block> sb) {
  FUNCTION(sb);
  kptr<inode> inode = new_inode_pseudo(sb);
  if (!inode) return fn.Return(Fail(ENOMEM, "no memory for an inode"));
  inode->i_ino = get_next_ino();
  inode->i_mapping->a_ops = &anon_aops;
  // Dirty from the start, so that it is never put on a list of dirty inodes.
  inode->i_state = I_DIRTY;
  inode->i_mode = 0600;
  inode->i_flags |= S_PRIVATE;
  inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
  return fn.Return(inode);
}

// v4.19 fs/inode.c: inode_init_owner. Departs: one owner, root.
void inode_init_owner(kptr<inode> inode, kptr<struct inode> dir, umode_t mode) {
  FUNCTION(inode, dir, mode);
  const bool inherits = dir && (dir->i_mode & S_ISGID) != 0;
  inode->i_mode = inherits && S_ISDIR(mode) ? mode | S_ISGID : mode;
}

// v4.19 fs/inode.c: ihold
void ihold(kptr<inode> inode) {
  FUNCTION(inode);
  ++inode->i_count;
}

// v4.19 fs/inode.c: iput
void iput(kptr<inode> inode) {
  FUNCTION(inode);
  if (!inode) return;
  if (inode->i_count > 1) {
    --inode->i_count;
    return;
  }
  spin_lock(&inode->i_lock);
  --inode->i_count;
  iput_final(inode);
}

// v4.19 fs/inode.c: drop_nlink
void drop_nlink(kptr<inode> inode) {
  FUNCTION(inode);
  --inode->i_nlink;
}

// v4.19 fs/inode.c: clear_nlink
void clear_nlink(kptr<inode> inode) {
  FUNCTION(inode);
  inode->i_nlink = 0;
}

// v4.19 fs/inode.c: inc_nlink
void inc_nlink(kptr<inode> inode) {
  FUNCTION(inode);
  ++inode->i_nlink;
}

// v4.19 include/linux/fs.h: inode_dio_begin
void inode_dio_begin(kptr<inode> inode) { ++inode->i_dio_count; }

// v4.19 include/linux/fs.h: inode_dio_end
void inode_dio_end(kptr<inode> inode) {
  if (--inode->i_dio_count == 0) wake_up_all(&inodes->dio_wait);
}

// v4.19 fs/inode.c: inode_dio_wait. Departs: all inodes share one queue; in Linux those do whose
// bit hashes to the same one.
void inode_dio_wait(kptr<inode> inode) {
  FUNCTION(inode);
  wait_event(&inodes->dio_wait, [&] { return inode->i_dio_count == 0; });
}

// v4.19 include/linux/fs.h: get_write_access
int get_write_access(kptr<inode> inode) {
  if (inode->i_writecount < 0) return Fail(ETXTBSY, "the file is being executed");
  ++inode->i_writecount;
  return 0;
}

// v4.19 include/linux/fs.h: put_write_access
void put_write_access(kptr<inode> inode) { --inode->i_writecount; }

}  // namespace kpath
