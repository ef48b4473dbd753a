// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/file_table.h"

#include <gtest/gtest.h>

#include "sim/kernel/timer.h"
#include "sim/vfs/test_vfs.h"

namespace kpath {
namespace {

int releases = 0;

int CountRelease(kptr<inode>, kptr<file>) {
  ++releases;
  return 0;
}

constexpr file_operations kCounting = {.name = "kCounting", .release = CountRelease};

// Fails the n-th allocation that is asked for, counted from 0.
class FailOne : public Chooser {
 public:
  explicit FailOne(int n) : left_(n) {}
  int Choose(uint64_t, ChoiceKind kind, int) override {
    return kind == ChoiceKind::kFailAlloc && left_-- == 0 ? 1 : 0;
  }

 private:
  int left_;
};

class FileTable : public ::testing::Test {
 protected:
  void SetUp() override {
    releases = 0;
    EnterMachine enter(vfs.kernel.machine);
    mnt = mount_pseudo("test", 0x7e57);
    vfs.AllIsWell();
  }

  kptr<file> Open() {
    kptr<inode> inode = alloc_anon_inode(mnt->mnt_sb);
    return alloc_file_pseudo(inode, mnt, "[test]", O_RDWR, &kCounting);
  }

  TestVfs vfs;
  kptr<vfsmount> mnt;
};

TEST_F(FileTable, APseudoFileIsOpen) {
  vfs.Process("a", [&] {
    kptr<file> file = Open();
    EXPECT_EQ(file->f_mode & (FMODE_READ | FMODE_WRITE | FMODE_OPENED),
              FMODE_READ | FMODE_WRITE | FMODE_OPENED);
    EXPECT_EQ(file->f_mode & (FMODE_CAN_READ | FMODE_CAN_WRITE), 0u);
    EXPECT_EQ(d_path(file->f_path), "anon_inode:[test]");
    EXPECT_TRUE(file->f_mapping->host == file->f_inode);
    EXPECT_EQ(file->f_inode->i_mode, 0600);
    fput(file);
  });
  EXPECT_EQ(vfs.Run(), "");
}

// The tree of calls recorded on 4.19.13 when io_setup makes its ring file.
TEST_F(FileTable, TheCallsAreThoseOfARealKernel) {
  CallRecorder inode_calls(vfs.kernel.machine, "alloc_anon_inode");
  CallRecorder file_calls(vfs.kernel.machine, "alloc_file_pseudo");
  vfs.Process("a", [&] { fput(Open()); });
  EXPECT_EQ(vfs.Run(), "");
  EXPECT_EQ(inode_calls.Take({"_raw_spin_unlock"}),
            "alloc_anon_inode\n"
            "  new_inode_pseudo\n"
            "    alloc_inode\n"
            "      kmem_cache_alloc\n"
            "      inode_init_always\n"
            "        __init_rwsem\n"
            "    _raw_spin_lock\n"
            "  get_next_ino\n"
            "  current_time\n"
            "    ktime_get_coarse_real_ts64\n"
            "    timespec64_trunc\n");
  EXPECT_EQ(file_calls.Take({"_raw_spin_unlock"}),
            "alloc_file_pseudo\n"
            "  d_alloc_pseudo\n"
            "    __d_alloc\n"
            "      kmem_cache_alloc\n"
            "      d_set_d_op\n"
            "  d_set_d_op\n"
            "  mntget\n"
            "  d_instantiate\n"
            "    _raw_spin_lock\n"
            "    __d_instantiate\n"
            "      d_flags_for_inode\n"
            "      _raw_spin_lock\n"
            "  alloc_file\n"
            "    alloc_empty_file\n"
            "      __alloc_file\n"
            "        kmem_cache_alloc\n"
            "        __mutex_init\n");
}

TEST_F(FileTable, TheLastFputClosesAtTheReturnToUserMode) {
  vfs.Process("a", [&] {
    kptr<file> file = Open();
    get_file(file);
    fput(file);
    TestVfs::ReturnToUserMode();
    EXPECT_EQ(releases, 0);
    fput(file);
    EXPECT_EQ(releases, 0);
    EXPECT_TRUE(test_thread_flag(TIF_NOTIFY_RESUME));
    TestVfs::ReturnToUserMode();
    EXPECT_EQ(releases, 1);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST_F(FileTable, TheLastFputOfAKernelThreadClosesOneJiffyLater) {
  vfs.Process("a", [&] {
    kptr<file> first = Open(), second = Open();
    task_struct* thread = NewKernelThread(*current->machine, "kthread", [=] {
      const unsigned long start = jiffies;
      fput(first);
      fput(second);
      EXPECT_EQ(releases, 0);
      while (releases == 0) schedule_timeout_uninterruptible(1);
      EXPECT_GE(jiffies - start, 1u);
      do_task_dead();
    });
    wake_up_new_task(thread);
  });
  EXPECT_EQ(vfs.Run(), "");
  EXPECT_EQ(releases, 2);
}

TEST_F(FileTable, FputInAnInterruptLeavesTheFileToAWorker) {
  vfs.Process("a", [&] {
    kptr<file> file = Open();
    current->preempt_count += HARDIRQ_OFFSET;
    fput(file);
    current->preempt_count -= HARDIRQ_OFFSET;
    EXPECT_EQ(releases, 0);
    EXPECT_TRUE(current->task_works.empty());
  });
  EXPECT_EQ(vfs.Run(), "");
  EXPECT_EQ(releases, 1);
}

TEST_F(FileTable, FlushDelayedFputDoesNotWait) {
  vfs.Process("a", [&] {
    kptr<file> file = Open();
    current->preempt_count += HARDIRQ_OFFSET;
    fput(file);
    current->preempt_count -= HARDIRQ_OFFSET;
    flush_delayed_fput();
    EXPECT_EQ(releases, 1);
  });
  EXPECT_EQ(vfs.Run(), "");
  EXPECT_EQ(releases, 1);
}

TEST_F(FileTable, FputSyncClosesInPlace) {
  vfs.Process("a", [&] {
    __fput_sync(Open());
    EXPECT_EQ(releases, 1);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST_F(FileTable, AFileThatFindsNoMemoryLeavesTheInodeWithTheCaller) {
  vfs.Process("a", [&] {
    kptr<inode> inode = alloc_anon_inode(mnt->mnt_sb);
    for (int n = 0; n < 2; ++n) {
      current->machine->SetChooser(std::make_unique<FailOne>(n));
      kptr<file> file = alloc_file_pseudo(inode, mnt, "[test]", O_RDWR, &kCounting);
      EXPECT_EQ(file.error(), ENOMEM);
      EXPECT_EQ(Why(), n == 0 ? "ENOMEM: no memory for a dentry" : "ENOMEM: no memory for a file");
      EXPECT_EQ(inode->i_count, 1);
    }
    current->machine->SetChooser(std::make_unique<FailOne>(0));
    EXPECT_EQ(alloc_anon_inode(mnt->mnt_sb).error(), ENOMEM);
    iput(inode);
  });
  EXPECT_EQ(vfs.Run(), "");
}

TEST_F(FileTable, AFileThatWasPutMayNotBeUsed) {
  vfs.Process("a", [&] {
    kptr<file> file = Open();
    fput(file);
    TestVfs::ReturnToUserMode();
    schedule_timeout_uninterruptible(5);  // more than a grace period
    file->f_pos = 1;
  });
  EXPECT_EQ(vfs.Run().substr(0, 26), "BUG: KASAN: use-after-free");
}

// RCU: the object outlives its last reference by a grace period.
TEST_F(FileTable, AReaderMayStillLookAtAFileThatIsBeingClosed) {
  vfs.Process("a", [&] {
    kptr<file> file = Open();
    rcu_read_lock();
    fput(file);
    rcu_read_unlock();
    task_work_run();
    rcu_read_lock();
    EXPECT_FALSE(get_file_rcu_many(file, 1));
    rcu_read_unlock();
  });
  EXPECT_EQ(vfs.Run(), "");
}

}  // namespace
}  // namespace kpath
