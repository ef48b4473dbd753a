// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/read_write.h"

#include <gtest/gtest.h>

#include "sim/vfs/anon_inodes.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/namei.h"
#include "sim/vfs/open.h"
#include "sim/vfs/super.h"
#include "sim/vfs/test_vfs.h"

namespace kpath {

long __x64_sys_read(const pt_regs* regs);
long __x64_sys_write(const pt_regs* regs);
long __x64_sys_pread64(const pt_regs* regs);
long __x64_sys_pwrite64(const pt_regs* regs);
long __x64_sys_readv(const pt_regs* regs);
long __x64_sys_writev(const pt_regs* regs);
long __x64_sys_preadv(const pt_regs* regs);
long __x64_sys_pwritev(const pt_regs* regs);
long __x64_sys_preadv2(const pt_regs* regs);
long __x64_sys_pwritev2(const pt_regs* regs);
long __x64_sys_lseek(const pt_regs* regs);
long __x64_sys_fsync(const pt_regs* regs);
long __x64_sys_fdatasync(const pt_regs* regs);
long __x64_sys_newfstat(const pt_regs* regs);
long __x64_sys_newstat(const pt_regs* regs);
long __x64_sys_newlstat(const pt_regs* regs);
long __x64_sys_newfstatat(const pt_regs* regs);
long __x64_sys_pipe2(const pt_regs* regs);
long __x64_sys_eventfd2(const pt_regs* regs);

namespace {

constexpr uint64_t kBadAddress = 0xdead0000;

// fd 0: "/f" O_RDWR, fd 1: O_RDONLY, fd 2: O_WRONLY, fd 3: a directory.
class ReadWrite : public ::testing::Test {
 protected:
  void InProcess(std::function<void()> body) {
    vfs.Process("a", [body] {
      for (int flags : {O_RDWR | O_CREAT, O_RDONLY, O_WRONLY}) {
        fd_install(static_cast<unsigned>(get_unused_fd_flags(0)), filp_open("/f", flags, 0600));
      }
      fd_install(static_cast<unsigned>(get_unused_fd_flags(0)), filp_open("/", O_RDONLY, 0));
      body();
      do_unlinkat(AT_FDCWD, getname_kernel("/f"));
    });
    EXPECT_EQ(vfs.Run(), "");
  }
  long Write(int fd, const std::string& text) {
    return vfs.Call(__x64_sys_write, fd, vfs.Text(text), text.size());
  }
  // The bytes read, or the errno.
  std::string Read(int fd, size_t count) {
    const user_ptr<char> buf = vfs.Buffer(count);
    const long n = vfs.Call(__x64_sys_read, fd, buf, count);
    return n < 0 ? std::to_string(n) : vfs.Get(buf, static_cast<size_t>(n));
  }
  long Seek(int fd, loff_t offset, int whence) {
    return vfs.Call(__x64_sys_lseek, fd, offset, whence);
  }

  TestVfs vfs;
};

TEST_F(ReadWrite, MovesTheFilesPosition) {
  InProcess([&] {
    EXPECT_EQ(Write(0, "hello"), 5);
    EXPECT_EQ(Write(0, " world"), 6);
    EXPECT_EQ(Read(0, 10), "");
    EXPECT_EQ(Read(1, 5), "hello");
    EXPECT_EQ(Read(1, 100), " world");
    EXPECT_EQ(Seek(0, 2, SEEK_SET), 2);
    EXPECT_EQ(Read(0, 3), "llo");
  });
}

TEST_F(ReadWrite, AtAPositionLeavesTheFilesOwn) {
  InProcess([&] {
    EXPECT_EQ(vfs.Call(__x64_sys_pwrite64, 0, vfs.Text("abc"), 3, 4), 3);
    const user_ptr<char> buf = vfs.Buffer(8);
    EXPECT_EQ(vfs.Call(__x64_sys_pread64, 0, buf, 8, 3), 4);
    EXPECT_EQ(vfs.Get(buf, 4), std::string("\0abc", 4));
    EXPECT_EQ(Seek(0, 0, SEEK_CUR), 0);
  });
}

TEST_F(ReadWrite, ABadDescriptorComesFirst) {
  InProcess([&] {
    EXPECT_EQ(vfs.Call(__x64_sys_read, 9, kBadAddress, -1), -EBADF);
    EXPECT_EQ(Why(), "EBADF: fd 9 is not open");
    EXPECT_EQ(vfs.Call(__x64_sys_write, 9, kBadAddress, -1), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_pread64, 9, kBadAddress, -1, 0), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_pwrite64, 9, kBadAddress, -1, 0), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_lseek, 9, 0, 0), -EBADF);
  });
}

TEST_F(ReadWrite, ThenTheModeItWasOpenedWith) {
  InProcess([&] {
    EXPECT_EQ(vfs.Call(__x64_sys_read, 2, kUserAddressEnd, 1), -EBADF);
    EXPECT_EQ(Why(), "EBADF: the file was opened O_WRONLY, not for reading");
    EXPECT_EQ(vfs.Call(__x64_sys_write, 1, kUserAddressEnd, 1), -EBADF);
    EXPECT_EQ(Why(), "EBADF: the file was opened O_RDONLY, not for writing");
  });
}

TEST_F(ReadWrite, ThenTheMethod) {
  InProcess([&] {
    EXPECT_EQ(vfs.Call(__x64_sys_read, 3, kUserAddressEnd, 1), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: the file has no read method");
    EXPECT_EQ(vfs.Call(__x64_sys_fsync, 3), 0);
  });
}

TEST_F(ReadWrite, ThenTheRangeOfTheBuffer) {
  InProcess([&] {
    EXPECT_EQ(vfs.Call(__x64_sys_read, 0, kUserAddressEnd, 1), -EFAULT);
    EXPECT_EQ(Why(), "EFAULT: 1 bytes at 0x7ffffffff000 are beyond the user's addresses");
    EXPECT_EQ(vfs.Call(__x64_sys_write, 0, kUserAddressEnd - 1, 2), -EFAULT);
    // Before the count is looked at.
    EXPECT_EQ(vfs.Call(__x64_sys_read, 0, 0x1000, -1), -EFAULT);
  });
}

TEST_F(ReadWrite, ThenCountAndPosition) {
  InProcess([&] {
    kptr<file> file = fdget(0).file;
    loff_t pos = 0;
    EXPECT_EQ(rw_verify_area(READ, file, &pos, ~size_t{0}), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: count -1 is negative");
    pos = -1;
    EXPECT_EQ(rw_verify_area(READ, file, &pos, 0), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: position -1 is negative");
    pos = INT64_MAX - 10;
    EXPECT_EQ(rw_verify_area(READ, file, &pos, 10), 0);
    EXPECT_EQ(rw_verify_area(READ, file, &pos, 11), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: position 9223372036854775797 plus 11 is beyond the largest position");
    // Files like /dev/mem: positions are unsigned.
    file->f_mode |= FMODE_UNSIGNED_OFFSET;
    EXPECT_EQ(rw_verify_area(READ, file, &pos, 11), 0);
    pos = -10;
    EXPECT_EQ(rw_verify_area(READ, file, &pos, 9), 0);
    EXPECT_EQ(rw_verify_area(READ, file, &pos, 10), -EOVERFLOW);
    EXPECT_EQ(Why(), "EOVERFLOW: position 18446744073709551606 plus 10 wraps");
  });
}

TEST_F(ReadWrite, ANegativePositionComesBeforeTheDescriptor) {
  InProcess([&] {
    EXPECT_EQ(vfs.Call(__x64_sys_pread64, 9, kBadAddress, 1, -1), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: position -1 is negative");
    EXPECT_EQ(vfs.Call(__x64_sys_pwrite64, 9, kBadAddress, 1, -1), -EINVAL);
    EXPECT_EQ(vfs.Call(__x64_sys_preadv, 9, 0, 0, -1, 0), -EINVAL);
  });
}

TEST_F(ReadWrite, AnUnmappedBufferIsUpToTheFile) {
  InProcess([&] {
    EXPECT_EQ(Write(0, "hello"), 5);
    EXPECT_EQ(vfs.Call(__x64_sys_read, 1, kBadAddress, 5), -EFAULT);
    EXPECT_EQ(Why(), "EFAULT: 0xdead0000 is not mapped");
    EXPECT_EQ(Seek(1, 0, SEEK_CUR), 0);
  });
}

TEST_F(ReadWrite, ALongCountIsClipped) {
  static size_t asked;
  static constexpr file_operations kOps = {
      .name = "kOps",
      .read_iter = [](kiocb*, iov_iter* to) -> ssize_t {
        asked = iov_iter_count(*to);
        return 0;
      },
  };
  InProcess([&] {
    const int fd = anon_inode_getfd("[test]", &kOps, {}, O_RDONLY);
    EXPECT_EQ(vfs.Call(__x64_sys_read, fd, 0x1000, 0x80000000), 0);
    EXPECT_EQ(asked, 0x7ffff000u);
  });
}

TEST_F(ReadWrite, FilesWithoutPositions) {
  InProcess([&] {
    const user_ptr<char> fds = vfs.Buffer(8);
    EXPECT_EQ(vfs.Call(__x64_sys_pipe2, fds, 0), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_pread64, 4, fds, 1, 0), -ESPIPE);
    EXPECT_EQ(Why(), "ESPIPE: the file has no positions to read at");
    EXPECT_EQ(vfs.Call(__x64_sys_pwrite64, 5, fds, 1, 0), -ESPIPE);
    EXPECT_EQ(vfs.Call(__x64_sys_lseek, 4, 0, SEEK_SET), -ESPIPE);
    EXPECT_EQ(Why(), "ESPIPE: the file has no positions");
  });
}

TEST_F(ReadWrite, AWriteToARegularFileIsKeptOutWhileFrozen) {
  InProcess([&] {
    kptr<super_block> sb = root_path().mnt->mnt_sb;
    EXPECT_EQ(freeze_super(sb), 0);
    bool thawed = false;
    kptr<files_struct> files = dup_fd(current->files);
    vfs.Process(
        "writer",
        [&] {
          EXPECT_EQ(Write(0, "x"), 1);
          EXPECT_TRUE(thawed);
        },
        files);
    schedule();
    thawed = true;
    thaw_super(sb);
    while (sb->s_writers.writers[0] != 0 || file_inode(fdget(0).file)->i_size == 0) schedule();
  });
}

TEST_F(ReadWrite, AppendGoesToTheEnd) {
  InProcess([&] {
    EXPECT_EQ(Write(0, "hello"), 5);
    fdget(2).file->f_flags |= O_APPEND;
    EXPECT_EQ(Write(2, "!"), 1);
    EXPECT_EQ(Read(1, 10), "hello!");
  });
}

TEST_F(ReadWrite, KernelReadAndWrite) {
  InProcess([&] {
    kptr<file> file = fdget(0).file;
    loff_t pos = 0;
    EXPECT_EQ(kernel_write(file, "kernel", 6, &pos), 6);
    EXPECT_EQ(pos, 6);
    char bytes[8] = {};
    pos = 3;
    EXPECT_EQ(kernel_read(file, bytes, 8, &pos), 3);
    EXPECT_STREQ(bytes, "nel");
    pos = -1;
    EXPECT_EQ(kernel_read(file, bytes, 8, &pos), -EINVAL);
    EXPECT_EQ(kernel_write(fdget(1).file, "x", 1, &pos), -EBADF);
  });
}

TEST_F(ReadWrite, SeveralBuffers) {
  InProcess([&] {
    const iovec out[] = {{vfs.Text("abc"), 3}, {vfs.Text("de"), 2}};
    const user_ptr<char> vec = vfs.Buffer(sizeof(out));
    vfs.Put(vec, std::string(reinterpret_cast<const char*>(out), sizeof(out)));
    EXPECT_EQ(vfs.Call(__x64_sys_writev, 0, vec, 2), 5);
    EXPECT_EQ(vfs.Call(__x64_sys_pwritev, 0, vec, 2, 5, 0), 5);
    EXPECT_EQ(Read(1, 20), "abcdeabcde");
    EXPECT_EQ(vfs.Call(__x64_sys_preadv, 0, vec, 2, 4, 0), 5);
    EXPECT_EQ(vfs.Get(out[0].iov_base.cast<char>(), 3), "eab");
    EXPECT_EQ(vfs.Call(__x64_sys_readv, 0, vec, 1), 3);
    EXPECT_EQ(vfs.Call(__x64_sys_readv, 2, vec, 1), -EBADF);
    EXPECT_EQ(Why(), "EBADF: the file was not opened to read");
    EXPECT_EQ(vfs.Call(__x64_sys_readv, 9, vec, 1), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_readv, 0, vec, 1025), -EINVAL);
    EXPECT_EQ(vfs.Call(__x64_sys_readv, 0, vec, 0), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_readv, 3, vec, 1), -EINVAL);
  });
}

TEST_F(ReadWrite, WithRwfFlags) {
  InProcess([&] {
    const iovec out[] = {{vfs.Text("abc"), 3}};
    const user_ptr<char> vec = vfs.Buffer(sizeof(out));
    vfs.Put(vec, std::string(reinterpret_cast<const char*>(out), sizeof(out)));
    EXPECT_EQ(vfs.Call(__x64_sys_pwritev2, 0, vec, 1, -1, 0, 0), 3);
    EXPECT_EQ(vfs.Call(__x64_sys_pwritev2, 0, vec, 1, 0, 0, RWF_APPEND), 3);
    EXPECT_EQ(Read(1, 9), "abcabc");
    EXPECT_EQ(vfs.Call(__x64_sys_preadv2, 0, vec, 1, 0, 0, 0x20), -EOPNOTSUPP);
    EXPECT_EQ(Why(), "EOPNOTSUPP: RWF flags 32 have bits outside of 31");
    EXPECT_EQ(vfs.Call(__x64_sys_preadv2, 0, vec, 1, 0, 0, RWF_NOWAIT), -EOPNOTSUPP);
    EXPECT_EQ(Why(), "EOPNOTSUPP: RWF_NOWAIT on a file without FMODE_NOWAIT");
    // A file that has read and no read_iter takes RWF_HIPRI alone.
    EXPECT_EQ(vfs.Call(__x64_sys_eventfd2, 7, 0), 4);
    EXPECT_EQ(vfs.Call(__x64_sys_preadv2, 4, vec, 1, -1, 0, RWF_SYNC), -EOPNOTSUPP);
    EXPECT_EQ(vfs.Call(__x64_sys_preadv2, 4, vec, 1, -1, 0, RWF_HIPRI), -EINVAL);
  });
}

TEST_F(ReadWrite, Seeking) {
  InProcess([&] {
    EXPECT_EQ(Write(0, "hello"), 5);
    EXPECT_EQ(Seek(0, -2, SEEK_END), 3);
    EXPECT_EQ(Seek(0, -2, SEEK_CUR), 1);
    EXPECT_EQ(Seek(0, 100, SEEK_SET), 100);
    EXPECT_EQ(Seek(0, -101, SEEK_CUR), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: position -1 is negative");
    EXPECT_EQ(Seek(0, 0, SEEK_CUR), 100);
    EXPECT_EQ(Seek(0, 4, SEEK_DATA), 4);
    EXPECT_EQ(Seek(0, 4, SEEK_HOLE), 5);
    EXPECT_EQ(Seek(0, 5, SEEK_DATA), -ENXIO);
    EXPECT_EQ(Why(), "ENXIO: position 5 is beyond the end, 5");
    EXPECT_EQ(Seek(0, -1, SEEK_HOLE), -ENXIO);
    EXPECT_EQ(Seek(0, 0, 5), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: whence 5 is not one of 0 ... 4");
    root_path().mnt->mnt_sb->s_maxbytes = 1000;
    EXPECT_EQ(Seek(0, 1001, SEEK_SET), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: position 1001 is beyond the limit of 1000");
    EXPECT_EQ(Seek(3, 5, SEEK_SET), 5);
    EXPECT_EQ(Seek(3, 1, SEEK_CUR), 6);
    EXPECT_EQ(Seek(3, 0, SEEK_END), -EINVAL);
  });
}

TEST_F(ReadWrite, Fsync) {
  CallRecorder calls(vfs.kernel.machine, "vfs_fsync");
  InProcess([&] {
    EXPECT_EQ(vfs.Call(__x64_sys_fsync, 0), 0);
    // As recorded on 4.19.13 for a file on tmpfs.
    EXPECT_EQ(calls.Take(), "vfs_fsync\n  vfs_fsync_range\n    noop_fsync\n");
    EXPECT_EQ(vfs.Call(__x64_sys_fdatasync, 1), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_fsync, 9), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_eventfd2, 0, 0), 4);
    EXPECT_EQ(vfs.Call(__x64_sys_fsync, 4), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: the file has no fsync method");
  });
}

TEST_F(ReadWrite, Stat) {
  InProcess([&] {
    EXPECT_EQ(Write(0, "hello"), 5);
    const user_ptr<char> buf = vfs.Buffer(144);
    const auto word = [&](int offset) { return vfs.user.Read((buf + offset).cast<uint64_t>()); };
    const auto half = [&](int offset) { return vfs.user.Read((buf + offset).cast<uint32_t>()); };
    EXPECT_EQ(vfs.Call(__x64_sys_newfstat, 0, buf), 0);
    EXPECT_EQ(word(8), fdget(0).file->f_inode->i_ino);
    EXPECT_EQ(word(16), 1u);               // st_nlink
    EXPECT_EQ(half(24), S_IFREG | 0600u);  // st_mode
    EXPECT_EQ(word(48), 5u);               // st_size
    EXPECT_EQ(word(56), 4096u);            // st_blksize
    EXPECT_EQ(word(88), static_cast<uint64_t>(fdget(0).file->f_inode->i_mtime.tv_sec));
    EXPECT_EQ(vfs.Call(__x64_sys_newstat, vfs.Text("/"), buf), 0);
    EXPECT_EQ(half(24), S_IFDIR | 0755u);
    EXPECT_EQ(vfs.Call(__x64_sys_newlstat, vfs.Text("/f"), buf), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_newfstatat, 3, vfs.Text("f"), buf, 0), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_newfstatat, 0, vfs.Text(""), buf, AT_EMPTY_PATH), 0);
    EXPECT_EQ(half(24), S_IFREG | 0600u);
    EXPECT_EQ(vfs.Call(__x64_sys_newfstatat, 0, vfs.Text(""), buf, 0), -ENOENT);
    EXPECT_EQ(vfs.Call(__x64_sys_newfstatat, 0, vfs.Text("f"), buf, 1), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: flags 2049 has bits that stat does not know");
    EXPECT_EQ(vfs.Call(__x64_sys_newstat, vfs.Text("/none"), buf), -ENOENT);
    EXPECT_EQ(vfs.Call(__x64_sys_newfstat, 9, buf), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_newfstat, 0, kBadAddress), -EFAULT);
  });
}

}  // namespace
}  // namespace kpath
