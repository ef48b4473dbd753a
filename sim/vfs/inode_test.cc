// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/inode.h"

#include <gtest/gtest.h>

#include "sim/kernel/timekeeping.h"
#include "sim/kernel/timer.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/namei.h"
#include "sim/vfs/open.h"
#include "sim/vfs/super.h"
#include "sim/vfs/test_vfs.h"

namespace kpath {
namespace {

constexpr int64_t kDay = 24 * 60 * 60;

// A process with a regular file "/f", its times far from now, which is removed at the end.
void WithFile(TestVfs& vfs, std::function<void(kptr<file>)> body) {
  vfs.Process("a", [body] {
    kptr<file> file = filp_open("/f", O_RDWR | O_CREAT, 0644);
    kptr<inode> inode = file_inode(file);
    inode->i_atime = inode->i_mtime = inode->i_ctime = {.tv_sec = 1000, .tv_nsec = 0};
    body(file);
    fput(file);
    do_unlinkat(AT_FDCWD, getname_kernel("/f"));
  });
  EXPECT_EQ(vfs.Run(), "");
}

timespec64 Now() {
  timespec64 now;
  ktime_get_coarse_real_ts64(&now);
  return now;
}

TEST(InodeTimes, RelatimeMovesAnAccessTimeThatIsNotLaterThanTheLastChange) {
  TestVfs vfs;
  WithFile(vfs, [](kptr<file> file) {
    kptr<inode> inode = file_inode(file);
    touch_atime(file->f_path);
    EXPECT_EQ(inode->i_atime, Now());
    EXPECT_EQ(inode->i_mtime.tv_sec, 1000);
    EXPECT_EQ(inode->i_ctime.tv_sec, 1000);
  });
}

TEST(InodeTimes, RelatimeKeepsALaterAccessTimeForADay) {
  TestVfs vfs;
  WithFile(vfs, [](kptr<file> file) {
    kptr<inode> inode = file_inode(file);
    const timespec64 recent = {.tv_sec = Now().tv_sec - kDay + 1, .tv_nsec = 0};
    inode->i_atime = recent;
    touch_atime(file->f_path);
    EXPECT_EQ(inode->i_atime, recent);
    inode->i_atime.tv_sec = Now().tv_sec - kDay;
    touch_atime(file->f_path);
    EXPECT_EQ(inode->i_atime, Now());
  });
}

TEST(InodeTimes, AChangeOfTheInodeAloneCountsToo) {
  TestVfs vfs;
  WithFile(vfs, [](kptr<file> file) {
    kptr<inode> inode = file_inode(file);
    inode->i_atime.tv_sec = Now().tv_sec - 5;
    inode->i_ctime = inode->i_atime;
    EXPECT_TRUE(atime_needs_update(file->f_path, inode));
    inode->i_ctime.tv_sec -= 1;
    EXPECT_FALSE(atime_needs_update(file->f_path, inode));
  });
}

TEST(InodeTimes, WithinOneTickNothingChanges) {
  TestVfs vfs;
  WithFile(vfs, [](kptr<file> file) {
    kptr<inode> inode = file_inode(file);
    inode->i_atime = inode->i_mtime = inode->i_ctime = Now();
    EXPECT_FALSE(atime_needs_update(file->f_path, inode));
    EXPECT_EQ(file_update_time(file), 0);
    EXPECT_EQ(inode->i_state & I_DIRTY, 0u);
    schedule_timeout_uninterruptible(2);
    EXPECT_TRUE(atime_needs_update(file->f_path, inode));
  });
}

TEST(InodeTimes, NoAccessTimesWhereTheyAreNotWanted) {
  TestVfs vfs;
  WithFile(vfs, [](kptr<file> file) {
    kptr<inode> inode = file_inode(file);
    const path& path = file->f_path;
    inode->i_flags |= S_NOATIME;
    EXPECT_FALSE(atime_needs_update(path, inode));
    inode->i_flags &= ~S_NOATIME;
    path.mnt->mnt_flags |= MNT_NOATIME;
    EXPECT_FALSE(atime_needs_update(path, inode));
    path.mnt->mnt_flags &= ~MNT_NOATIME;
    inode->i_sb->s_flags |= SB_NOATIME;
    EXPECT_FALSE(atime_needs_update(path, inode));
    inode->i_sb->s_flags &= ~SB_NOATIME;
    path.mnt->mnt_flags |= MNT_NODIRATIME;
    EXPECT_TRUE(atime_needs_update(path, inode));
    kptr<struct inode> root = path.mnt->mnt_root->d_inode;
    EXPECT_FALSE(atime_needs_update({.mnt = path.mnt, .dentry = path.mnt->mnt_root}, root));
    path.mnt->mnt_flags &= ~MNT_NODIRATIME;
    file->f_flags |= O_NOATIME;
    file_accessed(file);
    EXPECT_EQ(inode->i_atime.tv_sec, 1000);
  });
}

TEST(InodeTimes, AWriteMovesTheTimesOfChange) {
  TestVfs vfs;
  WithFile(vfs, [](kptr<file> file) {
    kptr<inode> inode = file_inode(file);
    EXPECT_EQ(file_update_time(file), 0);
    EXPECT_EQ(inode->i_mtime, Now());
    EXPECT_EQ(inode->i_ctime, Now());
    EXPECT_EQ(inode->i_atime.tv_sec, 1000);
    EXPECT_EQ(inode->i_state & I_DIRTY, I_DIRTY_SYNC);
    EXPECT_EQ(file->f_path.mnt->mnt_writers, 1);  // the file's own
  });
}

// The trees of calls recorded on 4.19.13, in io_submit_tmpfs_pread_512 and _pwrite_512.
TEST(InodeTimes, TheCallsAreThoseOfARealKernel) {
  const std::string kCurrentTime =
      "    current_time\n"
      "      ktime_get_coarse_real_ts64\n"
      "      timespec64_trunc\n";
  const std::vector<std::string> inlined = {"relatime_need_update", "update_time",
                                            "_raw_spin_unlock"};
  TestVfs vfs;
  CallRecorder reads(vfs.kernel.machine, "touch_atime");
  CallRecorder writes(vfs.kernel.machine, "file_update_time");
  WithFile(vfs, [&](kptr<file> file) {
    touch_atime(file->f_path);
    EXPECT_EQ(reads.Take(inlined),
              "touch_atime\n"
              "  atime_needs_update\n" +
                  kCurrentTime +
                  "  __sb_start_write\n"
                  "  __mnt_want_write\n"
                  "    __mnt_is_readonly\n"
                  "  current_time\n"
                  "    ktime_get_coarse_real_ts64\n"
                  "    timespec64_trunc\n"
                  "  generic_update_time\n"
                  "    __mark_inode_dirty\n"
                  "      _raw_spin_lock\n"
                  "  __mnt_drop_write\n"
                  "  __sb_end_write\n");
    touch_atime(file->f_path);
    EXPECT_EQ(reads.Take(inlined),
              "touch_atime\n"
              "  atime_needs_update\n" +
                  kCurrentTime);
    file_inode(file)->i_mtime = file_inode(file)->i_ctime = Now();
    file_update_time(file);
    EXPECT_EQ(writes.Take(inlined),
              "file_update_time\n"
              "  current_time\n"
              "    ktime_get_coarse_real_ts64\n"
              "    timespec64_trunc\n");
  });
}

TEST(InodeTimes, AReadOnlyMountKeepsItsTimes) {
  TestVfs vfs;
  WithFile(vfs, [](kptr<file> file) {
    file->f_path.mnt->mnt_flags |= MNT_READONLY;
    touch_atime(file->f_path);
    EXPECT_EQ(Why(), "EROFS: the mount is read-only");
    EXPECT_EQ(file_update_time(file), 0);
    EXPECT_EQ(file_inode(file)->i_mtime.tv_sec, 1000);
    EXPECT_EQ(file_inode(file)->i_atime.tv_sec, 1000);
    file->f_path.mnt->mnt_flags &= ~MNT_READONLY;
  });
}

TEST(InodeTimes, TimesAreCutToWhatTheFileSystemStores) {
  TestVfs vfs;
  vfs.Process("a", [] {
    const timespec64 time = {.tv_sec = 5, .tv_nsec = 123456789};
    EXPECT_EQ(timespec64_trunc(time, 1), time);
    EXPECT_EQ(timespec64_trunc(time, 1000).tv_nsec, 123456000);
    EXPECT_EQ(timespec64_trunc(time, 1000000000).tv_nsec, 0);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST(Inode, RemovePrivsRemembersThatThereIsNothingToRemove) {
  TestVfs vfs;
  CallRecorder calls(vfs.kernel.machine, "file_remove_privs");
  WithFile(vfs, [&](kptr<file> file) {
    EXPECT_EQ(file_remove_privs(file), 0);
    EXPECT_EQ(calls.Take(),
              "file_remove_privs\n  dentry_needs_remove_privs\n    should_remove_suid\n");
    EXPECT_EQ(file_remove_privs(file), 0);
    EXPECT_EQ(calls.Take(), "file_remove_privs\n");
  });
}

TEST(Inode, NumbersComeInBatchesOfEachCpu) {
  TestVfs vfs(2);
  uint64_t first[2] = {}, second[2] = {};
  for (int id = 0; id < 2; ++id) {
    task_struct* task = vfs.Process("a", [&, id] {
      first[id] = get_next_ino();
      second[id] = get_next_ino();
    });
    task->cpus_allowed = uint64_t{1} << id;
  }
  EXPECT_EQ(vfs.Run(), "");
  EXPECT_EQ(second[0], first[0] + 1);
  EXPECT_EQ(second[1], first[1] + 1);
  EXPECT_NE(first[0] / 1024, first[1] / 1024);
}

TEST(Inode, TheLastIputEvicts) {
  static int evicted;
  evicted = 0;
  static constexpr super_operations kOps = {.evict_inode = [](kptr<inode>) { ++evicted; }};
  TestVfs vfs;
  EnterMachine enter(vfs.kernel.machine);
  kptr<vfsmount> mnt = mount_pseudo("test", 1, &kOps);
  kptr<inode> inode = alloc_anon_inode(mnt->mnt_sb);
  ihold(inode);
  iput(inode);
  EXPECT_EQ(evicted, 0);
  iput(inode);
  EXPECT_EQ(evicted, 1);
  EXPECT_FALSE(inode.alive());
  iput(nullptr);
}

TEST(Super, AFrozenFileSystemKeepsWritersOut) {
  TestVfs vfs(2);
  std::string order;
  vfs.Process("freezer", [&] {
    kptr<super_block> sb = root_path().mnt->mnt_sb;
    EXPECT_EQ(thaw_super(sb), -EINVAL);
    EXPECT_EQ(freeze_super(sb), 0);
    EXPECT_EQ(freeze_super(sb), -EBUSY);
    EXPECT_EQ(sb_start_write_trylock(sb), 0);
    vfs.Process("writer", [&, sb] {
      sb_start_write(sb);
      order += "written ";
      sb_end_write(sb);
    });
    schedule_timeout_uninterruptible(3);
    order += "thawed ";
    EXPECT_EQ(thaw_super(sb), 0);
  });
  EXPECT_EQ(vfs.Run(), "");
  EXPECT_EQ(order, "thawed written ");
}

TEST(Super, FreezingWaitsForTheWritersThatAreThere) {
  TestVfs vfs;
  std::string order;
  vfs.Process("writer", [&] {
    kptr<super_block> sb = root_path().mnt->mnt_sb;
    sb_start_write(sb);
    vfs.Process("freezer", [&, sb] {
      EXPECT_EQ(freeze_super(sb), 0);
      order += "frozen ";
      EXPECT_EQ(thaw_super(sb), 0);
    });
    schedule_timeout_uninterruptible(3);
    order += "written ";
    sb_end_write(sb);
  });
  EXPECT_EQ(vfs.Run(), "");
  EXPECT_EQ(order, "written frozen ");
}

}  // namespace
}  // namespace kpath
