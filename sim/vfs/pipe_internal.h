// SPDX-License-Identifier: Apache-2.0
//
// Shared by pipe.cc and pipe_rw.cc.
#pragma once

#include "sim/vfs/pipe.h"

namespace kpath {

inline kptr<pipe_inode_info> PipeOf(kptr<file> file) {
  return std::any_cast<kptr<pipe_inode_info>>(file->private_data);
}

void FreePipePage(kptr<pipe_page> page);
void anon_pipe_buf_release(kptr<pipe_inode_info> pipe, pipe_buffer* buf);

ssize_t pipe_read(kiocb* iocb, iov_iter* to);
ssize_t pipe_write(kiocb* iocb, iov_iter* from);
__poll_t pipe_poll(kptr<file> filp, poll_table* wait);

}  // namespace kpath
