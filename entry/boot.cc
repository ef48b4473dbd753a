// SPDX-License-Identifier: Apache-2.0
#include "entry/boot.h"

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "entry/common.h"
#include "entry/common_32.h"
#include "entry/entry_64.h"
#include "entry/fault.h"
#include "entry/idt.h"
#include "entry/ptrace.h"
#include "fs_aio/aio.h"
#include "sim/block/blk_plug.h"
#include "sim/kernel/init.h"
#include "sim/kernel/report.h"
#include "sim/machine/check.h"
#include "sim/mm/mm.h"
#include "sim/process/signal.h"
#include "sim/user/control.h"
#include "sim/vfs/block_dev/block_dev.h"
#include "sim/vfs/disk/direct_io.h"
#include "sim/vfs/ext2/ext2.h"
#include "sim/vfs/namei.h"
#include "sim/vfs/shmem_dir.h"

namespace kpath {
namespace {

// v4.19 arch/x86/entry/entry_64.S: the end of ret_from_fork
void ReturnToUserMode() {
  syscall_return_slowpath(task_pt_regs(current));
  assembly::swapgs_restore_regs_and_return_to_usermode.run(*current->cpu);
}

// A report of the hardware (no memory at an address) does not know who was running.
std::string Decorate(const std::string& report) {
  if (absl::StrContains(report, "Call Trace:")) return report;
  std::string text =
      absl::StrCat(report, "\nPID: ", current->pid, " Comm: ", current->comm, "\nCall Trace:");
  for (const std::string& name : CallTrace()) absl::StrAppend(&text, "\n ", name);
  return text;
}

// What a child begins with; a signal may have come before its first instruction.
user::Code ProgramAt(Machine& machine, uint64_t ip) {
  user::Code code = user::CodeAt(machine, ip);
  if (!code) return code;
  return [ip, code = std::move(code)] {
    user::ComeBackTo(ip);
    code();
  };
}

void RaiseFault(int signo, int code, unsigned long address) {
  siginfo_t info = {};
  info.si_signo = signo;
  info.si_code = code;
  info.si_addr = reinterpret_cast<void*>(address);  // the program's, never followed here
  force_sig_info(signo, &info, current);
}

void JoinTheParts(Machine& machine) {
  process_hooks->return_to_user_mode = ReturnToUserMode;
  process_hooks->program_at = [&machine](uint64_t ip) { return ProgramAt(machine, ip); };
  process_hooks->arch_ptrace = arch_ptrace;
  process_hooks->genregs_get = genregs_get;
  process_hooks->genregs_set = genregs_set;
  process_hooks->user_enable_single_step = user_enable_single_step;
  process_hooks->user_disable_single_step = user_disable_single_step;
  process_hooks->exit_aio = exit_aio;
  fault_hooks->force_sig_fault = RaiseFault;
  signals_init();
  vdso_image_32->int80_landing_pad = user::kInt80LandingPad;
  vdso_image_32->sym___kernel_sigreturn = user::kVdsoSigreturn;
  vdso_image_32->sym___kernel_rt_sigreturn = user::kVdsoRtSigreturn;
  machine.decorate_report = Decorate;
}

void MakeTree() {
  const int error = kern_mkdir("/tmp", 01777);
  KPATH_CHECK(error == 0, absl::StrCat("mkdir /tmp: ", error));
}

void AddDevices(const std::vector<DeviceOptions>& devices) {
  for (const DeviceOptions& options : devices) {
    const gendisk* disk = AddDisk(options);
    KPATH_CHECK(disk != nullptr, absl::StrCat(options.path, ": no driver ", options.driver));
    const int error = MakeBlockNode(options.path, MKDEV(disk->major, disk->first_minor));
    KPATH_CHECK(error == 0, absl::StrCat(options.path, ": ", error));
  }
}

// Makes the directory and those above it.
void MakeDirectories(const std::string& path) {
  for (size_t slash = path.find('/', 1); true; slash = path.find('/', slash + 1)) {
    const int error = kern_mkdir(path.substr(0, slash), 0755);
    KPATH_CHECK(error == 0 || error == -EEXIST, absl::StrCat("mkdir ", path, ": ", error));
    if (slash == std::string::npos) return;
  }
}

// `mnt` is the root file system from now on; the directories that were in the root, in memory, stay
// where they are.
void MountRoot(kptr<vfsmount> mnt) {
  const path before = root_path();
  const std::map<std::string, kptr<dentry>> directories(before.dentry->d_subdirs.begin(),
                                                        before.dentry->d_subdirs.end());
  int error = mnt_attach(mnt, before);
  KPATH_CHECK(error == 0, absl::StrCat("mount on /: ", error));
  ChangeRoot(mnt);
  for (const auto& [name, directory] : directories) {
    const std::string place = absl::StrCat("/", name);
    MakeDirectories(place);
    path mountpoint;
    error = kern_path(place, LOOKUP_DIRECTORY, &mountpoint);
    if (error == 0) error = mnt_attach(clone_mnt(before.mnt, directory), mountpoint);
    KPATH_CHECK(error == 0, absl::StrCat("mount on ", place, ": ", error));
  }
}

// v4.19 fs/namespace.c: do_mount. REQUIRES: all of it can be done; scenarios are checked before.
void Mount(const MountOptions& options) {
  if (options.directory != "/") MakeDirectories(options.directory);
  block_device* bdev = nullptr;
  int error = blkdev_get_by_path(options.device, FMODE_READ | FMODE_WRITE, &bdev);
  KPATH_CHECK(error == 0, absl::StrCat(options.device, ": ", error));
  const kptr<vfsmount> mnt = ext2_mount(bdev, options.device.c_str());
  KPATH_CHECK(!IS_ERR(mnt), absl::StrCat(options.device, " cannot be mounted"));
  if (options.directory == "/") {
    MountRoot(mnt);
    return;
  }
  path mountpoint;
  error = kern_path(options.directory, LOOKUP_DIRECTORY, &mountpoint);
  if (error == 0) error = mnt_attach(mnt, mountpoint);
  KPATH_CHECK(error == 0, absl::StrCat("mount on ", options.directory, ": ", error));
}

}  // namespace

void Boot(Machine& machine, const BootOptions& options) {
  InitKernel(machine);
  EnterMachine enter(machine);
  vfs_caches_init();
  mm_init(machine);
  blk_init();
  bdev_cache_init();
  aio_setup();
  if (!options.x32) DisableX32();
  for (int id = 0; id < machine.cpus(); ++id) {
    syscall_init(machine.cpu(id));
    interrupt_stacks_init(machine.cpu(id));
    idt_setup(machine.cpu(id));
  }
  JoinTheParts(machine);
  MakeTree();
  AddDevices(options.devices);
  if (!options.mounts.empty()) dio_init();
  for (const MountOptions& mount : options.mounts) Mount(mount);
}

}  // namespace kpath
