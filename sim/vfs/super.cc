// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/super.h"

#include "sim/kernel/sched.h"

namespace kpath {
namespace {

KernelGlobal<kmem_cache<super_block>> super_cachep;

struct super_globals {
  uint64_t next_minor = 1;  // of anonymous devices, major 0
};
KernelGlobal<super_globals> super_globals_;

bool IsFrozen(kptr<super_block> sb, int level) { return sb->s_writers.frozen >= level; }

// v4.19 fs/super.c: sb_wait_write. Nobody new comes in at `level`; waits for those who are there.
void sb_wait_write(kptr<super_block> sb, int level) {
  FUNCTION(sb, level);
  wait_event(&sb->s_writers.wait_unfrozen, [&] { return sb->s_writers.writers[level - 1] == 0; });
}

}  // namespace

KernelGlobal<VfsHooks> vfs_hooks;

// v4.19 fs/super.c: alloc_super
kptr<super_block> alloc_super(const char* type, uint32_t magic, const super_operations* op) {
  FUNCTION(type);
  kptr<super_block> sb = kmem_cache_zalloc(*super_cachep, GFP_KERNEL);
  if (!sb) return fn.Return(sb);
  init_waitqueue_head(&sb->s_writers.wait_unfrozen);
  sb->s_id = type;
  sb->s_magic = magic;
  sb->s_op = op;
  sb->s_flags = SB_ACTIVE;
  sb->s_dev = super_globals_->next_minor++;
  return fn.Return(sb);
}

// v4.19 fs/super.c: __sb_start_write
int __sb_start_write(kptr<super_block> sb, int level, bool wait) {
  FUNCTION(sb, level, wait);
  if (wait) {
    wait_event(&sb->s_writers.wait_unfrozen, [&] { return !IsFrozen(sb, level); });
  } else if (IsFrozen(sb, level)) {
    return fn.Return(0);
  }
  ++sb->s_writers.writers[level - 1];
  return fn.Return(1);
}

// v4.19 fs/super.c: __sb_end_write
void __sb_end_write(kptr<super_block> sb, int level) {
  FUNCTION(sb, level);
  if (--sb->s_writers.writers[level - 1] == 0 && IsFrozen(sb, level)) {
    wake_up_all(&sb->s_writers.wait_unfrozen);
  }
}

// v4.19 include/linux/fs.h: file_start_write
void file_start_write(kptr<file> file) {
  if (!S_ISREG(file_inode(file)->i_mode)) return;
  sb_start_write(file_inode(file)->i_sb);
}

// v4.19 include/linux/fs.h: file_end_write
void file_end_write(kptr<file> file) {
  if (!S_ISREG(file_inode(file)->i_mode)) return;
  sb_end_write(file_inode(file)->i_sb);
}

// v4.19 fs/super.c: freeze_super
int freeze_super(kptr<super_block> sb) {
  FUNCTION(sb);
  if (sb->s_writers.frozen != SB_UNFROZEN) {
    return fn.Return(Fail(EBUSY, "the file system is frozen already"));
  }
  sb->s_writers.frozen = SB_FREEZE_WRITE;
  STEP("no new writers", sb->s_writers.writers[0]);
  sb_wait_write(sb, SB_FREEZE_WRITE);
  sb->s_writers.frozen = SB_FREEZE_PAGEFAULT;
  sb_wait_write(sb, SB_FREEZE_PAGEFAULT);
  sb->s_writers.frozen = SB_FREEZE_FS;
  sb_wait_write(sb, SB_FREEZE_FS);
  return fn.Return(0);
}

// v4.19 fs/super.c: thaw_super
int thaw_super(kptr<super_block> sb) {
  FUNCTION(sb);
  if (sb->s_writers.frozen != SB_FREEZE_FS) {
    return fn.Return(Fail(EINVAL, "the file system is not frozen"));
  }
  sb->s_writers.frozen = SB_UNFROZEN;
  wake_up_all(&sb->s_writers.wait_unfrozen);
  return fn.Return(0);
}

}  // namespace kpath
