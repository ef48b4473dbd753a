// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/shmem.h"

#include <algorithm>

#include "sim/mm/filemap.h"
#include "sim/mm/memory.h"
#include "sim/mm/migrate.h"
#include "sim/mm/swap.h"
#include "sim/mm/truncate.h"
#include "sim/mm/vmstat.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

constexpr uint64_t BLOCKS_PER_PAGE = PAGE_SIZE / 512;

shmem_inode_info* SHMEM_I(kptr<inode> inode) {
  return std::any_cast<shmem_inode_info>(&inode->i_private);
}

// v4.19 mm/shmem.c: shmem_alloc_and_acct_page
kptr<page> shmem_alloc_and_acct_page() {
  FUNCTION();
  const kptr<page> page = alloc_page(GFP_HIGHUSER_MOVABLE);
  if (!page) return fn.Return(page);
  page->flags |= PG_locked | PG_swapbacked;
  return fn.Return(page);
}

// v4.19 mm/shmem.c: shmem_add_to_page_cache
int shmem_add_to_page_cache(kptr<page> page, address_space* mapping, pgoff_t index) {
  FUNCTION(page, mapping->host, index);
  get_page(page);
  page->mapping = mapping;
  page->index = index;
  spin_lock_irq(&mapping->i_pages_lock);
  const bool is_new = mapping->i_pages.try_emplace(index, page).second;
  if (is_new) {
    ++mapping->nrpages;
    __inc_node_page_state(page, NR_FILE_PAGES);
    __inc_node_page_state(page, NR_SHMEM);
  } else {
    page->mapping = nullptr;
  }
  spin_unlock_irq(&mapping->i_pages_lock);
  if (is_new) return fn.Return(0);
  put_page(page);
  return fn.Return(-EEXIST);  // somebody was quicker; the caller looks again
}

// v4.19 mm/shmem.c: shmem_recalc_inode. `change`: pages that came or, negative, went.
void shmem_recalc_inode(kptr<inode> inode, long change) {
  FUNCTION(inode, change);
  shmem_inode_info* info = SHMEM_I(inode);
  spin_lock_irq(&info->lock);
  info->alloced += static_cast<unsigned long>(change);
  inode->i_blocks += static_cast<uint64_t>(change) * BLOCKS_PER_PAGE;
  spin_unlock_irq(&info->lock);
}

void UnlockAndPut(kptr<page> page) {
  unlock_page(page);
  put_page(page);
}

bool IsBeyondEnd(kptr<inode> inode, pgoff_t index) {
  return index << PAGE_SHIFT >= static_cast<uint64_t>(i_size_read(inode));
}

// Allocates the page `index` and adds it to the file. 0, -ENOMEM, or -EEXIST: look again.
int shmem_add_page(kptr<inode> inode, pgoff_t index, kptr<page>* pagep, sgp_type sgp) {
  const kptr<page> page = shmem_alloc_and_acct_page();
  if (!page) return Fail(ENOMEM, "no page for page $0 of the file", index);
  if (sgp == SGP_WRITE) page->flags |= PG_referenced;
  const int error = shmem_add_to_page_cache(page, inode->i_mapping, index);
  if (error != 0) {
    UnlockAndPut(page);
    return error;
  }
  lru_cache_add_anon(page);
  shmem_recalc_inode(inode, 1);
  // A writer marks it himself, when all of it has contents.
  if (sgp != SGP_WRITE) SetPageUptodate(page);
  *pagep = page;
  return 0;
}

// v4.19 mm/shmem.c: shmem_getpage_gfp
int shmem_getpage_gfp(kptr<inode> inode, pgoff_t index, kptr<page>* pagep, sgp_type sgp) {
  FUNCTION(inode, index, sgp);
  if (index > static_cast<pgoff_t>(MAX_LFS_FILESIZE >> PAGE_SHIFT)) {
    return fn.Return(Fail(EFBIG, "page $0 is beyond the largest file", index));
  }
  while (true) {
    const kptr<page> page = find_lock_entry(inode->i_mapping, index);
    if (sgp != SGP_WRITE && IsBeyondEnd(inode, index)) {
      if (page) UnlockAndPut(page);
      return fn.Return(Fail(EINVAL, "page $0 is beyond the end of the file, $1 bytes", index,
                            i_size_read(inode)));
    }
    if (page && sgp == SGP_WRITE) mark_page_accessed(page);
    if (page || sgp == SGP_READ) {
      *pagep = page;
      return fn.Return(0);
    }
    const int error = shmem_add_page(inode, index, pagep, sgp);
    if (error != -EEXIST) return fn.Return(error);
  }
}

// v4.19 mm/shmem.c: shmem_write_begin
int shmem_write_begin(kptr<file> file, address_space*, loff_t pos, unsigned len, unsigned,
                      kptr<page>* pagep, void**) {
  FUNCTION(file, pos, len);
  return fn.Return(
      shmem_getpage(file_inode(file), static_cast<pgoff_t>(pos) >> PAGE_SHIFT, pagep, SGP_WRITE));
}

// v4.19 mm/shmem.c: shmem_write_end
int shmem_write_end(kptr<file> file, address_space*, loff_t pos, unsigned len, unsigned copied,
                    kptr<page> page, void*) {
  FUNCTION(file, pos, len, copied);
  const kptr<inode> inode = file_inode(file);
  if (pos + copied > i_size_read(inode)) {
    STEP("the file grows", i_size_read(inode), pos + copied);
    i_size_write(inode, pos + copied);
  }
  if (!PageUptodate(page)) {
    if (copied < PAGE_SIZE) {
      const unsigned from = static_cast<unsigned>(offset_in_page(static_cast<unsigned long>(pos)));
      zero_user_segment(page, 0, from);
      zero_user_segment(page, from + copied, PAGE_SIZE);
    }
    SetPageUptodate(page);
  }
  set_page_dirty(page);
  unlock_page(page);
  put_page(page);
  return fn.Return(static_cast<int>(copied));
}

// v4.19 mm/shmem.c: shmem_fault
vm_fault_t shmem_fault(vm_fault* vmf) {
  FUNCTION(Value::Address(vmf->address), vmf->pgoff);
  const kptr<inode> inode = file_inode(vmf->vma->vm_file);
  const int error = shmem_getpage(inode, vmf->pgoff, &vmf->page, SGP_CACHE);
  if (error == -ENOMEM) return fn.Return(VM_FAULT_OOM);
  if (error == 0) return fn.Return(VM_FAULT_LOCKED);
  Fail(EFAULT, "page $0 of the mapped file is beyond its end, $1 bytes", vmf->pgoff,
       i_size_read(inode));
  return fn.Return(VM_FAULT_SIGBUS);
}

// v4.19 mm/shmem.c: shmem_setattr
int shmem_setattr(kptr<dentry> dentry, const iattr& attr) {
  FUNCTION(dentry, attr.ia_valid);
  const kptr<inode> inode = dentry->d_inode;
  const int error = setattr_prepare(dentry, attr);
  if (error != 0) return fn.Return(error);
  if ((attr.ia_valid & ATTR_SIZE) != 0 && (inode->i_mode & S_IFMT) == S_IFREG) {
    const loff_t oldsize = i_size_read(inode);
    const loff_t newsize = attr.ia_size;
    if (newsize != oldsize) {
      i_size_write(inode, newsize);
      inode->i_ctime = inode->i_mtime = current_time(inode);
    }
    if (newsize <= oldsize) {
      const loff_t holebegin = static_cast<loff_t>(PAGE_ALIGN(static_cast<unsigned long>(newsize)));
      if (oldsize > holebegin) unmap_mapping_range(inode->i_mapping, holebegin, 0, true);
      if (SHMEM_I(inode)->alloced != 0) shmem_truncate_range(inode, newsize);
      // Faults between the two may have mapped pages that are gone now.
      if (oldsize > holebegin) unmap_mapping_range(inode->i_mapping, holebegin, 0, true);
    }
  }
  setattr_copy(inode, attr);
  return fn.Return(0);
}

}  // namespace

bool shmem_mapping(const address_space* mapping) {
  FUNCTION();
  return fn.Return(mapping->a_ops == &shmem_aops);
}

int shmem_getpage(kptr<inode> inode, pgoff_t index, kptr<page>* pagep, sgp_type sgp) {
  FUNCTION(inode, index, sgp);
  return fn.Return(shmem_getpage_gfp(inode, index, pagep, sgp));
}

void shmem_truncate_range(kptr<inode> inode, loff_t lstart) {
  FUNCTION(inode, lstart);
  const unsigned long before = inode->i_mapping->nrpages;
  truncate_inode_pages(inode->i_mapping, lstart);
  shmem_recalc_inode(inode, static_cast<long>(inode->i_mapping->nrpages - before));
  inode->i_ctime = inode->i_mtime = current_time(inode);
}

void shmem_init_regular(kptr<inode> inode) {
  inode->i_private = shmem_inode_info{};
  spin_lock_init(&SHMEM_I(inode)->lock);
  inode->i_mapping->a_ops = &shmem_aops;
  inode->i_op = &shmem_inode_operations;
  inode->i_fop = &shmem_file_operations;
}

const address_space_operations shmem_aops = {
    .set_page_dirty = __set_page_dirty_no_writeback,
    .write_begin = shmem_write_begin,
    .write_end = shmem_write_end,
    .migratepage = migrate_page,
};

const inode_operations shmem_inode_operations = {
    .setattr = shmem_setattr,
};

const vm_operations_struct shmem_vm_ops = {
    .name = "shmem_vm_ops",
    .fault = shmem_fault,
    .map_pages = filemap_map_pages,
};

}  // namespace kpath
