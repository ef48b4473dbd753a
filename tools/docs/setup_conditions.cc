// SPDX-License-Identifier: Apache-2.0
//
// io_setup, io_destroy, io_cancel.
#include <poll.h>
#include <sys/mman.h>

#include "tools/docs/condition.h"

namespace kpath {
namespace {

constexpr uint64_t kNothingThere = 0x10000;

DocCall Setup(uint64_t nr_events, uint64_t ctxp, int failing_allocation = -1) {
  return {NR_io_setup, {nr_events, ctxp}, failing_allocation};
}

uint64_t ReadOnlyPage() {
  return static_cast<uint64_t>(user::mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

DocCall CancelCall(AioProgram& p, uint64_t iocb) {
  return {NR_io_cancel, {p.ctx, iocb, p.events.address()}};
}

}  // namespace

std::vector<Condition> SetupConditions() {
  return {
      {"io_setup", "the word at `ctxp` cannot be read",
       [](AioProgram&) { return Setup(8, kNothingThere); }},
      {"io_setup", "the word at `ctxp` is not 0",
       [](AioProgram& p) { return Setup(8, p.arena.Put<uint64_t>(1).address()); }},
      {"io_setup", "`nr_events` is 0", [](AioProgram& p) { return Setup(0, p.ctxp.address()); }},
      {"io_setup", "twice `nr_events`, as a 32-bit number, is more than 8388608",
       [](AioProgram& p) { return Setup(4194305, p.ctxp.address()); }},
      {"io_setup", "`nr_events` is more than `fs.aio-max-nr`",
       [](AioProgram& p) { return Setup(65537, p.ctxp.address()); }},
      {"io_setup", "all contexts together ask for more than `fs.aio-max-nr`",
       [](AioProgram& p) {
         user::io_setup(65536, p.arena.New<user::io_context_t>());
         return Setup(1, p.ctxp.address());
       }},
      {"io_setup", "no memory for the context",
       [](AioProgram& p) {
         p.ctxp.Store(0);
         return Setup(8, p.ctxp.address(), 0);
       }},
      {"io_setup", "no memory for a page of the ring",
       [](AioProgram& p) {
         p.ctxp.Store(0);
         return Setup(8, p.ctxp.address(), 7);
       }},
      {"io_setup", "the handle cannot be written to `ctxp`",
       [](AioProgram&) { return Setup(8, ReadOnlyPage()); }},
      {"io_destroy", "nothing can be read at the handle",
       [](AioProgram&) {
         return DocCall{NR_io_destroy, {kNothingThere}};
       }},
      {"io_destroy", "the handle is no context of this process, or one that is destroyed",
       [](AioProgram& p) {
         return DocCall{NR_io_destroy, {p.buffer}};
       }},
      {"io_cancel", "`aio_key` of the iocb cannot be read",
       [](AioProgram& p) { return CancelCall(p, kNothingThere); }},
      {"io_cancel", "`aio_key` is not 0, as io_submit leaves it",
       [](AioProgram& p) {
         return CancelCall(p, p.arena.Put(user::iocb{.aio_key = 1}).address());
       }},
      {"io_cancel", "no such context",
       [](AioProgram& p) { return CancelCall(p, p.arena.New<user::iocb>().address()); }},
      {"io_cancel", "no request of this iocb can be cancelled: reads, writes and fsync never can",
       [](AioProgram& p) {
         p.Setup(8);
         return CancelCall(p, p.arena.New<user::iocb>().address());
       }},
      {"io_cancel", "a poll was cancelled: its event comes through the ring",
       [](AioProgram& p) {
         p.Setup(8);
         p.Submit({user::PollIocb(static_cast<int>(user::eventfd(0, 0)), POLLIN)});
         return CancelCall(p, p.iocbs[0].address());
       }},
  };
}

}  // namespace kpath
