// SPDX-License-Identifier: Apache-2.0
//
// Taking areas away. v4.19 mm/mmap.c
#include <vector>

#include "sim/mm/memory.h"
#include "sim/mm/mm.h"
#include "sim/mm/mmap.h"
#include "sim/mm/swap.h"
#include "sim/mm/tlb.h"
#include "sim/vfs/fs.h"

namespace kpath {
namespace {

using AreaList = std::vector<kptr<vm_area_struct>>;

// v4.19 mm/rmap.c: unlink_anon_vmas. Departs: anonymous pages have one area each, so there is
// nothing that leads from them to it.
void unlink_anon_vmas(kptr<vm_area_struct> vma) { FUNCTION(vma); }

// v4.19 mm/memory.c: free_pgd_range. Departs: the tables' own pages are not modelled.
void free_pgd_range(mmu_gather* tlb, unsigned long addr, unsigned long end) {
  FUNCTION(tlb->mm, Value::Address(addr), Value::Address(end));
}

// v4.19 mm/memory.c: free_pgtables. The entries are gone; leaves the lists by which a file finds
// its mappings, and frees the tables, those of neighbouring areas together.
void free_pgtables(mmu_gather* tlb, const AreaList& areas) {
  FUNCTION(areas.size());
  constexpr unsigned long PMD_SIZE = 1ul << 21;
  for (size_t first = 0, next = 0; first < areas.size(); first = next) {
    do {
      unlink_anon_vmas(areas[next]);
      unlink_file_vma(areas[next]);
      ++next;
    } while (next < areas.size() && areas[next]->vm_start <= areas[next - 1]->vm_end + PMD_SIZE);
    free_pgd_range(tlb, areas[first]->vm_start, areas[next - 1]->vm_end);
  }
}

// v4.19 mm/mmap.c: unmap_region
void unmap_region(kptr<mm_struct> mm, const AreaList& areas, unsigned long start,
                  unsigned long end) {
  FUNCTION(mm, Value::Address(start), Value::Address(end));
  lru_add_drain();
  mmu_gather tlb;
  tlb_gather_mmu(&tlb, mm, start, end);
  unmap_vmas(&tlb, areas, start, end);
  free_pgtables(&tlb, areas);
  tlb_finish_mmu(&tlb, start, end);
}

// v4.19 mm/mmap.c: __vma_rb_erase
void __vma_rb_erase(kptr<mm_struct> mm, kptr<vm_area_struct> vma) {
  FUNCTION(mm, vma);
  mm->mmap.erase(vma->vm_start);
}

// v4.19 mm/mmap.c: detach_vmas_to_be_unmapped. Takes the areas from `vma` to `end` out of the mm.
AreaList detach_vmas_to_be_unmapped(kptr<mm_struct> mm, kptr<vm_area_struct> vma,
                                    unsigned long end) {
  FUNCTION(mm, vma, Value::Address(end));
  AreaList areas;
  while (vma && vma->vm_start < end) {
    const kptr<vm_area_struct> next = vma_next(vma);
    __vma_rb_erase(mm, vma);
    --mm->map_count;
    areas.push_back(vma);
    vma = next;
  }
  return areas;
}

// v4.19 mm/mmap.c: remove_vma_list
void remove_vma_list(kptr<mm_struct> mm, const AreaList& areas) {
  FUNCTION(mm, areas.size());
  for (const kptr<vm_area_struct>& vma : areas) {
    vm_stat_account(mm, vma->vm_flags, -static_cast<long>(vma_pages(vma)));
    remove_vma(vma);
  }
}

}  // namespace

int do_munmap(kptr<mm_struct> mm, unsigned long start, size_t len, list_head_uf*) {
  FUNCTION(mm, Value::Address(start), len);
  if (offset_in_page(start) != 0) {
    return fn.Return(Fail(EINVAL, "address $0 is not page aligned", Value::Address(start)));
  }
  if (start > TASK_SIZE || len > TASK_SIZE - start) {
    return fn.Return(Fail(EINVAL, "$0 + $1 bytes is beyond the user address limit $2",
                          Value::Address(start), len, Value::Address(TASK_SIZE)));
  }
  const unsigned long end = start + PAGE_ALIGN(len);
  if (end == start) return fn.Return(Fail(EINVAL, "length is 0"));
  kptr<vm_area_struct> vma = find_vma(mm, start);
  if (!vma || vma->vm_start >= end) return fn.Return(0);
  if (start > vma->vm_start) {
    if (end < vma->vm_end && mm->map_count >= sysctl_max_map_count) {
      return fn.Return(
          Fail(ENOMEM, "the hole would make one area more than $0", sysctl_max_map_count));
    }
    const int error = __split_vma(mm, vma, start, 0);
    if (error != 0) return fn.Return(error);
    vma = vma_next(vma);
  }
  const kptr<vm_area_struct> last = find_vma(mm, end);
  if (last && end > last->vm_start) {
    const int error = __split_vma(mm, last, end, 1);
    if (error != 0) return fn.Return(error);
    if (last == vma) vma = vma_prev(last);
  }
  const AreaList areas = detach_vmas_to_be_unmapped(mm, vma, end);
  unmap_region(mm, areas, start, end);
  remove_vma_list(mm, areas);
  return fn.Return(0);
}

int vm_munmap(unsigned long start, size_t len) {
  FUNCTION(Value::Address(start), len);
  const kptr<mm_struct> mm = current->mm;
  if (down_write_killable(&mm->mmap_sem) != 0) {
    return fn.Return(Fail(EINTR, "the task is being killed"));
  }
  const int ret = do_munmap(mm, start, len, nullptr);
  up_write(&mm->mmap_sem);
  return fn.Return(ret);
}

void exit_mmap(kptr<mm_struct> mm) {
  FUNCTION(mm);
  AreaList areas;
  for (const auto& [start, vma] : mm->mmap) areas.push_back(vma);
  if (areas.empty()) return;
  lru_add_drain();
  mmu_gather tlb;
  tlb_gather_mmu(&tlb, mm, 0, ~0ul);
  unmap_vmas(&tlb, areas, 0, ~0ul);
  free_pgtables(&tlb, areas);
  tlb_finish_mmu(&tlb, 0, ~0ul);
  mm->mmap.clear();
  for (const kptr<vm_area_struct>& vma : areas) {
    --mm->map_count;
    mm->total_vm -= vma_pages(vma);
    remove_vma(vma);
  }
}

}  // namespace kpath
