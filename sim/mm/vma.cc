// SPDX-License-Identifier: Apache-2.0
//
// Areas as objects: making, linking, splitting, joining them. v4.19 mm/mmap.c, kernel/fork.c
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/kernel/report.h"
#include "sim/mm/mmap.h"
#include "sim/vfs/file_table.h"

namespace kpath {
namespace {

KernelGlobal<kmem_cache<vm_area_struct>> vm_area_cachep;

// v4.19 mm/interval_tree.c: vma_interval_tree_insert
void vma_interval_tree_insert(kptr<vm_area_struct> vma, address_space* mapping) {
  FUNCTION(vma);
  mapping->i_mmap.push_back(vma);
}

// v4.19 mm/interval_tree.c: vma_interval_tree_remove
void vma_interval_tree_remove(kptr<vm_area_struct> vma, address_space* mapping) {
  FUNCTION(vma);
  std::erase(mapping->i_mmap, vma);
}

// v4.19 mm/mmap.c: __vma_link_list
void __vma_link_list(kptr<mm_struct> mm, kptr<vm_area_struct> vma) {
  FUNCTION(vma);
  const bool is_new = mm->mmap.emplace(vma->vm_start, vma).second;
  if (!is_new) Report(absl::StrCat("kernel BUG: two areas at 0x", absl::Hex(vma->vm_start)));
}

// v4.19 mm/mmap.c: __vma_link_rb. The map of areas is both the list and the tree.
void __vma_link_rb(kptr<mm_struct> mm, kptr<vm_area_struct> vma) { FUNCTION(mm, vma); }

// v4.19 mm/mmap.c: __vma_link_file
void __vma_link_file(kptr<vm_area_struct> vma) {
  FUNCTION(vma);
  if (!vma->vm_file) return;
  address_space* mapping = vma->vm_file->f_mapping;
  if ((vma->vm_flags & VM_SHARED) != 0) ++mapping->i_mmap_writable;
  vma_interval_tree_insert(vma, mapping);
}

// v4.19 mm/mmap.c: __remove_shared_vm_struct
void __remove_shared_vm_struct(kptr<vm_area_struct> vma, address_space* mapping) {
  FUNCTION(vma);
  if ((vma->vm_flags & VM_SHARED) != 0) --mapping->i_mmap_writable;
  vma_interval_tree_remove(vma, mapping);
}

// v4.19 mm/mmap.c: is_mergeable_vma
bool is_mergeable_vma(kptr<vm_area_struct> vma, kptr<file> file, unsigned long vm_flags) {
  return ((vma->vm_flags ^ vm_flags) & ~VM_SOFTDIRTY) == 0 && vma->vm_file == file &&
         (vma->vm_ops == nullptr || vma->vm_ops->close == nullptr);
}

bool Adjoins(kptr<vm_area_struct> lower, kptr<vm_area_struct> upper) {
  return lower->vm_end == upper->vm_start && lower->vm_pgoff + vma_pages(lower) == upper->vm_pgoff;
}

// Takes an area out of its mm and ends it, leaving its pages to a neighbour.
void Absorb(kptr<vm_area_struct> vma) {
  unlink_file_vma(vma);
  vma->vm_mm->mmap.erase(vma->vm_start);
  --vma->vm_mm->map_count;
  if (vma->vm_file) fput(vma->vm_file);
  vm_area_free(vma);
}

}  // namespace

kptr<vm_area_struct> vma_prev(kptr<vm_area_struct> vma) {
  const auto& areas = vma->vm_mm->mmap;
  const auto at = areas.lower_bound(vma->vm_start);
  return at == areas.begin() ? nullptr : std::prev(at)->second;
}

kptr<vm_area_struct> vma_next(kptr<vm_area_struct> vma) {
  const auto& areas = vma->vm_mm->mmap;
  const auto next = areas.upper_bound(vma->vm_start);
  return next == areas.end() ? nullptr : next->second;
}

kptr<vm_area_struct> vm_area_alloc(kptr<mm_struct> mm) {
  FUNCTION(mm);
  const kptr<vm_area_struct> vma = kmem_cache_zalloc(*vm_area_cachep, GFP_KERNEL);
  if (vma) vma->vm_mm = mm;
  return fn.Return(vma);
}

kptr<vm_area_struct> vm_area_dup(kptr<vm_area_struct> orig) {
  FUNCTION(orig);
  const kptr<vm_area_struct> copy = kmem_cache_zalloc(*vm_area_cachep, GFP_KERNEL);
  if (copy) *copy = *orig;
  return fn.Return(copy);
}

void vm_area_free(kptr<vm_area_struct> vma) {
  FUNCTION(vma);
  kmem_cache_free(*vm_area_cachep, vma);
}

void vma_link(kptr<mm_struct> mm, kptr<vm_area_struct> vma) {
  FUNCTION(mm, vma);
  address_space* mapping = vma->vm_file ? vma->vm_file->f_mapping : nullptr;
  if (mapping != nullptr) down_write(&mapping->i_mmap_rwsem);
  __vma_link_list(mm, vma);
  __vma_link_rb(mm, vma);
  __vma_link_file(vma);
  if (mapping != nullptr) up_write(&mapping->i_mmap_rwsem);
  ++mm->map_count;
}

void unlink_file_vma(kptr<vm_area_struct> vma) {
  FUNCTION(vma);
  if (!vma->vm_file) return;
  address_space* mapping = vma->vm_file->f_mapping;
  down_write(&mapping->i_mmap_rwsem);
  __remove_shared_vm_struct(vma, mapping);
  up_write(&mapping->i_mmap_rwsem);
}

void remove_vma(kptr<vm_area_struct> vma) {
  FUNCTION(vma);
  might_sleep();
  if (vma->vm_ops != nullptr && vma->vm_ops->close != nullptr) vma->vm_ops->close(vma);
  if (vma->vm_file) fput(vma->vm_file);
  vm_area_free(vma);
}

// Departs: the file's list of areas is in no order, so that it need not be left and entered again.
void vma_adjust(kptr<vm_area_struct> vma, unsigned long start, unsigned long end, pgoff_t pgoff) {
  FUNCTION(vma, Value::Address(start), Value::Address(end), pgoff);
  auto node = vma->vm_mm->mmap.extract(vma->vm_start);
  node.key() = start;
  vma->vm_start = start;
  vma->vm_end = end;
  vma->vm_pgoff = pgoff;
  vma->vm_mm->mmap.insert(std::move(node));
}

kptr<vm_area_struct> vma_merge(kptr<mm_struct> mm, unsigned long addr, unsigned long end,
                               unsigned long vm_flags, kptr<file> file, pgoff_t pgoff) {
  FUNCTION(mm, Value::Address(addr), Value::Address(end), Value::Address(vm_flags));
  const auto above = mm->mmap.lower_bound(addr);
  kptr<vm_area_struct> next, prev;
  if (above != mm->mmap.end()) next = above->second;
  if (above != mm->mmap.begin()) prev = std::prev(above)->second;
  if (prev && prev->vm_end == addr && prev->vm_pgoff + vma_pages(prev) == pgoff &&
      is_mergeable_vma(prev, file, vm_flags)) {
    vma_adjust(prev, prev->vm_start, end, prev->vm_pgoff);
    return fn.Return(MergeWithNeighbours(prev));
  }
  if (next && next->vm_start == end && pgoff + ((end - addr) >> PAGE_SHIFT) == next->vm_pgoff &&
      is_mergeable_vma(next, file, vm_flags)) {
    vma_adjust(next, addr, next->vm_end, pgoff);
    return fn.Return(next);
  }
  return nullptr;
}

kptr<vm_area_struct> MergeWithNeighbours(kptr<vm_area_struct> vma) {
  const kptr<vm_area_struct> next = vma_next(vma);
  if (next && Adjoins(vma, next) && is_mergeable_vma(next, vma->vm_file, vma->vm_flags)) {
    const unsigned long end = next->vm_end;
    Absorb(next);
    vma_adjust(vma, vma->vm_start, end, vma->vm_pgoff);
  }
  const kptr<vm_area_struct> prev = vma_prev(vma);
  if (!prev || !Adjoins(prev, vma) || !is_mergeable_vma(prev, vma->vm_file, vma->vm_flags)) {
    return vma;
  }
  const unsigned long end = vma->vm_end;
  Absorb(vma);
  vma_adjust(prev, prev->vm_start, end, prev->vm_pgoff);
  return prev;
}

int __split_vma(kptr<mm_struct> mm, kptr<vm_area_struct> vma, unsigned long addr, int new_below) {
  FUNCTION(vma, Value::Address(addr), new_below);
  const kptr<vm_area_struct> part = vm_area_dup(vma);
  if (!part)
    return fn.Return(Fail(ENOMEM, "no memory to split an area at $0", Value::Address(addr)));
  const pgoff_t upper_pgoff = vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
  if (part->vm_file) get_file(part->vm_file);
  if (part->vm_ops != nullptr && part->vm_ops->open != nullptr) part->vm_ops->open(part);
  if (new_below != 0) {
    part->vm_end = addr;
    vma_adjust(vma, addr, vma->vm_end, upper_pgoff);
  } else {
    part->vm_start = addr;
    part->vm_pgoff = upper_pgoff;
    vma_adjust(vma, vma->vm_start, addr, vma->vm_pgoff);
  }
  vma_link(mm, part);
  return fn.Return(0);
}

}  // namespace kpath
