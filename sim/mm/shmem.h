// SPDX-License-Identifier: Apache-2.0
//
// Memory files: the regular files of tmpfs, and the memory behind shared anonymous mappings.
// v4.19 mm/shmem.c
//
// Their pages are the page cache and nothing else. A page that was never written is a hole: it
// reads as zeroes and takes no memory.
//
// Departs: no swap, no huge pages, no quota of the mount, no seals, no fallocate.
//
// Context: process.
//
// Invariants
//   1. i_blocks = 8 for each page of the file; alloced = those pages.
#pragma once

#include "sim/mm/mm_types.h"
#include "sim/vfs/fs.h"

namespace kpath {

// v4.19 include/linux/shmem_fs.h: shmem_inode_info, kept in inode::i_private.
struct shmem_inode_info {
  spinlock_t lock;
  unsigned long alloced = 0;  // pages
};

extern const address_space_operations shmem_aops;
extern const file_operations shmem_file_operations;
extern const inode_operations shmem_inode_operations;
extern const vm_operations_struct shmem_vm_ops;

// v4.19 include/linux/shmem_fs.h: shmem_mapping. True if these are the pages of a memory file.
bool shmem_mapping(const address_space* mapping);

// What is to happen where the file has no page.
enum sgp_type {
  SGP_READ,   // leave it, and give no page
  SGP_CACHE,  // allocate one, within the file's size
  SGP_WRITE,  // allocate one, beyond the file's size too
};

// v4.19 mm/shmem.c: shmem_getpage. The page `index`, locked and with a reference, in *pagep; null
// there for a hole and SGP_READ. Returns 0, or
//   -EFBIG   index is beyond the largest file
//   -EINVAL  it is beyond the end of this one (SGP_READ, SGP_CACHE)
//   -ENOMEM
int shmem_getpage(kptr<inode> inode, pgoff_t index, kptr<page>* pagep, sgp_type sgp);

// v4.19 mm/shmem.c: shmem_truncate_range. Frees the pages from byte `lstart` on.
void shmem_truncate_range(kptr<inode> inode, loff_t lstart);

// v4.19 mm/shmem.c: shmem_file_setup. A file of `size` bytes without a place in the tree, open for
// reading and writing; `name` is what /proc shows. An error pointer: -ENOMEM.
kptr<file> shmem_file_setup(const char* name, loff_t size);

// v4.19 mm/shmem.c: shmem_zero_setup. Gives a shared anonymous area a memory file. 0 or -ENOMEM.
int shmem_zero_setup(kptr<vm_area_struct> vma);

// v4.19 mm/shmem.c: shmem_init. Makes the mount of the files without names; once per machine.
void shmem_init();

// v4.19 mm/shmem.c: shmem_file_read_iter. The read_iter of memory files.
ssize_t shmem_file_read_iter(kiocb* iocb, iov_iter* to);

// v4.19 mm/shmem.c: the part of shmem_get_inode for a regular file. See VfsHooks.
void shmem_init_regular(kptr<inode> inode);

}  // namespace kpath
