// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/namei.h"

#include <algorithm>

#include "sim/kernel/uaccess.h"
#include "sim/vfs/file.h"
#include "sim/vfs/shmem_dir.h"

namespace kpath {
namespace {

KernelGlobal<kmem_cache<filename>> names_cachep;

bool IsAbsolute(const std::string& name) { return !name.empty() && name[0] == '/'; }

// The directory that relative names start from; kernel threads have none and start at the root.
path CurrentDirectory() {
  kptr<files_struct> files = current->files;
  return files && files->fs.pwd.mnt ? files->fs.pwd : root_path();
}

last_type TypeOf(const std::string& component) {
  if (component == ".") return LAST_DOT;
  if (component == "..") return LAST_DOTDOT;
  return LAST_NORM;
}

// v4.19 fs/namei.c: path_init, for a descriptor.
int StartAtDescriptor(nameidata* nd, int dfd, const std::string& name) {
  const struct fd f = fdget_raw(static_cast<unsigned>(dfd));
  if (!f.file) return Fail(EBADF, "directory fd $0 is not open", dfd);
  const bool directory = d_is_dir(file_dentry(f.file));
  if (directory || name.empty()) {
    nd->path = f.file->f_path;
    path_get(nd->path);
  }
  fdput(f);
  if (directory || name.empty()) return 0;
  return Fail(ENOTDIR, "fd $0, where the name starts, is not a directory", dfd);
}

// v4.19 fs/namei.c: follow_dotdot
void follow_dotdot(nameidata* nd) {
  const path root = root_path();
  if (nd->path.dentry == root.dentry && nd->path.mnt == root.mnt) return;
  while (nd->path.dentry == nd->path.mnt->mnt_root && follow_up(&nd->path)) continue;
  kptr<dentry> parent = dget(nd->path.dentry->d_parent);
  dput(nd->path.dentry);
  nd->path.dentry = parent;
}

// v4.19 fs/namei.c: lookup_fast
kptr<dentry> lookup_fast(nameidata* nd) {
  FUNCTION(nd->path.dentry);
  return fn.Return(d_lookup(nd->path.dentry, nd->last));
}

// v4.19 fs/namei.c: path_lookupat
int path_lookupat(nameidata* nd, int dfd, const std::string& name, path* path) {
  FUNCTION(dfd);
  int error = path_init(nd, dfd, name);
  if (error != 0) return fn.Return(error);
  error = link_path_walk(name, nd);
  if (error != 0) return fn.Return(error);
  error = walk_component(nd);
  const bool directory = (nd->flags & LOOKUP_DIRECTORY) != 0 || nd->slash_after;
  if (error == 0 && directory && !d_is_dir(nd->path.dentry)) {
    error = Fail(ENOTDIR, "the name stands for something else than a directory");
  }
  if (error != 0) {
    terminate_walk(nd);
    return fn.Return(error);
  }
  *path = nd->path;
  return fn.Return(0);
}

// v4.19 fs/namei.c: generic_permission, for root.
int generic_permission(kptr<inode> inode, int mask) {
  FUNCTION(inode, mask);
  const bool execute = (mask & MAY_EXEC) != 0 && !S_ISDIR(inode->i_mode);
  if (execute && (inode->i_mode & S_IXUGO) == 0) {
    return fn.Return(Fail(EACCES, "mode $0 lets nobody execute it", inode->i_mode));
  }
  return fn.Return(0);
}

// Finds the end of the component that starts at `begin`, and where the next one starts.
struct Component {
  std::string text;
  size_t next;
};
Component NextComponent(const std::string& name, size_t begin) {
  const size_t end = std::min(name.find('/', begin), name.size());
  const size_t next = std::min(name.find_first_not_of('/', end), name.size());
  return {.text = name.substr(begin, end - begin), .next = next};
}

}  // namespace

// v4.19 fs/namei.c: getname_flags
kptr<filename> getname_flags(user_ptr<const char> user_name, unsigned flags) {
  FUNCTION(user_name, flags);
  kptr<filename> result = kmem_cache_zalloc(*names_cachep, GFP_KERNEL);
  if (!result) return fn.Return(Fail(ENOMEM, "no memory for a name"));
  result->name.resize(PATH_MAX_LENGTH);
  const long length = strncpy_from_user(result->name.data(), user_name, PATH_MAX_LENGTH);
  if (length < 0) {
    putname(result);
    return fn.Return(Error(static_cast<int>(-length)));
  }
  result->name.resize(static_cast<size_t>(length));
  if (length == static_cast<long>(PATH_MAX_LENGTH)) {
    putname(result);
    return fn.Return(Fail(ENAMETOOLONG, "the name is longer than $0 bytes", PATH_MAX_LENGTH - 1));
  }
  if (length == 0 && (flags & LOOKUP_EMPTY) == 0) {
    putname(result);
    return fn.Return(Fail(ENOENT, "the name is empty"));
  }
  return fn.Return(result);
}

// v4.19 fs/namei.c: getname_kernel
kptr<filename> getname_kernel(const std::string& name) {
  FUNCTION();
  kptr<filename> result = kmem_cache_zalloc(*names_cachep, GFP_KERNEL);
  if (!result) return fn.Return(Fail(ENOMEM, "no memory for a name"));
  result->name = name;
  return fn.Return(result);
}

// v4.19 fs/namei.c: putname
void putname(kptr<filename> name) {
  FUNCTION(name);
  kmem_cache_free(*names_cachep, name);
}

// v4.19 fs/dcache.c: d_lookup
kptr<dentry> d_lookup(kptr<dentry> parent, const std::string& name) {
  FUNCTION(parent);
  const auto found = parent->d_subdirs.find(name);
  if (found == parent->d_subdirs.end()) return fn.Return(kptr<dentry>());
  return fn.Return(dget(found->second));
}

// v4.19 fs/namei.c: path_init
int path_init(nameidata* nd, int dfd, const std::string& name) {
  FUNCTION(dfd);
  if (!IsAbsolute(name) && dfd != AT_FDCWD) return fn.Return(StartAtDescriptor(nd, dfd, name));
  nd->path = IsAbsolute(name) ? root_path() : CurrentDirectory();
  path_get(nd->path);
  return fn.Return(0);
}

// v4.19 fs/namei.c: terminate_walk
void terminate_walk(nameidata* nd) {
  FUNCTION();
  path_put(nd->path);
  nd->path = {};
}

// v4.19 fs/namei.c: link_path_walk
int link_path_walk(const std::string& name, nameidata* nd) {
  FUNCTION();
  size_t at = std::min(name.find_first_not_of('/'), name.size());
  nd->type = name.empty() ? LAST_DOT : LAST_ROOT;
  while (at < name.size()) {
    int error = inode_permission(nd->path.dentry->d_inode, MAY_EXEC);
    const Component component = NextComponent(name, at);
    nd->last = component.text;
    nd->type = TypeOf(component.text);
    ++nd->components;
    const bool is_last = component.next == name.size();
    nd->slash_after = is_last && name.back() == '/';
    if (error == 0 && is_last) return fn.Return(0);
    if (error == 0) error = walk_component(nd);
    if (error == 0 && !d_is_dir(nd->path.dentry)) {
      error = Fail(ENOTDIR, "component $0 of the name is not a directory", nd->components);
    }
    if (error != 0) {
      terminate_walk(nd);
      return fn.Return(error);
    }
    at = component.next;
  }
  return fn.Return(0);
}

// v4.19 fs/namei.c: walk_component
int walk_component(nameidata* nd) {
  FUNCTION(nd->path.dentry);
  if (nd->type == LAST_DOTDOT) follow_dotdot(nd);
  if (nd->type != LAST_NORM) return fn.Return(0);
  if (nd->last.size() > NAME_MAX_LENGTH) {
    return fn.Return(Fail(ENAMETOOLONG, "component $0 of the name has $1 bytes, the limit is $2",
                          nd->components, nd->last.size(), NAME_MAX_LENGTH));
  }
  kptr<dentry> dentry = lookup_fast(nd);
  if (!dentry) {
    return fn.Return(Fail(ENOENT, "component $0 of the name does not exist", nd->components));
  }
  dput(nd->path.dentry);
  nd->path.dentry = dentry;
  if ((dentry->d_flags & DCACHE_MOUNTED) != 0) follow_managed(&nd->path);
  return fn.Return(0);
}

// v4.19 fs/namei.c: filename_lookup
int filename_lookup(int dfd, kptr<filename> name, unsigned flags, path* path) {
  FUNCTION(dfd, flags);
  if (IS_ERR(name)) return fn.Return(PTR_ERR(name));
  nameidata nd;
  nd.flags = flags;
  const int error = path_lookupat(&nd, dfd, name->name, path);
  putname(name);
  return fn.Return(error);
}

// v4.19 fs/namei.c: user_path_at_empty
int user_path_at(int dfd, user_ptr<const char> name, unsigned flags, path* path) {
  return filename_lookup(dfd, getname_flags(name, flags), flags, path);
}

// v4.19 fs/namei.c: kern_path
int kern_path(const std::string& name, unsigned flags, path* path) {
  FUNCTION(flags);
  return fn.Return(filename_lookup(AT_FDCWD, getname_kernel(name), flags, path));
}

// v4.19 fs/namei.c: inode_permission
int inode_permission(kptr<inode> inode, int mask) {
  FUNCTION(inode, mask);
  if ((mask & MAY_WRITE) != 0) {
    const bool stored = S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode);
    if ((inode->i_sb->s_flags & SB_RDONLY) != 0 && stored) {
      return fn.Return(Fail(EROFS, "the file system is read-only"));
    }
    if ((inode->i_flags & S_IMMUTABLE) != 0) {
      return fn.Return(Fail(EPERM, "the inode is immutable"));
    }
  }
  return fn.Return(generic_permission(inode, mask));
}

// v4.19 fs/namei.c: may_create
int may_create(kptr<inode> dir) {
  FUNCTION(dir);
  if ((dir->i_flags & S_DEAD) != 0) {
    return fn.Return(Fail(ENOENT, "the directory has been removed"));
  }
  return fn.Return(inode_permission(dir, MAY_WRITE | MAY_EXEC));
}

}  // namespace kpath
