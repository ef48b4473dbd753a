// SPDX-License-Identifier: Apache-2.0
//
// A walk over the buffers of one read or write. v4.19 include/linux/uio.h, lib/iov_iter.c
//
//   iovec iov;
//   iov_iter iter;
//   int ret = import_single_range(READ, user_address, count, &iov, &iter);
//   if (ret != 0) return ret;
//   size_t n = copy_to_iter(bytes, 512, &iter);  // fewer than 512: a user page was not there
//
// READ means that data go into the buffers (a file is read), WRITE that they come out of them.
// The iter points to the segments, which its maker keeps alive as long as the iter is used.
//
// Context: a copy from or to user memory may fault and sleep.
//
// Invariants
//   1. count = the bytes between the iter's place and the end of its last segment, or fewer after
//      iov_iter_truncate.
//   2. A copy moves the iter by exactly what it returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/kernel/slab.h"
#include "sim/kernel/user_ptr.h"
#include "sim/vfs/fcntl.h"

namespace kpath {

struct page;

// Directions. v4.19 include/linux/kernel.h
inline constexpr int READ = 0;
inline constexpr int WRITE = 1;

inline constexpr unsigned UIO_FASTIOV = 8;
inline constexpr unsigned UIO_MAXIOV = 1024;
// The most that one call moves. v4.19 include/linux/fs.h: INT_MAX & PAGE_MASK
inline constexpr size_t MAX_RW_COUNT = 0x7ffff000;

// As user mode lays it out (16 bytes).
struct iovec {
  user_ptr<void> iov_base;
  uint64_t iov_len = 0;
};

// As a program with 32-bit pointers lays it out (8 bytes).
struct compat_iovec {
  uint32_t iov_base = 0;
  uint32_t iov_len = 0;
};

struct kvec {
  void* iov_base = nullptr;  // memory of the model itself
  size_t iov_len = 0;
};

// iov_iter::type, besides READ or WRITE
inline constexpr int ITER_IOVEC = 0;
inline constexpr int ITER_KVEC = 2;

struct iov_iter {
  int type = 0;
  size_t iov_offset = 0;  // into the first segment
  size_t count = 0;
  union {
    const struct iovec* iov = nullptr;
    const struct kvec* kvec;
  };
  unsigned long nr_segs = 0;
};

inline bool iter_is_iovec(const iov_iter& i) { return (i.type & ITER_KVEC) == 0; }
inline int iov_iter_rw(const iov_iter& i) { return i.type & (READ | WRITE); }
inline size_t iov_iter_count(const iov_iter& i) { return i.count; }
// Shortens the iter to `count` bytes if it is longer.
void iov_iter_truncate(iov_iter* i, uint64_t count);
// Sets the count again, after a truncate. `count` is at most what the segments hold.
inline void iov_iter_reexpand(iov_iter* i, size_t count) { i->count = count; }
// Bytes from the iter's place to the end of its segment.
size_t iov_iter_single_seg_count(const iov_iter& i);

void iov_iter_init(iov_iter* i, int direction, const iovec* iov, unsigned long nr_segs,
                   size_t count);
// Over memory of the model, for reads and writes that the kernel does for itself.
void iov_iter_kvec(iov_iter* i, int direction, const kvec* kvec, unsigned long nr_segs,
                   size_t count);
void iov_iter_advance(iov_iter* i, size_t bytes);
// The opposite. `unroll` is at most what the iter has moved.
void iov_iter_revert(iov_iter* i, size_t unroll);

// Return the bytes copied: fewer than asked where the iter ends or a user page is missing.
size_t copy_to_iter(const void* addr, size_t bytes, iov_iter* i);
size_t copy_from_iter(void* addr, size_t bytes, iov_iter* i);
size_t iov_iter_zero(size_t bytes, iov_iter* i);
// v4.19 lib/iov_iter.c: iov_iter_copy_from_user_atomic. As copy_from_iter, but the iter stays where
// it is: the caller advances it by what it could use.
size_t CopyFromIterInPlace(void* addr, size_t bytes, const iov_iter& i);
// v4.19 lib/iov_iter.c: iov_iter_fault_in_readable. 0, or -EFAULT if the first page cannot be read.
int iov_iter_fault_in_readable(const iov_iter& i, size_t bytes);

// v4.19 lib/iov_iter.c: iov_iter_npages. The pages that its buffers touch, at most `maxpages`.
int iov_iter_npages(const iov_iter& i, int maxpages);
// The bits of all addresses and lengths together, for alignment checks.
unsigned long iov_iter_alignment(const iov_iter& i);

// The segments that import_iovec took over from user mode: up to UIO_FASTIOV lie in the caller's
// own `fast`, more in an object that the caller gives to kfree when all is done (null: none).
struct iovec_array {
  static constexpr const char* kSlabName = "iovec";
  std::vector<iovec> segments;
};
struct iovec_buffer {
  iovec_buffer() {}  // `fast` is on the caller's stack, and nothing until it is filled
  union {
    iovec fast[UIO_FASTIOV];
  };
  kptr<iovec_array> allocated;
};

// v4.19 lib/iov_iter.c: import_single_range. One user buffer; clips len to MAX_RW_COUNT. Returns 0,
// or -EFAULT if the range goes beyond the user's addresses. Does not touch the memory.
int import_single_range(int direction, user_ptr<void> buf, size_t len, iovec* iov, iov_iter* i);

// v4.19 lib/iov_iter.c: import_iovec. Copies `nr_segs` segments from `uvector` and
// checks them; clips the total to MAX_RW_COUNT. Returns 0, or
//   -EINVAL  nr_segs > UIO_MAXIOV, or a length that is negative as a signed number
//   -EFAULT  the array cannot be read, or a segment goes beyond the user's addresses
//   -ENOMEM  more than UIO_FASTIOV segments, and no memory
int import_iovec(int direction, user_ptr<const iovec> uvector, unsigned nr_segs,
                 iovec_buffer* buffer, iov_iter* i);
// v4.19 lib/iov_iter.c: compat_import_iovec. The same for the segments of a 32-bit program: a
// length of 2 GiB or more is negative, and a segment that is wrong is told before the next is read.
int compat_import_iovec(int direction, user_ptr<const compat_iovec> uvector, unsigned nr_segs,
                        iovec_buffer* buffer, iov_iter* i);

}  // namespace kpath
