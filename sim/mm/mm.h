// SPDX-License-Identifier: Apache-2.0
//
// The life of an address space. v4.19 kernel/fork.c (mm_alloc … mmdrop), mm/mmap.c: exit_mmap
//
//   exec:  kptr<mm_struct> mm = mm_alloc();        ... activate_mm(mm) when the task takes it
//   fork:  kptr<mm_struct> mm = dup_mm(current->mm);
//   exit:  if (mmput_testzero(mm)) { exit_aio(mm); exit_mmap(mm); mmdrop(mm); }
//
// mmput itself is in sim/process: it calls upwards into fs/aio.c.
//
// Context: process.
//
// Invariants
//   1. An mm that is freed has no areas, no page table entries and counts none (reported:
//   check_mm).
#pragma once

#include "sim/mm/mm_types.h"

namespace kpath {

// v4.19 kernel/fork.c: mm_alloc. An empty mm with one user. Null: out of memory.
kptr<mm_struct> mm_alloc();

// v4.19 kernel/fork.c: dup_mm. A copy for fork: shared areas refer to the same pages, private ones
// to copies; areas with VM_DONTCOPY are left out. An error pointer: -ENOMEM, -EINTR.
kptr<mm_struct> dup_mm(kptr<mm_struct> oldmm);

inline void mmget(kptr<mm_struct> mm) { ++mm->mm_users; }
// Takes a user away; true if it was the last one, who must then end the mm.
inline bool mmput_testzero(kptr<mm_struct> mm) { return --mm->mm_users == 0; }
inline void mmgrab(kptr<mm_struct> mm) { ++mm->mm_count; }
// v4.19 include/linux/sched/mm.h: mmdrop. The last one frees the mm_struct.
void mmdrop(kptr<mm_struct> mm);

// v4.19 mm/mmap.c: exit_mmap. Unmaps everything. REQUIRES: there is no user any more.
void exit_mmap(kptr<mm_struct> mm);

// v4.19 arch/x86/include/asm/mmu_context.h: activate_mm. The current task's mm is from now on `mm`
// (null: none, as in a kernel thread), and its CPU uses that page table.
void activate_mm(kptr<mm_struct> mm);

// Installs sim/mm in a machine: hooks of the scheduler and of sim/vfs, the wait table of the page
// cache, the mount of shared memory. Called once, by Boot, after sched_init and the set-up of
// sim/vfs.
void mm_init(Machine& machine);

// ---- Replay ----
// Where the program break begins. REQUIRES: brk has not been called in this mm.
void SetBrk(kptr<mm_struct> mm, unsigned long addr);

}  // namespace kpath
