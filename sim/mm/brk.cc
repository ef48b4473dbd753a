// SPDX-License-Identifier: Apache-2.0
//
// The program break, and stacks that grow. v4.19 mm/mmap.c
#include "sim/kernel/resource.h"
#include "sim/kernel/syscalls.h"
#include "sim/mm/mmap.h"

namespace kpath {
namespace {

// v4.19 mm/mmap.c: do_brk_flags. 0 or a negative errno.
int do_brk_flags(unsigned long addr, unsigned long len) {
  FUNCTION(Value::Address(addr), len);
  const kptr<mm_struct> mm = current->mm;
  const unsigned long place = get_unmapped_area(nullptr, addr, len, 0, MAP_FIXED);
  if (offset_in_page(place) != 0) return fn.Return(static_cast<int>(place));
  if (mm->map_count > sysctl_max_map_count) {
    return fn.Return(Fail(ENOMEM, "$0 areas, at most $1", mm->map_count, sysctl_max_map_count));
  }
  const unsigned long flags =
      VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_ACCOUNT | mm->def_flags;
  const unsigned long at = mmap_region(nullptr, addr, len, flags, addr >> PAGE_SHIFT, nullptr);
  return fn.Return(IS_ERR_VALUE(at) ? static_cast<int>(at) : 0);
}

// Moves the break from its present page to the page `newbrk`. Called with mmap_sem held.
int MoveBreak(kptr<mm_struct> mm, unsigned long brk) {
  const unsigned long newbrk = PAGE_ALIGN(brk);
  const unsigned long oldbrk = PAGE_ALIGN(mm->brk);
  if (newbrk == oldbrk) return 0;
  if (brk <= mm->brk) return do_munmap(mm, newbrk, oldbrk - newbrk, nullptr);
  if (find_vma_intersection(mm, oldbrk, newbrk + PAGE_SIZE)) {
    return Fail(ENOMEM, "another area is in the way of the break at $0", Value::Address(newbrk));
  }
  return do_brk_flags(oldbrk, newbrk - oldbrk);
}

}  // namespace

int expand_stack(kptr<vm_area_struct> vma, unsigned long address) {
  FUNCTION(vma, Value::Address(address));
  const kptr<mm_struct> mm = vma->vm_mm;
  address &= PAGE_MASK;
  if (address < mmap_min_addr) {
    return fn.Return(Fail(EPERM, "the stack cannot grow to $0", Value::Address(address)));
  }
  const unsigned long size = vma->vm_end - address;
  const unsigned long grow = (vma->vm_start - address) >> PAGE_SHIFT;
  if (size > rlimit(RLIMIT_STACK) || !may_expand_vm(mm, vma->vm_flags, grow)) {
    return fn.Return(
        Fail(ENOMEM, "a stack of $0 bytes is over its limit of $1", size, rlimit(RLIMIT_STACK)));
  }
  const kptr<vm_area_struct> prev = vma_prev(vma);
  if (prev && prev->vm_end > address) {
    return fn.Return(
        Fail(ENOMEM, "the stack would grow into the area at $0", Value::Address(prev->vm_start)));
  }
  vma_adjust(vma, address, vma->vm_end, vma->vm_pgoff - grow);
  vm_stat_account(mm, vma->vm_flags, static_cast<long>(grow));
  return fn.Return(0);
}

// A break that cannot be moved stays: the result is where it is, never an errno but -EINTR.
SYSCALL_DEFINE1(brk, unsigned long, brk) {
  const kptr<mm_struct> mm = current->mm;
  if (down_write_killable(&mm->mmap_sem) != 0) return Fail(EINTR, "the task is being killed");
  const bool within_limit =
      rlimit(RLIMIT_DATA) == RLIM_INFINITY || brk - mm->start_brk <= rlimit(RLIMIT_DATA);
  if (brk >= mm->start_brk && within_limit && MoveBreak(mm, brk) == 0) mm->brk = brk;
  const unsigned long ret = mm->brk;
  up_write(&mm->mmap_sem);
  return static_cast<long>(ret);
}

}  // namespace kpath
