// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/open.h"

#include <gtest/gtest.h>

#include "sim/vfs/file_table.h"
#include "sim/vfs/namei.h"
#include "sim/vfs/test_vfs.h"

namespace kpath {

long __x64_sys_open(const pt_regs* regs);
long __x64_sys_openat(const pt_regs* regs);
long __x64_sys_creat(const pt_regs* regs);
long __x64_sys_close(const pt_regs* regs);
long __x64_sys_read(const pt_regs* regs);
long __x64_sys_write(const pt_regs* regs);
long __x64_sys_fcntl(const pt_regs* regs);
long __x64_sys_truncate(const pt_regs* regs);
long __x64_sys_ftruncate(const pt_regs* regs);
long __x64_sys_access(const pt_regs* regs);
long __x64_sys_faccessat(const pt_regs* regs);
long __x64_sys_unlink(const pt_regs* regs);

namespace {

// A process in a tree with the directory /dir and the file /dir/file (7 bytes).
class Open : public ::testing::Test {
 protected:
  static constexpr int kModeBits = 0644;

  Open() {
    EnterMachine enter(vfs.kernel.machine);
    kern_mkdir("/dir", 0755);
    kptr<file> file = filp_open("/dir/file", O_RDWR | O_CREAT, 0644);
    loff_t pos = 0;
    kernel_write(file, "content", 7, &pos);
    __fput_sync(file);
  }

  void InProcess(std::function<void()> body) {
    vfs.Process("a", std::move(body));
    const std::string report = vfs.kernel.Run();
    EXPECT_EQ(report, "");
  }

  long Do(const std::string& name, int flags, int mode = kModeBits) {
    return vfs.Call(__x64_sys_open, vfs.Text(name), flags, mode);
  }

  TestVfs vfs;
};

TEST_F(Open, GivesTheLowestDescriptor) {
  InProcess([&] {
    EXPECT_EQ(Do("/dir/file", O_RDONLY), 0);
    EXPECT_EQ(Do("/dir/../dir/./file", O_RDONLY | O_CLOEXEC), 1);
    EXPECT_FALSE(get_close_on_exec(0));
    EXPECT_TRUE(get_close_on_exec(1));
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_GETFL, 0), O_RDONLY | O_LARGEFILE);
  });
}

TEST_F(Open, NoSuchName) {
  InProcess([&] {
    EXPECT_EQ(Do("/dir/none", O_RDONLY), -ENOENT);
    EXPECT_EQ(Why(), "ENOENT: component 2 of the name does not exist");
    EXPECT_EQ(Do("/none/file", O_RDWR | O_CREAT), -ENOENT);
    EXPECT_EQ(Why(), "ENOENT: component 1 of the name does not exist");
    EXPECT_EQ(Do("", O_RDONLY), -ENOENT);
    EXPECT_EQ(Why(), "ENOENT: the name is empty");
    EXPECT_EQ(current->files->next_fd, 0u);
  });
}

TEST_F(Open, AFileIsNotADirectory) {
  InProcess([&] {
    EXPECT_EQ(Do("/dir/file/x", O_RDONLY), -ENOTDIR);
    EXPECT_EQ(Why(), "ENOTDIR: component 2 of the name is not a directory");
    EXPECT_EQ(Do("/dir/file", O_RDONLY | O_DIRECTORY), -ENOTDIR);
    EXPECT_EQ(Do("/dir/file/", O_RDONLY), -ENOTDIR);
    EXPECT_EQ(Why(), "ENOTDIR: the name stands for something else than a directory");
    EXPECT_EQ(Do("/dir", O_RDONLY | O_DIRECTORY), 0);
  });
}

TEST_F(Open, ADirectoryIsNotForWriting) {
  InProcess([&] {
    EXPECT_EQ(Do("/dir", O_WRONLY), -EISDIR);
    EXPECT_EQ(Why(), "EISDIR: a directory cannot be opened for writing");
    EXPECT_EQ(Do("/dir", O_RDONLY | O_TRUNC), -EISDIR);
    EXPECT_EQ(Do("/dir", O_RDONLY | O_CREAT), -EISDIR);
    EXPECT_EQ(Why(), "EISDIR: O_CREAT of a name that is a directory");
    EXPECT_EQ(Do("/dir/new/", O_RDWR | O_CREAT), -EISDIR);
    EXPECT_EQ(Why(), "EISDIR: the name of a file to create ends in a slash");
    EXPECT_EQ(Do("/dir/.", O_RDONLY | O_CREAT), -EISDIR);
    EXPECT_EQ(Do("/", O_RDONLY), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_read, 0, vfs.Buffer(1), 1), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: the file has no read method");
  });
}

TEST_F(Open, CreatingWhatExists) {
  InProcess([&] {
    EXPECT_EQ(Do("/dir/file", O_RDWR | O_CREAT | O_EXCL), -EEXIST);
    EXPECT_EQ(Why(), "EEXIST: the name exists, and O_CREAT|O_EXCL was asked for");
    EXPECT_EQ(Do("/dir", O_RDONLY | O_CREAT | O_EXCL), -EEXIST);
    EXPECT_EQ(Do("/dir/file", O_RDWR | O_CREAT), 0);
    EXPECT_EQ(fdget(0).file->f_inode->i_size, 7);
  });
}

TEST_F(Open, CreatingGivesTheModeLessTheUmask) {
  InProcess([&] {
    EXPECT_EQ(Do("/dir/new", O_RDWR | O_CREAT | O_EXCL, 0666), 0);
    EXPECT_EQ(fdget(0).file->f_inode->i_mode, S_IFREG | 0644);
    EXPECT_EQ(vfs.Call(__x64_sys_creat, vfs.Text("/dir/new2"), 0600), 1);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 1, F_GETFL, 0), O_WRONLY);
    // What was created may be opened for writing whatever its mode says.
    EXPECT_EQ(Do("/dir/new3", O_RDWR | O_CREAT, 0), 2);
  });
}

TEST_F(Open, TruncatingAsksForTheFlagAlone) {
  InProcess([&] {
    EXPECT_EQ(Do("/dir/file", O_RDWR), 0);
    EXPECT_EQ(fdget(0).file->f_inode->i_size, 7);
    EXPECT_EQ(Do("/dir/file", O_WRONLY | O_TRUNC), 1);
    EXPECT_EQ(fdget(0).file->f_inode->i_size, 0);
  });
}

TEST_F(Open, NamesThatAreTooLong) {
  InProcess([&] {
    const std::string component(256, 'x');
    EXPECT_EQ(Do("/dir/" + component, O_RDONLY), -ENAMETOOLONG);
    EXPECT_EQ(Why(), "ENAMETOOLONG: component 2 of the name has 256 bytes, the limit is 255");
    EXPECT_EQ(Do("/dir/" + component, O_RDWR | O_CREAT), -ENAMETOOLONG);
    EXPECT_EQ(Do("/dir/" + component.substr(1), O_RDWR | O_CREAT), 0);
    std::string path;
    while (path.size() < 4096) path += "/.";
    EXPECT_EQ(Do(path, O_RDONLY), -ENAMETOOLONG);
    EXPECT_EQ(Why(), "ENAMETOOLONG: the name is longer than 4095 bytes");
    EXPECT_EQ(Do("/" + path.substr(0, 4094), O_RDONLY), 1);
  });
}

TEST_F(Open, ANameThatCannotBeRead) {
  InProcess([&] {
    EXPECT_EQ(vfs.Call(__x64_sys_open, 0, O_RDONLY, 0), -EFAULT);
    EXPECT_EQ(Why(), "EFAULT: NULL is not mapped");
  });
}

TEST_F(Open, RelativeToADirectoryDescriptor) {
  InProcess([&] {
    EXPECT_EQ(Do("/dir", O_RDONLY), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_openat, 0, vfs.Text("file"), O_RDONLY, 0), 1);
    EXPECT_EQ(vfs.Call(__x64_sys_openat, AT_FDCWD, vfs.Text("dir/file"), O_RDONLY, 0), 2);
    EXPECT_EQ(vfs.Call(__x64_sys_openat, 9, vfs.Text("file"), O_RDONLY, 0), -EBADF);
    EXPECT_EQ(Why(), "EBADF: directory fd 9 is not open");
    EXPECT_EQ(vfs.Call(__x64_sys_openat, 1, vfs.Text("file"), O_RDONLY, 0), -ENOTDIR);
    EXPECT_EQ(Why(), "ENOTDIR: fd 1, where the name starts, is not a directory");
    // An absolute name does not look at the descriptor.
    EXPECT_EQ(vfs.Call(__x64_sys_openat, 9, vfs.Text("/dir/file"), O_RDONLY, 0), 3);
  });
}

TEST_F(Open, OPathIsAPlaceAndNothingElse) {
  InProcess([&] {
    EXPECT_EQ(Do("/dir/file", O_PATH | O_RDWR | O_TRUNC), 0);
    EXPECT_EQ(fdget_raw(0).file->f_mode, FMODE_PATH | FMODE_OPENED);
    EXPECT_EQ(fdget_raw(0).file->f_inode->i_size, 7);
    EXPECT_EQ(vfs.Call(__x64_sys_read, 0, vfs.Buffer(1), 1), -EBADF);
    EXPECT_EQ(Why(), "EBADF: fd 0 was opened with O_PATH");
    EXPECT_EQ(Do("/dir/none", O_PATH), -ENOENT);
    EXPECT_EQ(Do("/dir/file", O_PATH | O_DIRECTORY), -ENOTDIR);
    EXPECT_EQ(vfs.Call(__x64_sys_close, 0), 0);
  });
}

TEST_F(Open, DirectIoNeedsAFileSystemThatHasIt) {
  InProcess([&] {
    EXPECT_EQ(Do("/dir/file", O_RDONLY | O_DIRECT), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: the file system has no direct I/O");
    EXPECT_EQ(current->files->next_fd, 0u);
  });
}

TEST_F(Open, TmpfileIsChecked) {
  InProcess([&] {
    EXPECT_EQ(Do("/dir", O_TMPFILE | O_RDONLY), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: O_TMPFILE without write access");
    EXPECT_EQ(Do("/dir", __O_TMPFILE | O_RDWR), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: O_TMPFILE needs O_DIRECTORY and no O_CREAT");
    EXPECT_EQ(Do("/dir", O_TMPFILE | O_RDWR), -EOPNOTSUPP);
  });
}

TEST_F(Open, AReadOnlyFileSystem) {
  InProcess([&] {
    kptr<super_block> sb = root_path().mnt->mnt_sb;
    sb->s_flags |= SB_RDONLY;
    EXPECT_EQ(Do("/dir/file", O_RDONLY), 0);
    EXPECT_EQ(Do("/dir/file", O_WRONLY), -EROFS);
    EXPECT_EQ(Why(), "EROFS: the file system is read-only");
    EXPECT_EQ(Do("/dir/new", O_RDWR | O_CREAT), -EROFS);
    EXPECT_EQ(Why(), "EROFS: the mount is read-only");
    sb->s_flags &= ~SB_RDONLY;
  });
}

TEST_F(Open, AppendOnlyAndImmutableFiles) {
  InProcess([&] {
    EXPECT_EQ(Do("/dir/file", O_RDWR), 0);
    kptr<inode> inode = fdget(0).file->f_inode;
    inode->i_flags = S_APPEND;
    EXPECT_EQ(Do("/dir/file", O_WRONLY), -EPERM);
    EXPECT_EQ(Why(), "EPERM: the file is append-only");
    EXPECT_EQ(Do("/dir/file", O_WRONLY | O_APPEND), 1);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 1, F_SETFL, 0), -EPERM);
    EXPECT_EQ(Why(), "EPERM: O_APPEND cannot be taken from an append-only file");
    EXPECT_EQ(vfs.Call(__x64_sys_ftruncate, 0, 1), -EPERM);
    inode->i_flags = S_IMMUTABLE;
    EXPECT_EQ(Do("/dir/file", O_WRONLY), -EPERM);
    EXPECT_EQ(Why(), "EPERM: the inode is immutable");
  });
}

TEST_F(Open, AFileThatIsBeingExecutedCannotBeWritten) {
  InProcess([&] {
    path path;
    ASSERT_EQ(kern_path("/dir/file", LOOKUP_FOLLOW, &path), 0);
    path.dentry->d_inode->i_writecount = -1;
    EXPECT_EQ(Do("/dir/file", O_WRONLY), -ETXTBSY);
    EXPECT_EQ(Why(), "ETXTBSY: the file is being executed");
    EXPECT_EQ(vfs.Call(__x64_sys_truncate, vfs.Text("/dir/file"), 0), -ETXTBSY);
    path_put(path);
  });
}

TEST_F(Open, EveryAllocationMayFailAndNothingLeaks) {
  // One process a step, so that what the processes before left behind is freed.
  for (int n = 0; n < 12; ++n) {
    TestVfs fresh;
    fresh.Process("a", [&] {
      class FailOne : public Chooser {
       public:
        explicit FailOne(int n) : left_(n) {}
        int Choose(uint64_t, ChoiceKind kind, int) override {
          return kind == ChoiceKind::kFailAlloc && left_-- == 0 ? 1 : 0;
        }

       private:
        int left_;
      };
      const user_ptr<char> name = fresh.Text("/file");
      current->machine->SetChooser(std::make_unique<FailOne>(n));
      const long fd = fresh.Call(__x64_sys_open, name, O_RDWR | O_CREAT, 0600);
      current->machine->SetChooser(std::make_unique<FirstChooser>());
      if (fd < 0) {
        EXPECT_TRUE(fd == -ENOMEM || fd == -ENOSPC) << fd;
        EXPECT_LT(n, 4);
      } else {
        EXPECT_GE(n, 4);
        fresh.Call(__x64_sys_unlink, name);
      }
    });
    EXPECT_EQ(fresh.Run(), "") << "allocation " << n;
  }
}

TEST_F(Open, TruncateChecks) {
  InProcess([&] {
    EXPECT_EQ(Do("/dir/file", O_RDONLY), 0);
    EXPECT_EQ(Do("/dir/file", O_RDWR), 1);
    EXPECT_EQ(Do("/dir", O_RDONLY), 2);
    EXPECT_EQ(vfs.Call(__x64_sys_ftruncate, 1, -1), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: length -1 is negative");
    EXPECT_EQ(vfs.Call(__x64_sys_ftruncate, 9, 0), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_ftruncate, 0, 0), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: the file is not open for writing");
    EXPECT_EQ(vfs.Call(__x64_sys_ftruncate, 2, 0), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: the file is not a regular one");
    EXPECT_EQ(vfs.Call(__x64_sys_ftruncate, 1, 3), 0);
    EXPECT_EQ(fdget(1).file->f_inode->i_size, 3);
    EXPECT_EQ(vfs.Call(__x64_sys_truncate, vfs.Text("/dir/file"), 100), 0);
    EXPECT_EQ(fdget(1).file->f_inode->i_size, 100);
    EXPECT_EQ(vfs.Call(__x64_sys_truncate, vfs.Text("/dir"), 0), -EISDIR);
    EXPECT_EQ(vfs.Call(__x64_sys_truncate, vfs.Text("/none"), 0), -ENOENT);
    EXPECT_EQ(vfs.Call(__x64_sys_truncate, vfs.Text("/dir/file"), -5), -EINVAL);
    root_path().mnt->mnt_sb->s_maxbytes = 1000;
    EXPECT_EQ(vfs.Call(__x64_sys_ftruncate, 1, 1001), -EFBIG);
    EXPECT_EQ(Why(), "EFBIG: size 1001 is beyond the file system's limit of 1000");
  });
}

TEST_F(Open, AccessOfRootIsAboutExecutionAlone) {
  InProcess([&] {
    EXPECT_EQ(vfs.Call(__x64_sys_access, vfs.Text("/dir/file"), 6), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_access, vfs.Text("/dir/file"), 1), -EACCES);
    EXPECT_EQ(Why(), "EACCES: mode 33188 lets nobody execute it");
    EXPECT_EQ(vfs.Call(__x64_sys_access, vfs.Text("/dir"), 7), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_access, vfs.Text("/dir/file"), 8), -EINVAL);
    EXPECT_EQ(vfs.Call(__x64_sys_faccessat, AT_FDCWD, vfs.Text("none"), 0), -ENOENT);
  });
}

// While a regular file is open for writing, its mount and its inode count a writer.
TEST_F(Open, WritersAreCounted) {
  InProcess([&] {
    kptr<vfsmount> mnt = root_path().mnt;
    EXPECT_EQ(Do("/dir/file", O_RDONLY), 0);
    EXPECT_EQ(mnt->mnt_writers, 0);
    EXPECT_EQ(Do("/dir/file", O_WRONLY), 1);
    EXPECT_EQ(mnt->mnt_writers, 1);
    EXPECT_EQ(fdget(1).file->f_inode->i_writecount, 1);
    vfs.Call(__x64_sys_close, 1);
    TestVfs::ReturnToUserMode();
    EXPECT_EQ(mnt->mnt_writers, 0);
    EXPECT_EQ(fdget(0).file->f_inode->i_writecount, 0);
  });
}

}  // namespace
}  // namespace kpath
