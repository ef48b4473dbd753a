// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/dcache.h"

#include "absl/strings/str_cat.h"
#include "sim/kernel/report.h"
#include "sim/vfs/fs.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

KernelGlobal<kmem_cache<dentry>> dentry_cache;

// v4.19 fs/dcache.c: __d_alloc
kptr<dentry> __d_alloc(kptr<super_block> sb, const std::string& name) {
  FUNCTION(sb);
  kptr<dentry> dentry = kmem_cache_zalloc(*dentry_cache, GFP_KERNEL);
  if (!dentry) return fn.Return(dentry);
  dentry->d_name = name;
  spin_lock_init(&dentry->d_lock);
  dentry->d_sb = sb;
  dentry->d_parent = dentry;
  d_set_d_op(dentry, sb->s_d_op);
  return fn.Return(dentry);
}

// v4.19 fs/dcache.c: d_flags_for_inode
unsigned d_flags_for_inode(kptr<inode> inode) {
  FUNCTION(inode);
  if (!inode) return fn.Return(DCACHE_MISS_TYPE);
  if (S_ISDIR(inode->i_mode)) return fn.Return(DCACHE_DIRECTORY_TYPE);
  if (S_ISREG(inode->i_mode)) return fn.Return(DCACHE_REGULAR_TYPE);
  return fn.Return(DCACHE_SPECIAL_TYPE);
}

// v4.19 fs/dcache.c: __d_instantiate
void __d_instantiate(kptr<dentry> dentry, kptr<inode> inode) {
  FUNCTION(dentry, inode);
  const unsigned type = d_flags_for_inode(inode);
  spin_lock(&dentry->d_lock);
  dentry->d_inode = inode;
  dentry->d_flags = (dentry->d_flags & ~DCACHE_ENTRY_TYPE) | type;
  spin_unlock(&dentry->d_lock);
}

// v4.19 fs/dcache.c: __dentry_kill. Frees a dentry that nobody holds; returns the parent, whose
// reference is now the caller's to put.
kptr<dentry> __dentry_kill(kptr<dentry> dentry) {
  FUNCTION(dentry);
  if (!dentry->d_subdirs.empty()) Report("BUG: a dentry with entries has no reference left");
  kptr<struct dentry> parent = dentry->d_parent == dentry ? nullptr : dentry->d_parent;
  kptr<inode> inode = dentry->d_inode;
  dentry->d_inode = nullptr;
  if (inode) iput(inode);
  kmem_cache_free(*dentry_cache, dentry);
  return fn.Return(parent);
}

bool HasItsName(kptr<dentry> dentry) {
  if (dentry->d_parent == dentry) return true;
  const auto& names = dentry->d_parent->d_subdirs;
  const auto found = names.find(dentry->d_name);
  return found != names.end() && found->second == dentry;
}

}  // namespace

// v4.19 fs/dcache.c: dget
kptr<dentry> dget(kptr<dentry> dentry) {
  if (dentry) ++dentry->d_count;
  return dentry;
}

// v4.19 fs/dcache.c: dput
void dput(kptr<dentry> dentry) {
  FUNCTION(dentry);
  while (dentry) {
    if (--dentry->d_count > 0) return;
    dentry = __dentry_kill(dentry);
  }
}

// v4.19 fs/dcache.c: d_alloc
kptr<dentry> d_alloc(kptr<dentry> parent, const std::string& name) {
  FUNCTION(parent);
  kptr<dentry> dentry = __d_alloc(parent->d_sb, name);
  if (!dentry) return fn.Return(dentry);
  spin_lock(&parent->d_lock);
  dentry->d_parent = dget(parent);
  spin_unlock(&parent->d_lock);
  return fn.Return(dentry);
}

// v4.19 fs/dcache.c: d_alloc_pseudo
kptr<dentry> d_alloc_pseudo(kptr<super_block> sb, const std::string& name) {
  FUNCTION(sb);
  return fn.Return(__d_alloc(sb, name));
}

// v4.19 fs/dcache.c: d_make_root
kptr<dentry> d_make_root(kptr<inode> root_inode) {
  FUNCTION(root_inode);
  kptr<dentry> root = __d_alloc(root_inode->i_sb, "/");
  if (!root) {
    iput(root_inode);
    return fn.Return(root);
  }
  d_instantiate(root, root_inode);
  return fn.Return(root);
}

// v4.19 fs/dcache.c: d_set_d_op
void d_set_d_op(kptr<dentry> dentry, const dentry_operations* op) {
  FUNCTION(dentry);
  dentry->d_op = op;
  if (op != nullptr && op->d_dname != nullptr) dentry->d_flags |= DCACHE_OP_DNAME;
}

// v4.19 fs/dcache.c: d_instantiate
void d_instantiate(kptr<dentry> dentry, kptr<inode> inode) {
  FUNCTION(dentry, inode);
  if (!inode) return;
  spin_lock(&inode->i_lock);
  __d_instantiate(dentry, inode);
  spin_unlock(&inode->i_lock);
}

void d_add_to_parent(kptr<dentry> dentry) {
  dentry->d_parent->d_subdirs[dentry->d_name] = dget(dentry);
}

// v4.19 fs/dcache.c: d_delete
void d_delete(kptr<dentry> dentry) {
  FUNCTION(dentry);
  if (!HasItsName(dentry)) return;
  dentry->d_parent->d_subdirs.erase(dentry->d_name);
  dput(dentry);
}

// v4.19 fs/d_path.c: d_path
std::string d_path(const path& path) {
  kptr<dentry> dentry = path.dentry;
  if ((dentry->d_flags & DCACHE_OP_DNAME) != 0) return dentry->d_op->d_dname(dentry);
  const char* suffix = HasItsName(dentry) ? "" : " (deleted)";
  std::string text;
  kptr<vfsmount> mnt = path.mnt;
  while (true) {
    if (mnt && mnt->mnt_parent && dentry == mnt->mnt_root) {
      dentry = mnt->mnt_mountpoint;
      mnt = mnt->mnt_parent;
    } else if (dentry->d_parent == dentry) {
      break;
    } else {
      text = absl::StrCat("/", dentry->d_name, text);
      dentry = dentry->d_parent;
    }
  }
  return absl::StrCat(text.empty() ? dentry->d_name : text, suffix);
}

}  // namespace kpath
