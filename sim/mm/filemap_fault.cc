// SPDX-License-Identifier: Apache-2.0
//
// Files mapped into memory. v4.19 mm/filemap.c
#include <utility>
#include <vector>

#include "sim/mm/filemap.h"
#include "sim/mm/memory.h"
#include "sim/mm/swap.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/super.h"

namespace kpath {
namespace {

// The page after the last one of the file.
pgoff_t max_index(kptr<inode> inode) {
  return PAGE_ALIGN(static_cast<unsigned long>(i_size_read(inode))) >> PAGE_SHIFT;
}

vm_fault_t FailBeyondEnd(const vm_fault* vmf, kptr<inode> inode) {
  Fail(EFAULT, "page $0 of the mapped file is beyond its end, $1 bytes", vmf->pgoff,
       i_size_read(inode));
  return VM_FAULT_SIGBUS;
}

// v4.19 mm/filemap.c: page_cache_read. Adds a page to the cache and starts to read it.
int page_cache_read(kptr<file> file, pgoff_t offset) {
  FUNCTION(file, offset);
  address_space* mapping = file->f_mapping;
  const kptr<page> page = alloc_page(GFP_HIGHUSER);
  if (!page) return fn.Return(Fail(ENOMEM, "no page for the page cache"));
  int ret = add_to_page_cache_lru(page, mapping, offset, GFP_HIGHUSER);
  if (ret == 0) ret = mapping->a_ops->readpage(file, page);
  put_page(page);
  return fn.Return(ret == -EEXIST ? 0 : ret);
}

// The end of filemap_fault: a locked page that could not be read before. False: nor can it now.
bool ReadAgain(kptr<file> file, kptr<page> page) {
  ClearPageError(page);
  int error = file->f_mapping->a_ops->readpage(file, page);
  if (error == 0) wait_on_page_locked(page);
  if (error == 0 && !PageUptodate(page)) error = -EIO;
  const pgoff_t index = page->index;
  put_page(page);
  if (error == 0) return true;
  Fail(EFAULT, "page $0 of the mapped file cannot be read", index);
  return false;
}

}  // namespace

// v4.19 mm/filemap.c: filemap_fault. Departs: only the page itself is read, not those around it
// (do_sync_mmap_readahead).
vm_fault_t filemap_fault(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address), vmf->pgoff);
  const kptr<file> file = vmf->vma->vm_file;
  address_space* mapping = file->f_mapping;
  const kptr<inode> inode = mapping->host;
  vm_fault_t ret = 0;
  if (vmf->pgoff >= max_index(inode)) return fn.Return(FailBeyondEnd(vmf, inode));
  while (true) {
    const kptr<page> page = find_get_page(mapping, vmf->pgoff);
    if (!page) {
      ret = VM_FAULT_MAJOR;
      const int error = page_cache_read(file, vmf->pgoff);
      if (error == -ENOMEM) return fn.Return(VM_FAULT_OOM);
      if (error < 0) return fn.Return(VM_FAULT_SIGBUS);
      continue;
    }
    lock_page(page);
    if (page->mapping != mapping) {
      unlock_page(page);
      put_page(page);
      continue;
    }
    if (vmf->pgoff >= max_index(inode)) {
      unlock_page(page);
      put_page(page);
      return fn.Return(FailBeyondEnd(vmf, inode));
    }
    if (PageUptodate(page)) {
      vmf->page = page;
      return fn.Return(ret | VM_FAULT_LOCKED);
    }
    if (!ReadAgain(file, page)) return fn.Return(VM_FAULT_SIGBUS);
  }
}

void filemap_map_pages(vm_fault* vmf, pgoff_t start_pgoff, pgoff_t end_pgoff) {
  FUNCTION(Value::Address(vmf->address), start_pgoff, end_pgoff);
  address_space* mapping = vmf->vma->vm_file->f_mapping;
  const pgoff_t max = max_index(mapping->host);
  const unsigned long start = vmf->address;
  // A copy: setting an entry is a probe, at which another CPU may change the cache.
  const std::vector<std::pair<pgoff_t, kptr<struct page>>> around(
      mapping->i_pages.lower_bound(start_pgoff), mapping->i_pages.upper_bound(end_pgoff));
  for (const auto& [index, page] : around) {
    if (!page.alive() || page->mapping != mapping || !PageUptodate(page)) continue;
    if (index >= max || !trylock_page(page)) continue;
    get_page(page);
    vmf->address = start + ((index - start_pgoff) << PAGE_SHIFT);
    if (alloc_set_pte(vmf, page) != 0) put_page(page);
    unlock_page(page);
  }
  vmf->address = start;
}

vm_fault_t filemap_page_mkwrite(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address), vmf->page);
  const kptr<inode> inode = file_inode(vmf->vma->vm_file);
  vm_fault_t ret = VM_FAULT_LOCKED;
  __sb_start_write(inode->i_sb, SB_FREEZE_PAGEFAULT, true);
  file_update_time(vmf->vma->vm_file);
  lock_page(vmf->page);
  if (vmf->page->mapping != inode->i_mapping) {
    unlock_page(vmf->page);
    ret = VM_FAULT_NOPAGE;
  } else {
    set_page_dirty(vmf->page);
  }
  __sb_end_write(inode->i_sb, SB_FREEZE_PAGEFAULT);
  return fn.Return(ret);
}

const vm_operations_struct generic_file_vm_ops = {
    .name = "generic_file_vm_ops",
    .fault = filemap_fault,
    .map_pages = filemap_map_pages,
    .page_mkwrite = filemap_page_mkwrite,
};

int generic_file_mmap(kptr<file> file, kptr<vm_area_struct> vma) {
  FUNCTION(file, vma);
  if (file->f_mapping->a_ops == nullptr || file->f_mapping->a_ops->readpage == nullptr) {
    return fn.Return(Fail(ENOEXEC, "the file has no pages that could be mapped"));
  }
  file_accessed(file);
  vma->vm_ops = &generic_file_vm_ops;
  return fn.Return(0);
}

}  // namespace kpath
