// SPDX-License-Identifier: Apache-2.0
//
// Moving and resizing areas. v4.19 mm/mremap.c
#include "sim/kernel/resource.h"
#include "sim/kernel/syscalls.h"
#include "sim/mm/memory.h"
#include "sim/mm/mmap.h"
#include "sim/mm/tlb.h"
#include "sim/vfs/file_table.h"

namespace kpath {
namespace {

// v4.19 mm/mmap.c: copy_vma. An area like `vma` at `addr`. Null: no memory, or it is not free
// there. Departs: it is not joined with a neighbour.
kptr<vm_area_struct> copy_vma(kptr<vm_area_struct> vma, unsigned long addr, unsigned long len,
                              pgoff_t pgoff) {
  FUNCTION(vma, Value::Address(addr), len, pgoff);
  const kptr<mm_struct> mm = vma->vm_mm;
  if (find_vma_links(mm, addr, addr + len) != 0) return nullptr;
  const kptr<vm_area_struct> new_vma = vm_area_dup(vma);
  if (!new_vma) return nullptr;
  new_vma->vm_start = addr;
  new_vma->vm_end = addr + len;
  new_vma->vm_pgoff = pgoff;
  if (new_vma->vm_file) get_file(new_vma->vm_file);
  if (new_vma->vm_ops != nullptr && new_vma->vm_ops->open != nullptr) {
    new_vma->vm_ops->open(new_vma);
  }
  vma_link(mm, new_vma);
  return fn.Return(new_vma);
}

// v4.19 mm/mremap.c: move_page_tables. Moves the entries of [old_addr, old_addr + len) to new_addr.
void move_page_tables(kptr<vm_area_struct> vma, unsigned long old_addr, unsigned long new_addr,
                      unsigned long len) {
  FUNCTION(vma, Value::Address(old_addr), Value::Address(new_addr), len);
  const kptr<mm_struct> mm = vma->vm_mm;
  spin_lock(&mm->page_table_lock);
  for (unsigned long at = mm->page_table.NextMapped(old_addr); at < old_addr + len;
       at = mm->page_table.NextMapped(at + PAGE_SIZE)) {
    const pte_t entry = mm->page_table.Clear(at);
    mm->page_table.Set(at - old_addr + new_addr, entry);
  }
  spin_unlock(&mm->page_table_lock);
  flush_tlb_mm_range(mm, old_addr, old_addr + len);
}

// v4.19 mm/mremap.c: move_vma. Returns the new address or a negative errno.
unsigned long move_vma(kptr<vm_area_struct> vma, unsigned long old_addr, unsigned long old_len,
                       unsigned long new_len, unsigned long new_addr) {
  FUNCTION(vma, Value::Address(old_addr), old_len, new_len, Value::Address(new_addr));
  const kptr<mm_struct> mm = vma->vm_mm;
  if (mm->map_count >= sysctl_max_map_count - 3) {
    return ERR_VALUE(Fail(ENOMEM, "$0 areas, moving may need 3 more, at most $1", mm->map_count,
                          sysctl_max_map_count));
  }
  const unsigned long flags = vma->vm_flags;
  const kptr<vm_area_struct> new_vma =
      copy_vma(vma, new_addr, new_len, linear_page_index(vma, old_addr));
  if (!new_vma) {
    return ERR_VALUE(Fail(ENOMEM, "no memory for an area at $0", Value::Address(new_addr)));
  }
  move_page_tables(vma, old_addr, new_addr, old_len);
  int error = 0;
  if (vma->vm_ops != nullptr && vma->vm_ops->mremap != nullptr) {
    error = vma->vm_ops->mremap(new_vma);
  }
  unsigned long result = new_addr;
  if (error != 0) {
    STEP("moved back", error);
    move_page_tables(new_vma, new_addr, old_addr, old_len);
    old_addr = new_addr;
    old_len = new_len;
    result = ERR_VALUE(error);
  }
  vm_stat_account(mm, flags, static_cast<long>(new_len >> PAGE_SHIFT));
  if (old_len != 0) do_munmap(mm, old_addr, old_len, nullptr);
  return result;
}

// v4.19 mm/mremap.c: vma_to_resize. The area at `addr`, if it may be made `new_len` long; or an
// error pointer.
kptr<vm_area_struct> vma_to_resize(unsigned long addr, unsigned long old_len,
                                   unsigned long new_len) {
  FUNCTION(Value::Address(addr), old_len, new_len);
  const kptr<mm_struct> mm = current->mm;
  const kptr<vm_area_struct> vma = find_vma(mm, addr);
  if (!vma || vma->vm_start > addr) {
    return Fail(EFAULT, "$0 is not mapped", Value::Address(addr));
  }
  if (old_len == 0 && (vma->vm_flags & (VM_SHARED | VM_MAYSHARE)) == 0) {
    return Fail(EINVAL, "an old size of 0 duplicates a mapping, and this one is private");
  }
  if (old_len > vma->vm_end - addr) {
    return Fail(EFAULT, "old size $0 goes beyond the end of the area at $1", old_len,
                Value::Address(vma->vm_end));
  }
  if (new_len == old_len) return fn.Return(vma);
  const pgoff_t pgoff = linear_page_index(vma, addr);
  if (pgoff + (new_len >> PAGE_SHIFT) < pgoff) {
    return Fail(EINVAL, "page offset $0 + $1 bytes wraps", pgoff, new_len);
  }
  if ((vma->vm_flags & (VM_DONTEXPAND | VM_PFNMAP)) != 0) {
    return Fail(EFAULT, "the area at $0 must not grow (VM_DONTEXPAND)",
                Value::Address(vma->vm_start));
  }
  if (!may_expand_vm(mm, vma->vm_flags, (new_len - old_len) >> PAGE_SHIFT)) {
    return Fail(ENOMEM, "$0 pages are mapped, $1 more are over RLIMIT_AS of $2 bytes", mm->total_vm,
                (new_len - old_len) >> PAGE_SHIFT, rlimit(RLIMIT_AS));
  }
  return fn.Return(vma);
}

// Where a moved area may go: at `addr` if it is not 0, else anywhere.
unsigned long FindPlace(kptr<vm_area_struct> vma, unsigned long old_addr, unsigned long addr,
                        unsigned long len) {
  const unsigned long flags =
      ((vma->vm_flags & VM_MAYSHARE) != 0 ? MAP_SHARED : 0) | (addr != 0 ? MAP_FIXED : 0);
  return get_unmapped_area(vma->vm_file, addr, len, linear_page_index(vma, old_addr), flags);
}

// v4.19 mm/mremap.c: mremap_to
unsigned long mremap_to(unsigned long addr, unsigned long old_len, unsigned long new_addr,
                        unsigned long new_len) {
  FUNCTION(Value::Address(addr), old_len, Value::Address(new_addr), new_len);
  const kptr<mm_struct> mm = current->mm;
  if (offset_in_page(new_addr) != 0) {
    return ERR_VALUE(Fail(EINVAL, "new address $0 is not page aligned", Value::Address(new_addr)));
  }
  if (new_len > TASK_SIZE || new_addr > TASK_SIZE - new_len) {
    return ERR_VALUE(Fail(EINVAL, "new address $0 + $1 bytes is beyond the user address limit $2",
                          Value::Address(new_addr), new_len, Value::Address(TASK_SIZE)));
  }
  if (addr + old_len > new_addr && new_addr + new_len > addr) {
    return ERR_VALUE(Fail(EINVAL, "the old place $0 and the new one $1 overlap",
                          Value::Address(addr), Value::Address(new_addr)));
  }
  int error = do_munmap(mm, new_addr, new_len, nullptr);
  if (error != 0) return ERR_VALUE(error);
  if (old_len > new_len) {
    error = do_munmap(mm, addr + new_len, old_len - new_len, nullptr);
    if (error != 0) return ERR_VALUE(error);
    old_len = new_len;
  }
  const kptr<vm_area_struct> vma = vma_to_resize(addr, old_len, new_len);
  if (IS_ERR(vma)) return ERR_VALUE(PTR_ERR(vma));
  const unsigned long place = FindPlace(vma, addr, new_addr, new_len);
  if (offset_in_page(place) != 0) return place;
  return move_vma(vma, addr, old_len, new_len, new_addr);
}

// v4.19 mm/mremap.c: vma_expandable
bool vma_expandable(kptr<vm_area_struct> vma, unsigned long delta) {
  const unsigned long end = vma->vm_end + delta;
  if (end < vma->vm_end || end > TASK_SIZE) return false;
  const kptr<vm_area_struct> next = vma_next(vma);
  return !next || next->vm_start >= end;
}

// The part of mremap that makes an area longer.
unsigned long Grow(unsigned long addr, unsigned long old_len, unsigned long new_len,
                   unsigned long flags) {
  const kptr<vm_area_struct> vma = vma_to_resize(addr, old_len, new_len);
  if (IS_ERR(vma)) return ERR_VALUE(PTR_ERR(vma));
  if (old_len == vma->vm_end - addr && vma_expandable(vma, new_len - old_len)) {
    vma_adjust(vma, vma->vm_start, addr + new_len, vma->vm_pgoff);
    vm_stat_account(vma->vm_mm, vma->vm_flags,
                    static_cast<long>((new_len - old_len) >> PAGE_SHIFT));
    return addr;
  }
  if ((flags & MREMAP_MAYMOVE) == 0) {
    return ERR_VALUE(
        Fail(ENOMEM, "no room to grow at $0 without MREMAP_MAYMOVE", Value::Address(vma->vm_end)));
  }
  const unsigned long place = FindPlace(vma, addr, 0, new_len);
  if (offset_in_page(place) != 0) return place;
  return move_vma(vma, addr, old_len, new_len, place);
}

// v4.19 mm/mremap.c: the part of mremap under mmap_sem
unsigned long do_mremap(unsigned long addr, unsigned long old_len, unsigned long new_len,
                        unsigned long flags, unsigned long new_addr) {
  if ((flags & MREMAP_FIXED) != 0) return mremap_to(addr, old_len, new_addr, new_len);
  if (old_len < new_len) return Grow(addr, old_len, new_len, flags);
  if (old_len == new_len) return addr;
  const int error = do_munmap(current->mm, addr + new_len, old_len - new_len, nullptr);
  return error != 0 ? ERR_VALUE(error) : addr;
}

int check_flags(unsigned long addr, unsigned long new_len, unsigned long flags) {
  if ((flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE)) != 0) {
    return Fail(EINVAL, "flags $0 has unknown bits", Value::Address(flags));
  }
  if ((flags & MREMAP_FIXED) != 0 && (flags & MREMAP_MAYMOVE) == 0) {
    return Fail(EINVAL, "MREMAP_FIXED without MREMAP_MAYMOVE");
  }
  if (offset_in_page(addr) != 0) {
    return Fail(EINVAL, "address $0 is not page aligned", Value::Address(addr));
  }
  if (new_len == 0) return Fail(EINVAL, "new size is 0");
  return 0;
}

}  // namespace

SYSCALL_DEFINE5(mremap, unsigned long, addr, unsigned long, old_len, unsigned long, new_len,
                unsigned long, flags, unsigned long, new_addr) {
  const int error = check_flags(addr, PAGE_ALIGN(new_len), flags);
  if (error != 0) return error;
  const kptr<mm_struct> mm = current->mm;
  if (down_write_killable(&mm->mmap_sem) != 0) return Fail(EINTR, "the task is being killed");
  const unsigned long ret =
      do_mremap(addr, PAGE_ALIGN(old_len), PAGE_ALIGN(new_len), flags, new_addr);
  up_write(&mm->mmap_sem);
  return static_cast<long>(ret);
}

}  // namespace kpath
