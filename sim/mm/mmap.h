// SPDX-License-Identifier: Apache-2.0
//
// The areas of a process: mapping, unmapping, moving, protecting, finding.
// v4.19 mm/{mmap,mremap,mprotect,util}.c
//
//   if (down_write_killable(&mm->mmap_sem) != 0) return -EINTR;
//   unsigned long populate;
//   unsigned long addr = do_mmap_pgoff(file, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED, 0,
//                                      &populate, nullptr);
//   up_write(&mm->mmap_sem);
//   if (IS_ERR_VALUE(addr)) ...
//
// Functions that return an address return an error as the negative errno in it (IS_ERR_VALUE); the
// reason has been told (fail.h).
//
// Departs: the areas are kept in a std::map instead of a list and an augmented tree; nothing is
// charged against overcommit limits; no memory is locked (mlock), pinned or huge.
//
// Context: process. do_mmap, do_munmap and mmap_region need mmap_sem held for writing; find_vma for
// reading; vm_mmap_pgoff, vm_munmap and the system calls take it.
#pragma once

#include "sim/mm/mm_types.h"

namespace kpath {

// v4.19 include/linux/err.h: IS_ERR_VALUE
constexpr bool IS_ERR_VALUE(unsigned long value) {
  return value >= static_cast<unsigned long>(-MAX_ERRNO);
}
// A negative errno in the place of an address.
constexpr unsigned long ERR_VALUE(int error) {
  return static_cast<unsigned long>(static_cast<long>(error));
}
// An address, or an error in its place, as a probe shows it.
constexpr Value AddressValue(unsigned long value) {
  return IS_ERR_VALUE(value) ? Value::Result(static_cast<long>(value)) : Value::Address(value);
}

// v4.19 mm/mmap.c: the most areas that a process may have: /proc/sys/vm/max_map_count.
inline constexpr int sysctl_max_map_count = 65530;
// v4.19 security/min_addr.c: /proc/sys/vm/mmap_min_addr.
inline constexpr unsigned long mmap_min_addr = 65536;

// Made for callers that can wait for userfaultfd events; nobody can here, so it is always null.
struct list_head_uf;

// ---- Finding ----
// v4.19 mm/mmap.c: find_vma. The first area that ends above `addr`; it need not contain it. Null:
// none.
kptr<vm_area_struct> find_vma(kptr<mm_struct> mm, unsigned long addr);
kptr<vm_area_struct> find_vma_intersection(kptr<mm_struct> mm, unsigned long start_addr,
                                           unsigned long end_addr);
// The areas before and after this one; null at the ends. (vm_prev, vm_next)
kptr<vm_area_struct> vma_prev(kptr<vm_area_struct> vma);
kptr<vm_area_struct> vma_next(kptr<vm_area_struct> vma);

// ---- Mapping ----
// v4.19 mm/mmap.c: do_mmap. `file`: null for anonymous memory. `flags`: MAP_*; `vm_flags`: VM_* in
// addition. *populate: how many bytes the caller should bring in. Returns the address, or
//   -EINVAL      len is 0, the kind of mapping is unknown, the address of a MAP_FIXED is not
//   aligned -ENOMEM      no room, too many areas, over a limit, no memory -EOVERFLOW   the offset
//   wraps or is beyond what the file can have -EEXIST      MAP_FIXED_NOREPLACE, and something is
//   there -EACCES      the file was not opened for what is asked -EPERM       MAP_FIXED below
//   mmap_min_addr; PROT_EXEC from a noexec mount -ENODEV      the file cannot be mapped -EOPNOTSUPP
//   MAP_SHARED_VALIDATE with an unknown flag
unsigned long do_mmap(kptr<file> file, unsigned long addr, unsigned long len, unsigned long prot,
                      unsigned long flags, unsigned long vm_flags, unsigned long pgoff,
                      unsigned long* populate, list_head_uf* uf);
inline unsigned long do_mmap_pgoff(kptr<file> file, unsigned long addr, unsigned long len,
                                   unsigned long prot, unsigned long flags, unsigned long pgoff,
                                   unsigned long* populate, list_head_uf* uf) {
  return do_mmap(file, addr, len, prot, flags, 0, pgoff, populate, uf);
}
// v4.19 mm/util.c: vm_mmap_pgoff. In the current mm, under its lock. Populates.
unsigned long vm_mmap_pgoff(kptr<file> file, unsigned long addr, unsigned long len,
                            unsigned long prot, unsigned long flags, unsigned long pgoff);
// v4.19 mm/mmap.c: mmap_region. Replaces what is at [addr, addr + len) by a new area.
unsigned long mmap_region(kptr<file> file, unsigned long addr, unsigned long len,
                          unsigned long vm_flags, unsigned long pgoff, list_head_uf* uf);
// v4.19 mm/mmap.c: get_unmapped_area. A place for `len` bytes: at `addr` for MAP_FIXED, near it if
// it is not 0 and free, else where the kernel likes. Returns the address or a negative errno.
unsigned long get_unmapped_area(kptr<file> file, unsigned long addr, unsigned long len,
                                unsigned long pgoff, unsigned long flags);
// v4.19 arch/x86/kernel/sys_x86_64.c: arch_get_unmapped_area_topdown
unsigned long arch_get_unmapped_area_topdown(kptr<file> file, unsigned long addr, unsigned long len,
                                             unsigned long pgoff, unsigned long flags);

// ---- Unmapping ----
// v4.19 mm/mmap.c: do_munmap. 0, also where nothing was mapped; or
//   -EINVAL  start is not aligned, len is 0, the range is not in user space
//   -ENOMEM  an area would be split and there are too many, or no memory
int do_munmap(kptr<mm_struct> mm, unsigned long start, size_t len, list_head_uf* uf);
// In the current mm, under its lock. -EINTR besides: the task is being killed.
int vm_munmap(unsigned long start, size_t len);

// ---- Growing ----
// v4.19 mm/mmap.c: expand_stack. Moves the start of a VM_GROWSDOWN area down to `address`. 0 or
// -ENOMEM.
int expand_stack(kptr<vm_area_struct> vma, unsigned long address);
// v4.19 mm/mmap.c: may_expand_vm. True if `npages` more are within the limits of the process.
bool may_expand_vm(kptr<mm_struct> mm, unsigned long vm_flags, unsigned long npages);

// ---- Parts, for the files of this folder ----
// v4.19 mm/mmap.c: find_vma_links. -ENOMEM if an area overlaps [addr, end).
int find_vma_links(kptr<mm_struct> mm, unsigned long addr, unsigned long end);
// Enters the area into its mm and into its file's list.
void vma_link(kptr<mm_struct> mm, kptr<vm_area_struct> vma);
// Moves the borders of an area that stays an area; the entries outside of them are gone already.
void vma_adjust(kptr<vm_area_struct> vma, unsigned long start, unsigned long end, pgoff_t pgoff);
// v4.19 mm/mmap.c: vma_merge. Extends an area that ends at `addr`, or begins at `end`, or both,
// over [addr, end), which is free, if they are of one kind. Null: it could not.
kptr<vm_area_struct> vma_merge(kptr<mm_struct> mm, unsigned long addr, unsigned long end,
                               unsigned long vm_flags, kptr<file> file, pgoff_t pgoff);
// v4.19 mm/mmap.c: __split_vma. Cuts an area in two at `addr`. 0 or -ENOMEM. After it `vma` is the
// upper part if new_below is 1, else the lower one.
int __split_vma(kptr<mm_struct> mm, kptr<vm_area_struct> vma, unsigned long addr, int new_below);
// Joins an area with its neighbours where they have become of one kind. Returns the whole.
kptr<vm_area_struct> MergeWithNeighbours(kptr<vm_area_struct> vma);
kptr<vm_area_struct> vm_area_alloc(kptr<mm_struct> mm);
kptr<vm_area_struct> vm_area_dup(kptr<vm_area_struct> orig);
void vm_area_free(kptr<vm_area_struct> vma);
// Ends an area that is out of its mm and unmapped.
void remove_vma(kptr<vm_area_struct> vma);
void unlink_file_vma(kptr<vm_area_struct> vma);
void vm_stat_account(kptr<mm_struct> mm, unsigned long vm_flags, long npages);
// v4.19 mm/mmap.c: vm_get_page_prot. Private pages are mapped read-only at first: a write copies.
pgprot_t vm_get_page_prot(unsigned long vm_flags);
// v4.19 mm/mmap.c: vma_wants_writenotify. True if the first write to a page must be seen.
bool vma_wants_writenotify(kptr<vm_area_struct> vma);
void vma_set_page_prot(kptr<vm_area_struct> vma);

// ---- Replay ----
// The next mapping of `mm` whose place the kernel chooses is put at `addr` (page aligned), if that
// is free; else the kernel chooses as usual. It holds for one mapping.
void SetNextUnmappedArea(kptr<mm_struct> mm, unsigned long addr);

}  // namespace kpath
