// SPDX-License-Identifier: Apache-2.0
//
// Names made and removed: mkdir, rmdir, unlink. v4.19 fs/namei.c
#include "sim/kernel/syscalls.h"
#include "sim/vfs/file.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/namei.h"

namespace kpath {
namespace {

// v4.19 fs/namei.c: filename_parentat. Stands at the directory that has, or is to have, the last
// component. The caller ends the walk.
int filename_parentat(int dfd, kptr<filename> name, nameidata* nd) {
  FUNCTION(dfd);
  nd->flags = LOOKUP_PARENT;
  const int error = path_init(nd, dfd, name->name);
  if (error != 0) return fn.Return(error);
  return fn.Return(link_path_walk(name->name, nd));
}

// v4.19 fs/namei.c: vfs_mkdir
int vfs_mkdir(kptr<inode> dir, kptr<dentry> dentry, umode_t mode) {
  FUNCTION(dir, dentry, mode);
  const int error = may_create(dir);
  if (error != 0) return fn.Return(error);
  if (dir->i_op->mkdir == nullptr) {
    return fn.Return(Fail(EPERM, "the file system cannot make directories"));
  }
  return fn.Return(dir->i_op->mkdir(dir, dentry, mode & (S_IRWXUGO | S_ISVTX)));
}

// Makes nd->last. Called with the directory locked.
int MakeLast(nameidata* nd, umode_t mode) {
  if (nd->last.size() > NAME_MAX_LENGTH) return walk_component(nd);  // says why
  kptr<dentry> existing = d_lookup(nd->path.dentry, nd->last);
  if (existing) {
    dput(existing);
    return Fail(EEXIST, "the name exists");
  }
  kptr<dentry> dentry = d_alloc(nd->path.dentry, nd->last);
  if (!dentry) return Fail(ENOMEM, "no memory for a dentry");
  const int error = vfs_mkdir(nd->path.dentry->d_inode, dentry, mode);
  dput(dentry);
  return error;
}

// v4.19 fs/namei.c: do_mkdirat, from the name on.
int MakeDirectory(int dfd, kptr<filename> name, umode_t mode) {
  nameidata nd;
  int error = filename_parentat(dfd, name, &nd);
  if (error != 0) return error;
  if (nd.type != LAST_NORM) {
    error = Fail(EEXIST, "the name ends in \".\", \"..\" or \"/\"");
  } else if ((error = mnt_want_write(nd.path.mnt)) == 0) {
    kptr<inode> dir = nd.path.dentry->d_inode;
    inode_lock(dir);
    error = MakeLast(&nd, mode);
    inode_unlock(dir);
    mnt_drop_write(nd.path.mnt);
  }
  terminate_walk(&nd);
  return error;
}

// v4.19 fs/namei.c: may_delete
int may_delete(kptr<inode> dir, kptr<dentry> victim, bool isdir) {
  FUNCTION(dir, victim, isdir);
  const int error = inode_permission(dir, MAY_WRITE | MAY_EXEC);
  if (error != 0) return fn.Return(error);
  if ((dir->i_flags & S_APPEND) != 0) {
    return fn.Return(Fail(EPERM, "the directory is append-only"));
  }
  if ((victim->d_inode->i_flags & (S_APPEND | S_IMMUTABLE)) != 0) {
    return fn.Return(Fail(EPERM, "the file is append-only or immutable"));
  }
  if (isdir && !d_is_dir(victim)) return fn.Return(Fail(ENOTDIR, "rmdir of a file"));
  if (!isdir && d_is_dir(victim)) return fn.Return(Fail(EISDIR, "unlink of a directory"));
  return fn.Return(0);
}

// v4.19 fs/namei.c: vfs_unlink
int vfs_unlink(kptr<inode> dir, kptr<dentry> dentry) {
  FUNCTION(dir, dentry);
  int error = may_delete(dir, dentry, false);
  if (error != 0) return fn.Return(error);
  if (dir->i_op->unlink == nullptr) {
    return fn.Return(Fail(EPERM, "the file system cannot remove files"));
  }
  kptr<inode> target = dentry->d_inode;
  inode_lock(target);
  error = dir->i_op->unlink(dir, dentry);
  inode_unlock(target);
  if (error == 0) d_delete(dentry);
  return fn.Return(error);
}

// v4.19 fs/namei.c: vfs_rmdir, inode_lock(dentry->d_inode). Keeps out who would make something in
// the directory. Departs: takes the lock by trying, as the parent's, of the same class, is held.
void LockDirectoryInDirectory(kptr<inode> inode) {
  while (inode_trylock(inode) == 0) schedule();
}

// v4.19 fs/namei.c: vfs_rmdir
int vfs_rmdir(kptr<inode> dir, kptr<dentry> dentry) {
  FUNCTION(dir, dentry);
  int error = may_delete(dir, dentry, true);
  if (error != 0) return fn.Return(error);
  if (dir->i_op->rmdir == nullptr) {
    return fn.Return(Fail(EPERM, "the file system cannot remove directories"));
  }
  kptr<inode> target = dentry->d_inode;
  LockDirectoryInDirectory(target);
  error = dir->i_op->rmdir(dir, dentry);
  if (error == 0) target->i_flags |= S_DEAD;
  inode_unlock(target);
  if (error == 0) d_delete(dentry);
  return fn.Return(error);
}

using Remove = int (*)(kptr<inode> dir, kptr<dentry> dentry);

// Removes nd->last. Called with the directory locked. Its inode, if it goes, goes later: *inode is
// the caller's to put when no lock is held.
int RemoveLast(nameidata* nd, Remove remove, kptr<inode>* inode) {
  if (nd->last.size() > NAME_MAX_LENGTH) return walk_component(nd);  // says why
  kptr<dentry> dentry = d_lookup(nd->path.dentry, nd->last);
  if (!dentry) return Fail(ENOENT, "component $0 of the name does not exist", nd->components);
  int error = 0;
  if (nd->slash_after && remove == vfs_unlink) {
    error = d_is_dir(dentry) ? Fail(EISDIR, "unlink of a directory")
                             : Fail(ENOTDIR, "a slash after the name of a file");
  } else {
    *inode = dentry->d_inode;
    ihold(*inode);
    error = remove(nd->path.dentry->d_inode, dentry);
  }
  dput(dentry);
  return error;
}

// v4.19 fs/namei.c: do_unlinkat and do_rmdir, from the parent on.
int RemoveFrom(nameidata* nd, Remove remove) {
  int error = mnt_want_write(nd->path.mnt);
  if (error != 0) return error;
  kptr<inode> dir = nd->path.dentry->d_inode;
  kptr<inode> inode;
  inode_lock(dir);
  error = RemoveLast(nd, remove, &inode);
  inode_unlock(dir);
  if (inode) iput(inode);  // truncates it, if that was the last reference
  mnt_drop_write(nd->path.mnt);
  return error;
}

}  // namespace

// v4.19 fs/namei.c: do_unlinkat
long do_unlinkat(int dfd, kptr<filename> name) {
  FUNCTION(dfd);
  if (IS_ERR(name)) return fn.Return(PTR_ERR(name));
  nameidata nd;
  int error = filename_parentat(dfd, name, &nd);
  if (error == 0) {
    error = nd.type == LAST_NORM ? RemoveFrom(&nd, vfs_unlink)
                                 : Fail(EISDIR, "the name ends in \".\", \"..\" or \"/\"");
    terminate_walk(&nd);
  }
  putname(name);
  return fn.Return(error);
}

// v4.19 fs/namei.c: do_rmdir
long do_rmdir(int dfd, user_ptr<const char> pathname) {
  FUNCTION(dfd, pathname);
  kptr<filename> name = getname(pathname);
  if (IS_ERR(name)) return fn.Return(PTR_ERR(name));
  nameidata nd;
  int error = filename_parentat(dfd, name, &nd);
  if (error == 0) {
    switch (nd.type) {
      case LAST_NORM:
        error = RemoveFrom(&nd, vfs_rmdir);
        break;
      case LAST_DOTDOT:
        error = Fail(ENOTEMPTY, "the name ends in \"..\"");
        break;
      case LAST_DOT:
        error = Fail(EINVAL, "the name ends in \".\"");
        break;
      case LAST_ROOT:
        error = Fail(EBUSY, "the root cannot be removed");
        break;
    }
    terminate_walk(&nd);
  }
  putname(name);
  return fn.Return(error);
}

// v4.19 fs/namei.c: do_mkdirat
long do_mkdirat(int dfd, user_ptr<const char> pathname, umode_t mode) {
  FUNCTION(dfd, pathname, mode);
  kptr<filename> name = getname(pathname);
  if (IS_ERR(name)) return fn.Return(PTR_ERR(name));
  const umode_t umask = current->files ? current->files->fs.umask : 0;
  const int error = MakeDirectory(dfd, name, mode & ~umask);
  putname(name);
  return fn.Return(error);
}

int kern_mkdir(const std::string& pathname, umode_t mode) {
  kptr<filename> name = getname_kernel(pathname);
  if (IS_ERR(name)) return PTR_ERR(name);
  const int error = MakeDirectory(AT_FDCWD, name, mode);
  putname(name);
  return error;
}

SYSCALL_DEFINE3(mkdirat, int, dfd, user_ptr<const char>, pathname, umode_t, mode) {
  return do_mkdirat(dfd, pathname, mode);
}
SYSCALL_DEFINE2(mkdir, user_ptr<const char>, pathname, umode_t, mode) {
  return do_mkdirat(AT_FDCWD, pathname, mode);
}
SYSCALL_DEFINE1(rmdir, user_ptr<const char>, pathname) { return do_rmdir(AT_FDCWD, pathname); }
SYSCALL_DEFINE3(unlinkat, int, dfd, user_ptr<const char>, pathname, int, flag) {
  if ((flag & ~AT_REMOVEDIR) != 0) {
    return Fail(EINVAL, "flags $0 has bits other than AT_REMOVEDIR", flag);
  }
  if ((flag & AT_REMOVEDIR) != 0) return do_rmdir(dfd, pathname);
  return do_unlinkat(dfd, getname(pathname));
}
SYSCALL_DEFINE1(unlink, user_ptr<const char>, pathname) {
  return do_unlinkat(AT_FDCWD, getname(pathname));
}

}  // namespace kpath
