// SPDX-License-Identifier: Apache-2.0
//
// Opening by name, creating where asked to. v4.19 fs/namei.c
#include "sim/vfs/file.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/namei.h"
#include "sim/vfs/open.h"

namespace kpath {
namespace {

bool Asks(const open_flags& op, unsigned flags) { return (op.open_flag & flags) == flags; }

umode_t current_umask() { return current->files ? current->files->fs.umask : 0; }

// v4.19 fs/namei.c: may_open
int may_open(const path& path, int acc_mode, unsigned flag) {
  FUNCTION(path.dentry, acc_mode, flag);
  kptr<inode> inode = path.dentry->d_inode;
  if (S_ISDIR(inode->i_mode) && (acc_mode & MAY_WRITE) != 0) {
    return fn.Return(Fail(EISDIR, "a directory cannot be opened for writing"));
  }
  const int error = inode_permission(inode, MAY_OPEN | acc_mode);
  if (error != 0) return fn.Return(error);
  const bool append_only = (inode->i_flags & S_APPEND) != 0;
  const bool writes = (flag & O_ACCMODE) != O_RDONLY;
  if (append_only && ((writes && (flag & O_APPEND) == 0) || (flag & O_TRUNC) != 0)) {
    return fn.Return(Fail(EPERM, "the file is append-only"));
  }
  return fn.Return(0);
}

// v4.19 fs/namei.c: handle_truncate
int handle_truncate(kptr<file> filp) {
  FUNCTION(filp);
  const path& path = filp->f_path;
  int error = get_write_access(path.dentry->d_inode);
  if (error != 0) return fn.Return(error);
  error = do_truncate(path.dentry, 0, ATTR_MTIME | ATTR_CTIME | ATTR_OPEN, filp);
  put_write_access(path.dentry->d_inode);
  return fn.Return(error);
}

// v4.19 fs/namei.c: lookup_open, with O_CREAT. Finds nd->last or creates it; moves nd there. Called
// with the directory locked. FMODE_CREATED tells what happened. `write_error`: why nothing can be
// written here, or 0.
int lookup_open(nameidata* nd, kptr<file> file, const open_flags& op, int write_error) {
  FUNCTION(nd->path.dentry, file);
  kptr<inode> dir = nd->path.dentry->d_inode;
  if ((dir->i_flags & S_DEAD) != 0) {
    return fn.Return(Fail(ENOENT, "the directory has been removed"));
  }
  if (nd->last.size() > NAME_MAX_LENGTH) return fn.Return(walk_component(nd));  // says why
  kptr<dentry> dentry = d_lookup(nd->path.dentry, nd->last);
  if (!dentry) {
    if (write_error != 0) return fn.Return(write_error);
    int error = may_create(dir);
    if (error != 0) return fn.Return(error);
    if (dir->i_op->create == nullptr) {
      return fn.Return(Fail(EACCES, "the file system cannot create files"));
    }
    dentry = d_alloc(nd->path.dentry, nd->last);
    if (!dentry) return fn.Return(Fail(ENOMEM, "no memory for a dentry"));
    const umode_t mode = op.mode & ~current_umask();
    error = dir->i_op->create(dir, dentry, mode, Asks(op, O_EXCL));
    if (error != 0) {
      dput(dentry);
      return fn.Return(error);
    }
    file->f_mode |= FMODE_CREATED;
  }
  dput(nd->path.dentry);
  nd->path.dentry = dentry;
  if ((dentry->d_flags & DCACHE_MOUNTED) != 0) follow_managed(&nd->path);
  return fn.Return(0);
}

// The part of do_last that holds the directory's lock: O_CREAT.
int FindOrCreateLast(nameidata* nd, kptr<file> file, const open_flags& op) {
  if (nd->slash_after) return Fail(EISDIR, "the name of a file to create ends in a slash");
  kptr<vfsmount> mnt = nd->path.mnt;
  const int write_error = mnt_want_write(mnt);
  kptr<inode> dir = nd->path.dentry->d_inode;
  inode_lock(dir);
  const int error = lookup_open(nd, file, op, write_error);
  inode_unlock(dir);
  if (write_error == 0) mnt_drop_write(mnt);
  return error;
}

// What do_last checks of something that was there before.
int CheckExisting(const nameidata& nd, const open_flags& op) {
  const bool directory = d_is_dir(nd.path.dentry);
  if (Asks(op, O_CREAT | O_EXCL) && nd.type == LAST_NORM) {
    return Fail(EEXIST, "the name exists, and O_CREAT|O_EXCL was asked for");
  }
  if (Asks(op, O_CREAT) && directory) {
    return Fail(EISDIR, "O_CREAT of a name that is a directory");
  }
  if (((op.lookup_flags & LOOKUP_DIRECTORY) != 0 || nd.slash_after) && !directory) {
    return Fail(ENOTDIR, "the name stands for something else than a directory");
  }
  return 0;
}

// The part of do_last from finish_open on.
int OpenAndTruncate(nameidata* nd, kptr<file> file, const open_flags& op) {
  const bool created = (file->f_mode & FMODE_CREATED) != 0;
  const bool truncate = Asks(op, O_TRUNC) && !created && d_is_reg(nd->path.dentry);
  if (truncate) {
    const int error = mnt_want_write(nd->path.mnt);
    if (error != 0) return error;
  }
  int error = may_open(nd->path, created ? 0 : op.acc_mode, op.open_flag);
  if (error == 0) error = vfs_open(nd->path, file);
  if (error == 0 && truncate) error = handle_truncate(file);
  if (truncate) mnt_drop_write(nd->path.mnt);
  return error;
}

// v4.19 fs/namei.c: do_last
int do_last(nameidata* nd, kptr<file> file, const open_flags& op) {
  FUNCTION(nd->path.dentry, file);
  const bool may_create_it = nd->type == LAST_NORM && Asks(op, O_CREAT);
  int error = may_create_it ? FindOrCreateLast(nd, file, op) : walk_component(nd);
  if (error != 0) return fn.Return(error);
  if ((file->f_mode & FMODE_CREATED) == 0) error = CheckExisting(*nd, op);
  if (error != 0) return fn.Return(error);
  return fn.Return(OpenAndTruncate(nd, file, op));
}

// v4.19 fs/namei.c: do_o_path. O_PATH: the file is a place in the tree and nothing else.
int do_o_path(nameidata* nd, kptr<file> file, const open_flags& op) {
  FUNCTION(file);
  int error = walk_component(nd);
  if (error == 0) error = CheckExisting(*nd, op);
  if (error == 0) error = vfs_open(nd->path, file);
  return fn.Return(error);
}

// v4.19 fs/namei.c: path_openat
kptr<file> path_openat(nameidata* nd, int dfd, const std::string& name, const open_flags& op) {
  FUNCTION(dfd, op.open_flag);
  kptr<file> file = alloc_empty_file(op.open_flag);
  if (IS_ERR(file)) return fn.Return(file);
  int error = path_init(nd, dfd, name);
  if (error == 0) error = link_path_walk(name, nd);
  if (error == 0) {
    error = Asks(op, O_PATH) ? do_o_path(nd, file, op) : do_last(nd, file, op);
    terminate_walk(nd);
  }
  if (error == 0) return fn.Return(file);
  fput(file);
  return fn.Return(Error(-error));
}

}  // namespace

// v4.19 fs/namei.c: do_filp_open
kptr<file> do_filp_open(int dfd, kptr<filename> name, const open_flags& op) {
  FUNCTION(dfd, op.open_flag);
  nameidata nd;
  nd.flags = op.lookup_flags;
  return fn.Return(path_openat(&nd, dfd, name->name, op));
}

}  // namespace kpath
