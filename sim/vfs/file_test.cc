// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/kernel/resource.h"
#include "sim/vfs/anon_inodes.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/namei.h"
#include "sim/vfs/open.h"
#include "sim/vfs/test_vfs.h"

namespace kpath {

long __x64_sys_close(const pt_regs* regs);
long __x64_sys_dup(const pt_regs* regs);
long __x64_sys_dup2(const pt_regs* regs);
long __x64_sys_dup3(const pt_regs* regs);
long __x64_sys_fcntl(const pt_regs* regs);

namespace {

constexpr file_operations kNoOperations = {.name = "kNoOperations"};

// An open file under the lowest free descriptor.
int OpenSomething(unsigned flags = O_RDWR) {
  return anon_inode_getfd("[test]", &kNoOperations, {}, flags);
}

TEST(File, TheLowestFreeDescriptorIsTaken) {
  TestVfs vfs;
  vfs.Process("a", [&] {
    for (int fd = 0; fd < 4; ++fd) EXPECT_EQ(OpenSomething(), fd);
    EXPECT_EQ(vfs.Call(__x64_sys_close, 2), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_close, 1), 0);
    EXPECT_EQ(OpenSomething(), 1);
    EXPECT_EQ(OpenSomething(), 2);
    EXPECT_EQ(OpenSomething(), 4);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, AReservedDescriptorIsNeitherFreeNorOpen) {
  TestVfs vfs;
  vfs.Process("a", [&] {
    EXPECT_EQ(get_unused_fd_flags(0), 0);
    EXPECT_EQ(OpenSomething(), 1);
    EXPECT_FALSE(fget(0));
    EXPECT_EQ(vfs.Call(__x64_sys_dup2, 1, 0), -EBUSY);
    EXPECT_EQ(Why(), "EBUSY: fd 0 is reserved by an open that is under way");
    put_unused_fd(0);
    EXPECT_EQ(OpenSomething(), 0);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, CloseOfADescriptorThatIsNotOpen) {
  TestVfs vfs;
  vfs.Process("a", [&] {
    EXPECT_EQ(vfs.Call(__x64_sys_close, 9999), -EBADF);
    EXPECT_EQ(Why(), "EBADF: fd 9999 is not open");
    EXPECT_EQ(vfs.Call(__x64_sys_close, 0), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_close, -1), -EBADF);
    EXPECT_EQ(Why(), "EBADF: fd -1 is not open");
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, TooManyDescriptors) {
  TestVfs vfs;
  vfs.Process("a", [&] {
    for (unsigned fd = 0; fd < INIT_RLIMITS[RLIMIT_NOFILE].rlim_cur; ++fd)
      ASSERT_EQ(OpenSomething(), static_cast<int>(fd));
    EXPECT_EQ(current->files->fdt->max_fds(), INIT_RLIMITS[RLIMIT_NOFILE].rlim_cur);
    EXPECT_EQ(OpenSomething(), -EMFILE);
    EXPECT_EQ(Why(), "EMFILE: the lowest free fd would be 1024, RLIMIT_NOFILE is 1024");
    EXPECT_EQ(vfs.Call(__x64_sys_dup, 0), -EMFILE);
    EXPECT_EQ(vfs.Call(__x64_sys_close, 700), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_dup, 0), 700);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, TheTableGrowsInStepsOf128TimesAPowerOfTwo) {
  TestVfs vfs;
  vfs.Process("a", [&] {
    OpenSomething();
    EXPECT_EQ(current->files->fdt->max_fds(), NR_OPEN_DEFAULT);
    EXPECT_EQ(vfs.Call(__x64_sys_dup2, 0, 64), 64);
    EXPECT_EQ(current->files->fdt->max_fds(), 128u);
    EXPECT_EQ(vfs.Call(__x64_sys_dup2, 0, 300), 300);
    EXPECT_EQ(current->files->fdt->max_fds(), 512u);
    EXPECT_TRUE(fdget(64).file);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, NoMemoryForALargerTable) {
  TestVfs vfs;
  vfs.Process("a", [&] {
    OpenSomething();
    // Memory is exhausted from here on.
    class Exhausted : public Chooser {
      int Choose(uint64_t, ChoiceKind kind, int) override {
        return kind == ChoiceKind::kFailAlloc ? 1 : 0;
      }
    };
    current->machine->SetChooser(std::make_unique<Exhausted>());
    EXPECT_EQ(vfs.Call(__x64_sys_dup2, 0, 64), -ENOMEM);
    EXPECT_EQ(Why(), "ENOMEM: no memory for a table of 128");
    EXPECT_TRUE(IS_ERR(dup_fd(current->files)));
    current->machine->SetChooser(std::make_unique<FirstChooser>());
    EXPECT_EQ(vfs.Call(__x64_sys_dup2, 0, 64), 64);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, DupSharesTheOpenFile) {
  TestVfs vfs;
  vfs.Process("a", [&] {
    OpenSomething();
    EXPECT_EQ(vfs.Call(__x64_sys_dup, 0), 1);
    kptr<file> first = fget(0), second = fget(1);
    EXPECT_TRUE(first == second);
    EXPECT_EQ(file_count(first), 4);
    fput(first);
    fput(second);
    EXPECT_EQ(vfs.Call(__x64_sys_dup, 5), -EBADF);
    EXPECT_EQ(Why(), "EBADF: fd 5 is not open");
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, Dup2ClosesWhatWasThere) {
  TestVfs vfs;
  vfs.Process("a", [&] {
    OpenSomething();
    OpenSomething();
    kptr<file> replaced = fget(1);
    EXPECT_EQ(vfs.Call(__x64_sys_dup2, 0, 1), 1);
    EXPECT_EQ(file_count(replaced), 1);
    fput(replaced);
    EXPECT_EQ(vfs.Call(__x64_sys_dup2, 0, 0), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_dup2, 7, 7), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_dup2, 7, 1), -EBADF);
    EXPECT_EQ(Why(), "EBADF: fd 7 is not open");
    EXPECT_EQ(vfs.Call(__x64_sys_dup2, 0, 1024), -EBADF);
    EXPECT_EQ(Why(), "EBADF: fd 1024 is not below RLIMIT_NOFILE=1024");
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, Dup3ChecksItsArgumentsInOrder) {
  TestVfs vfs;
  vfs.Process("a", [&] {
    OpenSomething();
    EXPECT_EQ(vfs.Call(__x64_sys_dup3, 0, 0, O_APPEND), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: flags 1024 has bits other than O_CLOEXEC");
    EXPECT_EQ(vfs.Call(__x64_sys_dup3, 0, 0, 0), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: both descriptors are 0");
    EXPECT_EQ(vfs.Call(__x64_sys_dup3, 0, 3, O_CLOEXEC), 3);
    EXPECT_TRUE(get_close_on_exec(3));
    EXPECT_FALSE(get_close_on_exec(0));
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, FcntlDescriptorCommands) {
  TestVfs vfs;
  vfs.Process("a", [&] {
    OpenSomething();
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_DUPFD, 10), 10);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_DUPFD, 10), 11);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_DUPFD_CLOEXEC, 0), 1);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 1, F_GETFD, 0), 1);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 1, F_SETFD, 0), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 1, F_GETFD, 0), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_DUPFD, 1024), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: fd 1024 is not below RLIMIT_NOFILE=1024");
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 5, F_GETFD, 0), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, 999, 0), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: fcntl command 999 is not modelled");
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, FcntlFileFlags) {
  TestVfs vfs;
  vfs.Process("a", [&] {
    OpenSomething(O_RDWR | O_NONBLOCK);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_GETFL, 0), O_RDWR | O_NONBLOCK);
    // The access mode stays, whatever is asked for.
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_SETFL, O_APPEND | O_WRONLY), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_GETFL, 0), O_RDWR | O_APPEND);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_SETFL, O_DIRECT), -EINVAL);
    EXPECT_EQ(Why(), "EINVAL: the file system has no direct I/O");
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_GETPIPE_SZ, 0), -EBADF);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, APathFileIsForFgetRawOnly) {
  TestVfs vfs;
  vfs.Process("a", [&] {
    fd_install(static_cast<unsigned>(get_unused_fd_flags(0)), filp_open("/", O_PATH, 0));
    EXPECT_FALSE(fget(0));
    EXPECT_EQ(FailBadFd(0).number(), EBADF);
    EXPECT_EQ(Why(), "EBADF: fd 0 was opened with O_PATH");
    EXPECT_FALSE(fdget(0).file);
    const struct fd raw = fdget_raw(0);
    EXPECT_TRUE(raw.file);
    fdput(raw);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_SETFL, 0), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_fcntl, 0, F_GETFL, 0), O_PATH);
    EXPECT_EQ(vfs.Call(__x64_sys_dup, 0), 1);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, AForkedTableHasTheFilesButNotTheReservations) {
  TestVfs vfs;
  vfs.Process("parent", [&] {
    OpenSomething();
    EXPECT_EQ(get_unused_fd_flags(0), 1);
    OpenSomething(O_RDWR | O_CLOEXEC);
    kptr<files_struct> copy = dup_fd(current->files);
    put_unused_fd(1);
    kptr<file> shared = fget(0);
    EXPECT_EQ(file_count(shared), 3);
    fput(shared);
    vfs.Process(
        "child",
        [&] {
          EXPECT_TRUE(get_close_on_exec(2));
          EXPECT_EQ(OpenSomething(), 1);
          do_close_on_exec(current->files);
          EXPECT_FALSE(fget(2));
          EXPECT_EQ(OpenSomething(), 2);
        },
        copy);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, ForkOfAGrownTable) {
  TestVfs vfs;
  vfs.Process("parent", [&] {
    OpenSomething();
    EXPECT_EQ(vfs.Call(__x64_sys_dup2, 0, 200), 200);
    kptr<files_struct> copy = dup_fd(current->files);
    EXPECT_EQ(copy->fdt->max_fds(), 201u);
    put_files_struct(copy);
    EXPECT_EQ(vfs.Call(__x64_sys_close, 200), 0);
    copy = dup_fd(current->files);
    EXPECT_EQ(copy->fdt->max_fds(), NR_OPEN_DEFAULT);
    put_files_struct(copy);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, FdgetTakesNoReferenceUnlessTheTableIsShared) {
  TestVfs vfs;
  vfs.Process("a", [&] {
    OpenSomething();
    const struct fd alone = fdget(0);
    EXPECT_EQ(alone.flags, 0u);
    EXPECT_EQ(file_count(alone.file), 1);
    fdput(alone);
    current->files->count = 2;
    const struct fd shared = fdget(0);
    EXPECT_EQ(shared.flags, FDPUT_FPUT);
    EXPECT_EQ(file_count(shared.file), 2);
    fdput(shared);
    current->files->count = 1;
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, FdgetPosLocksAPositionThatAnotherDescriptorCouldMove) {
  TestVfs vfs;
  vfs.Process("a", [&] {
    fd_install(static_cast<unsigned>(get_unused_fd_flags(0)),
               filp_open("/file", O_RDWR | O_CREAT, 0600));
    const struct fd alone = fdget_pos(0);
    EXPECT_EQ(alone.flags, 0u);
    fdput_pos(alone);
    EXPECT_EQ(vfs.Call(__x64_sys_dup, 0), 1);
    const struct fd two = fdget_pos(0);
    EXPECT_EQ(two.flags, FDPUT_POS_UNLOCK);
    EXPECT_TRUE(mutex_is_locked(&two.file->f_pos_lock));
    fdput_pos(two);
    vfs.Call(__x64_sys_close, 1);
    do_unlinkat(AT_FDCWD, getname_kernel("/file"));
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(File, InstallAtPutsAFileWhereARecordingHadIt) {
  TestVfs vfs;
  vfs.Process("a", [&] {
    kptr<file> file = anon_inode_getfile("[test]", &kNoOperations, {}, O_RDWR);
    EXPECT_EQ(InstallAt(77, file, O_CLOEXEC), 77);
    EXPECT_EQ(file_count(file), 1);
    EXPECT_TRUE(get_close_on_exec(77));
    EXPECT_EQ(OpenSomething(), 0);
    kptr<struct file> other = anon_inode_getfile("[test]", &kNoOperations, {}, O_RDWR);
    EXPECT_EQ(InstallAt(5000, other, 0), -EBADF);
    fput(other);
  });
  EXPECT_EQ(vfs.Run(), "");
}

// One thread looks descriptor 0 up while the other closes and opens it, on two CPUs in many orders.
TEST(File, LookingUpRacesWithClosing) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    TestVfs vfs(2, std::make_unique<SeededChooser>(seed, 4));
    vfs.Process("closer", [&] {
      OpenSomething();
      ++current->files->count;
      vfs.Process(
          "user",
          [&] {
            for (int i = 0; i < 10; ++i) {
              kptr<file> file = fget(0);
              if (!file) continue;
              EXPECT_GE(file_count(file), 1);
              fput(file);
              TestVfs::ReturnToUserMode();
            }
          },
          current->files);
      for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(vfs.Call(__x64_sys_close, 0), 0);
        TestVfs::ReturnToUserMode();
        EXPECT_EQ(OpenSomething(), 0);
      }
    });
    EXPECT_EQ(vfs.Run(), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace kpath
