// SPDX-License-Identifier: Apache-2.0
//
// A machine with sim/kernel, sim/vfs and sim/mm, and tasks that have user memory, for unit tests.
// Pages are there when they are mapped with MAP_POPULATE; an access to one that is not is -EFAULT,
// as page faults are the business of entry/fault.h, which a test may install.
//
//   TestMm mm;
//   mm.SpawnProcess("a", [] { ... vm_mmap_pgoff(...) ... put_user(...) ... });
//   EXPECT_EQ(mm.Run(), "");   // no report, no task that hangs, no page, area or mm left
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sim/kernel/extable.h"
#include "sim/kernel/report.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/test_kernel.h"
#include "sim/mm/mm.h"
#include "sim/mm/mmap.h"
#include "sim/mm/shmem.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/shmem_dir.h"

namespace kpath {

class TestMm {
 public:
  explicit TestMm(int cpus = 1, std::unique_ptr<Chooser> chooser = nullptr)
      : kernel(cpus, std::move(chooser)), machine(kernel.machine) {
    {
      EnterMachine enter(machine);
      vfs_caches_init();
    }
    mm_init(machine);
    for (int id = 0; id < cpus; ++id) {
      machine.cpu(id).idt[X86_TRAP_PF] = {.handler = FixUp, .name = "page_fault"};
    }
  }

  // A task that runs `body` with `mm`, whose user it becomes (null: with an empty one), and ends.
  task_struct* SpawnProcess(const std::string& comm, std::function<void()> body,
                            kptr<mm_struct> mm = nullptr) {
    return kernel.Spawn(comm, [body = std::move(body), mm] {
      activate_mm(mm ? mm : mm_alloc());
      body();
      const kptr<mm_struct> used = current->mm;
      activate_mm(nullptr);
      if (mmput_testzero(used)) {
        exit_mmap(used);
        mmdrop(used);
      }
      task_work_run();
    });
  }

  // Runs to the end. Returns the kernel's report, or what hangs, or which objects of sim/mm are
  // left; empty: all is well.
  std::string Run() {
    const std::string report = kernel.Run();
    if (!report.empty()) return report;
    EnterMachine enter(machine);
    std::string leaks;
    for (absl::string_view line : absl::StrSplit(DescribeLeaks({}), '\n')) {
      for (const char* cache : {"BUG page:", "BUG vm_area_struct:", "BUG mm_struct:"}) {
        if (absl::StartsWith(line, cache)) absl::StrAppend(&leaks, line, "\n");
      }
    }
    return leaks;
  }

  TestKernel kernel;
  Machine& machine;

 private:
  static void FixUp(Cpu& cpu) {
    RunExceptionHandler(cpu, [](pt_regs* regs, unsigned long) {
      if (fixup_exception(regs, X86_TRAP_PF) == 0) Report("BUG: a page fault without a fixup");
    });
  }
};

// Calls a system call as its entry of sys_call_table does.
template <typename... Args>
long Call(long (*entry)(const pt_regs*), Args... args) {
  const unsigned long values[6] = {static_cast<unsigned long>(args)...};
  pt_regs regs = {};
  regs.di = values[0];
  regs.si = values[1];
  regs.dx = values[2];
  regs.r10 = values[3];
  regs.r8 = values[4];
  regs.r9 = values[5];
  return entry(&regs);
}

long __x64_sys_mmap(const pt_regs* regs);
long __x64_sys_munmap(const pt_regs* regs);
long __x64_sys_mprotect(const pt_regs* regs);
long __x64_sys_mremap(const pt_regs* regs);
long __x64_sys_brk(const pt_regs* regs);
long __x64_sys_madvise(const pt_regs* regs);

// Private anonymous memory of the current process, where the kernel likes; `prot` PROT_*.
inline unsigned long MapAnonymous(unsigned long bytes, unsigned long prot = PROT_READ | PROT_WRITE,
                                  unsigned long flags = 0, unsigned long addr = 0) {
  return vm_mmap_pgoff(nullptr, addr, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, 0);
}

// The areas of the current process, "start-end" in hex, lowest first.
inline std::string Areas() {
  std::string text;
  for (const auto& [start, vma] : current->mm->mmap) {
    absl::StrAppend(&text, text.empty() ? "" : " ", absl::Hex(vma->vm_start), "-",
                    absl::Hex(vma->vm_end));
  }
  return text;
}

}  // namespace kpath
