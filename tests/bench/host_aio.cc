// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/host_aio.h"

#include <linux/aio_abi.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kpath {

struct HostAio::Impl {
  int fd = -1;
  bool good = false;
  std::vector<aio_context_t> contexts;
  size_t used = 0;
  char buffer[4096] = {};
  iocb iocbs[kMost] = {};
  iocb* pointers[kMost];
  io_event events[kMost];
};

HostAio::HostAio(int contexts) : impl_(std::make_unique<Impl>()) {
  impl_->fd = static_cast<int>(syscall(SYS_memfd_create, "bench", 0));
  impl_->good = pwrite(impl_->fd, impl_->buffer, sizeof(impl_->buffer), 0) == 4096;
  for (int i = 0; i < contexts && impl_->good; ++i) {
    aio_context_t ctx = 0;
    impl_->good = syscall(SYS_io_setup, contexts == 1 ? kMost : kMostOfSeveral, &ctx) == 0;
    if (!impl_->good) break;
    impl_->contexts.push_back(ctx);
    // It is the ring's address. What else is measured in this process forks it.
    madvise(reinterpret_cast<void*>(ctx), 4096, MADV_DONTFORK);
  }
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
  for (const aio_context_t ctx : impl_->contexts) syscall(SYS_io_destroy, ctx);
  if (impl_->fd >= 0) close(impl_->fd);
}

bool HostAio::ok() const { return impl_->good; }

bool HostAio::SubmitAndReap(int count) {
  const aio_context_t ctx = impl_->contexts[impl_->used];
  return syscall(SYS_io_submit, ctx, count, impl_->pointers) == count &&
         syscall(SYS_io_getevents, ctx, count, count, impl_->events, nullptr) == count;
}

void HostAio::NextContext() { impl_->used = (impl_->used + 1) % impl_->contexts.size(); }

}  // namespace kpath
