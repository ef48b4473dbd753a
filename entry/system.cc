// SPDX-License-Identifier: Apache-2.0
//
// class System of boot.h: what a run left behind.
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "entry/boot.h"
#include "sim/kernel/lockdep.h"
#include "sim/kernel/rcu.h"
#include "sim/kernel/workqueue.h"
#include "sim/vfs/block_dev/block_dev.h"
#include "sim/vfs/dcache.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/fs.h"
#include "sim/vfs/shmem_dir.h"

namespace kpath {
namespace {

std::unique_ptr<Chooser> MakeChooser(const SystemOptions& options) {
  if (!options.seed.has_value()) return nullptr;
  return std::make_unique<SeededChooser>(*options.seed);
}

// Takes all names below `directory` out of the tree, as unlink and rmdir do.
void RemoveNames(kptr<dentry> directory) {
  kptr<inode> dir = directory->d_inode;
  while (!directory->d_subdirs.empty()) {
    kptr<dentry> entry = directory->d_subdirs.begin()->second;
    const bool is_directory = S_ISDIR(entry->d_inode->i_mode);
    if (is_directory) RemoveNames(entry);
    is_directory ? dir->i_op->rmdir(dir, entry) : dir->i_op->unlink(dir, entry);
    d_delete(entry);
  }
}

// v4.19 fs/super.c: the parts of generic_shutdown_super and kill_block_super for what came to a
// file system after the boot.
void ShutDown(kptr<super_block> sb) {
  if (sb->s_dio_done_wq) destroy_workqueue(sb->s_dio_done_wq);
  sb->s_dio_done_wq = nullptr;
  if (sb->s_bdev != nullptr) blkdev_put(sb->s_bdev);
  sb->s_bdev = nullptr;
}

size_t PagesWithoutStacks(Machine& machine) {
  return machine.memory.pages_in_use() - (AllTasks(machine).size() << THREAD_SIZE_ORDER);
}

// The lines of `after` that `before` does not have.
std::string NewLines(const std::string& before, const std::string& after) {
  const std::set<std::string> known = absl::StrSplit(before, '\n');
  std::string text;
  for (absl::string_view line : absl::StrSplit(after, '\n')) {
    if (known.count(std::string(line)) == 0) absl::StrAppend(&text, line, "\n");
  }
  return text;
}

}  // namespace

System::System(const SystemOptions& options) : machine_(options.cpus, MakeChooser(options)) {
  machine_.SetSlice(options.slice);
  Boot(machine_, {.x32 = options.x32, .devices = options.devices, .mounts = options.mounts});
  process_hooks.Get(machine_).process_ended = [this](const task_struct* leader, int exit_code) {
    exit_statuses_[leader->pid] = exit_code;
  };
  EnterMachine enter(machine_);
  pages_at_boot_ = PagesWithoutStacks(machine_);
  objects_at_boot_ = DescribeLeaks({"worker"});
}

task_struct* System::Start(const std::string& comm, user::Code program, StartOptions options) {
  return StartProcess(machine_, comm, user::Program(std::move(program)), std::move(options));
}

std::string System::RunUntilIdle() {
  return machine_.Run() == Machine::Outcome::kReport ? machine_.report() : "";
}

std::string System::Run() {
  const std::string report = RunUntilIdle();
  if (!report.empty()) return report;
  {
    EnterMachine enter(machine_);
    const std::string hung = DescribeHungTasks(machine_);
    if (!hung.empty()) return hung;
  }
  return Shutdown();
}

std::string System::Shutdown() {
  {
    EnterMachine enter(machine_);
    task_struct* task = NewKernelThread(machine_, "shutdown", [] {
      for (const kptr<vfsmount>& mnt : AllMounts()) {
        RemoveNames(mnt->mnt_root);
        ShutDown(mnt->mnt_sb);
      }
      RemoveNames(root_path().dentry);
      flush_delayed_fput();
      synchronize_rcu();
      do_task_dead();
    });
    wake_up_new_task(task);
  }
  const std::string report = RunUntilIdle();
  if (!report.empty()) return report;
  EnterMachine enter(machine_);
  return DescribeRemains();
}

std::string System::DescribeRemains() {
  std::string text;
  for (const task_struct* task : AllTasks(machine_)) {
    const std::string who = absl::StrCat(task->comm, ":", task->pid);
    const std::string locks = DescribeHeldLocks(task);
    if (!locks.empty()) absl::StrAppend(&text, "BUG: ", who, " still has locks held!\n", locks);
    if ((task->flags & PF_KTHREAD) == 0) {
      absl::StrAppend(&text, "BUG: task ", who, " remains at shutdown\n");
    }
  }
  absl::StrAppend(&text, NewLines(objects_at_boot_, DescribeLeaks({"worker"})));
  const size_t pages = PagesWithoutStacks(machine_);
  if (pages != pages_at_boot_) {
    absl::StrAppend(&text, "BUG: ", pages, " pages in use at shutdown, ", pages_at_boot_,
                    " at boot\n");
  }
  return text;
}

absl::optional<int> System::ExitStatus(int pid) const {
  const auto found = exit_statuses_.find(pid);
  if (found == exit_statuses_.end()) return absl::nullopt;
  return found->second;
}

}  // namespace kpath
