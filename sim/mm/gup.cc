// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/gup.h"

#include <algorithm>

#include "sim/kernel/uaccess.h"
#include "sim/mm/memory.h"
#include "sim/mm/mmap.h"

namespace kpath {
namespace {

bool EntryAllows(const pte_t* entry, bool write) {
  return entry != nullptr && entry->prot.accessible && (!write || entry->prot.writable);
}

// v4.19 mm/gup.c: gup_pgd_range, down to gup_pte_range. Interrupts are off, so that no page table
// is freed meanwhile. Stops at the first page that is not there.
void gup_pgd_range(unsigned long addr, unsigned long end, bool write, kptr<page>* pages, int* nr) {
  FUNCTION(Value::Address(addr), Value::Address(end), write);
  for (; addr < end; addr += PAGE_SIZE) {
    const pte_t* entry = current->mm->page_table.Find(addr);
    if (!EntryAllows(entry, write)) return;
    get_page(entry->page);
    pages[(*nr)++] = entry->page;
  }
}

// v4.19 mm/gup.c: check_vma_flags
int check_vma_flags(kptr<vm_area_struct> vma, bool write) {
  if (write && (vma->vm_flags & VM_WRITE) == 0) {
    return Fail(EFAULT, "the area at $0 is not writable", Value::Address(vma->vm_start));
  }
  if (!write && (vma->vm_flags & VM_READ) == 0) {
    return Fail(EFAULT, "the area at $0 is not readable", Value::Address(vma->vm_start));
  }
  return 0;
}

// v4.19 mm/mmap.c: find_extend_vma. Departs: no stack grows by this.
kptr<vm_area_struct> find_extend_vma(kptr<mm_struct> mm, unsigned long addr) {
  FUNCTION(Value::Address(addr));
  const kptr<vm_area_struct> vma = find_vma(mm, addr);
  if (!vma || vma->vm_start > addr) return fn.Return(kptr<vm_area_struct>());
  return fn.Return(vma);
}

// v4.19 mm/gup.c: follow_page_pte. Null: it is not there, or not writable.
kptr<page> follow_page_pte(kptr<mm_struct> mm, unsigned long address, bool write) {
  FUNCTION(Value::Address(address), write);
  spin_lock(&mm->page_table_lock);
  const pte_t* entry = mm->page_table.Find(address);
  kptr<page> page;
  if (EntryAllows(entry, write)) {
    page = entry->page;
    get_page(page);
  }
  spin_unlock(&mm->page_table_lock);
  return fn.Return(page);
}

// v4.19 mm/gup.c: follow_page_mask
kptr<page> follow_page_mask(kptr<mm_struct> mm, unsigned long address, bool write) {
  FUNCTION(Value::Address(address), write);
  return fn.Return(follow_page_pte(mm, address, write));
}

// v4.19 mm/gup.c: faultin_page
int faultin_page(kptr<vm_area_struct> vma, unsigned long address, bool write) {
  const vm_fault_t fault = handle_mm_fault(vma, address, write ? FAULT_FLAG_WRITE : 0);
  if ((fault & VM_FAULT_ERROR) == 0) return 0;
  if ((fault & VM_FAULT_OOM) != 0) return Fail(ENOMEM, "no memory for a user page");
  return Fail(EFAULT, "the page at $0 cannot be brought in", Value::Address(address));
}

// One page for __get_user_pages. 0 or a negative errno.
int GetOnePage(kptr<mm_struct> mm, kptr<vm_area_struct> vma, unsigned long start, bool write,
               kptr<page>* page) {
  while (true) {
    cond_resched();
    *page = follow_page_mask(mm, start, write);
    if (*page) return 0;
    const int error = faultin_page(vma, start, write);
    if (error != 0) return error;
  }
}

// v4.19 mm/gup.c: __get_user_pages. REQUIRES: mmap_sem held for reading.
long __get_user_pages(kptr<mm_struct> mm, unsigned long start, unsigned long nr_pages, bool write,
                      kptr<page>* pages) {
  FUNCTION(Value::Address(start), nr_pages, write);
  kptr<vm_area_struct> vma;
  for (unsigned long i = 0; i < nr_pages; ++i, start += PAGE_SIZE) {
    int error = 0;
    if (!vma || start >= vma->vm_end) {
      vma = find_extend_vma(mm, start);
      error =
          vma ? check_vma_flags(vma, write)
              : static_cast<int>(Fail(EFAULT, "nothing is mapped at $0", Value::Address(start)));
    }
    if (error == 0) error = GetOnePage(mm, vma, start, write, &pages[i]);
    if (error != 0) return fn.Return(i != 0 ? static_cast<long>(i) : error);
  }
  return fn.Return(static_cast<long>(nr_pages));
}

}  // namespace

// v4.19 mm/gup.c: get_user_pages_unlocked
long get_user_pages_unlocked(unsigned long start, unsigned long nr_pages, kptr<page>* pages,
                             unsigned gup_flags) {
  FUNCTION(Value::Address(start), nr_pages, gup_flags);
  const kptr<mm_struct> mm = current->mm;
  down_read(&mm->mmap_sem);
  const long got = __get_user_pages(mm, start, nr_pages, (gup_flags & FOLL_WRITE) != 0, pages);
  up_read(&mm->mmap_sem);
  return fn.Return(got);
}

// v4.19 mm/gup.c: get_user_pages_fast
int get_user_pages_fast(unsigned long start, int nr_pages, int write, kptr<page>* pages) {
  FUNCTION(Value::Address(start), nr_pages, write);
  start &= PAGE_MASK;
  if (nr_pages <= 0) return fn.Return(0);
  const unsigned long len = static_cast<unsigned long>(nr_pages) << PAGE_SHIFT;
  if (!access_ok(user_ptr<const void>(start), len)) {
    return fn.Return(
        Fail(EFAULT, "$0 bytes at $1 go beyond the user's addresses", len, Value::Address(start)));
  }
  int nr = 0;
  local_irq_disable();
  gup_pgd_range(start, start + len, write != 0, pages, &nr);
  local_irq_enable();
  if (nr == nr_pages) return fn.Return(nr);
  const auto done = static_cast<unsigned long>(nr);
  const long ret = get_user_pages_unlocked(start + (done << PAGE_SHIFT),
                                           static_cast<unsigned long>(nr_pages) - done, pages + nr,
                                           write != 0 ? FOLL_WRITE : 0);
  if (nr == 0) return fn.Return(static_cast<int>(ret));
  return fn.Return(ret < 0 ? nr : nr + static_cast<int>(ret));
}

// v4.19 lib/iov_iter.c: iov_iter_get_pages
ssize_t iov_iter_get_pages(const iov_iter* i, kptr<page>* pages, size_t maxsize, unsigned maxpages,
                           size_t* start) {
  maxsize = std::min(maxsize, i->count);
  if (maxsize == 0) return 0;
  if (!iter_is_iovec(*i)) return Fail(EFAULT, "memory of the kernel's own cannot be pinned");
  // Empty segments are stepped over.
  iov_iter at = *i;
  while (at.iov->iov_len == at.iov_offset) {
    ++at.iov;
    at.iov_offset = 0;
  }
  const unsigned long addr = at.iov->iov_base.address() + at.iov_offset;
  *start = offset_in_page(addr);
  size_t len = std::min<size_t>(at.iov->iov_len - at.iov_offset, maxsize) + *start;
  len = std::min<size_t>(len, size_t{maxpages} * PAGE_SIZE);
  const auto n = static_cast<int>((len + PAGE_SIZE - 1) >> PAGE_SHIFT);
  const int res = get_user_pages_fast(addr & PAGE_MASK, n, iov_iter_rw(*i) != WRITE, pages);
  if (res < 0) return res;
  const size_t got = res == n ? len : static_cast<size_t>(res) * PAGE_SIZE;
  return static_cast<ssize_t>(got - *start);
}

}  // namespace kpath
