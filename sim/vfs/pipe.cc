// SPDX-License-Identifier: Apache-2.0
//
// Making and ending pipes. Reading and writing is in pipe_rw.cc. v4.19 fs/pipe.c
#include "sim/vfs/pipe.h"

#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/vfs/file.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/libfs.h"
#include "sim/vfs/pipe_internal.h"
#include "sim/vfs/read_write.h"

namespace kpath {

namespace {

constexpr uint32_t PIPEFS_MAGIC = 0x50495045;

struct pipe_globals {
  kptr<vfsmount> mnt;
};
KernelGlobal<pipe_globals> pipes;

constexpr dentry_operations pipefs_dentry_operations = {
    .d_dname =
        [](kptr<dentry> dentry) { return "pipe:[" + std::to_string(dentry->d_inode->i_ino) + "]"; },
};

// A ring of empty buffers. Null: no memory.
kptr<pipe_ring> AllocateRing(unsigned buffers) {
  kptr<pipe_ring> ring = kzalloc<pipe_ring>(GFP_KERNEL);
  if (ring) ring->slots.resize(buffers);
  return ring;
}

// v4.19 fs/pipe.c: alloc_pipe_info
kptr<pipe_inode_info> alloc_pipe_info() {
  FUNCTION();
  kptr<pipe_inode_info> pipe = kzalloc<pipe_inode_info>(GFP_KERNEL);
  if (!pipe) return fn.Return(pipe);
  pipe->bufs = AllocateRing(pipe->buffers);
  if (!pipe->bufs) {
    kfree(pipe);
    return fn.Return(kptr<pipe_inode_info>());
  }
  init_waitqueue_head(&pipe->wait);
  mutex_init(&pipe->mutex);
  return fn.Return(pipe);
}

// v4.19 fs/pipe.c: free_pipe_info
void free_pipe_info(kptr<pipe_inode_info> pipe) {
  FUNCTION(pipe);
  for (pipe_buffer& buf : pipe->bufs->slots) {
    if (buf.page) anon_pipe_buf_release(pipe, &buf);
  }
  if (pipe->tmp_page) FreePipePage(pipe->tmp_page);
  kfree(pipe->bufs);
  kfree(pipe);
}

// v4.19 fs/pipe.c: put_pipe_info
void put_pipe_info(kptr<inode> inode, kptr<pipe_inode_info> pipe) {
  FUNCTION(pipe);
  spin_lock(&inode->i_lock);
  const bool last = --pipe->files == 0;
  if (last) inode->i_private.reset();
  spin_unlock(&inode->i_lock);
  if (last) free_pipe_info(pipe);
}

// v4.19 fs/pipe.c: get_pipe_inode. Null: out of memory.
kptr<inode> get_pipe_inode() {
  FUNCTION();
  kptr<inode> inode = new_inode_pseudo(pipes->mnt->mnt_sb);
  if (!inode) return fn.Return(inode);
  inode->i_ino = get_next_ino();
  kptr<pipe_inode_info> pipe = alloc_pipe_info();
  if (!pipe) {
    iput(inode);
    return fn.Return(kptr<struct inode>());
  }
  inode->i_private = pipe;
  pipe->files = 2;
  pipe->readers = pipe->writers = 1;
  inode->i_fop = &pipefifo_fops;
  inode->i_state = I_DIRTY;
  inode->i_mode = S_IFIFO | 0600;
  inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
  return fn.Return(inode);
}

// v4.19 fs/pipe.c: pipe_release
int pipe_release(kptr<inode> inode, kptr<file> file) {
  FUNCTION(inode, file);
  kptr<pipe_inode_info> pipe = PipeOf(file);
  mutex_lock(&pipe->mutex);
  if ((file->f_mode & FMODE_READ) != 0) --pipe->readers;
  if ((file->f_mode & FMODE_WRITE) != 0) --pipe->writers;
  STEP("one end closed", pipe->readers, pipe->writers);
  if (pipe->readers != 0 || pipe->writers != 0) {
    wake_up_interruptible_sync_poll(
        &pipe->wait, EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM | EPOLLERR | EPOLLHUP);
  }
  mutex_unlock(&pipe->mutex);
  put_pipe_info(inode, pipe);
  return fn.Return(0);
}

// v4.19 fs/pipe.c: __do_pipe_flags. Two files and two reserved descriptors.
int __do_pipe_flags(int* fd, kptr<file>* files, unsigned flags) {
  FUNCTION(flags);
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) != 0) {
    return fn.Return(Fail(EINVAL, "flags $0 has bits that pipe2 does not know", flags));
  }
  int error = create_pipe_files(files, flags);
  if (error != 0) return fn.Return(error);
  fd[0] = get_unused_fd_flags(flags);
  if (fd[0] < 0) {
    error = fd[0];
  } else {
    fd[1] = get_unused_fd_flags(flags);
    if (fd[1] >= 0) return fn.Return(0);
    error = fd[1];
    put_unused_fd(static_cast<unsigned>(fd[0]));
  }
  fput(files[0]);
  fput(files[1]);
  return fn.Return(error);
}

// v4.19 fs/pipe.c: round_pipe_size. 0: too large.
unsigned round_pipe_size(unsigned long size) {
  FUNCTION(size);
  if (size > 1ul << 31) return fn.Return(0u);
  unsigned long rounded = kPipePageBytes;
  while (rounded < size) rounded *= 2;
  return fn.Return(static_cast<unsigned>(rounded));
}

// v4.19 fs/pipe.c: pipe_set_size. What is in the pipe moves to the front of a new ring.
long pipe_set_size(kptr<pipe_inode_info> pipe, unsigned long arg) {
  FUNCTION(pipe, arg);
  const unsigned size = round_pipe_size(arg);
  const auto nr_pages = static_cast<unsigned>(size / kPipePageBytes);
  if (nr_pages == 0) return fn.Return<long>(Fail(EINVAL, "$0 bytes are too many", arg));
  // Who has CAP_SYS_RESOURCE may have more than pipe-max-size.
  if (nr_pages < pipe->nrbufs) {
    return fn.Return<long>(
        Fail(EBUSY, "$0 buffers are in use, more than $1", pipe->nrbufs, nr_pages));
  }
  kptr<pipe_ring> bufs = AllocateRing(nr_pages);
  if (!bufs) return fn.Return<long>(Fail(ENOMEM, "no memory for $0 buffers", nr_pages));
  for (unsigned i = 0; i < pipe->nrbufs; ++i) {
    bufs->slots[i] = pipe->bufs->slots[(pipe->curbuf + i) % pipe->buffers];
  }
  pipe->curbuf = 0;
  kfree(pipe->bufs);
  pipe->bufs = bufs;
  pipe->buffers = nr_pages;
  return fn.Return(static_cast<long>(nr_pages * kPipePageBytes));
}

// v4.19 fs/pipe.c: do_pipe2
int do_pipe2(user_ptr<int> fildes, unsigned flags) {
  FUNCTION(fildes, flags);
  int fd[2];
  kptr<file> files[2];
  const int error = __do_pipe_flags(fd, files, flags);
  if (error != 0) return fn.Return(error);
  if (copy_to_user(fildes, fd, sizeof(fd)) != 0) {
    for (int i = 0; i < 2; ++i) {
      fput(files[i]);
      put_unused_fd(static_cast<unsigned>(fd[i]));
    }
    return fn.Return(-EFAULT);
  }
  for (int i = 0; i < 2; ++i) fd_install(static_cast<unsigned>(fd[i]), files[i]);
  return fn.Return(0);
}

}  // namespace

const file_operations pipefifo_fops = {
    .name = "pipefifo_fops",
    .llseek = no_llseek,
    .read_iter = pipe_read,
    .write_iter = pipe_write,
    .poll = pipe_poll,
    .release = pipe_release,
};

// v4.19 fs/pipe.c: init_pipe_fs
void init_pipe_fs() {
  FUNCTION();
  pipes->mnt = mount_pseudo("pipefs", PIPEFS_MAGIC, nullptr, &pipefs_dentry_operations);
}

// v4.19 fs/pipe.c: create_pipe_files
int create_pipe_files(kptr<file>* res, unsigned flags) {
  FUNCTION(flags);
  kptr<inode> inode = get_pipe_inode();
  if (!inode) return fn.Return(Fail(ENFILE, "no memory for a pipe"));
  const auto pipe = std::any_cast<kptr<pipe_inode_info>>(inode->i_private);
  kptr<file> writer = alloc_file_pseudo(
      inode, pipes->mnt, "", O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)), &pipefifo_fops);
  if (IS_ERR(writer)) {
    free_pipe_info(pipe);
    iput(inode);
    return fn.Return(PTR_ERR(writer));
  }
  writer->private_data = pipe;
  res[0] = alloc_file_clone(writer, O_RDONLY | (flags & O_NONBLOCK), &pipefifo_fops);
  if (IS_ERR(res[0])) {
    put_pipe_info(inode, pipe);
    fput(writer);
    return fn.Return(PTR_ERR(res[0]));
  }
  res[0]->private_data = pipe;
  res[1] = writer;
  return fn.Return(0);
}

long pipe_fcntl(kptr<file> file, unsigned cmd, unsigned long arg) {
  FUNCTION(file, cmd, arg);
  if (file->f_op != &pipefifo_fops) {
    return fn.Return<long>(Fail(EBADF, "the file is not a pipe"));
  }
  kptr<pipe_inode_info> pipe = PipeOf(file);
  mutex_lock(&pipe->mutex);
  const long ret = cmd == F_SETPIPE_SZ ? pipe_set_size(pipe, arg)
                                       : static_cast<long>(pipe->buffers * kPipePageBytes);
  mutex_unlock(&pipe->mutex);
  return fn.Return(ret);
}

// v4.19 fs/pipe.c
SYSCALL_DEFINE2(pipe2, user_ptr<int>, fildes, int, flags) {
  return do_pipe2(fildes, static_cast<unsigned>(flags));
}
SYSCALL_DEFINE1(pipe, user_ptr<int>, fildes) { return do_pipe2(fildes, 0); }

}  // namespace kpath
