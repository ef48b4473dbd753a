// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/iov_iter.h"

#include <algorithm>
#include <cstring>

#include "sim/kernel/uaccess.h"
#include "sim/machine/memory.h"

namespace kpath {
namespace {

// One segment's share of a copy; exactly one of the two is set.
struct Piece {
  user_ptr<void> user;
  uint8_t* kernel = nullptr;
  size_t length = 0;
};

size_t SegmentLength(const iov_iter& i) {
  return iter_is_iovec(i) ? i.iov->iov_len : i.kvec->iov_len;
}

// What is left of the first segment, at most `bytes`.
Piece FirstPiece(const iov_iter& i, size_t bytes) {
  Piece piece;
  piece.length = std::min(bytes, SegmentLength(i) - i.iov_offset);
  if (iter_is_iovec(i)) {
    piece.user = user_ptr<void>(i.iov->iov_base.address() + i.iov_offset);
  } else {
    piece.kernel = static_cast<uint8_t*>(i.kvec->iov_base) + i.iov_offset;
  }
  return piece;
}

void NextSegment(iov_iter* i) {
  if (iter_is_iovec(*i)) {
    ++i->iov;
  } else {
    ++i->kvec;
  }
  --i->nr_segs;
  i->iov_offset = 0;
}

void PreviousSegment(iov_iter* i) {
  if (iter_is_iovec(*i)) {
    --i->iov;
  } else {
    --i->kvec;
  }
  ++i->nr_segs;
  i->iov_offset = SegmentLength(*i);
}

// Moves by `bytes`, which do not go beyond the first segment.
void MoveWithinSegment(iov_iter* i, size_t bytes) {
  i->iov_offset += bytes;
  i->count -= bytes;
  if (i->iov_offset == SegmentLength(*i)) NextSegment(i);
}

// Walks `bytes` or to the end of the iter; `step(piece)` returns how much of the piece it could
// use, and ends the walk by less than all. Returns the bytes used.
template <typename Step>
size_t Walk(iov_iter* i, size_t bytes, Step step) {
  size_t left = std::min(bytes, i->count);
  size_t done = 0;
  while (left != 0) {
    const Piece piece = FirstPiece(*i, left);
    const size_t used = piece.length == 0 ? 0 : step(piece, done);
    MoveWithinSegment(i, used);
    done += used;
    left -= used;
    if (used < piece.length) break;
  }
  return done;
}

size_t CopyIn(void* to, size_t bytes, iov_iter* i) {
  auto* out = static_cast<uint8_t*>(to);
  return Walk(i, bytes, [out](const Piece& piece, size_t done) {
    if (piece.kernel == nullptr) {
      return piece.length - copy_from_user(out + done, piece.user, piece.length);
    }
    std::memcpy(out + done, piece.kernel, piece.length);
    return piece.length;
  });
}

// v4.19 include/linux/pagemap.h: fault_in_pages_readable. Reads a byte of each page. 0 or -EFAULT.
int fault_in_pages_readable(user_ptr<const char> address, size_t size) {
  char byte;
  for (size_t offset = 0; offset < size; offset += kPageSize) {
    if (get_user(byte, address + static_cast<int64_t>(offset)) != 0) return -EFAULT;
  }
  return get_user(byte, address + static_cast<int64_t>(size - 1));
}

}  // namespace

void iov_iter_truncate(iov_iter* i, uint64_t count) {
  i->count = std::min<uint64_t>(i->count, count);
}

// v4.19 lib/iov_iter.c: iov_iter_single_seg_count
size_t iov_iter_single_seg_count(const iov_iter& i) {
  if (i.nr_segs == 0) return 0;
  return std::min(i.count, SegmentLength(i) - i.iov_offset);
}

// v4.19 lib/iov_iter.c: iov_iter_init
void iov_iter_init(iov_iter* i, int direction, const iovec* iov, unsigned long nr_segs,
                   size_t count) {
  *i = {.type = ITER_IOVEC | direction, .count = count, .iov = iov, .nr_segs = nr_segs};
}

// v4.19 lib/iov_iter.c: iov_iter_kvec
void iov_iter_kvec(iov_iter* i, int direction, const kvec* kvec, unsigned long nr_segs,
                   size_t count) {
  *i = {.type = ITER_KVEC | direction, .count = count, .kvec = kvec, .nr_segs = nr_segs};
}

// v4.19 lib/iov_iter.c: iov_iter_advance
void iov_iter_advance(iov_iter* i, size_t bytes) {
  Walk(i, bytes, [](const Piece& piece, size_t) { return piece.length; });
}

// v4.19 lib/iov_iter.c: iov_iter_revert
void iov_iter_revert(iov_iter* i, size_t unroll) {
  i->count += unroll;
  while (unroll > i->iov_offset) {
    unroll -= i->iov_offset;
    PreviousSegment(i);
  }
  i->iov_offset -= unroll;
}

// v4.19 lib/iov_iter.c: _copy_to_iter
size_t copy_to_iter(const void* addr, size_t bytes, iov_iter* i) {
  const auto* in = static_cast<const uint8_t*>(addr);
  return Walk(i, bytes, [in](const Piece& piece, size_t done) {
    if (piece.kernel == nullptr) {
      return piece.length - copy_to_user(piece.user, in + done, piece.length);
    }
    std::memcpy(piece.kernel, in + done, piece.length);
    return piece.length;
  });
}

// v4.19 lib/iov_iter.c: _copy_from_iter
size_t copy_from_iter(void* addr, size_t bytes, iov_iter* i) { return CopyIn(addr, bytes, i); }

// v4.19 lib/iov_iter.c: iov_iter_zero
size_t iov_iter_zero(size_t bytes, iov_iter* i) {
  return Walk(i, bytes, [](const Piece& piece, size_t) {
    if (piece.kernel == nullptr) return piece.length - clear_user(piece.user, piece.length);
    std::memset(piece.kernel, 0, piece.length);
    return piece.length;
  });
}

size_t CopyFromIterInPlace(void* addr, size_t bytes, const iov_iter& i) {
  iov_iter copy = i;
  return CopyIn(addr, bytes, &copy);
}

// v4.19 lib/iov_iter.c: iov_iter_fault_in_readable
int iov_iter_fault_in_readable(const iov_iter& i, size_t bytes) {
  if (!iter_is_iovec(i)) return 0;
  iov_iter rest = i;
  const size_t wanted = std::min(bytes, i.count);
  const size_t readable = Walk(&rest, wanted, [](const Piece& piece, size_t) {
    return fault_in_pages_readable(piece.user.cast<const char>(), piece.length) == 0 ? piece.length
                                                                                     : 0;
  });
  return readable == wanted ? 0 : -EFAULT;
}

// v4.19 lib/iov_iter.c: iov_iter_npages
int iov_iter_npages(const iov_iter& i, int maxpages) {
  iov_iter rest = i;
  uint64_t pages = 0;
  Walk(&rest, rest.count, [&pages](const Piece& piece, size_t) {
    const uint64_t start = piece.kernel == nullptr ? piece.user.address() & (kPageSize - 1) : 0;
    pages += (start + piece.length + kPageSize - 1) / kPageSize;
    return piece.length;
  });
  return static_cast<int>(std::min<uint64_t>(pages, static_cast<uint64_t>(maxpages)));
}

// v4.19 lib/iov_iter.c: iov_iter_alignment
unsigned long iov_iter_alignment(const iov_iter& i) {
  iov_iter rest = i;
  unsigned long bits = 0;
  Walk(&rest, rest.count, [&bits](const Piece& piece, size_t) {
    bits |= piece.length;
    bits |= piece.kernel == nullptr ? piece.user.address()
                                    : 0;  // memory of the model is aligned as its user wants it
    return piece.length;
  });
  return bits;
}

}  // namespace kpath
