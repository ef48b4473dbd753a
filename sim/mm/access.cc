// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/access.h"

#include <algorithm>
#include <cstring>

#include "sim/mm/filemap.h"
#include "sim/mm/memory.h"
#include "sim/mm/mmap.h"
#include "sim/mm/page.h"

namespace kpath {
namespace {

// v4.19 mm/gup.c: check_vma_flags, with FOLL_FORCE
bool check_vma_flags(kptr<vm_area_struct> vma, bool write) {
  const unsigned long flags = vma->vm_flags;
  if (!write) return (flags & (VM_READ | VM_MAYREAD)) != 0;
  if ((flags & VM_WRITE) != 0) return true;
  return (flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;  // is_cow_mapping
}

// The page can be used as it is: for a write through a private area it must be the process's own.
bool usable(const pte_t* entry, kptr<vm_area_struct> vma, bool write) {
  if (entry == nullptr) return false;
  if (!write || entry->prot.writable) return true;
  return (vma->vm_flags & VM_SHARED) == 0 && PageAnon(entry->page);
}

// v4.19 mm/gup.c: get_user_pages_remote, for one page. With a reference; null: it is not there.
kptr<page> get_user_page(kptr<mm_struct> mm, unsigned long addr, bool write) {
  FUNCTION(Value::Address(addr), write);
  const kptr<vm_area_struct> vma = find_vma_intersection(mm, addr, addr + 1);
  if (!vma || !check_vma_flags(vma, write)) return nullptr;
  if (!usable(mm->page_table.Find(addr), vma, write) &&
      (handle_mm_fault(vma, addr, write ? FAULT_FLAG_WRITE : 0) & VM_FAULT_ERROR) != 0) {
    return nullptr;
  }
  const pte_t* entry = mm->page_table.Find(addr);
  if (!usable(entry, vma, write)) return nullptr;
  get_page(entry->page);
  return entry->page;
}

}  // namespace

int __access_remote_vm(kptr<mm_struct> mm, unsigned long addr, void* buf, int len, bool write) {
  FUNCTION(mm, Value::Address(addr), len, write);
  auto* bytes = static_cast<uint8_t*>(buf);
  int done = 0;
  down_read(&mm->mmap_sem);
  while (done < len) {
    const kptr<page> page = get_user_page(mm, addr, write);
    if (!page) break;
    const unsigned long offset = addr & ~PAGE_MASK;
    const int part = static_cast<int>(std::min<unsigned long>(len - done, PAGE_SIZE - offset));
    const kmap_ptr mapped = kmap(page);
    if (write) {
      std::memcpy(mapped.bytes() + offset, bytes + done, part);
      set_page_dirty(page);  // set_page_dirty_lock
    } else {
      std::memcpy(bytes + done, mapped.bytes() + offset, part);
    }
    kunmap(page);
    put_page(page);
    addr += part;
    done += part;
  }
  up_read(&mm->mmap_sem);
  return fn.Return(done);
}

}  // namespace kpath
