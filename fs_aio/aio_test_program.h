// SPDX-License-Identifier: Apache-2.0
//
// What the tests of this folder share: a program with a context, a memory file and buffers, on a
// booted machine; and a look at the kernel's side of the context.
//
//   RunAio({}, [](AioProgram& p) {
//     EXPECT_EQ(p.Submit({p.Read(512)}), 1);
//     EXPECT_EQ(p.Reap(1, 1), 1);
//   });
#pragma once

#include <fcntl.h>

#include <functional>
#include <string>
#include <vector>

#include "entry/boot.h"
#include "fs_aio/kioctx.h"
#include "fs_aio/reqs_available.h"
#include "fs_aio/slot_watch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/sched.h"
#include "sim/user/user.h"

namespace kpath {

class AioProgram {
 public:
  static constexpr size_t kBuffer = 4096;

  // Makes /tmp/file of 4 KiB, open as `fd`; no context yet.
  AioProgram() : arena(1 << 20), ctxp(arena.New<user::io_context_t>()) {
    fd = static_cast<int>(user::open("/tmp/file", O_RDWR | O_CREAT, 0600));
    EXPECT_GE(fd, 0);
    buffer = arena.Bytes(kBuffer, 4096);
    EXPECT_EQ(user::write(fd, buffer, kBuffer), static_cast<int64_t>(kBuffer));
    events = arena.New<user::io_event>(512);
    places = arena.New<user::iocb>(1024);
    pointers = arena.New<user::Pointer<user::iocb>>(1024);
    poll_once = arena.New<user::timespec>();
  }

  int64_t Setup(unsigned nr_events) {
    const int64_t result = user::Syscall(NR_io_setup, nr_events, ctxp.address());
    ctx = ctxp.Load();
    return result;
  }

  user::iocb Read(uint64_t bytes, int64_t offset = 0) const {
    return user::PreadIocb(fd, buffer, bytes, offset);
  }
  user::iocb Write(uint64_t bytes, int64_t offset = 0) const {
    return user::PwriteIocb(fd, buffer, bytes, offset);
  }
  // `count` iocbs that read 512 bytes each.
  std::vector<user::iocb> Reads(size_t count) const { return {count, Read(512)}; }

  // Puts the iocbs into memory and submits them. Remembers their addresses in `iocbs`. At most
  // 1024.
  int64_t Submit(const std::vector<user::iocb>& list) {
    iocbs.clear();
    for (size_t i = 0; i < list.size(); ++i) {
      iocbs.push_back(places + static_cast<int64_t>(i));
      iocbs.back().Store(list[i]);
      (pointers + static_cast<int64_t>(i)).Store(iocbs.back());
    }
    return user::io_submit(ctx, static_cast<int64_t>(list.size()), pointers);
  }

  int64_t Reap(int64_t min_nr, int64_t nr) {
    return user::io_getevents(ctx, min_nr, nr, events, poll_once);
  }
  user::io_event Event(int64_t index) const { return (events + index).Load(); }

  // Why the last call was refused.
  static std::string Reason() { return current->reason.ToString(); }
  // The kernel's side of the context.
  kptr<kioctx> Kioctx() const { return current->mm->ioctx_table->table.at(0); }
  // Invariant 1 of kioctx.h. Nothing is in flight between two calls that complete inline.
  void ExpectSlotsBalance(unsigned in_flight = 0) const {
    const SlotCensus slots = CountSlots(Kioctx());
    EXPECT_EQ(slots.in_flight, in_flight);
    EXPECT_EQ(LiveRequests(Kioctx()), static_cast<int>(in_flight));
    EXPECT_EQ(slots.global + slots.per_cpu + slots.in_flight + slots.completed,
              Kioctx()->nr_events - 1);
  }

  user::Arena arena;
  user::Pointer<user::io_context_t> ctxp;
  user::io_context_t ctx = 0;
  int fd = -1;
  uint64_t buffer = 0;
  user::Pointer<user::io_event> events;
  std::vector<user::Pointer<user::iocb>> iocbs;
  user::Pointer<user::iocb> places;
  user::Pointer<user::Pointer<user::iocb>> pointers;
  user::Pointer<user::timespec> poll_once;
};

// A task that shares memory and descriptors with the one that starts it, and waiting for its end.
inline int64_t Thread(const user::Code& code) {
  return user::clone(CLONE_VM | CLONE_FILES | CLONE_FS, 0, 0, 0, user::Program(code));
}
inline void Join(int64_t thread) {
  EXPECT_EQ(user::wait4(static_cast<int>(thread), 0, __WALL), thread);
}

// Runs `body` as a program on a machine with `options` and expects that the kernel finds nothing to
// complain about: no report, no leak, nobody who waits for ever; and that the slots of its contexts
// add up after each step (slot_watch.h).
inline void RunAio(const SystemOptions& options, const std::function<void(AioProgram&)>& body) {
  bool ran_to_the_end = false;
  System system(options);
  SlotWatch watch;
  system.machine().AddListener(&watch);
  system.Start("aio", [&] {
    {
      AioProgram program;
      body(program);
    }
    ran_to_the_end = true;
  });
  EXPECT_EQ(system.Run(), "");
  EXPECT_EQ(watch.violation(), "");
  EXPECT_TRUE(ran_to_the_end);
}

}  // namespace kpath
