// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/memory.h"

#include <algorithm>

#include "sim/mm/filemap.h"
#include "sim/mm/mmap.h"
#include "sim/mm/rmap.h"
#include "sim/mm/swap.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

// v4.19 mm/memory.c: fault_around_bytes
constexpr unsigned long fault_around_pages = 16;

// Who faulted is told -EFAULT, whatever the cause.
vm_fault_t FailOom(unsigned long address) {
  Fail(EFAULT, "no page for $0: memory is exhausted", Value::Address(address));
  return VM_FAULT_OOM;
}

PageTable& TableOf(const vm_fault* vmf) { return vmf->vma->vm_mm->page_table; }

// v4.19 mm/memory.c: maybe_mkwrite
bool maybe_mkwrite(kptr<vm_area_struct> vma) { return (vma->vm_flags & VM_WRITE) != 0; }

// Sets the entry of a page that is private to the process; takes over the caller's reference.
// Called with page_table_lock held, where there is no entry.
void SetAnonPte(vm_fault* vmf, kptr<page> page) {
  SetPageUptodate(page);
  add_mm_counter(vmf->vma->vm_mm, MM_ANONPAGES, 1);
  page_add_new_anon_rmap(page);
  lru_cache_add_active_or_unevictable(page);
  pgprot_t prot = vmf->vma->vm_page_prot;
  prot.writable = maybe_mkwrite(vmf->vma);
  TableOf(vmf).Set(vmf->address, {.page = page, .prot = prot, .dirty = prot.writable});
}

// v4.19 mm/memory.c: do_anonymous_page
vm_fault_t do_anonymous_page(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address));
  const kptr<page> page = alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_ZERO);
  if (!page) return fn.Return(FailOom(vmf->address));
  const kptr<mm_struct> mm = vmf->vma->vm_mm;
  spin_lock(&mm->page_table_lock);
  const bool is_new = TableOf(vmf).Find(vmf->address) == nullptr;
  if (is_new) SetAnonPte(vmf, page);
  spin_unlock(&mm->page_table_lock);
  if (!is_new) put_page(page);
  return fn.Return(vm_fault_t{0});
}

// v4.19 mm/memory.c: __do_fault. Afterwards vmf->page is locked.
vm_fault_t __do_fault(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address), vmf->pgoff);
  vm_fault_t ret = vmf->vma->vm_ops->fault(vmf);
  if ((ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY)) != 0) return fn.Return(ret);
  if ((ret & VM_FAULT_LOCKED) == 0) lock_page(vmf->page);
  return fn.Return(ret | VM_FAULT_LOCKED);
}

// v4.19 mm/memory.c: finish_fault
vm_fault_t finish_fault(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address));
  const bool cow = (vmf->flags & FAULT_FLAG_WRITE) != 0 && (vmf->vma->vm_flags & VM_SHARED) == 0;
  return fn.Return(alloc_set_pte(vmf, cow ? vmf->cow_page : vmf->page));
}

// v4.19 mm/memory.c: do_fault_around. VM_FAULT_NOPAGE: the fault itself has been resolved, too.
vm_fault_t do_fault_around(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address));
  const kptr<vm_area_struct> vma = vmf->vma;
  const unsigned long address = vmf->address;
  const unsigned long window = fault_around_pages * PAGE_SIZE;
  vmf->address = std::max(address & ~(window - 1), vma->vm_start);
  const pgoff_t start = linear_page_index(vma, vmf->address);
  const pgoff_t last = vma->vm_pgoff + vma_pages(vma) - 1;
  vma->vm_ops->map_pages(vmf, start, std::min(last, start + fault_around_pages - 1));
  vmf->address = address;
  return fn.Return(TableOf(vmf).Find(address) != nullptr ? VM_FAULT_NOPAGE : vm_fault_t{0});
}

// v4.19 mm/memory.c: do_read_fault
vm_fault_t do_read_fault(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address));
  if (vmf->vma->vm_ops->map_pages != nullptr) {
    const vm_fault_t ret = do_fault_around(vmf);
    if (ret != 0) return fn.Return(ret);
  }
  vm_fault_t ret = __do_fault(vmf);
  if ((ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY)) != 0) return fn.Return(ret);
  ret |= finish_fault(vmf);
  unlock_page(vmf->page);
  if ((ret & VM_FAULT_NOPAGE) != 0) put_page(vmf->page);
  return fn.Return(ret);
}

// v4.19 mm/memory.c: do_cow_fault. The first touch of a private page is a write.
vm_fault_t do_cow_fault(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address));
  vmf->cow_page = alloc_page(GFP_HIGHUSER_MOVABLE);
  if (!vmf->cow_page) return fn.Return(FailOom(vmf->address));
  vm_fault_t ret = __do_fault(vmf);
  if ((ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY)) != 0) {
    put_page(vmf->cow_page);
    return fn.Return(ret);
  }
  copy_highpage(vmf->cow_page, vmf->page);
  SetPageUptodate(vmf->cow_page);
  ret |= finish_fault(vmf);
  unlock_page(vmf->page);
  put_page(vmf->page);
  if ((ret & VM_FAULT_NOPAGE) != 0) put_page(vmf->cow_page);
  return fn.Return(ret);
}

// v4.19 mm/memory.c: do_page_mkwrite. 0: the page has left the file; look again.
vm_fault_t do_page_mkwrite(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address), vmf->page);
  const unsigned old_flags = vmf->flags;
  vmf->flags = FAULT_FLAG_WRITE | FAULT_FLAG_MKWRITE;
  const vm_fault_t ret = vmf->vma->vm_ops->page_mkwrite(vmf);
  vmf->flags = old_flags;
  if ((ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_LOCKED)) != 0) return fn.Return(ret);
  lock_page(vmf->page);
  if (vmf->page->mapping == nullptr) {
    unlock_page(vmf->page);
    return fn.Return(vm_fault_t{0});
  }
  return fn.Return(ret | VM_FAULT_LOCKED);
}

bool MkwriteFailed(vm_fault_t ret) {
  return ret == 0 || (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE)) != 0;
}

// v4.19 mm/memory.c: fault_dirty_shared_page. Unlocks the page.
void fault_dirty_shared_page(kptr<vm_area_struct> vma, kptr<page> page) {
  FUNCTION(vma, page);
  const bool dirtied = set_page_dirty(page) != 0;
  address_space* mapping = page->mapping;
  const bool told = vma->vm_ops->page_mkwrite != nullptr;
  unlock_page(page);
  if ((dirtied || told) && mapping != nullptr) balance_dirty_pages_ratelimited(mapping);
  if (!told) file_update_time(vma->vm_file);
}

// v4.19 mm/memory.c: do_shared_fault
vm_fault_t do_shared_fault(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address));
  vm_fault_t ret = __do_fault(vmf);
  if ((ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY)) != 0) return fn.Return(ret);
  if (vmf->vma->vm_ops->page_mkwrite != nullptr) {
    unlock_page(vmf->page);
    const vm_fault_t told = do_page_mkwrite(vmf);
    if (MkwriteFailed(told)) {
      put_page(vmf->page);
      return fn.Return(told);
    }
  }
  ret |= finish_fault(vmf);
  if ((ret & VM_FAULT_NOPAGE) != 0) {
    unlock_page(vmf->page);
    put_page(vmf->page);
    return fn.Return(ret);
  }
  fault_dirty_shared_page(vmf->vma, vmf->page);
  return fn.Return(ret);
}

// v4.19 mm/memory.c: do_fault
vm_fault_t do_fault(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address), vmf->pgoff);
  if (vmf->vma->vm_ops->fault == nullptr) {
    Fail(EFAULT, "$0 has no pages for $1", vmf->vma->vm_ops->name, Value::Address(vmf->address));
    return fn.Return(VM_FAULT_SIGBUS);
  }
  if ((vmf->flags & FAULT_FLAG_WRITE) == 0) return fn.Return(do_read_fault(vmf));
  if ((vmf->vma->vm_flags & VM_SHARED) == 0) return fn.Return(do_cow_fault(vmf));
  return fn.Return(do_shared_fault(vmf));
}

// v4.19 mm/memory.c: wp_page_reuse. The page may be written as it is.
void wp_page_reuse(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address));
  const kptr<mm_struct> mm = vmf->vma->vm_mm;
  spin_lock(&mm->page_table_lock);
  const pte_t* entry = TableOf(vmf).Find(vmf->address);
  if (entry != nullptr && entry->page == vmf->page) {
    pte_t writable = *entry;
    writable.prot.writable = maybe_mkwrite(vmf->vma);
    writable.dirty = true;
    TableOf(vmf).Set(vmf->address, writable);
  }
  spin_unlock(&mm->page_table_lock);
}

// v4.19 mm/memory.c: wp_page_shared
vm_fault_t wp_page_shared(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address));
  if (vmf->vma->vm_ops->page_mkwrite != nullptr) {
    const vm_fault_t told = do_page_mkwrite(vmf);
    if (MkwriteFailed(told)) return fn.Return(told);
    wp_page_reuse(vmf);  // finish_mkwrite_fault
  } else {
    wp_page_reuse(vmf);
    lock_page(vmf->page);
  }
  fault_dirty_shared_page(vmf->vma, vmf->page);
  return fn.Return(VM_FAULT_WRITE);
}

// v4.19 mm/memory.c: wp_page_copy. Replaces a page of the file by a private copy.
vm_fault_t wp_page_copy(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address));
  const kptr<mm_struct> mm = vmf->vma->vm_mm;
  const kptr<page> old_page = vmf->page;
  kptr<page> surplus = alloc_page(GFP_HIGHUSER_MOVABLE);
  if (!surplus) return fn.Return(FailOom(vmf->address));
  copy_highpage(surplus, old_page);
  spin_lock(&mm->page_table_lock);
  const pte_t* entry = TableOf(vmf).Find(vmf->address);
  if (entry != nullptr && entry->page == old_page) {
    TableOf(vmf).Clear(vmf->address);
    add_mm_counter(mm, mm_counter(old_page), -1);
    page_remove_rmap(old_page);
    SetAnonPte(vmf, surplus);
    surplus = old_page;  // the entry's reference
  }
  spin_unlock(&mm->page_table_lock);
  put_page(surplus);
  return fn.Return(VM_FAULT_WRITE);
}

// v4.19 mm/memory.c: do_wp_page. A write to a page that is present and not writable. The caller
// holds a reference on vmf->page.
vm_fault_t do_wp_page(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address), vmf->page);
  if (PageAnon(vmf->page)) {
    wp_page_reuse(vmf);
    return fn.Return(VM_FAULT_WRITE);
  }
  if ((vmf->vma->vm_flags & VM_SHARED) != 0) return fn.Return(wp_page_shared(vmf));
  return fn.Return(wp_page_copy(vmf));
}

// v4.19 mm/memory.c: handle_pte_fault
vm_fault_t handle_pte_fault(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address), vmf->flags);
  const kptr<mm_struct> mm = vmf->vma->vm_mm;
  if (TableOf(vmf).Find(vmf->address) == nullptr) {
    return fn.Return(vma_is_anonymous(vmf->vma) ? do_anonymous_page(vmf) : do_fault(vmf));
  }
  spin_lock(&mm->page_table_lock);
  const pte_t* entry = TableOf(vmf).Find(vmf->address);
  const bool protects =
      (vmf->flags & FAULT_FLAG_WRITE) != 0 && entry != nullptr && !entry->prot.writable;
  if (protects) {
    vmf->page = entry->page;
    get_page(vmf->page);
  }
  spin_unlock(&mm->page_table_lock);
  if (!protects) return fn.Return(vm_fault_t{0});  // somebody else was quicker
  const vm_fault_t ret = do_wp_page(vmf);
  put_page(vmf->page);
  return fn.Return(ret);
}

// v4.19 mm/memory.c: __handle_mm_fault
vm_fault_t __handle_mm_fault(kptr<vm_area_struct> vma, unsigned long address, unsigned flags) {
  FUNCTION(vma, Value::Address(address), flags);
  vm_fault vmf = {.vma = vma,
                  .flags = flags,
                  .pgoff = linear_page_index(vma, address),
                  .address = address & PAGE_MASK,
                  .page = nullptr,
                  .cow_page = nullptr};
  return fn.Return(handle_pte_fault(&vmf));
}

}  // namespace

int mm_counter(kptr<page> page) {
  if (PageAnon(page)) return MM_ANONPAGES;
  return PageSwapBacked(page) ? MM_SHMEMPAGES : MM_FILEPAGES;
}

vm_fault_t handle_mm_fault(kptr<vm_area_struct> vma, unsigned long address, unsigned flags) {
  FUNCTION(vma, Value::Address(address), flags);
  __set_current_state(TASK_RUNNING);
  return fn.Return(__handle_mm_fault(vma, address, flags));
}

vm_fault_t alloc_set_pte(vm_fault* vmf, kptr<page> page) {
  FUNCTION(Value::Address(vmf->address), page);
  const kptr<vm_area_struct> vma = vmf->vma;
  const kptr<mm_struct> mm = vma->vm_mm;
  const bool write = (vmf->flags & FAULT_FLAG_WRITE) != 0;
  spin_lock(&mm->page_table_lock);
  if (TableOf(vmf).Find(vmf->address) != nullptr) {
    spin_unlock(&mm->page_table_lock);
    return fn.Return(VM_FAULT_NOPAGE);
  }
  if (write && (vma->vm_flags & VM_SHARED) == 0) {
    SetAnonPte(vmf, page);
  } else {
    add_mm_counter(mm, mm_counter(page), 1);
    page_add_file_rmap(page);
    pgprot_t prot = vma->vm_page_prot;
    if (write) prot.writable = maybe_mkwrite(vma);
    TableOf(vmf).Set(vmf->address, {.page = page, .prot = prot, .dirty = write});
  }
  spin_unlock(&mm->page_table_lock);
  return fn.Return(vm_fault_t{0});
}

int copy_page_range(kptr<vm_area_struct> dst_vma, kptr<vm_area_struct> src_vma) {
  FUNCTION(dst_vma, src_vma);
  PageTable& from = src_vma->vm_mm->page_table;
  const kptr<mm_struct> mm = dst_vma->vm_mm;
  for (unsigned long address = from.NextMapped(src_vma->vm_start); address < src_vma->vm_end;
       address = from.NextMapped(address + PAGE_SIZE)) {
    const pte_t entry = *from.Find(address);
    if (!PageAnon(entry.page)) continue;  // the child finds it in the file, if it looks
    const kptr<page> copy = alloc_page(GFP_HIGHUSER_MOVABLE);
    if (!copy)
      return fn.Return(Fail(ENOMEM, "no page for the child's $0", Value::Address(address)));
    copy_highpage(copy, entry.page);
    SetPageUptodate(copy);
    spin_lock(&mm->page_table_lock);
    add_mm_counter(mm, MM_ANONPAGES, 1);
    page_add_new_anon_rmap(copy);
    lru_cache_add_active_or_unevictable(copy);
    mm->page_table.Set(address, {.page = copy, .prot = entry.prot, .dirty = true});
    spin_unlock(&mm->page_table_lock);
  }
  return fn.Return(0);
}

void mm_populate(unsigned long start, unsigned long len) {
  FUNCTION(Value::Address(start), len);
  const kptr<mm_struct> mm = current->mm;
  down_read(&mm->mmap_sem);
  for (unsigned long address = start; address < start + len; address += PAGE_SIZE) {
    const kptr<vm_area_struct> vma = find_vma_intersection(mm, address, address + 1);
    if (!vma || !vm_get_page_prot(vma->vm_flags).accessible) break;
    const bool write = (vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE;
    if ((handle_mm_fault(vma, address, write ? FAULT_FLAG_WRITE : 0) & VM_FAULT_ERROR) != 0) break;
  }
  up_read(&mm->mmap_sem);
}

}  // namespace kpath
