// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/rmap.h"

#include "sim/mm/filemap.h"
#include "sim/mm/memory.h"
#include "sim/mm/tlb.h"
#include "sim/mm/vmstat.h"

namespace kpath {
namespace {

// v4.19 mm/rmap.c: page_address_in_vma. 0: the page is not part of the area.
unsigned long vma_address(kptr<page> page, kptr<vm_area_struct> vma) {
  if (page->index < vma->vm_pgoff || page->index - vma->vm_pgoff >= vma_pages(vma)) return 0;
  return vma->vm_start + ((page->index - vma->vm_pgoff) << PAGE_SHIFT);
}

// v4.19 mm/rmap.c: try_to_unmap_one
void try_to_unmap_one(kptr<page> page, kptr<vm_area_struct> vma, unsigned long address) {
  FUNCTION(page, vma, Value::Address(address));
  const kptr<mm_struct> mm = vma->vm_mm;
  spin_lock(&mm->page_table_lock);
  const pte_t* entry = mm->page_table.Find(address);
  if (entry == nullptr || entry->page != page) {
    spin_unlock(&mm->page_table_lock);
    return;
  }
  const bool dirty = mm->page_table.Clear(address).dirty;  // ptep_clear_flush
  flush_tlb_mm_range(mm, address, address + PAGE_SIZE);
  if (dirty) set_page_dirty(page);
  add_mm_counter(mm, mm_counter(page), -1);
  page_remove_rmap(page);
  put_page(page);
  spin_unlock(&mm->page_table_lock);
}

}  // namespace

void page_add_file_rmap(kptr<page> page) {
  FUNCTION(page);
  if (++page->_mapcount == 0) __mod_node_page_state(NR_FILE_MAPPED, 1);
}

void page_add_new_anon_rmap(kptr<page> page) {
  FUNCTION(page);
  page->flags |= PG_anon | PG_swapbacked;
  page->_mapcount = 0;
  __mod_node_page_state(NR_ANON_MAPPED, 1);
}

void page_remove_rmap(kptr<page> page) {
  FUNCTION(page);
  if (--page->_mapcount >= 0) return;
  __mod_node_page_state(PageAnon(page) ? NR_ANON_MAPPED : NR_FILE_MAPPED, -1);
}

bool try_to_unmap(kptr<page> page) {
  FUNCTION(page);
  address_space* mapping = page->mapping;
  down_read(&mapping->i_mmap_rwsem);  // rmap_walk_file
  for (const kptr<vm_area_struct>& vma : mapping->i_mmap) {
    const unsigned long address = vma_address(page, vma);
    if (address != 0) try_to_unmap_one(page, vma, address);
  }
  up_read(&mapping->i_mmap_rwsem);
  return fn.Return(!page_mapped(page));
}

}  // namespace kpath
