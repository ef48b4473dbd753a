// SPDX-License-Identifier: Apache-2.0
//
// Finding a free place for an area. v4.19 mm/mmap.c, arch/x86/kernel/sys_x86_64.c,
// arch/x86/mm/mmap.c
#include <algorithm>

#include "sim/kernel/compat.h"
#include "sim/mm/mmap.h"
#include "sim/vfs/fs.h"

namespace kpath {
namespace {

// v4.19 mm/mmap.c: stack_guard_gap. Kept free below a stack.
constexpr unsigned long stack_guard_gap = 256 * PAGE_SIZE;

struct vm_unmapped_area_info {
  unsigned long length;
  unsigned long low_limit;
  unsigned long high_limit;
};

// v4.19 include/linux/mm.h: vm_start_gap
unsigned long vm_start_gap(kptr<vm_area_struct> vma) {
  if ((vma->vm_flags & VM_GROWSDOWN) == 0) return vma->vm_start;
  return vma->vm_start < stack_guard_gap ? 0 : vma->vm_start - stack_guard_gap;
}

// Where the kernel's choice of addresses ends for calls of 32-bit programs: 128 MiB, the least that
// is kept for the stack, below the end of their addresses (task_size_32bit).
constexpr unsigned long kMmapCompatBase = 0xffffe000 - 0x8000000;

// v4.19 arch/x86/mm/mmap.c: get_mmap_base
unsigned long get_mmap_base() {
  FUNCTION();
  return in_compat_syscall() ? kMmapCompatBase : current->mm->mmap_base;
}

// v4.19 arch/x86/kernel/sys_x86_64.c: get_align_mask. Not 0 only on AMD family 15h.
unsigned long get_align_mask() {
  FUNCTION();
  return 0;
}

// v4.19 security/commoncap.c: cap_mmap_addr
// Departs: nobody has CAP_SYS_RAWIO.
int cap_mmap_addr(unsigned long addr) {
  FUNCTION(Value::Address(addr));
  if (addr >= mmap_min_addr) return fn.Return(0);
  return fn.Return(Fail(EPERM, "$0 is below mmap_min_addr, $1", Value::Address(addr),
                        Value::Address(mmap_min_addr)));
}

bool IsFree(kptr<mm_struct> mm, unsigned long addr, unsigned long len) {
  const auto above = mm->mmap.lower_bound(addr);
  if (above != mm->mmap.end() && vm_start_gap(above->second) < addr + len) return false;
  return above == mm->mmap.begin() || std::prev(above)->second->vm_end <= addr;
}

unsigned long FailNoRoom(const vm_unmapped_area_info& info) {
  return ERR_VALUE(Fail(ENOMEM, "no gap of $0 bytes between $1 and $2", info.length,
                        Value::Address(info.low_limit), Value::Address(info.high_limit)));
}

// v4.19 mm/mmap.c: unmapped_area. The lowest gap that is large enough.
unsigned long unmapped_area(const vm_unmapped_area_info& info) {
  FUNCTION(info.length, Value::Address(info.low_limit), Value::Address(info.high_limit));
  unsigned long from = info.low_limit;
  for (const auto& [start, vma] : current->mm->mmap) {
    if (vma->vm_end <= from) continue;
    if (vm_start_gap(vma) >= from && vm_start_gap(vma) - from >= info.length) break;
    from = vma->vm_end;
  }
  if (from + info.length > info.high_limit) return FailNoRoom(info);
  return from;
}

// v4.19 mm/mmap.c: unmapped_area_topdown. The highest gap that is large enough, its upper end.
// Departs: where a recorded run is replayed, the place that was recorded.
unsigned long unmapped_area_topdown(const vm_unmapped_area_info& info) {
  FUNCTION(info.length, Value::Address(info.low_limit), Value::Address(info.high_limit));
  const kptr<mm_struct> mm = current->mm;
  const unsigned long recorded = std::exchange(mm->next_unmapped_area, 0);
  if (recorded != 0 && IsFree(mm, recorded, info.length)) return recorded;
  unsigned long to = info.high_limit;
  for (auto at = mm->mmap.rbegin(); at != mm->mmap.rend(); ++at) {
    const kptr<vm_area_struct> vma = at->second;
    if (vma->vm_start >= to) continue;
    if (vma->vm_end <= to && to - vma->vm_end >= info.length) break;
    to = vm_start_gap(vma);
  }
  if (to < info.low_limit + info.length) return FailNoRoom(info);
  return to - info.length;
}

// v4.19 arch/x86/kernel/sys_x86_64.c: arch_get_unmapped_area
unsigned long arch_get_unmapped_area(unsigned long len, unsigned long flags) {
  FUNCTION(len, Value::Address(flags));
  vm_unmapped_area_info info = {len, TASK_SIZE / 3 & PAGE_MASK, TASK_SIZE};
  if ((flags & MAP_32BIT) != 0) {
    info.low_limit = 0x40000000;
    info.high_limit = 0x80000000;
  }
  return unmapped_area(info);
}

}  // namespace

unsigned long arch_get_unmapped_area_topdown(kptr<file> file, unsigned long addr, unsigned long len,
                                             unsigned long pgoff, unsigned long flags) {
  FUNCTION(file, Value::Address(addr), len, pgoff, Value::Address(flags));
  const kptr<mm_struct> mm = current->mm;
  if ((flags & MAP_FIXED) != 0) return addr;
  if ((flags & MAP_32BIT) != 0) return arch_get_unmapped_area(len, flags);
  if (addr != 0 && addr <= TASK_SIZE - len) {
    const kptr<vm_area_struct> vma = find_vma(mm, addr);
    if (!vma || addr + len <= vm_start_gap(vma)) return addr;
  }
  const vm_unmapped_area_info info = {len, PAGE_SIZE, get_mmap_base()};
  if (file) {
    get_align_mask();  // the mask of info.align_mask
    get_align_mask();  // what get_align_bits adds to info.align_offset
  }
  addr = unmapped_area_topdown(info);
  if (!IS_ERR_VALUE(addr)) return addr;
  // A large stack limit may leave too little room below the base: try from the bottom.
  return arch_get_unmapped_area(len, flags);
}

unsigned long get_unmapped_area(kptr<file> file, unsigned long addr, unsigned long len,
                                unsigned long pgoff, unsigned long flags) {
  FUNCTION(file, Value::Address(addr), len, pgoff, Value::Address(flags));
  if (len > TASK_SIZE) {
    return ERR_VALUE(Fail(ENOMEM, "$0 bytes are more than an address space has", len));
  }
  auto* get_area = arch_get_unmapped_area_topdown;
  if (file && file->f_op->get_unmapped_area != nullptr) get_area = file->f_op->get_unmapped_area;
  addr = get_area(file, addr, len, pgoff, flags);
  if (IS_ERR_VALUE(addr)) return addr;
  if (addr > TASK_SIZE - len) {
    return ERR_VALUE(Fail(ENOMEM, "$0 + $1 bytes is beyond the user address limit $2",
                          Value::Address(addr), len, Value::Address(TASK_SIZE)));
  }
  if (offset_in_page(addr) != 0) {
    return ERR_VALUE(Fail(EINVAL, "address $0 is not page aligned", Value::Address(addr)));
  }
  const int error = cap_mmap_addr(addr);
  return error != 0 ? ERR_VALUE(error) : addr;
}

void SetNextUnmappedArea(kptr<mm_struct> mm, unsigned long addr) {
  mm->next_unmapped_area = addr & PAGE_MASK;
}

}  // namespace kpath
