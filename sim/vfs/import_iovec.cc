// SPDX-License-Identifier: Apache-2.0
//
// Taking the buffers of a read or write over from user mode. v4.19 lib/iov_iter.c,
// fs/read_write.c
#include <algorithm>

#include "sim/kernel/compat.h"
#include "sim/kernel/fail.h"
#include "sim/kernel/uaccess.h"
#include "sim/vfs/iov_iter.h"

namespace kpath {
namespace {

// What both kinds of arrays ask of segment `n`. Clips it to what is left below MAX_RW_COUNT and
// adds it to `*total`. 0 or a negative errno.
int CheckSegment(iovec* segment, unsigned n, int64_t length, size_t* total) {
  if (length < 0) return Fail(EINVAL, "segment $0 has the length $1", n, length);
  if (!access_ok(segment->iov_base, segment->iov_len)) {
    return Fail(EFAULT, "segment $0, $1 bytes at $2, is beyond the user's addresses", n, length,
                segment->iov_base);
  }
  segment->iov_len = std::min(segment->iov_len, MAX_RW_COUNT - *total);
  *total += segment->iov_len;
  return 0;
}

// A place for `nr_segs` segments. 0, or -EINVAL for too many, or -ENOMEM.
int MakeRoom(unsigned nr_segs, iovec_buffer* buffer, iovec** segments) {
  *segments = buffer->fast;
  if (nr_segs > UIO_MAXIOV) {
    return Fail(EINVAL, "$0 segments, the limit is $1", nr_segs, UIO_MAXIOV);
  }
  if (nr_segs <= UIO_FASTIOV) return 0;
  buffer->allocated = kzalloc<iovec_array>(GFP_KERNEL);
  if (!buffer->allocated) return Fail(ENOMEM, "no memory for $0 segments", nr_segs);
  buffer->allocated->segments.resize(nr_segs);
  *segments = buffer->allocated->segments.data();
  return 0;
}

// v4.19 fs/read_write.c: rw_copy_check_uvector. `*segments` is where they were put.
ssize_t rw_copy_check_uvector(user_ptr<const iovec> uvector, unsigned nr_segs, iovec_buffer* buffer,
                              iovec** segments) {
  FUNCTION(uvector, nr_segs);
  if (const int error = MakeRoom(nr_segs, buffer, segments); error != 0) return fn.Return(error);
  if (nr_segs == 0) return fn.Return(ssize_t{0});
  if (copy_from_user(*segments, uvector, nr_segs * sizeof(iovec)) != 0) {
    Explain("it is in the list of $0 segments at $1", nr_segs, uvector);
    return fn.Return(-EFAULT);
  }
  size_t total = 0;
  for (unsigned n = 0; n < nr_segs; ++n) {
    iovec* segment = *segments + n;
    const int error = CheckSegment(segment, n, static_cast<int64_t>(segment->iov_len), &total);
    if (error != 0) return fn.Return(error);
  }
  return fn.Return(static_cast<ssize_t>(total));
}

// v4.19 fs/read_write.c: compat_rw_copy_check_uvector. Segment by segment: what is wrong with one
// is told before the next is read.
ssize_t compat_rw_copy_check_uvector(user_ptr<const compat_iovec> uvector, unsigned nr_segs,
                                     iovec_buffer* buffer, iovec** segments) {
  FUNCTION(uvector, nr_segs);
  if (const int error = MakeRoom(nr_segs, buffer, segments); error != 0) return fn.Return(error);
  if (nr_segs == 0) return fn.Return(ssize_t{0});
  if (!access_ok(uvector, nr_segs * sizeof(compat_iovec))) {
    return fn.Return(
        Fail(EFAULT, "$0 segments at $1 are beyond the user's addresses", nr_segs, uvector));
  }
  size_t total = 0;
  for (unsigned n = 0; n < nr_segs; ++n) {
    compat_ssize_t length = 0;
    compat_uptr_t base = 0;
    const auto from = uvector + n;
    if (get_user(length, from.member(&compat_iovec::iov_len)) != 0 ||
        get_user(base, from.member(&compat_iovec::iov_base)) != 0) {
      Explain("it is segment $0 of the list at $1", n, uvector);
      return fn.Return(-EFAULT);
    }
    iovec* segment = *segments + n;
    *segment = {.iov_base = compat_ptr<void>(base), .iov_len = static_cast<uint64_t>(length)};
    const int error = CheckSegment(segment, n, length, &total);
    if (error != 0) return fn.Return(error);
  }
  return fn.Return(static_cast<ssize_t>(total));
}

// The common end of the imports: the iter, or nothing is kept.
int Finish(int direction, ssize_t total, iovec* segments, unsigned nr_segs, iovec_buffer* buffer,
           iov_iter* i) {
  if (total < 0) {
    kfree(buffer->allocated);
    buffer->allocated = nullptr;
    return static_cast<int>(total);
  }
  iov_iter_init(i, direction, segments, nr_segs, static_cast<size_t>(total));
  return 0;
}

}  // namespace

// v4.19 lib/iov_iter.c: import_single_range
int import_single_range(int direction, user_ptr<void> buf, size_t len, iovec* iov, iov_iter* i) {
  len = std::min(len, MAX_RW_COUNT);
  if (!access_ok(buf, len)) {
    return Fail(EFAULT, "$0 bytes at $1 are beyond the user's addresses", len, buf);
  }
  *iov = {.iov_base = buf, .iov_len = len};
  iov_iter_init(i, direction, iov, 1, len);
  return 0;
}

// v4.19 lib/iov_iter.c: import_iovec
int import_iovec(int direction, user_ptr<const iovec> uvector, unsigned nr_segs,
                 iovec_buffer* buffer, iov_iter* i) {
  FUNCTION(uvector, nr_segs);
  iovec* segments = nullptr;
  const ssize_t total = rw_copy_check_uvector(uvector, nr_segs, buffer, &segments);
  return fn.Return(Finish(direction, total, segments, nr_segs, buffer, i));
}

// v4.19 lib/iov_iter.c: compat_import_iovec
int compat_import_iovec(int direction, user_ptr<const compat_iovec> uvector, unsigned nr_segs,
                        iovec_buffer* buffer, iov_iter* i) {
  FUNCTION(uvector, nr_segs);
  iovec* segments = nullptr;
  const ssize_t total = compat_rw_copy_check_uvector(uvector, nr_segs, buffer, &segments);
  return fn.Return(Finish(direction, total, segments, nr_segs, buffer, i));
}

}  // namespace kpath
