// SPDX-License-Identifier: Apache-2.0
//
// IOCB_CMD_FSYNC and IOCB_CMD_FDSYNC: a worker waits, so that the submitter need not. v4.19
// fs/aio.c
#include "fs_aio/request.h"
#include "sim/kernel/container_of.h"
#include "sim/vfs/file.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/read_write.h"

namespace kpath {
namespace {

// v4.19 fs/aio.c: aio_fsync_work. In a kworker.
void aio_fsync_work(work_struct* work) {
  FUNCTION(work);
  fsync_iocb* req = container_of(work, &fsync_iocb::work);
  kptr<aio_kiocb> iocb(container_of(req, &aio_kiocb::fsync));
  const int ret = vfs_fsync(req->file, req->datasync ? 1 : 0);
  fput(req->file);
  aio_complete(iocb, ret, 0);
}

}  // namespace

// v4.19 fs/aio.c: aio_fsync. How the file was opened does not matter.
long aio_fsync(kptr<aio_kiocb> aio_req, const iocb& iocb, bool datasync) {
  FUNCTION(aio_req, datasync);
  fsync_iocb* req = &aio_req->fsync;
  if (iocb.aio_buf != 0 || iocb.aio_offset != 0 || iocb.aio_nbytes != 0 || iocb.aio_rw_flags != 0) {
    return fn.Return<long>(
        Fail(EINVAL,
             "fields that fsync has no use for must be 0: aio_buf=$0, aio_offset=$1, "
             "aio_nbytes=$2, aio_rw_flags=$3",
             Value::Address(iocb.aio_buf), iocb.aio_offset, iocb.aio_nbytes, iocb.aio_rw_flags));
  }
  req->file = fget(iocb.aio_fildes);
  if (!req->file) return fn.Return<long>(FailBadFd(iocb.aio_fildes));
  if (req->file->f_op->fsync == nullptr) {
    fput(req->file);
    return fn.Return<long>(
        Fail(EINVAL, "the file behind fd $0 has no fsync", static_cast<int>(iocb.aio_fildes)));
  }
  req->datasync = datasync;
  INIT_WORK(&req->work, aio_fsync_work);
  schedule_work(&req->work);
  return fn.Return(0l);
}

}  // namespace kpath
