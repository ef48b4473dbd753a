// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/open_files.h"

#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "entry/kernel_mode.h"
#include "sim/user/memory.h"
#include "sim/user/syscall.h"
#include "sim/vfs/eventfd.h"
#include "sim/vfs/ext2/ext2.h"
#include "sim/vfs/file.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/open.h"
#include "syscall_table/numbers_64.h"

namespace kpath {
namespace {

FileKind KindOf(kptr<file> file) {
  if (file->f_op == &recorded_fops) return FileKind::kOutside;
  if (file->f_op == &eventfd_fops) return FileKind::kEventfd;
  const absl::string_view operations = file->f_op->name;
  if (operations == "timerfd_fops") return FileKind::kTimerfd;
  if (operations == "eventpoll_fops") return FileKind::kEpoll;
  switch (file_inode(file)->i_mode & S_IFMT) {
    case S_IFREG:
      return FileKind::kRegular;
    case S_IFDIR:
      return FileKind::kDirectory;
    case S_IFIFO:
      return FileKind::kPipe;
    default:
      return FileKind::kOther;
  }
}

// Calls `look` with the file behind `fd`, if there is one.
template <typename Look>
void WithFile(int fd, Look look) {
  if (fd < 0) return;
  InKernelMode([&] {
    const kptr<file> file = fget_raw(static_cast<unsigned>(fd));
    if (!file) return;
    look(file);
    fput(file);
  });
}

// Gives a file that was there before the transcript its blocks behind byte `from`, as far as there
// are free ones. What the transcript itself leaves out stays a hole.
void FillHoles(kptr<inode> inode, loff_t from) {
  const sector_t end =
      (static_cast<uint64_t>(i_size_read(inode)) + PAGE_SIZE - 1) >> EXT2_BLOCK_BITS;
  for (auto block = static_cast<sector_t>(from) >> EXT2_BLOCK_BITS; block < end;) {
    buffer_head map;
    map.b_size = std::min<uint64_t>(end - block, 1u << 15) << EXT2_BLOCK_BITS;
    if (ext2_get_block(inode, block, &map, 1) != 0) return;
    block += map.b_size >> EXT2_BLOCK_BITS;
  }
}

}  // namespace

OpenFile FileBehind(int fd) {
  OpenFile result;
  WithFile(fd, [&result, fd](kptr<file> file) {
    const kptr<inode> inode = file_inode(file);
    result = {fd,
              true,
              KindOf(file),
              (inode->i_sb->s_dev << 40) ^ inode->i_ino,
              i_size_read(inode),
              file->f_pos,
              file->f_flags,
              file.address()};
  });
  return result;
}

void InstallOutside(int fd, std::shared_ptr<RecordedSource> source) {
  InKernelMode([&] {
    const kptr<file> file = RecordedFile(std::move(source), O_RDWR);
    if (!IS_ERR(file)) InstallAt(static_cast<unsigned>(fd), file, 0);
  });
}

void InstallEventfd(int fd) {
  const int64_t made = user::Syscall(NR_eventfd2, 0, 0);
  if (made < 0 || made == fd) return;
  user::Syscall(NR_dup2, made, fd);
  user::Syscall(NR_close, made);
}

void SetNonblocking(int fd) {
  const int64_t flags = user::Syscall(NR_fcntl, fd, F_GETFL);
  if (flags >= 0) user::Syscall(NR_fcntl, fd, F_SETFL, flags | O_NONBLOCK);
}

void EnableNowait(int fd) {
  WithFile(fd, [](kptr<file> file) { file->f_mode |= FMODE_NOWAIT; });
}

void ResizeFile(int fd, int64_t size) {
  WithFile(fd, [size](kptr<file> file) {
    const kptr<inode> inode = file_inode(file);
    const loff_t before = i_size_read(inode);
    do_truncate(file_dentry(file), size, 0, nullptr);
    if (inode->i_sb->s_magic == EXT2_SUPER_MAGIC) FillHoles(inode, before);
  });
}

uint64_t EventfdCount(int fd) {
  uint64_t count = 0;
  WithFile(fd, [&count](kptr<file> file) {
    if (file->f_op != &eventfd_fops) return;
    const kptr<eventfd_ctx> ctx = eventfd_ctx_fileget(file);
    count = ctx->count;
    eventfd_ctx_put(ctx);
  });
  return count;
}

uint32_t ReadyEvents(int fd, uint32_t events) {
  ::pollfd asked = {};
  asked.fd = fd;
  asked.events = static_cast<short>(events);
  const uint64_t address = user::StackBytes(sizeof(asked));
  user::Store<::pollfd>(address, asked);
  if (user::Syscall(NR_poll, address, 1, 0) <= 0) return 0;
  return static_cast<uint16_t>(user::Load<::pollfd>(address).revents);
}

}  // namespace kpath
