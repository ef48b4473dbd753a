// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/host_aio.h"

#include <linux/aio_abi.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace kpath {

struct HostAio::Impl {
  int fd = -1;
  bool good = false;
  aio_context_t ctx = 0;
  char buffer[4096] = {};
  iocb iocbs[kMost] = {};
  iocb* pointers[kMost];
  io_event events[kMost];
};

HostAio::HostAio() : impl_(std::make_unique<Impl>()) {
  impl_->fd = static_cast<int>(syscall(SYS_memfd_create, "bench", 0));
  impl_->good = pwrite(impl_->fd, impl_->buffer, sizeof(impl_->buffer), 0) == 4096 &&
                syscall(SYS_io_setup, kMost, &impl_->ctx) == 0;
  for (int i = 0; i < kMost; ++i) {
    iocb& one = impl_->iocbs[i];
    one.aio_lio_opcode = IOCB_CMD_PREAD;
    one.aio_fildes = static_cast<uint32_t>(impl_->fd);
    one.aio_buf = reinterpret_cast<uintptr_t>(impl_->buffer);
    one.aio_nbytes = 512;
    impl_->pointers[i] = &one;
  }
}

HostAio::~HostAio() {
  if (impl_->ctx != 0) syscall(SYS_io_destroy, impl_->ctx);
  if (impl_->fd >= 0) close(impl_->fd);
}

bool HostAio::ok() const { return impl_->good; }

bool HostAio::SubmitAndReap(int count) {
  return syscall(SYS_io_submit, impl_->ctx, count, impl_->pointers) == count &&
         syscall(SYS_io_getevents, impl_->ctx, count, count, impl_->events, nullptr) == count;
}

}  // namespace kpath
