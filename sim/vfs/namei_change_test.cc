// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "sim/vfs/file_table.h"
#include "sim/vfs/namei.h"
#include "sim/vfs/open.h"
#include "sim/vfs/test_vfs.h"

namespace kpath {

long __x64_sys_open(const pt_regs* regs);
long __x64_sys_openat(const pt_regs* regs);
long __x64_sys_close(const pt_regs* regs);
long __x64_sys_read(const pt_regs* regs);
long __x64_sys_write(const pt_regs* regs);
long __x64_sys_mkdir(const pt_regs* regs);
long __x64_sys_mkdirat(const pt_regs* regs);
long __x64_sys_rmdir(const pt_regs* regs);
long __x64_sys_unlink(const pt_regs* regs);
long __x64_sys_unlinkat(const pt_regs* regs);
long __x64_sys_chdir(const pt_regs* regs);
long __x64_sys_fchdir(const pt_regs* regs);
long __x64_sys_getcwd(const pt_regs* regs);
long __x64_sys_umask(const pt_regs* regs);

namespace {

class Names : public ::testing::Test {
 protected:
  // Everything that `body` makes must be removed by it.
  void InProcess(std::function<void()> body) {
    vfs.Process("a", std::move(body));
    EXPECT_EQ(vfs.Run(), "");
  }
  long Make(const std::string& name) {
    return vfs.Call(__x64_sys_open, vfs.Text(name), O_RDWR | O_CREAT | O_EXCL, 0600);
  }
  long Mkdir(const std::string& name) { return vfs.Call(__x64_sys_mkdir, vfs.Text(name), 0777); }
  long Rmdir(const std::string& name) { return vfs.Call(__x64_sys_rmdir, vfs.Text(name)); }
  long Unlink(const std::string& name) { return vfs.Call(__x64_sys_unlink, vfs.Text(name)); }
  long Chdir(const std::string& name) { return vfs.Call(__x64_sys_chdir, vfs.Text(name)); }

  TestVfs vfs;
};

TEST_F(Names, AnUnlinkedFileLivesUntilItIsClosed) {
  InProcess([&] {
    EXPECT_EQ(Make("/f"), 0);
    kptr<inode> inode = fdget(0).file->f_inode;
    EXPECT_EQ(Unlink("/f"), 0);
    EXPECT_EQ(inode->i_nlink, 0u);
    EXPECT_EQ(Unlink("/f"), -ENOENT);
    EXPECT_EQ(Why(), "ENOENT: component 1 of the name does not exist");
    EXPECT_EQ(d_path(fdget(0).file->f_path), "/f (deleted)");
    EXPECT_EQ(vfs.Call(__x64_sys_write, 0, vfs.Text("abc"), 3), 3);
    // The name is free again.
    EXPECT_EQ(Make("/f"), 1);
    EXPECT_FALSE(fdget(1).file->f_inode == inode);
    EXPECT_EQ(Unlink("/f"), 0);
    vfs.Call(__x64_sys_close, 0);
    TestVfs::ReturnToUserMode();
    EXPECT_FALSE(inode.alive());
  });
}

TEST_F(Names, UnlinkOfSomethingElse) {
  InProcess([&] {
    EXPECT_EQ(Mkdir("/d"), 0);
    EXPECT_EQ(Make("/f"), 0);
    EXPECT_EQ(Unlink("/d"), -EISDIR);
    EXPECT_EQ(Why(), "EISDIR: unlink of a directory");
    EXPECT_EQ(Unlink("/d/"), -EISDIR);
    EXPECT_EQ(Unlink("/d/."), -EISDIR);
    EXPECT_EQ(Unlink("/"), -EISDIR);
    EXPECT_EQ(Why(), "EISDIR: the name ends in \".\", \"..\" or \"/\"");
    EXPECT_EQ(Unlink("/f/"), -ENOTDIR);
    EXPECT_EQ(Why(), "ENOTDIR: a slash after the name of a file");
    EXPECT_EQ(Unlink("/f/x"), -ENOTDIR);
    EXPECT_EQ(Unlink(""), -ENOENT);
    EXPECT_EQ(vfs.Call(__x64_sys_unlink, 0), -EFAULT);
    EXPECT_EQ(Unlink("/" + std::string(256, 'n')), -ENAMETOOLONG);
    EXPECT_EQ(Unlink("/f"), 0);
    EXPECT_EQ(Rmdir("/d"), 0);
  });
}

TEST_F(Names, Unlinkat) {
  InProcess([&] {
    EXPECT_EQ(Mkdir("/d"), 0);
    EXPECT_EQ(Make("/d/f"), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_open, vfs.Text("/d"), O_RDONLY, 0), 1);
    EXPECT_EQ(vfs.Call(__x64_sys_unlinkat, 1, vfs.Text("f"), 1), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: flags 1 has bits other than AT_REMOVEDIR");
    EXPECT_EQ(vfs.Call(__x64_sys_unlinkat, 1, vfs.Text("f"), AT_REMOVEDIR), -ENOTDIR);
    EXPECT_EQ(Why(), "ENOTDIR: rmdir of a file");
    EXPECT_EQ(vfs.Call(__x64_sys_unlinkat, 1, vfs.Text("f"), 0), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_unlinkat, 9, vfs.Text("f"), 0), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_unlinkat, AT_FDCWD, vfs.Text("d"), AT_REMOVEDIR), 0);
  });
}

TEST_F(Names, MkdirChecks) {
  InProcess([&] {
    EXPECT_EQ(Mkdir("/d/"), 0);
    EXPECT_EQ(Mkdir("/d"), -EEXIST);
    EXPECT_EQ(Why(), "EEXIST: the name exists");
    EXPECT_EQ(Mkdir("/"), -EEXIST);
    EXPECT_EQ(Mkdir("/d/.."), -EEXIST);
    EXPECT_EQ(Mkdir("/none/d"), -ENOENT);
    EXPECT_EQ(vfs.Call(__x64_sys_mkdirat, AT_FDCWD, vfs.Text("d/e"), 0700), 0);
    path path;
    ASSERT_EQ(kern_path("/d", LOOKUP_DIRECTORY, &path), 0);
    EXPECT_EQ(path.dentry->d_inode->i_nlink, 3u);  // ".", "/d" and ".." of "/d/e"
    EXPECT_EQ(path.dentry->d_inode->i_mode, S_IFDIR | 0755);
    path_put(path);
    EXPECT_EQ(Rmdir("/d/e"), 0);
    EXPECT_EQ(Rmdir("/d"), 0);
  });
}

TEST_F(Names, RmdirChecks) {
  InProcess([&] {
    EXPECT_EQ(Mkdir("/d"), 0);
    EXPECT_EQ(Make("/d/f"), 0);
    EXPECT_EQ(Rmdir("/d"), -ENOTEMPTY);
    EXPECT_EQ(Why(), "ENOTEMPTY: the directory has 1 entries");
    EXPECT_EQ(Rmdir("/d/f"), -ENOTDIR);
    EXPECT_EQ(Rmdir("/d/."), -EINVAL);
    EXPECT_EQ(Rmdir("/d/.."), -ENOTEMPTY);
    EXPECT_EQ(Rmdir("/"), -EBUSY);
    EXPECT_EQ(Rmdir("/none"), -ENOENT);
    EXPECT_EQ(Unlink("/d/f"), 0);
    EXPECT_EQ(Rmdir("/d"), 0);
  });
}

TEST_F(Names, ARemovedDirectoryIsDead) {
  InProcess([&] {
    EXPECT_EQ(Mkdir("/d"), 0);
    EXPECT_EQ(Chdir("/d"), 0);
    EXPECT_EQ(Rmdir("/d"), 0);
    EXPECT_EQ(Make("f"), -ENOENT);
    EXPECT_EQ(Why(), "ENOENT: the directory has been removed");
    EXPECT_EQ(Mkdir("e"), -ENOENT);
    EXPECT_EQ(vfs.Call(__x64_sys_getcwd, vfs.Buffer(16), 16), -ENOENT);
    EXPECT_EQ(Why(), "ENOENT: the current directory has been removed");
    EXPECT_EQ(Chdir("/"), 0);
  });
}

TEST_F(Names, TheCurrentDirectory) {
  InProcess([&] {
    const user_ptr<char> buf = vfs.Buffer(64);
    EXPECT_EQ(vfs.Call(__x64_sys_getcwd, buf, 64), 2);
    EXPECT_EQ(vfs.Get(buf, 2), std::string("/\0", 2));
    EXPECT_EQ(Mkdir("/d"), 0);
    EXPECT_EQ(Mkdir("/d/e"), 0);
    EXPECT_EQ(Chdir("/d/e"), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_getcwd, buf, 64), 5);
    EXPECT_EQ(vfs.Get(buf, 5), std::string("/d/e\0", 5));
    EXPECT_EQ(vfs.Call(__x64_sys_getcwd, buf, 4), -ERANGE);
    EXPECT_EQ(Why(), "ERANGE: the name takes 5 bytes, the buffer has 4");
    EXPECT_EQ(vfs.Call(__x64_sys_getcwd, 0, 64), -EFAULT);
    EXPECT_EQ(Make("../f"), 0);
    EXPECT_EQ(d_path(fdget(0).file->f_path), "/d/f");
    EXPECT_EQ(Chdir("../f"), -ENOTDIR);
    EXPECT_EQ(vfs.Call(__x64_sys_fchdir, 0), -ENOTDIR);
    EXPECT_EQ(vfs.Call(__x64_sys_fchdir, 9), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_open, vfs.Text("/d"), O_RDONLY, 0), 1);
    EXPECT_EQ(vfs.Call(__x64_sys_fchdir, 1), 0);
    EXPECT_EQ(Unlink("f"), 0);
    EXPECT_EQ(Rmdir("e"), 0);
    EXPECT_EQ(Chdir("/"), 0);
    EXPECT_EQ(Rmdir("d"), 0);
  });
}

TEST_F(Names, UmaskTakesPermissionsAway) {
  InProcess([&] {
    EXPECT_EQ(vfs.Call(__x64_sys_umask, 0077), 022);
    EXPECT_EQ(vfs.Call(__x64_sys_umask, 07777), 0077);
    EXPECT_EQ(vfs.Call(__x64_sys_umask, 0), 0777);
    EXPECT_EQ(vfs.Call(__x64_sys_open, vfs.Text("/f"), O_RDWR | O_CREAT, 0666), 0);
    EXPECT_EQ(fdget(0).file->f_inode->i_mode, S_IFREG | 0666);
    EXPECT_EQ(Unlink("/f"), 0);
  });
}

TEST_F(Names, DirectoriesKeepSizeAndTimes) {
  InProcess([&] {
    kptr<inode> root = root_path().dentry->d_inode;
    EXPECT_EQ(root->i_size, 40);
    root->i_mtime = root->i_ctime = {};
    EXPECT_EQ(Make("/f"), 0);
    EXPECT_EQ(root->i_size, 60);
    EXPECT_NE(root->i_mtime, timespec64());
    EXPECT_EQ(Unlink("/f"), 0);
    EXPECT_EQ(root->i_size, 40);
  });
}

// Two processes make and remove the same name, on two CPUs in many orders.
TEST(NamesOnTwoCpus, MakingAndRemovingRaces) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    TestVfs vfs(2, std::make_unique<SeededChooser>(seed, 4));
    const user_ptr<char> dir = vfs.Text("/d"), name = vfs.Text("/d/f");
    int made = 0, removed = 0;
    for (int who = 0; who < 2; ++who) {
      vfs.Process("a", [&] {
        for (int i = 0; i < 6; ++i) {
          vfs.Call(__x64_sys_mkdir, dir, 0700);
          const long fd = vfs.Call(__x64_sys_open, name, O_RDWR | O_CREAT | O_EXCL, 0600);
          if (fd >= 0) {
            ++made;
            vfs.Call(__x64_sys_close, fd);
          }
          if (vfs.Call(__x64_sys_unlink, name) == 0) ++removed;
          vfs.Call(__x64_sys_rmdir, dir);
        }
        vfs.Call(__x64_sys_unlink, name);
        vfs.Call(__x64_sys_rmdir, dir);
      });
    }
    EXPECT_EQ(vfs.Run(), "") << "seed " << seed;
    EXPECT_GT(made, 0);
    EXPECT_LE(removed, made);
  }
}

}  // namespace
}  // namespace kpath
