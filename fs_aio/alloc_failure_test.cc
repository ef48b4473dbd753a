// SPDX-License-Identifier: Apache-2.0
//
// Memory exhausted: in each call, each allocation fails once, one after the other. Whatever the
// call returns, nothing is left behind: no object, no lock (the way to user mode looks), no slot.
#include <poll.h>

#include "fs_aio/aio_test_program.h"
#include "sim/machine/test_chooser.h"

namespace kpath {
namespace {

struct Scene {
  const char* name;
  // Prepares and returns the call that is to be made while memory is short.
  std::function<std::function<int64_t()>(AioProgram& p)> prepare;
  int at_least;  // so many allocations the call makes
};

std::function<int64_t()> SubmitOne(AioProgram& p, const user::iocb& cb) {
  p.Setup(8);
  p.places.Store(cb);
  p.pointers.Store(p.places);
  p.iocbs = {p.places};
  return [&p] { return user::io_submit(p.ctx, 1, p.pointers); };
}

uint64_t Segments(AioProgram& p, int count) {
  const auto segments = p.arena.New<user::iovec>(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) (segments + i).Store({p.buffer + 8 * i, 8});
  return segments.address();
}

int Eventfd() { return static_cast<int>(user::eventfd(0, 0)); }

const Scene kScenes[] = {
    {"io_setup",
     [](AioProgram& p) {
       p.ctxp.Store(0);
       return [&p] { return p.Setup(8); };
     },
     8},
    {"io_setup with more than eight pages",
     [](AioProgram& p) {
       p.ctxp.Store(0);
       return [&p] { return p.Setup(1024); };
     },
     24},
    {"io_setup of a fifth context",
     [](AioProgram& p) {
       const auto words = p.arena.New<user::io_context_t>(5);
       for (int i = 0; i < 4; ++i) user::io_setup(1, words + i);
       return [words] { return user::io_setup(1, words + 4); };
     },
     9},
    {"io_submit of a read", [](AioProgram& p) { return SubmitOne(p, p.Read(512)); }, 1},
    {"io_submit of a write", [](AioProgram& p) { return SubmitOne(p, p.Write(512, 1 << 20)); }, 2},
    {"io_submit of nine segments to read",
     [](AioProgram& p) { return SubmitOne(p, user::PreadvIocb(p.fd, Segments(p, 9), 9, 0)); }, 2},
    {"io_submit of nine segments to write",
     [](AioProgram& p) {
       return SubmitOne(p, user::PwritevIocb(p.fd, Segments(p, 9), 9, 1 << 20));
     },
     3},
    {"io_submit of an fsync", [](AioProgram& p) { return SubmitOne(p, user::FsyncIocb(p.fd)); }, 1},
    {"io_submit of a read with an eventfd",
     [](AioProgram& p) { return SubmitOne(p, user::WithEventfd(p.Read(512), Eventfd())); }, 1},
    {"io_submit of a poll",
     [](AioProgram& p) { return SubmitOne(p, user::PollIocb(Eventfd(), POLLIN)); }, 1},
    {"io_submit of a poll that is ready",
     [](AioProgram& p) { return SubmitOne(p, user::PollIocb(Eventfd(), POLLOUT)); }, 1},
    {"io_cancel",
     [](AioProgram& p) -> std::function<int64_t()> {
       p.Setup(8);
       p.Submit({user::PollIocb(Eventfd(), POLLIN)});
       return [&p] { return user::io_cancel(p.ctx, p.iocbs[0], p.events); };
     },
     0},
    {"io_getevents",
     [](AioProgram& p) -> std::function<int64_t()> {
       p.Setup(8);
       p.Submit(p.Reads(3));
       return [&p] { return p.Reap(3, 3); };
     },
     0},
    {"io_pgetevents",
     [](AioProgram& p) -> std::function<int64_t()> {
       p.Setup(8);
       p.Submit(p.Reads(3));
       const uint64_t mask = p.arena.New<uint64_t>().address();
       return [&p, mask] { return user::io_pgetevents(p.ctx, 3, 3, p.events, p.poll_once, mask); };
     },
     0},
    {"io_destroy",
     [](AioProgram& p) -> std::function<int64_t()> {
       p.Setup(8);
       p.Submit({user::PollIocb(Eventfd(), POLLIN), user::FsyncIocb(p.fd)});
       return [&p] { return user::io_destroy(p.ctx); };
     },
     0},
};

// One run: true if the allocation that was to fail was reached.
bool RunScene(const Scene& scene, int rank) {
  int countdown = rank;
  RunAio({}, [&](AioProgram& p) {
    const auto call = scene.prepare(p);
    current->machine->SetChooser(std::make_unique<FailOneAllocation>(&countdown));
    const int64_t result = call();
    current->machine->SetChooser(nullptr);
    if (countdown >= 0) return;  // not reached
    // A page of the program that cannot be had is a bad address.
    EXPECT_TRUE(result == -ENOMEM || result == -EAGAIN || result == -EFAULT || result >= 0)
        << scene.name << ", allocation " << rank << ": " << result;
    EXPECT_TRUE(result >= 0 || current->reason.number == -result) << scene.name;
    // A memory that was exhausted once is no reason to fail again.
    current->reason = {};
    p.ctxp.Store(0);
    EXPECT_EQ(p.Setup(8), 0) << scene.name << ", allocation " << rank;
    EXPECT_EQ(p.Submit(p.Reads(2)), 2);
    EXPECT_EQ(p.Reap(2, 2), 2);
  });
  return countdown < 0;
}

TEST(MemoryExhausted, AtEachAllocationOfEachCall) {
  for (const Scene& scene : kScenes) {
    SCOPED_TRACE(scene.name);
    int allocations = 0;
    while (allocations < 100 && RunScene(scene, allocations)) ++allocations;
    EXPECT_GE(allocations, scene.at_least);
    EXPECT_LT(allocations, 100);
  }
}

}  // namespace
}  // namespace kpath
