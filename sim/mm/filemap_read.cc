// SPDX-License-Identifier: Apache-2.0
//
// Reading files through the page cache, or around it. v4.19 mm/filemap.c
#include <algorithm>

#include "sim/mm/filemap.h"
#include "sim/mm/swap.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

// In place of an errno: the page is not in the cache any more, or not yet; look again.
constexpr int kLookAgain = 1;

// Where a buffered read has come to.
struct ReadPlace {
  kptr<file> filp;
  pgoff_t index = 0;         // page
  unsigned long offset = 0;  // in it
  pgoff_t last_index = 0;    // the page behind the last one that is wanted
  pgoff_t prev_index = 0;    // where the bytes before came from
  unsigned long prev_offset = 0;
};

// v4.19 mm/filemap.c: shrink_readahead_size_eio. An unreadable place: read ahead less.
void shrink_readahead_size_eio(file_ra_state* ra) { ra->ra_pages /= 4; }

// generic_file_buffered_read from its label readpage on: reads the locked page and waits for it. 0:
// it is up to date; kLookAgain; or a negative errno. The page is unlocked.
int ReadPageAndWait(kptr<file> filp, kptr<page> page) {
  address_space* mapping = filp->f_mapping;
  ClearPageError(page);
  int error = mapping->a_ops->readpage(filp, page);
  if (error != 0 || PageUptodate(page)) return error;
  STEP("waits for the device", page->index);
  error = lock_page_killable(page);
  if (error != 0) return error;
  if (!PageUptodate(page)) {
    if (page->mapping == nullptr) error = kLookAgain;
    unlock_page(page);
    if (error != 0) return error;
    shrink_readahead_size_eio(&filp->f_ra);
    return Fail(EIO, "page $0 of the file could not be read from the device", page->index);
  }
  unlock_page(page);
  return 0;
}

// From its label page_not_up_to_date on.
int MakeUptodate(kptr<file> filp, kptr<page> page) {
  const int error = lock_page_killable(page);
  if (error != 0) return error;
  if (page->mapping == nullptr) {
    unlock_page(page);
    return kLookAgain;
  }
  if (PageUptodate(page)) {
    unlock_page(page);
    return 0;
  }
  return ReadPageAndWait(filp, page);
}

// From its label no_cached_page on. 0: *pagep is up to date, with a reference.
int AddAndRead(kptr<file> filp, pgoff_t index, kptr<page>* pagep) {
  const kptr<page> page = alloc_page(GFP_HIGHUSER);  // page_cache_alloc
  if (!page) return Fail(ENOMEM, "no page for page $0 of the file", index);
  int error = add_to_page_cache_lru(page, filp->f_mapping, index, GFP_KERNEL);
  if (error == -EEXIST) {
    error = kLookAgain;
  } else if (error == 0) {
    error = ReadPageAndWait(filp, page);
  }
  if (error != 0) {
    put_page(page);
  } else {
    *pagep = page;
  }
  return error;
}

// From its label find_page on. 0: *pagep is up to date, with a reference; kLookAgain; or a negative
// errno.
int FindUptodatePage(const ReadPlace& at, bool nowait, kptr<page>* pagep) {
  address_space* mapping = at.filp->f_mapping;
  file_ra_state* ra = &at.filp->f_ra;
  if (fatal_signal_pending(current)) return Fail(EINTR, "the task is being killed");
  kptr<page> page = find_get_page(mapping, at.index);
  if (!page) {
    if (nowait) return Fail(EAGAIN, "page $0 of the file is not cached", at.index);
    page_cache_sync_readahead(mapping, ra, at.filp, at.index, at.last_index - at.index);
    page = find_get_page(mapping, at.index);
    if (!page) return AddAndRead(at.filp, at.index, pagep);
  }
  if (PageReadahead(page)) {
    page_cache_async_readahead(mapping, ra, at.filp, page, at.index, at.last_index - at.index);
  }
  int error = 0;
  if (!PageUptodate(page)) {
    if (nowait) {
      error = Fail(EAGAIN, "page $0 of the file is being read", at.index);
    } else {
      if (PageLocked(page)) STEP("waits for the device", at.index);
      error = wait_on_page_locked_killable(page);
      if (error == 0 && !PageUptodate(page)) error = MakeUptodate(at.filp, page);
    }
  }
  if (error != 0) {
    put_page(page);
  } else {
    *pagep = page;
  }
  return error;
}

// From its label page_ok on: copies from the page, and puts it. Returns the bytes; *nr is how many
// the page had for us, 0 at the end of the file.
size_t CopyPage(ReadPlace* at, kptr<page> page, iov_iter* iter, unsigned long* nr) {
  address_space* mapping = at->filp->f_mapping;
  // The size after the page is up to date: a truncation may have come in between.
  const loff_t isize = i_size_read(mapping->host);
  const pgoff_t end_index = static_cast<pgoff_t>(isize - 1) >> PAGE_SHIFT;
  *nr = 0;
  if (isize != 0 && at->index <= end_index) {
    *nr = at->index == end_index ? offset_in_page(static_cast<unsigned long>(isize - 1)) + 1
                                 : PAGE_SIZE;
    *nr -= std::min(*nr, at->offset);
  }
  if (*nr == 0) {
    put_page(page);
    return 0;
  }
  // A page that is read in small pieces is accessed once.
  if (at->prev_index != at->index || at->offset != at->prev_offset) mark_page_accessed(page);
  at->prev_index = at->index;
  const kmap_ptr mapped = kmap(page);
  const size_t ret =
      copy_to_iter(mapped.bytes() + at->offset, std::min<size_t>(*nr, iov_iter_count(*iter)), iter);
  kunmap(page);
  at->offset += ret;
  at->index += at->offset >> PAGE_SHIFT;
  at->offset = offset_in_page(at->offset);
  at->prev_offset = at->offset;
  put_page(page);
  return ret;
}

// The loop of generic_file_buffered_read. Adds the bytes to *written. 0 or a negative errno.
int ReadPages(ReadPlace* at, iov_iter* iter, bool nowait, ssize_t* written) {
  while (true) {
    cond_resched();
    kptr<page> page;
    const int error = FindUptodatePage(*at, nowait, &page);
    if (error == kLookAgain) continue;
    if (error != 0) return error;
    unsigned long nr;
    const size_t ret = CopyPage(at, page, iter, &nr);
    *written += static_cast<ssize_t>(ret);
    if (nr == 0 || iov_iter_count(*iter) == 0) return 0;
    if (ret < nr) return -EFAULT;  // the copy has told why
  }
}

// v4.19 mm/filemap.c: generic_file_buffered_read. `written`: bytes that were read directly before.
ssize_t generic_file_buffered_read(kiocb* iocb, iov_iter* iter, ssize_t written) {
  FUNCTION(iocb->ki_pos, iov_iter_count(*iter), written);
  const kptr<file> filp = iocb->ki_filp;
  file_ra_state* ra = &filp->f_ra;
  const auto pos = static_cast<uint64_t>(iocb->ki_pos);
  const loff_t maxbytes = filp->f_mapping->host->i_sb->s_maxbytes;
  if (iocb->ki_pos >= maxbytes) return fn.Return<ssize_t>(0);
  iov_iter_truncate(iter, static_cast<uint64_t>(maxbytes));
  const auto prev_pos = static_cast<uint64_t>(ra->prev_pos);
  ReadPlace at = {.filp = filp,
                  .index = pos >> PAGE_SHIFT,
                  .offset = offset_in_page(pos),
                  .last_index = (pos + iov_iter_count(*iter) + PAGE_SIZE - 1) >> PAGE_SHIFT,
                  .prev_index = prev_pos >> PAGE_SHIFT,
                  .prev_offset = offset_in_page(prev_pos)};
  const int error = ReadPages(&at, iter, (iocb->ki_flags & IOCB_NOWAIT) != 0, &written);
  ra->prev_pos = static_cast<loff_t>(at.prev_index << PAGE_SHIFT | at.prev_offset);
  iocb->ki_pos = static_cast<loff_t>((at.index << PAGE_SHIFT) + at.offset);
  file_accessed(filp);
  return fn.Return<ssize_t>(written != 0 ? written : error);
}

// The part of generic_file_read_iter for IOCB_DIRECT. True: *retval is the result; false: what is
// left of the read goes through the page cache.
bool ReadDirectly(kiocb* iocb, iov_iter* iter, ssize_t* retval) {
  const kptr<file> file = iocb->ki_filp;
  address_space* mapping = file->f_mapping;
  const loff_t size = i_size_read(mapping->host);
  size_t count = iov_iter_count(*iter);
  const loff_t last = iocb->ki_pos + static_cast<loff_t>(count) - 1;
  if ((iocb->ki_flags & IOCB_NOWAIT) != 0) {
    if (filemap_range_has_page(mapping, iocb->ki_pos, last)) {
      *retval = Fail(EAGAIN, "pages of bytes $0 to $1 are cached", iocb->ki_pos, last);
      return true;
    }
  } else {
    *retval = filemap_write_and_wait_range(mapping, iocb->ki_pos, last);
    if (*retval < 0) return true;
  }
  file_accessed(file);
  *retval = mapping->a_ops->direct_IO(iocb, iter);
  if (*retval == -EIOCBQUEUED) return true;  // iocb may be gone
  if (*retval >= 0) {
    iocb->ki_pos += *retval;
    count -= static_cast<size_t>(*retval);
  }
  iov_iter_revert(iter, count - iov_iter_count(*iter));
  return *retval < 0 || count == 0 || iocb->ki_pos >= size;
}

}  // namespace

bool filemap_range_has_page(address_space* mapping, loff_t start_byte, loff_t end_byte) {
  FUNCTION(mapping->host, start_byte, end_byte);
  if (end_byte < start_byte) return fn.Return(false);
  const auto at = mapping->i_pages.lower_bound(static_cast<pgoff_t>(start_byte) >> PAGE_SHIFT);
  const pgoff_t end = static_cast<pgoff_t>(end_byte) >> PAGE_SHIFT;
  return fn.Return(at != mapping->i_pages.end() && at->first <= end);
}

ssize_t generic_file_read_iter(kiocb* iocb, iov_iter* iter) {
  FUNCTION(iocb->ki_pos, iov_iter_count(*iter));
  ssize_t retval = 0;
  if (iov_iter_count(*iter) == 0) return fn.Return<ssize_t>(0);
  if ((iocb->ki_flags & IOCB_DIRECT) != 0 && ReadDirectly(iocb, iter, &retval)) {
    return fn.Return(retval);
  }
  return fn.Return(generic_file_buffered_read(iocb, iter, retval));
}

}  // namespace kpath
