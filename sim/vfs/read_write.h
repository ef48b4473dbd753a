// SPDX-License-Identifier: Apache-2.0
//
// Reading, writing and seeking. v4.19 fs/read_write.c, fs/sync.c
//
// The order of checks of every read and write: the descriptor (-EBADF), the mode it was opened with
// (-EBADF), the method (-EINVAL), the buffer's range (-EFAULT), position and count
// (rw_verify_area). What the file's own method says comes last.
//
// Context: process.
#pragma once

#include "sim/vfs/fs.h"

namespace kpath {

// v4.19 fs/read_write.c: rw_verify_area. `direction`: READ or WRITE. Returns 0, or
//   -EINVAL     count or *ppos is negative, or their sum is
//   -EOVERFLOW  a file with unsigned positions, and the sum wraps
int rw_verify_area(int direction, kptr<file> file, const loff_t* ppos, size_t count);

// v4.19 include/linux/fs.h: call_read_iter, call_write_iter
inline ssize_t call_read_iter(kptr<file> file, kiocb* kio, iov_iter* iter) {
  return file->f_op->read_iter(kio, iter);
}
inline ssize_t call_write_iter(kptr<file> file, kiocb* kio, iov_iter* iter) {
  return file->f_op->write_iter(kio, iter);
}

ssize_t vfs_read(kptr<file> file, user_ptr<char> buf, size_t count, loff_t* pos);
ssize_t vfs_write(kptr<file> file, user_ptr<const char> buf, size_t count, loff_t* pos);
// v4.19 fs/read_write.c: kernel_read, kernel_write. From and to memory of the model.
ssize_t kernel_read(kptr<file> file, void* buf, size_t count, loff_t* pos);
ssize_t kernel_write(kptr<file> file, const void* buf, size_t count, loff_t* pos);

ssize_t ksys_read(unsigned fd, user_ptr<char> buf, size_t count);
ssize_t ksys_write(unsigned fd, user_ptr<const char> buf, size_t count);
ssize_t ksys_pread64(unsigned fd, user_ptr<char> buf, size_t count, loff_t pos);
ssize_t ksys_pwrite64(unsigned fd, user_ptr<const char> buf, size_t count, loff_t pos);

// ---- Positions ----
loff_t vfs_llseek(kptr<file> file, loff_t offset, int whence);
// The file's size is that of its inode.
loff_t generic_file_llseek(kptr<file> file, loff_t offset, int whence);
loff_t generic_file_llseek_size(kptr<file> file, loff_t offset, int whence, loff_t maxsize,
                                loff_t eof);
// -ESPIPE
loff_t no_llseek(kptr<file> file, loff_t offset, int whence);
loff_t noop_llseek(kptr<file> file, loff_t offset, int whence);
// v4.19 fs/read_write.c: vfs_setpos. -EINVAL for a negative position or one beyond `maxsize`.
loff_t vfs_setpos(kptr<file> file, loff_t offset, loff_t maxsize);

// ---- fsync ----
int vfs_fsync(kptr<file> file, int datasync);
// -EINVAL: the file has no fsync method.
int vfs_fsync_range(kptr<file> file, loff_t start, loff_t end, int datasync);

}  // namespace kpath
