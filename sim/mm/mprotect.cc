// SPDX-License-Identifier: Apache-2.0
//
// Changing what may be done with pages. v4.19 mm/mprotect.c
#include <algorithm>

#include "sim/kernel/syscalls.h"
#include "sim/mm/mmap.h"
#include "sim/mm/tlb.h"

namespace kpath {
namespace {

// v4.19 mm/mprotect.c: change_protection. Pages that are there already get what the area now
// allows; a page that a private area may write is made writable by the next write.
void change_protection(kptr<vm_area_struct> vma, unsigned long start, unsigned long end) {
  FUNCTION(vma, Value::Address(start), Value::Address(end));
  const kptr<mm_struct> mm = vma->vm_mm;
  spin_lock(&mm->page_table_lock);
  for (unsigned long address = mm->page_table.NextMapped(start); address < end;
       address = mm->page_table.NextMapped(address + PAGE_SIZE)) {
    pte_t entry = *mm->page_table.Find(address);
    entry.prot = vma->vm_page_prot;
    mm->page_table.Set(address, entry);
  }
  spin_unlock(&mm->page_table_lock);
  flush_tlb_mm_range(mm, start, end);
}

// v4.19 mm/mprotect.c: mprotect_fixup. Gives [start, end) of the area new flags, splitting it where
// that is only a part. 0 or -ENOMEM. Departs: splits first and joins after, where Linux tries to do
// both in one step.
int mprotect_fixup(kptr<vm_area_struct> vma, unsigned long start, unsigned long end,
                   unsigned long newflags) {
  FUNCTION(vma, Value::Address(start), Value::Address(end), Value::Address(newflags));
  const kptr<mm_struct> mm = vma->vm_mm;
  const unsigned long oldflags = vma->vm_flags;
  if (newflags == oldflags) return fn.Return(0);
  if (start != vma->vm_start) {
    const int error = __split_vma(mm, vma, start, 1);
    if (error != 0) return fn.Return(error);
  }
  if (end != vma->vm_end) {
    const int error = __split_vma(mm, vma, end, 0);
    if (error != 0) return fn.Return(error);
  }
  vma->vm_flags = newflags;
  vma_set_page_prot(vma);
  change_protection(vma, start, end);
  const auto pages = static_cast<long>((end - start) >> PAGE_SHIFT);
  vm_stat_account(mm, oldflags, -pages);
  vm_stat_account(mm, newflags, pages);
  MergeWithNeighbours(vma);
  return fn.Return(0);
}

// Where mprotect begins: down to the start of a stack for PROT_GROWSDOWN. 0 or an errno.
int FindStart(kptr<vm_area_struct> vma, unsigned long grows, unsigned long end,
              unsigned long* start) {
  if (!vma) return Fail(ENOMEM, "nothing is mapped at $0 or above", Value::Address(*start));
  if (grows == PROT_GROWSDOWN) {
    if (vma->vm_start >= end) {
      return Fail(ENOMEM, "nothing is mapped at $0", Value::Address(*start));
    }
    *start = vma->vm_start;
    if ((vma->vm_flags & VM_GROWSDOWN) == 0) {
      return Fail(EINVAL, "PROT_GROWSDOWN on an area that does not grow down");
    }
    return 0;
  }
  if (vma->vm_start > *start) {
    return Fail(ENOMEM, "nothing is mapped at $0", Value::Address(*start));
  }
  if (grows == PROT_GROWSUP) return Fail(EINVAL, "PROT_GROWSUP on an area that does not grow up");
  return 0;
}

// The loop of do_mprotect_pkey over the areas in [start, end). Called with mmap_sem held.
int ProtectAreas(kptr<mm_struct> mm, unsigned long start, unsigned long end, unsigned long prot,
                 unsigned long grows) {
  kptr<vm_area_struct> vma = find_vma(mm, start);
  int error = FindStart(vma, grows, end, &start);
  if (error != 0) return error;
  constexpr unsigned long kAccess = VM_READ | VM_WRITE | VM_EXEC;
  while (true) {
    const unsigned long newflags = (prot & kAccess) | (vma->vm_flags & ~kAccess);
    if ((newflags & ~(newflags >> 4) & kAccess) != 0) {
      return Fail(EACCES, "prot $0 is more than the area at $1 may ever have (VM_MAY* $2)", prot,
                  Value::Address(vma->vm_start), (vma->vm_flags >> 4) & kAccess);
    }
    const unsigned long to = std::min(vma->vm_end, end);
    error = mprotect_fixup(vma, start, to, newflags);
    if (error != 0 || to >= end) return error;
    start = to;
    vma = find_vma(mm, start);
    if (!vma || vma->vm_start != start) {
      return Fail(ENOMEM, "nothing is mapped at $0", Value::Address(start));
    }
  }
}

// v4.19 mm/mprotect.c: do_mprotect_pkey
int do_mprotect_pkey(unsigned long start, size_t len, unsigned long prot) {
  FUNCTION(Value::Address(start), len, prot);
  const unsigned long grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
  prot &= ~grows;
  if (grows == (PROT_GROWSDOWN | PROT_GROWSUP)) {
    return fn.Return(Fail(EINVAL, "PROT_GROWSDOWN and PROT_GROWSUP together"));
  }
  if (offset_in_page(start) != 0) {
    return fn.Return(Fail(EINVAL, "address $0 is not page aligned", Value::Address(start)));
  }
  if (len == 0) return fn.Return(0);
  const unsigned long end = start + PAGE_ALIGN(len);
  if (end <= start)
    return fn.Return(Fail(ENOMEM, "$0 + $1 bytes wraps", Value::Address(start), len));
  if ((prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM)) != 0) {
    return fn.Return(Fail(EINVAL, "prot $0 has unknown bits", Value::Address(prot)));
  }
  const kptr<mm_struct> mm = current->mm;
  if (down_write_killable(&mm->mmap_sem) != 0) {
    return fn.Return(Fail(EINTR, "the task is being killed"));
  }
  const int error = ProtectAreas(mm, start, end, prot, grows);
  up_write(&mm->mmap_sem);
  return fn.Return(error);
}

}  // namespace

SYSCALL_DEFINE3(mprotect, unsigned long, start, size_t, len, unsigned long, prot) {
  return do_mprotect_pkey(start, len, prot);
}

}  // namespace kpath
