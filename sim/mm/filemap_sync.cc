// SPDX-License-Identifier: Apache-2.0
//
// Writing a range of a file back and waiting for it. v4.19 mm/filemap.c
#include <climits>

#include "sim/mm/writeback.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

// v4.19 mm/filemap.c: __filemap_fdatawait_range
void __filemap_fdatawait_range(address_space* mapping, loff_t start_byte, loff_t end_byte) {
  FUNCTION(mapping->host, start_byte, end_byte);
  if (end_byte < start_byte) return;
  const pgoff_t end = static_cast<pgoff_t>(end_byte) >> PAGE_SHIFT;
  pgoff_t index = static_cast<pgoff_t>(start_byte) >> PAGE_SHIFT;
  while (true) {
    auto at = mapping->i_pages.lower_bound(index);
    while (at != mapping->i_pages.end() && at->first <= end && !PageWriteback(at->second)) ++at;
    if (at == mapping->i_pages.end() || at->first > end) return;
    const kptr<page> page = at->second;
    index = page->index + 1;
    get_page(page);
    wait_on_page_writeback(page);
    ClearPageError(page);
    put_page(page);
    cond_resched();
  }
}

// v4.19 mm/filemap.c: mapping_needs_writeback
bool mapping_needs_writeback(const address_space* mapping) { return mapping->nrpages != 0; }

}  // namespace

void mapping_set_error(address_space* mapping, int error) {
  if (error == 0) return;
  errseq_set(&mapping->wb_err, error);  // __filemap_set_wb_err
  mapping->flags |= error == -ENOSPC ? AS_ENOSPC : AS_EIO;
}

int filemap_check_errors(address_space* mapping) {
  FUNCTION(mapping->host);
  int ret = 0;
  if ((mapping->flags & AS_ENOSPC) != 0) ret = -ENOSPC;
  if ((mapping->flags & AS_EIO) != 0) ret = -EIO;
  mapping->flags &= ~(AS_ENOSPC | AS_EIO);
  if (ret != 0) Fail(-ret, "pages of the file could not be written back");
  return fn.Return(ret);
}

int file_check_and_advance_wb_err(kptr<file> file) {
  FUNCTION(file);
  address_space* mapping = file->f_mapping;
  spin_lock(&file->f_lock);
  const int err = errseq_check_and_advance(&mapping->wb_err, &file->f_wb_err);
  spin_unlock(&file->f_lock);
  mapping->flags &= ~(AS_ENOSPC | AS_EIO);
  if (err != 0) Fail(-err, "pages of the file could not be written back since it was asked last");
  return fn.Return(err);
}

int __filemap_fdatawrite_range(address_space* mapping, loff_t start, loff_t end,
                               writeback_sync_modes sync_mode) {
  FUNCTION(mapping->host, start, end, sync_mode);
  writeback_control wbc = {
      .nr_to_write = LONG_MAX, .range_start = start, .range_end = end, .sync_mode = sync_mode};
  if (!HasBackingDevice(mapping)) return fn.Return(0);  // mapping_cap_writeback_dirty
  return fn.Return(do_writepages(mapping, &wbc));
}

int filemap_fdatawrite(address_space* mapping) {
  FUNCTION(mapping->host);
  return fn.Return(__filemap_fdatawrite_range(mapping, 0, LLONG_MAX, WB_SYNC_ALL));
}

int filemap_fdatawait_range(address_space* mapping, loff_t start_byte, loff_t end_byte) {
  FUNCTION(mapping->host, start_byte, end_byte);
  __filemap_fdatawait_range(mapping, start_byte, end_byte);
  return fn.Return(filemap_check_errors(mapping));
}

int filemap_write_and_wait(address_space* mapping) {
  FUNCTION(mapping->host);
  if (!mapping_needs_writeback(mapping)) return fn.Return(filemap_check_errors(mapping));
  int err = filemap_fdatawrite(mapping);
  if (err == -EIO) {
    filemap_check_errors(mapping);
    return fn.Return(err);
  }
  const int err2 = filemap_fdatawait_range(mapping, 0, LLONG_MAX);  // filemap_fdatawait
  if (err == 0) err = err2;
  return fn.Return(err);
}

int filemap_write_and_wait_range(address_space* mapping, loff_t lstart, loff_t lend) {
  FUNCTION(mapping->host, lstart, lend);
  if (!mapping_needs_writeback(mapping)) return fn.Return(filemap_check_errors(mapping));
  int err = __filemap_fdatawrite_range(mapping, lstart, lend, WB_SYNC_ALL);
  if (err == -EIO) {
    filemap_check_errors(mapping);
    return fn.Return(err);
  }
  // Even so (-ENOSPC, say) some pages may be on their way.
  const int err2 = filemap_fdatawait_range(mapping, lstart, lend);
  if (err == 0) err = err2;
  return fn.Return(err);
}

int file_write_and_wait_range(kptr<file> file, loff_t lstart, loff_t lend) {
  FUNCTION(file, lstart, lend);
  address_space* mapping = file->f_mapping;
  int err = 0;
  if (mapping_needs_writeback(mapping)) {
    err = __filemap_fdatawrite_range(mapping, lstart, lend, WB_SYNC_ALL);
    if (err != -EIO) __filemap_fdatawait_range(mapping, lstart, lend);
  }
  const int err2 = file_check_and_advance_wb_err(file);
  if (err == 0) err = err2;
  return fn.Return(err);
}

}  // namespace kpath
