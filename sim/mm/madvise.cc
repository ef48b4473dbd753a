// SPDX-License-Identifier: Apache-2.0
//
// Advice about the use of memory. v4.19 mm/madvise.c
//
// Departs: MADV_DONTNEED and the advice about fork are carried out; what only concerns read-ahead,
// huge pages and core dumps is accepted and changes nothing.
#include <algorithm>

#include "sim/kernel/syscalls.h"
#include "sim/mm/memory.h"
#include "sim/mm/mmap.h"

namespace kpath {
namespace {

// v4.19 mm/madvise.c: madvise_behavior_valid
bool madvise_behavior_valid(int behavior) {
  switch (behavior) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_DONTNEED:
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
      return true;
    default:
      return false;
  }
}

// v4.19 mm/madvise.c: madvise_vma. For the part [start, end) of one area.
int madvise_vma(kptr<vm_area_struct> vma, unsigned long start, unsigned long end, int behavior) {
  FUNCTION(vma, Value::Address(start), Value::Address(end), behavior);
  if (behavior == MADV_DONTNEED) {
    if ((vma->vm_flags & (VM_LOCKED | VM_PFNMAP)) != 0) {
      return fn.Return(Fail(EINVAL, "MADV_DONTNEED on a locked area"));
    }
    zap_page_range(vma, start, end - start);
    return fn.Return(0);
  }
  if (behavior != MADV_DONTFORK && behavior != MADV_DOFORK) return fn.Return(0);
  if (start != vma->vm_start) {
    const int error = __split_vma(vma->vm_mm, vma, start, 1);
    if (error != 0) return fn.Return(error);
  }
  if (end != vma->vm_end) {
    const int error = __split_vma(vma->vm_mm, vma, end, 0);
    if (error != 0) return fn.Return(error);
  }
  if (behavior == MADV_DONTFORK) vma->vm_flags |= VM_DONTCOPY;
  if (behavior == MADV_DOFORK) vma->vm_flags &= ~VM_DONTCOPY;
  MergeWithNeighbours(vma);
  return fn.Return(0);
}

// The areas in [start, end); a hole is an error that does not keep the rest from being advised.
int AdviseAreas(kptr<mm_struct> mm, unsigned long start, unsigned long end, int behavior) {
  int unmapped_error = 0;
  while (start < end) {
    const kptr<vm_area_struct> vma = find_vma_intersection(mm, start, end);
    if (!vma) return Fail(ENOMEM, "nothing is mapped at $0", Value::Address(start));
    if (vma->vm_start > start) {
      unmapped_error = Fail(ENOMEM, "nothing is mapped at $0", Value::Address(start));
      start = vma->vm_start;
    }
    const unsigned long to = std::min(vma->vm_end, end);
    const int error = madvise_vma(vma, start, to, behavior);
    if (error != 0) return error;
    start = to;
  }
  return unmapped_error;
}

}  // namespace

SYSCALL_DEFINE3(madvise, unsigned long, start, size_t, len_in, int, behavior) {
  if (!madvise_behavior_valid(behavior)) return Fail(EINVAL, "advice $0 is unknown", behavior);
  if (offset_in_page(start) != 0) {
    return Fail(EINVAL, "address $0 is not page aligned", Value::Address(start));
  }
  const unsigned long len = PAGE_ALIGN(len_in);
  if (len_in != 0 && len == 0) return Fail(EINVAL, "length $0 wraps", len_in);
  const unsigned long end = start + len;
  if (end < start) return Fail(EINVAL, "$0 + $1 bytes wraps", Value::Address(start), len);
  if (end == start) return 0;
  const kptr<mm_struct> mm = current->mm;
  if (down_write_killable(&mm->mmap_sem) != 0) return Fail(EINTR, "the task is being killed");
  const int error = AdviseAreas(mm, start, end, behavior);
  up_write(&mm->mmap_sem);
  return error;
}

}  // namespace kpath
