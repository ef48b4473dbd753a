// SPDX-License-Identifier: Apache-2.0
//
// What open memory files do. v4.19 mm/shmem.c
#include <algorithm>

#include "sim/mm/filemap.h"
#include "sim/mm/mmap.h"
#include "sim/mm/shmem.h"
#include "sim/mm/swap.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/libfs.h"
#include "sim/vfs/read_write.h"
#include "sim/vfs/shmem_dir.h"

namespace kpath {
namespace {

struct shmem_globals {
  // The mount of the files behind shared anonymous mappings.
  kptr<vfsmount> shm_mnt;
};
KernelGlobal<shmem_globals> shmem;

// How many bytes of page `index` lie within the file.
unsigned long BytesInPage(kptr<inode> inode, pgoff_t index) {
  const auto size = static_cast<unsigned long>(i_size_read(inode));
  if (index > size >> PAGE_SHIFT) return 0;
  if (index < size >> PAGE_SHIFT) return PAGE_SIZE;
  return offset_in_page(size);
}

// Copies `count` bytes of a page, or of a hole, to the iter. Returns how many it could copy.
size_t CopyPageToIter(kptr<page> page, unsigned long offset, unsigned long count, iov_iter* to) {
  if (!page) return iov_iter_zero(count, to);
  const kmap_ptr mapped = kmap(page);
  const size_t copied = copy_to_iter(mapped.bytes() + offset, count, to);
  kunmap(page);
  return copied;
}

// v4.19 mm/shmem.c: the body of the loop in shmem_file_read_iter. Copies from the page that `pos`
// is in. Returns the bytes copied, or a negative errno; *nr is how many the page had for us: 0 at
// the end.
ssize_t shmem_read_page(kptr<inode> inode, loff_t pos, iov_iter* to, unsigned long* nr) {
  const pgoff_t index = static_cast<pgoff_t>(pos) >> PAGE_SHIFT;
  const unsigned long offset = offset_in_page(static_cast<unsigned long>(pos));
  *nr = 0;
  if (BytesInPage(inode, index) <= offset) return 0;
  // A hole that the kernel reads for itself is filled: it may map the page.
  const sgp_type sgp = iter_is_iovec(*to) ? SGP_READ : SGP_CACHE;
  kptr<page> page;
  const int error = shmem_getpage(inode, index, &page, sgp);
  if (error != 0) return error == -EINVAL ? 0 : error;
  if (page) {
    if (sgp == SGP_CACHE) set_page_dirty(page);
    unlock_page(page);
  }
  // The size again: the file may have been cut while the page was looked for.
  ssize_t ret = 0;
  if (const unsigned long bytes = BytesInPage(inode, index); bytes > offset) {
    *nr = bytes - offset;
    if (page && offset == 0) mark_page_accessed(page);
    const unsigned long count = std::min<unsigned long>(*nr, iov_iter_count(*to));
    ret = static_cast<ssize_t>(CopyPageToIter(page, offset, count, to));
  }
  if (page) put_page(page);
  return ret;
}

}  // namespace

ssize_t shmem_file_read_iter(kiocb* iocb, iov_iter* to) {
  FUNCTION(iocb->ki_pos, iov_iter_count(*to));
  const kptr<file> file = iocb->ki_filp;
  ssize_t retval = 0;
  ssize_t error = 0;
  while (true) {
    unsigned long nr;
    const ssize_t ret = shmem_read_page(file_inode(file), iocb->ki_pos, to, &nr);
    if (ret < 0) error = ret;
    if (ret < 0 || nr == 0) break;
    retval += ret;
    iocb->ki_pos += ret;
    if (iov_iter_count(*to) == 0) break;
    if (static_cast<unsigned long>(ret) < nr) {
      error = -EFAULT;  // the copy has told why
      break;
    }
    cond_resched();
  }
  file_accessed(file);
  return fn.Return(retval != 0 ? retval : error);
}

namespace {

// v4.19 mm/shmem.c: shmem_mmap
int shmem_mmap(kptr<file> file, kptr<vm_area_struct> vma) {
  FUNCTION(file, vma);
  file_accessed(file);
  vma->vm_ops = &shmem_vm_ops;
  return fn.Return(0);
}

// v4.19 mm/shmem.c: shmem_get_unmapped_area. Where huge pages are off, as here, any place is as
// good.
unsigned long shmem_get_unmapped_area(kptr<file> file, unsigned long addr, unsigned long len,
                                      unsigned long pgoff, unsigned long flags) {
  FUNCTION(Value::Address(addr), len);
  return fn.Return(arch_get_unmapped_area_topdown(file, addr, len, pgoff, flags));
}

}  // namespace

kptr<file> shmem_file_setup(const char* name, loff_t size) {
  FUNCTION(name, size);
  const kptr<vfsmount> mnt = shmem->shm_mnt;
  const kptr<inode> inode = shmem_get_inode(mnt->mnt_sb, nullptr, S_IFREG | S_IRWXUGO);
  if (!inode) return fn.Return<kptr<struct file>>(Fail(ENOMEM, "no inode for shared memory"));
  inode->i_size = size;
  clear_nlink(inode);
  const kptr<file> file = alloc_file_pseudo(inode, mnt, name, O_RDWR, &shmem_file_operations);
  if (IS_ERR(file)) iput(inode);
  return fn.Return(file);
}

int shmem_zero_setup(kptr<vm_area_struct> vma) {
  FUNCTION(vma);
  const kptr<file> file =
      shmem_file_setup("dev/zero", static_cast<loff_t>(vma->vm_end - vma->vm_start));
  if (IS_ERR(file)) return fn.Return(PTR_ERR(file));
  if (vma->vm_file) fput(vma->vm_file);
  vma->vm_file = file;
  vma->vm_ops = &shmem_vm_ops;
  return fn.Return(0);
}

void shmem_init() {
  FUNCTION();
  shmem->shm_mnt = mount_pseudo("tmpfs", TMPFS_MAGIC);
  shmem_fill_super(shmem->shm_mnt->mnt_sb);
}

const file_operations shmem_file_operations = {
    .name = "shmem_file_operations",
    .llseek = generic_file_llseek,
    .read_iter = shmem_file_read_iter,
    .write_iter = generic_file_write_iter,
    .mmap = shmem_mmap,
    .get_unmapped_area = shmem_get_unmapped_area,
    .fsync = noop_fsync,
};

}  // namespace kpath
