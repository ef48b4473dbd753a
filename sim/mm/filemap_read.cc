// SPDX-License-Identifier: Apache-2.0
//
// Reading around the page cache, and what has to be in order before. v4.19 mm/filemap.c,
// mm/page-writeback.c
#include "sim/mm/filemap.h"
#include "sim/vfs/inode.h"

namespace kpath {

// v4.19 mm/filemap.c: filemap_check_errors
int filemap_check_errors(address_space* mapping) {
  FUNCTION(mapping->host);
  int ret = 0;
  if ((mapping->flags & AS_ENOSPC) != 0) ret = -ENOSPC;
  if ((mapping->flags & AS_EIO) != 0) ret = -EIO;
  mapping->flags &= ~(AS_ENOSPC | AS_EIO);
  return fn.Return(ret);
}

// v4.19 mm/filemap.c: filemap_write_and_wait_range
// Departs: no file of the model has pages that wait to be written back, so there is nothing to
// write; what went wrong before is told.
int filemap_write_and_wait_range(address_space* mapping, loff_t lstart, loff_t lend) {
  FUNCTION(mapping->host, lstart, lend);
  return fn.Return(filemap_check_errors(mapping));
}

// v4.19 mm/filemap.c: filemap_range_has_page. Departs: the block devices, of which it is asked,
// keep no pages in the page cache.
bool filemap_range_has_page(address_space* mapping, loff_t start_byte, loff_t end_byte) {
  FUNCTION(mapping->host, start_byte, end_byte);
  return fn.Return(false);
}

// v4.19 mm/page-writeback.c: set_page_dirty_lock
int set_page_dirty_lock(kptr<page> page) {
  FUNCTION(page);
  lock_page(page);
  const int ret = set_page_dirty(page);
  unlock_page(page);
  return fn.Return(ret);
}

// v4.19 mm/truncate.c: invalidate_inode_pages2_range. Departs: the block devices, whose pages it is
// called for, keep none in the page cache.
int invalidate_inode_pages2_range(address_space* mapping, pgoff_t start, pgoff_t end) {
  FUNCTION(mapping->host, start, end);
  return fn.Return(0);
}

namespace {

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
      *retval = Fail(EAGAIN, "pages in the cache would have to be written back");
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

// v4.19 mm/filemap.c: generic_file_read_iter
// Departs: block devices have no page cache yet: what is not read directly is refused.
ssize_t generic_file_read_iter(kiocb* iocb, iov_iter* iter) {
  FUNCTION(iocb->ki_pos, iov_iter_count(*iter));
  if (iov_iter_count(*iter) == 0) return fn.Return<ssize_t>(0);
  ssize_t retval = 0;
  if ((iocb->ki_flags & IOCB_DIRECT) != 0 && ReadDirectly(iocb, iter, &retval)) {
    return fn.Return(retval);
  }
  if (retval > 0) return fn.Return(retval);
  return fn.Return<ssize_t>(
      Fail(EOPNOTSUPP, "reading a block device through the page cache is not modelled"));
}

}  // namespace kpath
