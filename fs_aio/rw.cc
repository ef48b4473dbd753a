// SPDX-License-Identifier: Apache-2.0
//
// IOCB_CMD_PREAD, IOCB_CMD_PWRITE, IOCB_CMD_PREADV and IOCB_CMD_PWRITEV. v4.19 fs/aio.c
#include "fs_aio/request.h"
#include "sim/block/ioprio.h"
#include "sim/kernel/container_of.h"
#include "sim/vfs/file.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/iov_iter.h"
#include "sim/vfs/read_write.h"
#include "sim/vfs/super.h"

namespace kpath {
namespace {

// v4.19 fs/aio.c: aio_complete_rw. The ki_complete of reads and writes.
void aio_complete_rw(kiocb* kiocb, long res, long res2) {
  FUNCTION(res, res2);
  kptr<aio_kiocb> iocb(container_of(kiocb, &aio_kiocb::rw));
  if (iocb->ki_listed) aio_remove_iocb(iocb);
  // Ends what aio_write began; only regular files can be frozen.
  if ((kiocb->ki_flags & IOCB_WRITE) != 0) file_end_write(kiocb->ki_filp);
  fput(kiocb->ki_filp);
  aio_complete(iocb, res, res2);
}

// v4.19 fs/aio.c: aio_prep_rw
int aio_prep_rw(kiocb* req, const iocb& iocb) {
  FUNCTION(iocb.aio_fildes);
  req->ki_filp = fget(iocb.aio_fildes);
  if (!req->ki_filp) {
    return fn.Return(Fail(EBADF, "fd $0 is not open", static_cast<int>(iocb.aio_fildes)));
  }
  req->ki_complete = aio_complete_rw;
  req->ki_pos = iocb.aio_offset;
  req->ki_flags = iocb_flags(req->ki_filp);
  if ((iocb.aio_flags & IOCB_FLAG_RESFD) != 0) req->ki_flags |= IOCB_EVENTFD;
  int ret = 0;
  if ((iocb.aio_flags & IOCB_FLAG_IOPRIO) != 0) {
    ret = ioprio_check_cap(iocb.aio_reqprio);
    if (ret == 0) req->ki_ioprio = iocb.aio_reqprio;
  }
  if (ret == 0) ret = kiocb_set_rw_flags(req, iocb.aio_rw_flags);
  if (ret != 0) fput(req->ki_filp);
  return fn.Return(ret);
}

// v4.19 fs/aio.c: aio_setup_rw
int aio_setup_rw(int rw, const iocb& iocb, iovec_buffer* iovec, bool vectored, bool compat,
                 iov_iter* iter) {
  FUNCTION(rw, vectored, compat);
  if (!vectored) {
    return fn.Return(
        import_single_range(rw, user_ptr<void>(iocb.aio_buf), iocb.aio_nbytes, iovec->fast, iter));
  }
  // Of the number of segments the upper half is lost here.
  const auto nr_segs = static_cast<unsigned>(iocb.aio_nbytes);
  if (compat) {
    const user_ptr<const compat_iovec> uvector(iocb.aio_buf);
    return fn.Return(compat_import_iovec(rw, uvector, nr_segs, iovec, iter));
  }
  const user_ptr<const struct iovec> uvector(iocb.aio_buf);
  return fn.Return(import_iovec(rw, uvector, nr_segs, iovec, iter));
}

// v4.19 fs/aio.c: aio_rw_done. What the file's operation returned: unless it goes on by itself, the
// request is complete.
void aio_rw_done(kiocb* req, long ret) {
  FUNCTION(Value::Result(ret));
  switch (ret) {
    case -EIOCBQUEUED:
      return;
    case -ERESTARTSYS:
    case -ERESTARTNOINTR:
    case -ERESTARTNOHAND:
    case -ERESTART_RESTARTBLOCK:
      // There is no call that could be restarted: it has returned already.
      ret = -EINTR;
      [[fallthrough]];
    default:
      aio_complete_rw(req, ret, 0);
  }
}

// v4.19 fs/aio.c: the checks that aio_read and aio_write make of the file. `wanted`: FMODE_READ or
// FMODE_WRITE.
int check_file(kptr<file> file, const iocb& iocb, fmode_t wanted) {
  const int fd = static_cast<int>(iocb.aio_fildes);
  const bool read = wanted == FMODE_READ;
  if ((file->f_mode & wanted) == 0) {
    return Fail(EBADF, "fd $0 is not open for $1", fd, read ? "reading" : "writing");
  }
  if (read ? file->f_op->read_iter == nullptr : file->f_op->write_iter == nullptr) {
    return Fail(EINVAL, "the file behind fd $0 has no $1", fd, read ? "read_iter" : "write_iter");
  }
  return 0;
}

// v4.19 fs/aio.c: what aio_read and aio_write have in common: the file, its checks, the buffer, the
// range; then `start` hands the request to the file.
template <typename Start>
long aio_rw(kptr<aio_kiocb> aio_req, const iocb& iocb, int direction, bool vectored, bool compat,
            Start start) {
  kiocb* req = &aio_req->rw;
  long ret = aio_prep_rw(req, iocb);
  if (ret != 0) return ret;
  kptr<file> file = req->ki_filp;
  ret = check_file(file, iocb, direction == READ ? FMODE_READ : FMODE_WRITE);
  iovec_buffer iovec;
  iov_iter iter;
  if (ret == 0) ret = aio_setup_rw(direction, iocb, &iovec, vectored, compat, &iter);
  if (ret != 0) {
    fput(file);
    return ret;
  }
  ret = rw_verify_area(direction, file, &req->ki_pos, iov_iter_count(iter));
  if (ret == 0) start(file, req, &iter);
  kfree(iovec.allocated);
  if (ret != 0) fput(file);
  return ret;
}

}  // namespace

// v4.19 fs/aio.c: aio_read
long aio_read(kptr<aio_kiocb> aio_req, const iocb& iocb, bool vectored, bool compat) {
  FUNCTION(aio_req, vectored, compat);
  const auto start = [](kptr<file> file, kiocb* req, iov_iter* iter) {
    aio_rw_done(req, call_read_iter(file, req, iter));
  };
  return fn.Return(aio_rw(aio_req, iocb, READ, vectored, compat, start));
}

// v4.19 fs/aio.c: aio_write
long aio_write(kptr<aio_kiocb> aio_req, const iocb& iocb, bool vectored, bool compat) {
  FUNCTION(aio_req, vectored, compat);
  const auto start = [](kptr<file> file, kiocb* req, iov_iter* iter) {
    // Held until aio_complete_rw, in whichever context that is.
    if (S_ISREG(file_inode(file)->i_mode)) sb_start_write(file_inode(file)->i_sb);
    req->ki_flags |= IOCB_WRITE;
    aio_rw_done(req, call_write_iter(file, req, iter));
  };
  return fn.Return(aio_rw(aio_req, iocb, WRITE, vectored, compat, start));
}

}  // namespace kpath
