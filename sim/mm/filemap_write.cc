// SPDX-License-Identifier: Apache-2.0
//
// Writing through the page cache. v4.19 mm/filemap.c
#include <algorithm>

#include "sim/kernel/resource.h"
#include "sim/mm/filemap.h"
#include "sim/mm/writeback.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/read_write.h"

namespace kpath {

ssize_t generic_write_checks(kiocb* iocb, iov_iter* from) {
  FUNCTION(iocb->ki_pos, iov_iter_count(*from));
  const kptr<inode> inode = iocb->ki_filp->f_mapping->host;
  if (iov_iter_count(*from) == 0) return fn.Return<ssize_t>(0);
  if ((iocb->ki_flags & IOCB_APPEND) != 0) iocb->ki_pos = i_size_read(inode);
  const loff_t pos = iocb->ki_pos;
  if ((iocb->ki_flags & IOCB_NOWAIT) != 0 && (iocb->ki_flags & IOCB_DIRECT) == 0) {
    return fn.Return<ssize_t>(
        Fail(EINVAL, "RWF_NOWAIT on a write that goes through the page cache"));
  }
  const unsigned long fsize = rlimit(RLIMIT_FSIZE);
  if (fsize != RLIM_INFINITY) {
    if (static_cast<unsigned long>(pos) >= fsize) {
      SendSignalToCurrent(SIGXFSZ);
      return fn.Return<ssize_t>(
          Fail(EFBIG, "position $0 is not below RLIMIT_FSIZE of $1 bytes", pos, fsize));
    }
    iov_iter_truncate(from, fsize - static_cast<unsigned long>(pos));
  }
  const loff_t limit = inode->i_sb->s_maxbytes;
  if (pos >= limit) {
    return fn.Return<ssize_t>(
        Fail(EFBIG, "position $0 is not below the largest file, $1 bytes", pos, limit));
  }
  iov_iter_truncate(from, static_cast<uint64_t>(limit - pos));
  return fn.Return<ssize_t>(static_cast<ssize_t>(iov_iter_count(*from)));
}

// v4.19 mm/filemap.c: grab_cache_page_write_begin. Departs: a page that is being written back may
// be changed meanwhile, as no device needs pages to be stable (wait_for_stable_page).
kptr<page> grab_cache_page_write_begin(address_space* mapping, pgoff_t index) {
  FUNCTION(mapping->host, index);
  return fn.Return(pagecache_get_page(mapping, index, FGP_LOCK | FGP_CREAT, GFP_HIGHUSER));
}

// v4.19 include/linux/fs.h: generic_write_sync
ssize_t generic_write_sync(kiocb* iocb, ssize_t count) {
  if ((iocb->ki_flags & IOCB_DSYNC) == 0) return count;
  const int ret = vfs_fsync_range(iocb->ki_filp, iocb->ki_pos - count, iocb->ki_pos - 1,
                                  (iocb->ki_flags & IOCB_SYNC) != 0 ? 0 : 1);
  return ret != 0 ? ret : count;
}

namespace {

// v4.19 mm/filemap.c: the body of the loop in generic_perform_write. Writes up to `bytes` into one
// page. Returns how many of them could be copied, or a negative errno.
ssize_t write_page(kptr<file> file, const iov_iter& i, loff_t pos, unsigned long bytes) {
  address_space* mapping = file->f_mapping;
  // Bring the user's page in before ours is locked: they may be the same one.
  if (iov_iter_fault_in_readable(i, bytes) != 0) return -EFAULT;
  kptr<page> page;
  void* fsdata = nullptr;
  int status = mapping->a_ops->write_begin(file, mapping, pos, static_cast<unsigned>(bytes), 0,
                                           &page, &fsdata);
  if (status < 0) return status;
  const kmap_ptr mapped = kmap_atomic(page);
  const size_t copied = CopyFromIterInPlace(
      mapped.bytes() + offset_in_page(static_cast<unsigned long>(pos)), bytes, i);
  kunmap_atomic(mapped);
  return mapping->a_ops->write_end(file, mapping, pos, static_cast<unsigned>(bytes),
                                   static_cast<unsigned>(copied), page, fsdata);
}

}  // namespace

ssize_t generic_perform_write(kptr<file> file, iov_iter* i, loff_t pos) {
  FUNCTION(file, pos, iov_iter_count(*i));
  ssize_t status = 0;
  ssize_t written = 0;
  size_t at_most = PAGE_SIZE;  // after a copy that moved nothing: one segment at a time
  while (iov_iter_count(*i) != 0) {
    if (fatal_signal_pending(current)) {
      status = Fail(EINTR, "the task is being killed, $0 bytes were written", written);
      break;
    }
    const unsigned long offset = offset_in_page(static_cast<unsigned long>(pos));
    const unsigned long bytes = std::min({PAGE_SIZE - offset, iov_iter_count(*i), at_most});
    status = write_page(file, *i, pos, bytes);
    if (status < 0) break;
    cond_resched();
    iov_iter_advance(i, static_cast<size_t>(status));
    if (status == 0) {
      at_most = iov_iter_single_seg_count(*i);
      continue;
    }
    at_most = PAGE_SIZE;
    pos += status;
    written += status;
    balance_dirty_pages_ratelimited(file->f_mapping);
  }
  return fn.Return(written != 0 ? written : status);
}

namespace {

// What generic_file_direct_write does before the data go to the device: pages in the cache must
// not say something else afterwards. 0 or a negative errno.
ssize_t PrepareDirectWrite(address_space* mapping, const kiocb& iocb, size_t bytes) {
  const loff_t last = iocb.ki_pos + static_cast<loff_t>(bytes) - 1;
  if ((iocb.ki_flags & IOCB_NOWAIT) != 0) {
    if (filemap_range_has_page(mapping, iocb.ki_pos, last)) {
      return Fail(EAGAIN, "pages of bytes $0 to $1 are cached", iocb.ki_pos, last);
    }
  } else {
    const int error = filemap_write_and_wait_range(mapping, iocb.ki_pos, last);
    if (error != 0) return error;
  }
  return invalidate_inode_pages2_range(mapping, static_cast<pgoff_t>(iocb.ki_pos) >> PAGE_SHIFT,
                                       static_cast<pgoff_t>(last) >> PAGE_SHIFT);
}

}  // namespace

ssize_t generic_file_direct_write(kiocb* iocb, iov_iter* from) {
  FUNCTION(iocb->ki_pos, iov_iter_count(*from));
  const kptr<file> file = iocb->ki_filp;
  address_space* mapping = file->f_mapping;
  const kptr<inode> inode = mapping->host;
  const loff_t pos = iocb->ki_pos;
  size_t write_len = iov_iter_count(*from);
  const pgoff_t first = static_cast<pgoff_t>(pos) >> PAGE_SHIFT;
  const pgoff_t end = (static_cast<pgoff_t>(pos) + write_len - 1) >> PAGE_SHIFT;
  const ssize_t error = PrepareDirectWrite(mapping, *iocb, write_len);
  // A page that cannot be dropped: all is written through the page cache.
  if (error == -EBUSY) return fn.Return<ssize_t>(0);
  if (error != 0) return fn.Return(error);
  const ssize_t written = mapping->a_ops->direct_IO(iocb, from);
  // From here on iocb may be gone, where it was -EIOCBQUEUED. Somebody may have read the old data
  // into the cache meanwhile.
  if (mapping->nrpages != 0) invalidate_inode_pages2_range(mapping, first, end);
  if (written > 0) {
    write_len -= static_cast<size_t>(written);
    if (pos + written > i_size_read(inode) && !S_ISBLK(inode->i_mode)) {
      i_size_write(inode, pos + written);
      mark_inode_dirty(inode);
    }
    iocb->ki_pos = pos + written;
  }
  iov_iter_revert(from, write_len - iov_iter_count(*from));
  return fn.Return(written);
}

namespace {

// The end of __generic_file_write_iter for direct I/O: what the device did not take is written
// through the page cache, to the device, and out of the cache again. Returns its bytes, or a
// negative errno.
ssize_t WriteTheRestThroughTheCache(kiocb* iocb, iov_iter* from) {
  address_space* mapping = iocb->ki_filp->f_mapping;
  const loff_t pos = iocb->ki_pos;
  const ssize_t status = generic_perform_write(iocb->ki_filp, from, pos);
  if (status < 0) return status;
  const loff_t endbyte = pos + status - 1;
  const int err = filemap_write_and_wait_range(mapping, pos, endbyte);
  // Without that it counts as not written: nobody can tell how much of it was.
  if (err != 0) return err;
  iocb->ki_pos = endbyte + 1;
  invalidate_mapping_pages(mapping, static_cast<pgoff_t>(pos) >> PAGE_SHIFT,
                           static_cast<pgoff_t>(endbyte) >> PAGE_SHIFT);
  return status;
}

}  // namespace

ssize_t __generic_file_write_iter(kiocb* iocb, iov_iter* from) {
  FUNCTION(iocb->ki_pos, iov_iter_count(*from));
  const kptr<file> file = iocb->ki_filp;
  int error = file_remove_privs(file);
  if (error != 0) return fn.Return<ssize_t>(error);
  error = file_update_time(file);
  if (error != 0) return fn.Return<ssize_t>(error);
  if ((iocb->ki_flags & IOCB_DIRECT) != 0) {
    const ssize_t direct = generic_file_direct_write(iocb, from);
    if (direct < 0 || iov_iter_count(*from) == 0) return fn.Return(direct);
    const ssize_t rest = WriteTheRestThroughTheCache(iocb, from);
    return fn.Return(rest >= 0 ? direct + rest : direct != 0 ? direct : rest);
  }
  const ssize_t written = generic_perform_write(file, from, iocb->ki_pos);
  if (written > 0) iocb->ki_pos += written;
  return fn.Return(written);
}

ssize_t generic_file_write_iter(kiocb* iocb, iov_iter* from) {
  FUNCTION(iocb->ki_pos, iov_iter_count(*from));
  const kptr<inode> inode = iocb->ki_filp->f_mapping->host;
  inode_lock(inode);
  ssize_t ret = generic_write_checks(iocb, from);
  if (ret > 0) ret = __generic_file_write_iter(iocb, from);
  inode_unlock(inode);
  if (ret > 0) ret = generic_write_sync(iocb, ret);
  return fn.Return(ret);
}

}  // namespace kpath
