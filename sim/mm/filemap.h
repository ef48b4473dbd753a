// SPDX-License-Identifier: Apache-2.0
//
// The page cache: pages of files in memory. v4.19 mm/filemap.c, mm/page-writeback.c,
// include/linux/pagemap.h
//
//   kptr<page> page = find_or_create_page(inode->i_mapping, 0, GFP_HIGHUSER | __GFP_ZERO);
//   if (!page) return Fail(ENOMEM, "no page for the ring");
//   SetPageUptodate(page);
//   unlock_page(page);
//   ...
//   put_page(page);        // the caller's reference; the cache has one of its own
//
// A page's lock says who may change its contents and whether it stays in the cache; a page that was
// looked up must be locked, and its mapping checked again, before either is relied on.
//
// Departs: the walk of the tree that holds the pages is not modelled: a std::map stands for it.
//
// Context: process, where nothing else is said; those that allocate or lock a page may sleep.
//
// Invariants
//   1. A page in the cache has mapping and index set, and one reference of the cache's.
//   2. mapping->nrpages = the pages in mapping->i_pages.
#pragma once

#include "sim/mm/mm_types.h"
#include "sim/mm/page.h"
#include "sim/vfs/fs.h"

namespace kpath {

// ---- The lock of a page ----
// Returns whether it got it.
bool trylock_page(kptr<page> page);
void lock_page(kptr<page> page);
// v4.19 mm/filemap.c: __lock_page. Sleeps until the page is unlocked, and locks it.
void __lock_page(kptr<page> page);
// v4.19 mm/filemap.c: __lock_page_killable. 0, or -EINTR: the task is being killed.
int __lock_page_killable(kptr<page> page);
inline int lock_page_killable(kptr<page> page) {
  might_sleep();
  return trylock_page(page) ? 0 : __lock_page_killable(page);
}
void unlock_page(kptr<page> page);
// v4.19 include/linux/pagemap.h: wait_on_page_locked. Sleeps until it is not locked, as it is while
// it is being read. REQUIRES: the caller has a reference.
void wait_on_page_locked(kptr<page> page);
// The same; -EINTR: the task is being killed.
int wait_on_page_locked_killable(kptr<page> page);

// ---- Looking up ----
// v4.19 mm/util.c: page_mapping. The cache that the page is in; null for anonymous and removed
// pages.
address_space* page_mapping(kptr<page> page);
// v4.19 mm/filemap.c: find_get_entry. The page at `offset`, with a reference; null: none.
kptr<page> find_get_entry(address_space* mapping, pgoff_t offset);
// The same, locked.
kptr<page> find_lock_entry(address_space* mapping, pgoff_t offset);

// pagecache_get_page's fgp_flags.
inline constexpr int FGP_ACCESSED = 0x01;  // mark it accessed
inline constexpr int FGP_LOCK = 0x02;      // return it locked
inline constexpr int FGP_CREAT = 0x04;     // add a new page if there is none; it is locked
inline constexpr int FGP_NOWAIT = 0x20;    // rather return null than wait for the lock

// v4.19 mm/filemap.c: pagecache_get_page. The page at `offset`, with a reference. Null: there is
// none, or (FGP_CREAT) no memory, or (FGP_NOWAIT) it is locked.
kptr<page> pagecache_get_page(address_space* mapping, pgoff_t offset, int fgp_flags,
                              gfp_t gfp_mask);
inline kptr<page> find_get_page(address_space* mapping, pgoff_t offset) {
  return pagecache_get_page(mapping, offset, 0, GFP_ATOMIC);
}
inline kptr<page> find_lock_page(address_space* mapping, pgoff_t offset) {
  return pagecache_get_page(mapping, offset, FGP_LOCK, GFP_ATOMIC);
}
inline kptr<page> find_or_create_page(address_space* mapping, pgoff_t offset, gfp_t gfp_mask) {
  return pagecache_get_page(mapping, offset, FGP_LOCK | FGP_ACCESSED | FGP_CREAT, gfp_mask);
}
inline kptr<page> grab_cache_page(address_space* mapping, pgoff_t index) {
  return find_or_create_page(mapping, index, GFP_HIGHUSER);
}
// v4.19 mm/filemap.c: grab_cache_page_write_begin. The page that is to be written, locked, with a
// reference; a new one if there is none. Null: no memory.
kptr<page> grab_cache_page_write_begin(address_space* mapping, pgoff_t index);

// ---- Adding and removing ----
// v4.19 mm/filemap.c: add_to_page_cache_lru. Locks the page. 0, or -EEXIST: another page is there.
int add_to_page_cache_lru(kptr<page> page, address_space* mapping, pgoff_t offset, gfp_t gfp_mask);
// Takes the page out of its cache and puts the cache's reference. REQUIRES: it is locked.
void delete_from_page_cache(kptr<page> page);
// The same with i_pages_lock held; the reference is left to the caller.
void __delete_from_page_cache(kptr<page> page);
// v4.19 mm/filemap.c: try_to_release_page. Takes what PG_private stands for off the page, by
// a_ops->releasepage. Returns whether it could. REQUIRES: it is locked.
bool try_to_release_page(kptr<page> page);

// ---- Dirty pages. mm/page-writeback.c; writeback.h has what writes them ----
// Returns 1 if the page became dirty by this.
int set_page_dirty(kptr<page> page);
// For files that are never written back: the a_ops->set_page_dirty of memory files and AIO rings.
int __set_page_dirty_no_writeback(kptr<page> page);
// v4.19 mm/page-writeback.c: __set_page_dirty_nobuffers. For files that are.
int __set_page_dirty_nobuffers(kptr<page> page);
// v4.19 mm/page-writeback.c: account_page_dirtied. Counts it. REQUIRES: i_pages_lock.
void account_page_dirtied(kptr<page> page, address_space* mapping);
// v4.19 mm/page-writeback.c: set_page_dirty_lock. With the page's lock; may sleep.
int set_page_dirty_lock(kptr<page> page);
// Departs: no writer is ever slowed down, however many pages wait to be written back.
void balance_dirty_pages_ratelimited(address_space* mapping);

// ---- Around the page cache; writeback.h has the parts of this ----
// address_space::flags: what went wrong when pages were written back, until somebody asks.
inline constexpr unsigned long AS_EIO = 1ul << 0;
inline constexpr unsigned long AS_ENOSPC = 1ul << 1;
// v4.19 mm/filemap.c: filemap_check_errors. 0, -EIO or -ENOSPC, told once.
int filemap_check_errors(address_space* mapping);
// v4.19 mm/filemap.c: filemap_write_and_wait_range. Writes what is dirty of bytes `lstart` to
// `lend` to the device and waits for it. 0 or a negative errno.
int filemap_write_and_wait_range(address_space* mapping, loff_t lstart, loff_t lend);
// v4.19 mm/truncate.c: invalidate_inode_pages2_range. Drops pages `start` to `end`, from page
// tables too. 0, or -EBUSY: one is dirty.
int invalidate_inode_pages2_range(address_space* mapping, pgoff_t start, pgoff_t end);

// ---- Reading ----
// v4.19 mm/filemap.c: generic_file_read_iter. The read_iter of files on devices, and of devices.
// Returns the bytes, -EIOCBQUEUED: ki_complete will be called, or
//   -EAGAIN  IOCB_NOWAIT, and it would have to wait
//   -EIO     the device could not read
//   -EINTR   the task is being killed
ssize_t generic_file_read_iter(kiocb* iocb, iov_iter* iter);
// v4.19 mm/readahead.c: page_cache_sync_readahead. The page `offset` is wanted and not cached:
// reads it and guesses what else. `req_size`: the pages that the reader asked for from there on.
void page_cache_sync_readahead(address_space* mapping, file_ra_state* ra, kptr<file> filp,
                               pgoff_t offset, unsigned long req_size);
// v4.19 mm/readahead.c: page_cache_async_readahead. The reader has come to a page that is marked
// PG_readahead: what is behind the window is begun before he gets there.
void page_cache_async_readahead(address_space* mapping, file_ra_state* ra, kptr<file> filp,
                                kptr<page> page, pgoff_t offset, unsigned long req_size);
// v4.19 mm/filemap.c: filemap_range_has_page. A page of the bytes is cached.
bool filemap_range_has_page(address_space* mapping, loff_t start_byte, loff_t end_byte);
// Whether the pages are copies of what a device has, so that they may be dropped; those of memory
// files are all there is.
inline bool HasBackingDevice(const address_space* mapping) {
  return mapping->a_ops != nullptr && mapping->a_ops->writepages != nullptr;
}

// ---- Writing ----
// v4.19 include/linux/fs.h: generic_write_sync. Waits until the `count` bytes that were written are
// on stable storage, if the write or the file asks for that. Returns `count` or a negative errno.
ssize_t generic_write_sync(kiocb* iocb, ssize_t count);
// v4.19 mm/filemap.c: generic_write_checks. Clips the write to what the file may become, moves it
// to the end of a file opened for appending. Returns the bytes to write; 0; or
//   -EFBIG    the position is at or beyond the largest possible file
//   -EINVAL   IOCB_NOWAIT without direct I/O
ssize_t generic_write_checks(kiocb* iocb, iov_iter* from);
// The write_iter of files in the page cache. Returns the bytes written, or a negative errno.
ssize_t generic_file_write_iter(kiocb* iocb, iov_iter* from);
// The same with i_rwsem held by the caller.
ssize_t __generic_file_write_iter(kiocb* iocb, iov_iter* from);
// v4.19 mm/filemap.c: generic_file_direct_write. Through the file's direct_IO; what is cached of it
// is written back before and dropped. Returns what direct_IO does, 0: a cached page is in use.
ssize_t generic_file_direct_write(kiocb* iocb, iov_iter* from);
// Copies from the iter into the cache, page by page. Returns the bytes, or a negative errno if
// none.
ssize_t generic_perform_write(kptr<file> file, iov_iter* i, loff_t pos);

// ---- Mapped files ----
vm_fault_t filemap_fault(vm_fault* vmf);
void filemap_map_pages(vm_fault* vmf, pgoff_t start_pgoff, pgoff_t end_pgoff);
vm_fault_t filemap_page_mkwrite(vm_fault* vmf);
extern const vm_operations_struct generic_file_vm_ops;
// The mmap of files in the page cache. 0, or -ENOEXEC: the file has no readpage.
int generic_file_mmap(kptr<file> file, kptr<vm_area_struct> vma);

// Someone has the file mapped so that he can write to it.
inline bool mapping_writably_mapped(const address_space* mapping) {
  return mapping->i_mmap_writable > 0;
}

// Called once per machine, before the first page is locked.
void pagecache_init();

}  // namespace kpath
