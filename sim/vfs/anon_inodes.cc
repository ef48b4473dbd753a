// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/anon_inodes.h"

#include <utility>

#include "sim/vfs/file.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/libfs.h"

namespace kpath {
namespace {

constexpr uint32_t ANON_INODE_FS_MAGIC = 0x09041934;

struct anon_inode_globals {
  kptr<vfsmount> mnt;
  kptr<struct inode> inode;
};
KernelGlobal<anon_inode_globals> anon;

}  // namespace

// v4.19 fs/anon_inodes.c: anon_inode_init
void anon_inode_init() {
  FUNCTION();
  anon->mnt = mount_pseudo("anon_inodefs", ANON_INODE_FS_MAGIC);
  anon->inode = alloc_anon_inode(anon->mnt->mnt_sb);
}

// v4.19 fs/anon_inodes.c: anon_inode_getfile
kptr<file> anon_inode_getfile(const std::string& name, const file_operations* fops, std::any priv,
                              unsigned flags) {
  FUNCTION(fops->name, flags);
  ihold(anon->inode);
  kptr<file> file =
      alloc_file_pseudo(anon->inode, anon->mnt, name, flags & (O_ACCMODE | O_NONBLOCK), fops);
  if (IS_ERR(file)) {
    iput(anon->inode);
    return fn.Return(file);
  }
  file->f_mapping = anon->inode->i_mapping;
  file->private_data = std::move(priv);
  return fn.Return(file);
}

// v4.19 fs/anon_inodes.c: anon_inode_getfd
int anon_inode_getfd(const std::string& name, const file_operations* fops, std::any priv,
                     unsigned flags) {
  FUNCTION(fops->name, flags);
  const int fd = get_unused_fd_flags(flags);
  if (fd < 0) return fn.Return(fd);
  kptr<file> file = anon_inode_getfile(name, fops, std::move(priv), flags);
  if (IS_ERR(file)) {
    put_unused_fd(static_cast<unsigned>(fd));
    return fn.Return(PTR_ERR(file));
  }
  fd_install(static_cast<unsigned>(fd), file);
  return fn.Return(fd);
}

}  // namespace kpath
