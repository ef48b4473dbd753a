// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/poll.h"

#include "sim/vfs/fs.h"

namespace kpath {

// v4.19 include/linux/poll.h: file_can_poll
bool file_can_poll(kptr<file> file) { return file->f_op->poll != nullptr; }

// v4.19 include/linux/poll.h: vfs_poll
__poll_t vfs_poll(kptr<file> file, poll_table* table) {
  FUNCTION(file);
  if (!file_can_poll(file)) return fn.Return(DEFAULT_POLLMASK);
  return fn.Return(file->f_op->poll(file, table));
}

}  // namespace kpath
