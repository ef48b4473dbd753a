// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/file_table.h"

#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/workqueue.h"
#include "sim/vfs/eventpoll.h"
#include "sim/vfs/file.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

KernelGlobal<kmem_cache<file>> filp_cachep;

// v4.19 fs/anon_inodes.c: the name of a file without a place in the tree.
constexpr dentry_operations anon_ops = {
    .d_dname = [](kptr<dentry> dentry) { return "anon_inode:" + dentry->d_name; },
};

// Files whose last reference was put where they cannot be closed.
struct delayed_fput_globals {
  std::vector<kptr<file>> list;  // last added first
  delayed_work work;             // delayed_fput_work
};
KernelGlobal<delayed_fput_globals> delayed;

// v4.19 fs/file_table.c: file_free_rcu
void file_free_rcu(rcu_head* head) {
  FUNCTION();
  kmem_cache_free(*filp_cachep, kptr<file>(container_of(head, &file::f_rcuhead)));
}

// v4.19 fs/file_table.c: file_free
void file_free(kptr<file> file) {
  FUNCTION(file);
  call_rcu(&file->f_rcuhead, file_free_rcu);
}

// v4.19 fs/file_table.c: __alloc_file
kptr<file> __alloc_file(unsigned flags) {
  FUNCTION(flags);
  kptr<file> file = kmem_cache_zalloc(*filp_cachep, GFP_KERNEL);
  if (!file) return fn.Return(Fail(ENOMEM, "no memory for a file"));
  spin_lock_init(&file->f_lock);
  mutex_init(&file->f_pos_lock);
  file->f_flags = flags;
  file->f_mode = OPEN_FMODE(flags);
  return fn.Return(file);
}

// v4.19 fs/file_table.c: alloc_file. Takes over the path's references.
kptr<file> alloc_file(const path& path, unsigned flags, const file_operations* fop) {
  FUNCTION(path.dentry, flags, fop->name);
  kptr<file> file = alloc_empty_file(flags);
  if (IS_ERR(file)) return fn.Return(file);
  file->f_path = path;
  file->f_inode = path.dentry->d_inode;
  file->f_mapping = file->f_inode->i_mapping;
  if ((file->f_mode & FMODE_READ) != 0 && (fop->read != nullptr || fop->read_iter != nullptr)) {
    file->f_mode |= FMODE_CAN_READ;
  }
  if ((file->f_mode & FMODE_WRITE) != 0 && (fop->write != nullptr || fop->write_iter != nullptr)) {
    file->f_mode |= FMODE_CAN_WRITE;
  }
  file->f_mode |= FMODE_OPENED;
  file->f_op = fop;
  return fn.Return(file);
}

// v4.19 fs/file_table.c: __fput. The last reference is gone: closes the file.
void __fput(kptr<file> file) {
  FUNCTION(file);
  if ((file->f_mode & FMODE_OPENED) == 0) {
    file_free(file);
    return;
  }
  might_sleep();
  eventpoll_release(file);
  kptr<inode> inode = file_inode(file);
  const path path = file->f_path;
  if (file->f_op->release != nullptr) file->f_op->release(inode, file);
  if ((file->f_mode & FMODE_WRITER) != 0) {
    put_write_access(inode);
    __mnt_drop_write(path.mnt);
  }
  dput(path.dentry);
  mntput(path.mnt);
  file_free(file);
}

// v4.19 fs/file_table.c: ____fput
void ____fput(kptr<file> file) {
  FUNCTION(file);
  __fput(file);
}

// v4.19 fs/file_table.c: delayed_fput
void delayed_fput(work_struct*) {
  FUNCTION();
  for (const kptr<file>& file : std::exchange(delayed->list, {})) __fput(file);
}

// v4.19 fs/file_table.c: the end of fput, where the file cannot be closed.
void LeaveToWorkqueue(kptr<file> file) {
  const bool first = delayed->list.empty();
  delayed->list.insert(delayed->list.begin(), file);
  if (first) schedule_delayed_work(&delayed->work, 1);
}

// v4.19 fs/file_table.c: part of fput: the last reference is gone.
ABSL_ATTRIBUTE_NOINLINE void CloseSoon(kptr<file> file) {
  const bool returns_to_user_mode = !in_interrupt() && (current->flags & PF_KTHREAD) == 0;
  if (!returns_to_user_mode) return LeaveToWorkqueue(file);
  task_work_add(current, [file] { ____fput(file); });
}

}  // namespace

// v4.19 fs/file_table.c: files_init
void files_init() {
  FUNCTION();
  INIT_DELAYED_WORK(&delayed->work, delayed_fput);
}

// v4.19 fs/file_table.c: alloc_empty_file
kptr<file> alloc_empty_file(unsigned flags) {
  FUNCTION(flags);
  return fn.Return(__alloc_file(flags));
}

// v4.19 fs/file_table.c: alloc_file_pseudo
kptr<file> alloc_file_pseudo(kptr<inode> inode, kptr<vfsmount> mnt, const std::string& name,
                             unsigned flags, const file_operations* fops) {
  FUNCTION(inode, flags, fops->name);
  path path;
  path.dentry = d_alloc_pseudo(mnt->mnt_sb, name);
  if (!path.dentry) return fn.Return(Fail(ENOMEM, "no memory for a dentry"));
  if (mnt->mnt_sb->s_d_op == nullptr) d_set_d_op(path.dentry, &anon_ops);
  path.mnt = mntget(mnt);
  d_instantiate(path.dentry, inode);
  kptr<file> file = alloc_file(path, flags, fops);
  if (IS_ERR(file)) {
    ihold(inode);
    path_put(path);
  }
  return fn.Return(file);
}

// v4.19 fs/file_table.c: alloc_file_clone
kptr<file> alloc_file_clone(kptr<file> base, unsigned flags, const file_operations* fops) {
  FUNCTION(base, flags, fops->name);
  kptr<file> file = alloc_file(base->f_path, flags, fops);
  if (IS_ERR(file)) return fn.Return(file);
  path_get(file->f_path);
  file->f_mapping = base->f_mapping;
  return fn.Return(file);
}

// v4.19 include/linux/fs.h: get_file_rcu_many
bool get_file_rcu_many(kptr<file> file, long references) {
  if (file->f_count == 0) return false;
  file->f_count += references;
  return true;
}

// v4.19 fs/file_table.c: fput
void fput(kptr<file> file) {
  FUNCTION(file);
  if (--file->f_count <= 0) CloseSoon(file);
}

// v4.19 fs/file_table.c: __fput_sync
void __fput_sync(kptr<file> file) {
  FUNCTION(file);
  if (--file->f_count == 0) __fput(file);
}

// v4.19 fs/file_table.c: flush_delayed_fput
void flush_delayed_fput() {
  FUNCTION();
  delayed_fput(nullptr);
}

}  // namespace kpath
