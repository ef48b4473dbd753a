// SPDX-License-Identifier: Apache-2.0
//
// Open files. v4.19 fs/ext2/file.c
#include "sim/vfs/ext2/ext2.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/read_write.h"

namespace kpath {
namespace {

// v4.19 fs/ext2/file.c: ext2_file_read_iter
ssize_t ext2_file_read_iter(kiocb* iocb, iov_iter* to) {
  FUNCTION(iocb->ki_pos, iov_iter_count(*to));
  return fn.Return(generic_file_read_iter(iocb, to));
}

// v4.19 fs/ext2/file.c: ext2_file_write_iter
ssize_t ext2_file_write_iter(kiocb* iocb, iov_iter* from) {
  FUNCTION(iocb->ki_pos, iov_iter_count(*from));
  return fn.Return(generic_file_write_iter(iocb, from));
}

// v4.19 fs/ext2/file.c: ext2_file_mmap
int ext2_file_mmap(kptr<file> file, kptr<vm_area_struct> vma) {
  FUNCTION(file, vma);
  return fn.Return(generic_file_mmap(file, vma));
}

// v4.19 fs/ext2/file.c: ext2_fsync
int ext2_fsync(kptr<file> file, loff_t start, loff_t end, int datasync) {
  FUNCTION(file, start, end, datasync);
  return fn.Return(generic_file_fsync(file, start, end, datasync));
}

}  // namespace

const file_operations ext2_file_operations = {
    .name = "ext2_file_operations",
    .llseek = generic_file_llseek,
    .read_iter = ext2_file_read_iter,
    .write_iter = ext2_file_write_iter,
    .mmap = ext2_file_mmap,
    .fsync = ext2_fsync,
};

}  // namespace kpath
