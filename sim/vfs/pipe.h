// SPDX-License-Identifier: Apache-2.0
//
// Pipes. v4.19 fs/pipe.c, include/linux/pipe_fs_i.h
//
// A pipe is a ring of 16 buffers of a page, or of as many as F_SETPIPE_SZ has asked for. A small
// write is appended to the last buffer if it fits there, so that writes of up to a page (PIPE_BUF)
// are never torn apart. A reader sleeps while the pipe is empty and has writers, a writer while it
// is full and has readers; with O_NONBLOCK: -EAGAIN. No writers: the end of the file. No readers:
// SIGPIPE and -EPIPE.
//
// Departs: a pipe's page is an object of its own cache and not a struct page of sim/mm; no splice,
// no SIGIO, no limit on the pages that a user has in pipes, as there is none for root in Linux;
// named pipes are not modelled.
//
// Context: process.
//
// Invariants
//   1. Buffers curbuf … curbuf + nrbufs - 1 (mod `buffers`) have a page and len > 0.
//   2. readers, writers = open files of the pipe with FMODE_READ, FMODE_WRITE. files = open files.
//   3. Buffers, readers and writers change under `mutex` only; every change of what poll says is
//      followed by a wake-up of `wait`.
#pragma once

#include <vector>

#include "sim/vfs/fs.h"

namespace kpath {

inline constexpr unsigned PIPE_DEF_BUFFERS = 16;
inline constexpr size_t kPipePageBytes = 4096;
// Sysctl fs.pipe-max-size: who is not root cannot have a larger one.
inline constexpr unsigned kPipeMaxSize = 1024 * 1024;

struct pipe_page {
  static constexpr const char* kSlabName = "pipe_page";
  uint8_t bytes[kPipePageBytes];
};

struct pipe_buffer {
  kptr<pipe_page> page;
  unsigned offset = 0;  // of the first byte that is not read yet
  unsigned len = 0;     // bytes to read
  bool packet = false;  // O_DIRECT: a read takes one buffer and drops the rest of it
};

// The ring: kcalloc(buffers, sizeof(struct pipe_buffer)) in Linux.
struct pipe_ring {
  static constexpr const char* kSlabName = "pipe_buffer";
  std::vector<pipe_buffer> slots;
};

struct pipe_inode_info {
  static constexpr const char* kSlabName = "pipe_inode_info";

  struct mutex mutex;
  wait_queue_head_t wait;
  unsigned nrbufs = 0;
  unsigned curbuf = 0;
  unsigned buffers = PIPE_DEF_BUFFERS;
  unsigned readers = 0;
  unsigned writers = 0;
  unsigned files = 0;
  unsigned waiting_writers = 0;
  kptr<pipe_page> tmp_page;  // kept for the next write
  kptr<pipe_ring> bufs;
};

extern const file_operations pipefifo_fops;

// v4.19 fs/pipe.c: create_pipe_files. res[0] reads, res[1] writes. 0, -ENFILE (no inode) or
// -ENOMEM. `flags`: O_NONBLOCK, O_DIRECT (packets).
int create_pipe_files(kptr<file>* res, unsigned flags);

// v4.19 fs/pipe.c: pipe_fcntl. F_GETPIPE_SZ: how many bytes it holds at most. F_SETPIPE_SZ: makes
// that at least `arg`, rounded up to a power of two of pages; returns what it is now. -EBADF: the
// file is no pipe; -EINVAL: more than 2^31; -EBUSY: more is in it; -ENOMEM.
long pipe_fcntl(kptr<file> file, unsigned cmd, unsigned long arg);

// v4.19 fs/pipe.c: pipe_lock, pipe_unlock
void pipe_lock(kptr<pipe_inode_info> pipe);
void pipe_unlock(kptr<pipe_inode_info> pipe);

// Once per machine; see vfs_caches_init.
void init_pipe_fs();

}  // namespace kpath
