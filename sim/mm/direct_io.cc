// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/direct_io.h"

#include <algorithm>

#include "sim/kernel/container_of.h"
#include "sim/kernel/hrtimer.h"
#include "sim/mm/filemap.h"
#include "sim/mm/shmem.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

// One asynchronous read or write on its way.
struct DirectIoRequest {
  static constexpr const char* kSlabName = "kmalloc-256";

  hrtimer timer;
  kiocb* iocb = nullptr;
  long result = 0;  // what the completion will say
};

// How long this one takes.
int64_t Latency() {
  constexpr int64_t kFactors[] = {1, 2, 8, 32};
  const int pick = current_context->machine->Choose(ChoiceKind::kDeviceDelay, 4);
  return direct_io_device->latency_ns * kFactors[pick];
}

// The device's interrupt. v4.19 fs/direct-io.c: dio_bio_end_aio, dio_complete
hrtimer_restart EndDirectIo(hrtimer* timer) {
  FUNCTION(timer);
  const kptr<DirectIoRequest> request(container_of(timer, &DirectIoRequest::timer));
  kiocb* iocb = request->iocb;
  const long result = request->result;
  kfree(request);
  iocb->ki_complete(iocb, result, 0);
  return fn.Return(HRTIMER_NORESTART);
}

// v4.19 fs/direct-io.c: dio_await_completion. For a caller that waits.
void AwaitDevice() {
  const ktime_t latency = Latency();
  current->state = TASK_UNINTERRUPTIBLE;
  schedule_hrtimeout_range(&latency, 0, HRTIMER_MODE_REL);
}

ssize_t MoveData(kiocb* iocb, iov_iter* iter, bool write) {
  if (write) return generic_perform_write(iocb->ki_filp, iter, iocb->ki_pos);
  const loff_t pos = iocb->ki_pos;
  const ssize_t result = shmem_file_read_iter(iocb, iter);
  iocb->ki_pos = pos;  // the caller moves it
  return result;
}

// The direct_IO of such files. v4.19 fs/direct-io.c: do_blockdev_direct_IO. Returns the bytes
// moved, -EIOCBQUEUED: ki_complete will be called; or
//   -EINVAL  the position, the address or the size of a buffer is not a multiple of the block size
//   -ENOMEM
ssize_t MemoryDirectIo(kiocb* iocb, iov_iter* iter) {
  const bool write = (iter->type & WRITE) != 0;
  FUNCTION(iocb->ki_pos, iov_iter_count(*iter), write);
  const size_t count = iov_iter_count(*iter);
  if (!write && count == 0) return fn.Return<ssize_t>(0);
  const auto pos = static_cast<unsigned long>(iocb->ki_pos);
  const unsigned long mask = (1ul << direct_io_device->block_bits) - 1;
  if (((pos | iov_iter_alignment(*iter)) & mask) != 0) {
    return fn.Return<ssize_t>(
        Fail(EINVAL,
             "direct I/O: position $0, the addresses and sizes of buffers must be multiples of $1",
             pos, mask + 1));
  }
  const auto size = static_cast<unsigned long>(i_size_read(file_inode(iocb->ki_filp)));
  if (!write && pos >= size) return fn.Return<ssize_t>(0);
  // A write that makes the file longer is waited for even by AIO: the new size must not show
  // before the data are there.
  const bool async = !is_sync_kiocb(*iocb) && !(write && pos + count > size);
  const ssize_t moved = MoveData(iocb, iter, write);
  if (moved <= 0) return fn.Return(moved);
  if (!async) {
    AwaitDevice();
    return fn.Return(moved);
  }
  const kptr<DirectIoRequest> request = kzalloc<DirectIoRequest>(GFP_KERNEL);
  if (!request) return fn.Return<ssize_t>(Fail(ENOMEM, "no memory for a direct I/O request"));
  request->iocb = iocb;
  request->result = moved;
  hrtimer_init(&request->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
  request->timer.function = EndDirectIo;
  hrtimer_start(&request->timer, Latency(), HRTIMER_MODE_REL);
  return fn.Return<ssize_t>(-EIOCBQUEUED);
}

// Beside the one of block devices (filemap.h).
namespace stand_in {

// v4.19 mm/filemap.c: generic_file_read_iter. Departs: what is not read directly is read as tmpfs
// reads, not by generic_file_buffered_read; nothing has to be written back before.
ssize_t generic_file_read_iter(kiocb* iocb, iov_iter* iter) {
  FUNCTION(iocb->ki_pos, iov_iter_count(*iter));
  size_t count = iov_iter_count(*iter);
  if (count == 0) return fn.Return<ssize_t>(0);
  ssize_t retval = 0;
  if ((iocb->ki_flags & IOCB_DIRECT) != 0) {
    const loff_t size = i_size_read(file_inode(iocb->ki_filp));
    file_accessed(iocb->ki_filp);
    retval = iocb->ki_filp->f_mapping->a_ops->direct_IO(iocb, iter);
    if (retval == -EIOCBQUEUED) return fn.Return(retval);  // iocb may be gone
    if (retval >= 0) {
      iocb->ki_pos += retval;
      count -= static_cast<size_t>(retval);
    }
    if (retval < 0 || count == 0 || iocb->ki_pos >= size) return fn.Return(retval);
  }
  const ssize_t buffered = shmem_file_read_iter(iocb, iter);
  return fn.Return(buffered > 0 || retval == 0 ? retval + buffered : retval);
}

}  // namespace stand_in

const address_space_operations& DirectAops() {
  static const address_space_operations aops = [] {
    address_space_operations made = shmem_aops;
    made.direct_IO = MemoryDirectIo;
    return made;
  }();
  return aops;
}

const file_operations& DirectFileOperations() {
  static const file_operations operations = [] {
    file_operations made = shmem_file_operations;
    made.read_iter = stand_in::generic_file_read_iter;
    return made;
  }();
  return operations;
}

}  // namespace

KernelGlobal<DirectIoDevice> direct_io_device;

void EnableDirectIo(kptr<inode> inode) {
  if (HasDirectIo(inode)) return;  // of its file system's own
  inode->i_mapping->a_ops = &DirectAops();
  if (S_ISREG(inode->i_mode)) inode->i_fop = &DirectFileOperations();
}

bool HasDirectIo(kptr<inode> inode) {
  return inode->i_mapping->a_ops != nullptr && inode->i_mapping->a_ops->direct_IO != nullptr;
}

}  // namespace kpath
