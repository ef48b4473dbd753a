// SPDX-License-Identifier: Apache-2.0
//
// Reading from, writing to and polling pipes. v4.19 fs/pipe.c
#include <algorithm>

#include "sim/kernel/sched.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/pipe_internal.h"
#include "sim/vfs/super.h"

namespace kpath {
namespace {

// v4.19 mm/page_alloc.c: __alloc_pages_nodemask. Null: no memory.
kptr<pipe_page> __alloc_pages_nodemask() {
  FUNCTION();
  might_sleep();
  if (current->machine->Choose(ChoiceKind::kFailAlloc, 2) != 0) return nullptr;
  SlabHeader* header = TakeSlabObject(*kmalloc_cache<pipe_page>);
  return kptr<pipe_page>(new (ObjectOf(header)) pipe_page);
}

// v4.19 fs/pipe.c: generic_pipe_buf_confirm. What is in the buffer is there already.
void generic_pipe_buf_confirm(const pipe_buffer& buf) { FUNCTION(buf.len); }

pipe_buffer& FirstBuffer(kptr<pipe_inode_info> pipe) { return pipe->bufs->slots[pipe->curbuf]; }

// Buffer `n` counted from the first one that is in use.
pipe_buffer& BufferAt(kptr<pipe_inode_info> pipe, unsigned n) {
  return pipe->bufs->slots[(pipe->curbuf + n) % pipe->buffers];
}

// v4.19 fs/pipe.c: pipe_wait. Called with the mutex held, which it gives up while it sleeps.
void pipe_wait(kptr<pipe_inode_info> pipe) {
  FUNCTION(pipe);
  wait_queue_entry wait;
  init_wait_entry(&wait, 0);
  prepare_to_wait(&pipe->wait, &wait, TASK_INTERRUPTIBLE);
  pipe_unlock(pipe);
  schedule();
  finish_wait(&pipe->wait, &wait);
  pipe_lock(pipe);
}

void WakeWriters(kptr<pipe_inode_info> pipe) {
  wake_up_interruptible_sync_poll(&pipe->wait, EPOLLOUT | EPOLLWRNORM);
}
void WakeReaders(kptr<pipe_inode_info> pipe) {
  wake_up_interruptible_sync_poll(&pipe->wait, EPOLLIN | EPOLLRDNORM);
}

// One read: what has been done so far.
struct Read {
  size_t left;                // bytes wanted still
  ssize_t result = 0;         // bytes read, or the error
  bool freed_buffer = false;  // writers are to be woken
};

// Reads from the first buffer. Returns true if the read has ended.
bool ReadBuffer(kptr<pipe_inode_info> pipe, iov_iter* to, Read* read) {
  pipe_buffer& buf = FirstBuffer(pipe);
  const size_t chars = std::min<size_t>(buf.len, read->left);
  generic_pipe_buf_confirm(buf);
  if (copy_to_iter(buf.page->bytes + buf.offset, chars, to) < chars) {
    if (read->result == 0) read->result = -EFAULT;
    return true;
  }
  read->result += static_cast<ssize_t>(chars);
  buf.offset += static_cast<unsigned>(chars);
  buf.len -= static_cast<unsigned>(chars);
  if (buf.packet) {
    read->left = chars;
    buf.len = 0;
  }
  if (buf.len == 0) {
    anon_pipe_buf_release(pipe, &buf);
    pipe->curbuf = (pipe->curbuf + 1) % pipe->buffers;
    --pipe->nrbufs;
    read->freed_buffer = true;
    STEP("buffer read empty", pipe->nrbufs);
  }
  read->left -= chars;
  return read->left == 0;
}

// The pipe is empty. Returns true if the read ends here instead of waiting for more.
bool EndsEmpty(kptr<pipe_inode_info> pipe, kptr<file> filp, Read* read) {
  if (pipe->writers == 0) return true;
  // Data of a writer that sleeps in the kernel may be waited for: they are on their way.
  if (pipe->waiting_writers == 0) {
    if (read->result != 0) return true;
    if ((filp->f_flags & O_NONBLOCK) != 0) {
      read->result =
          Fail(EAGAIN, "the pipe is empty and O_NONBLOCK is set, $0 writers", pipe->writers);
      return true;
    }
  }
  if (!signal_pending(current)) return false;
  if (read->result == 0) {
    read->result = Fail(ERESTARTSYS, "a signal came while the pipe was empty");
  }
  return true;
}

// One write.
struct Write {
  ssize_t result = 0;
  bool added = false;  // readers are to be woken
};

// v4.19 fs/pipe.c: is_packetized
bool is_packetized(kptr<file> filp) { return (filp->f_flags & O_DIRECT) != 0; }

Error FailNoReaders() {
  SendSignalToCurrent(SIGPIPE);
  return Fail(EPIPE, "the pipe has no readers");
}

// Appends what would be the write's last, partial page to the last buffer, if there is room.
// Returns true if the write has ended.
bool Merge(kptr<pipe_inode_info> pipe, iov_iter* from, Write* write) {
  const auto chars = static_cast<unsigned>(iov_iter_count(*from) % kPipePageBytes);
  if (pipe->nrbufs == 0 || chars == 0) return false;
  pipe_buffer& buf = BufferAt(pipe, pipe->nrbufs - 1);
  const unsigned offset = buf.offset + buf.len;
  if (buf.packet || offset + chars > kPipePageBytes) return false;
  generic_pipe_buf_confirm(buf);
  if (copy_from_iter(buf.page->bytes + offset, chars, from) < chars) {
    write->result = -EFAULT;
    return true;
  }
  write->added = true;
  buf.len += chars;
  write->result = chars;
  STEP("merged into the last buffer", buf.len);
  return iov_iter_count(*from) == 0;
}

// Fills a new buffer. Returns true if the write has ended.
bool AddBuffer(kptr<pipe_inode_info> pipe, kptr<file> filp, iov_iter* from, Write* write) {
  if (!pipe->tmp_page) pipe->tmp_page = __alloc_pages_nodemask();
  if (!pipe->tmp_page) {
    if (write->result == 0) write->result = Fail(ENOMEM, "no memory for a page");
    return true;
  }
  // Even if the copy fails: a reader may wait for data that were on their way.
  write->added = true;
  const size_t copied = copy_from_iter(pipe->tmp_page->bytes, kPipePageBytes, from);
  if (copied < kPipePageBytes && iov_iter_count(*from) != 0) {
    if (write->result == 0) write->result = -EFAULT;
    return true;
  }
  write->result += static_cast<ssize_t>(copied);
  BufferAt(pipe, pipe->nrbufs) = {
      .page = pipe->tmp_page, .len = static_cast<unsigned>(copied), .packet = is_packetized(filp)};
  pipe->tmp_page = nullptr;
  ++pipe->nrbufs;
  STEP("buffer added", pipe->nrbufs, copied);
  return iov_iter_count(*from) == 0;
}

// The pipe is full. Returns true if the write ends here instead of waiting for room.
bool EndsFull(kptr<pipe_inode_info> pipe, kptr<file> filp, Write* write) {
  if ((filp->f_flags & O_NONBLOCK) != 0) {
    if (write->result == 0) {
      write->result = Fail(EAGAIN, "all $0 buffers are full and O_NONBLOCK is set", pipe->buffers);
    }
    return true;
  }
  if (!signal_pending(current)) return false;
  if (write->result == 0) {
    write->result = Fail(ERESTARTSYS, "a signal came while the pipe was full");
  }
  return true;
}

// The part of pipe_write that holds the mutex.
void WriteLocked(kptr<pipe_inode_info> pipe, kptr<file> filp, iov_iter* from, Write* write) {
  if (pipe->readers == 0) {
    write->result = FailNoReaders();
    return;
  }
  if (Merge(pipe, from, write)) return;
  while (true) {
    if (pipe->readers == 0) {
      const Error error = FailNoReaders();
      if (write->result == 0) write->result = error;
      return;
    }
    if (pipe->nrbufs < pipe->buffers) {
      if (AddBuffer(pipe, filp, from, write)) return;
      continue;
    }
    if (EndsFull(pipe, filp, write)) return;
    if (write->added) {
      WakeReaders(pipe);
      write->added = false;
    }
    ++pipe->waiting_writers;
    pipe_wait(pipe);
    --pipe->waiting_writers;
  }
}

}  // namespace

// v4.19 mm/swap.c: __put_page. The last reference to a page is gone.
void FreePipePage(kptr<pipe_page> page) {
  FUNCTION(page);
  GiveSlabObject(HeaderOf(page.get()), page.generation());
}

// v4.19 fs/pipe.c: anon_pipe_buf_release. One page is kept for the next write.
void anon_pipe_buf_release(kptr<pipe_inode_info> pipe, pipe_buffer* buf) {
  FUNCTION(pipe);
  if (!pipe->tmp_page) {
    pipe->tmp_page = buf->page;
  } else {
    FreePipePage(buf->page);
  }
  buf->page = nullptr;
}

void pipe_lock(kptr<pipe_inode_info> pipe) {
  FUNCTION(pipe);
  if (pipe->files != 0) mutex_lock(&pipe->mutex);
}

void pipe_unlock(kptr<pipe_inode_info> pipe) {
  FUNCTION(pipe);
  if (pipe->files != 0) mutex_unlock(&pipe->mutex);
}

// v4.19 fs/pipe.c: pipe_read
ssize_t pipe_read(kiocb* iocb, iov_iter* to) {
  FUNCTION(iocb->ki_filp, iov_iter_count(*to));
  kptr<file> filp = iocb->ki_filp;
  kptr<pipe_inode_info> pipe = PipeOf(filp);
  Read read = {.left = iov_iter_count(*to)};
  if (read.left == 0) return fn.Return(ssize_t{0});
  mutex_lock(&pipe->mutex);
  while (true) {
    if (pipe->nrbufs != 0) {
      if (ReadBuffer(pipe, to, &read)) break;
      continue;
    }
    if (EndsEmpty(pipe, filp, &read)) break;
    if (read.freed_buffer) WakeWriters(pipe);
    pipe_wait(pipe);
  }
  mutex_unlock(&pipe->mutex);
  if (read.freed_buffer) WakeWriters(pipe);
  if (read.result > 0) file_accessed(filp);
  return fn.Return(read.result);
}

// v4.19 fs/pipe.c: pipe_write
ssize_t pipe_write(kiocb* iocb, iov_iter* from) {
  FUNCTION(iocb->ki_filp, iov_iter_count(*from));
  kptr<file> filp = iocb->ki_filp;
  kptr<pipe_inode_info> pipe = PipeOf(filp);
  if (iov_iter_count(*from) == 0) return fn.Return(ssize_t{0});
  Write write;
  mutex_lock(&pipe->mutex);
  WriteLocked(pipe, filp, from, &write);
  mutex_unlock(&pipe->mutex);
  if (write.added) WakeReaders(pipe);
  kptr<super_block> sb = file_inode(filp)->i_sb;
  if (write.result > 0 && sb_start_write_trylock(sb) != 0) {
    const int error = file_update_time(filp);
    if (error != 0) write.result = error;
    sb_end_write(sb);
  }
  return fn.Return(write.result);
}

// v4.19 fs/pipe.c: pipe_poll
__poll_t pipe_poll(kptr<file> filp, poll_table* wait) {
  FUNCTION(filp);
  kptr<pipe_inode_info> pipe = PipeOf(filp);
  poll_wait(filp, &pipe->wait, wait);
  __poll_t mask = 0;
  if ((filp->f_mode & FMODE_READ) != 0) {
    if (pipe->nrbufs > 0) mask |= EPOLLIN | EPOLLRDNORM;
    if (pipe->writers == 0) mask |= EPOLLHUP;
  }
  if ((filp->f_mode & FMODE_WRITE) != 0) {
    if (pipe->nrbufs < pipe->buffers) mask |= EPOLLOUT | EPOLLWRNORM;
    if (pipe->readers == 0) mask |= EPOLLERR;
  }
  return fn.Return(mask);
}

}  // namespace kpath
