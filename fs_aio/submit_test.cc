// SPDX-License-Identifier: Apache-2.0
//
// io_submit: each of its early exits has a test of its own, which fails if that exit is not taken:
// the errno, the reason, and what must and must not have happened.
#include <fcntl.h>
#include <sys/mman.h>

#include "fs_aio/aio_test_program.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(IoSubmit, ReadsAndWritesAMemoryFile) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::WriteString(p.buffer, "kpath");
    user::iocb write = p.Write(5, 100);
    write.aio_data = 7;
    EXPECT_EQ(p.Submit({write}), 1);
    EXPECT_EQ(p.Reap(1, 8), 1);
    EXPECT_EQ(p.Event(0).data, 7u);
    EXPECT_EQ(p.Event(0).obj, p.iocbs[0].address());
    EXPECT_EQ(p.Event(0).res, 5);
    EXPECT_EQ(p.Event(0).res2, 0);
    user::iocb read = p.Read(64, 90);
    read.aio_buf = p.buffer + 1024;
    EXPECT_EQ(p.Submit({read}), 1);
    EXPECT_EQ(p.Reap(1, 8), 1);
    EXPECT_EQ(p.Event(0).res, 64);
    EXPECT_EQ(user::ReadText(p.buffer + 1024 + 10, 5), "kpath");
    p.ExpectSlotsBalance();
  });
}

// ---- Exits of io_submit itself ----

TEST(IoSubmit, NegativeNr) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(user::Syscall(NR_io_submit, p.ctx, -1, p.buffer), -EINVAL);
    EXPECT_EQ(p.Reason(), "EINVAL: nr=-1 is negative");
  });
}

TEST(IoSubmit, NegativeNrComesBeforeTheContext) {
  RunAio({}, [](AioProgram& p) {
    EXPECT_EQ(user::Syscall(NR_io_submit, 0x1234, -1, p.buffer), -EINVAL);
    EXPECT_EQ(p.Reason(), "EINVAL: nr=-1 is negative");
  });
}

TEST(IoSubmit, BadContext) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(user::Syscall(NR_io_submit, 0x1234, 0, 0), -EINVAL);
    EXPECT_THAT(p.Reason(), StartsWith("EINVAL: no context 0x1234: nothing can be read there"));
    EXPECT_EQ(user::Syscall(NR_io_submit, p.buffer, 0, 0), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("place 0 of the table holds another one or none"));
    user::Store<uint32_t>(p.buffer, 77);
    EXPECT_EQ(user::Syscall(NR_io_submit, p.buffer, 0, 0), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("the ring id 77 there is not in this process's table"));
  });
}

TEST(IoSubmit, NrOfZeroIsNothingToDo) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(user::Syscall(NR_io_submit, p.ctx, 0, 0), 0);
  });
}

TEST(IoSubmit, UnreadableListOfPointers) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(user::Syscall(NR_io_submit, p.ctx, 1, 0), -EFAULT);
    EXPECT_EQ(p.Reason(), "EFAULT: iocbpp[0] at NULL cannot be read");
    EXPECT_EQ(user::Syscall(NR_io_submit, p.ctx, 1, ~uint64_t{0}), -EFAULT);
    p.ExpectSlotsBalance();
  });
}

TEST(IoSubmit, AListThatEndsBeforeNrTakesWhatIsThere) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int64_t page =
        user::mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_GT(page, 0);
    // What follows is not mapped.
    ASSERT_EQ(user::munmap(static_cast<uint64_t>(page) + 4096, 4096), 0);
    const auto cb = p.arena.Put(p.Read(512));
    const uint64_t last = static_cast<uint64_t>(page) + 4096 - 8;
    user::Store<uint64_t>(last, cb.address());
    EXPECT_EQ(user::Syscall(NR_io_submit, p.ctx, 2, last), 1);
    EXPECT_THAT(p.Reason(), StartsWith("EFAULT: iocbpp[1] at"));
    EXPECT_THAT(p.Reason(), HasSubstr("; io_submit stopped there: 1 of 2 taken"));
  });
}

TEST(IoSubmit, MoreThanTheRingHoldsIsCutSilently) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(1), 0);
    EXPECT_EQ(p.Kioctx()->nr_events, 127u);
    EXPECT_EQ(p.Submit(p.Reads(1000)), 124);
  });
}

// ---- Exits of io_submit_one ----

TEST(IoSubmit, UnreadableIocb) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const auto list = p.arena.New<uint64_t>();
    for (const uint64_t address : {uint64_t{0}, ~uint64_t{0}, uint64_t{0xffffffff81000000}}) {
      list.Store(address);
      EXPECT_EQ(user::Syscall(NR_io_submit, p.ctx, 1, list.address()), -EFAULT);
      EXPECT_THAT(p.Reason(), HasSubstr("cannot be read"));
    }
    p.ExpectSlotsBalance();
  });
}

TEST(IoSubmit, ReservedField) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = p.Read(512);
    cb.aio_reserved2 = 3;
    EXPECT_EQ(p.Submit({cb}), -EINVAL);
    EXPECT_EQ(p.Reason(), "EINVAL: aio_reserved2 must be 0, it is 3");
  });
}

TEST(IoSubmit, NegativeSize) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(p.Submit({p.Read(uint64_t{1} << 63)}), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("is negative as a size"));
  });
}

TEST(IoSubmit, NoFreeSlot) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(1), 0);
    EXPECT_EQ(p.Submit(p.Reads(124)), 124);
    EXPECT_EQ(p.Submit(p.Reads(1)), -EAGAIN);
    EXPECT_EQ(p.Reason(),
              "EAGAIN: no free slot: CPU 0 has none left, and it takes them 31 at a time from "
              "reqs_available, which is 2; of 126 slots 0 are in flight, 124 completed and not "
              "read; CPU 0 holds 0; reading events frees their slots, at the next io_submit or "
              "completion");
    p.ExpectSlotsBalance();
  });
}

TEST(IoSubmit, NoMemoryForARequest) {
  SystemOptions options;
  RunAio(options, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    // Every allocation fails from here to the end of the call.
    class Exhausted : public Chooser {
      int Choose(uint64_t, ChoiceKind kind, int) override { return kind == ChoiceKind::kFailAlloc; }
    };
    const auto list = p.arena.Put(p.arena.Put(p.Read(512)));
    user::Load<uint64_t>(list.address());
    current->machine->SetChooser(std::make_unique<Exhausted>());
    const int64_t result = user::Syscall(NR_io_submit, p.ctx, 1, list.address());
    current->machine->SetChooser(nullptr);
    EXPECT_EQ(result, -EAGAIN);
    EXPECT_EQ(p.Reason(), "EAGAIN: no memory for a request");
    p.ExpectSlotsBalance();
  });
}

TEST(IoSubmit, ResfdThatIsNotOpen) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = p.Read(512);
    cb.aio_flags = user::IOCB_FLAG_RESFD;
    cb.aio_resfd = 99;
    EXPECT_EQ(p.Submit({cb}), -EBADF);
    EXPECT_THAT(p.Reason(), HasSubstr("fd 99"));
    p.ExpectSlotsBalance();
  });
}

TEST(IoSubmit, ResfdThatIsNoEventfd) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = p.Read(512);
    cb.aio_flags = user::IOCB_FLAG_RESFD;
    cb.aio_resfd = static_cast<uint32_t>(p.fd);
    EXPECT_EQ(p.Submit({cb}), -EINVAL);
    EXPECT_THAT(p.Reason(), StartsWith("EINVAL"));
    p.ExpectSlotsBalance();
  });
}

TEST(IoSubmit, KeyThatCannotBeWritten) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int64_t page =
        user::mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const uint64_t cb = static_cast<uint64_t>(page);
    user::Store<user::iocb>(cb, p.Read(512));
    ASSERT_EQ(user::mprotect(cb, 4096, PROT_READ), 0);
    EXPECT_EQ(user::Syscall(NR_io_submit, p.ctx, 1, p.arena.Put(cb).address()), -EFAULT);
    EXPECT_THAT(p.Reason(), HasSubstr("aio_key of the iocb at"));
    p.ExpectSlotsBalance();
  });
}

TEST(IoSubmit, TheKeyIsStoredEvenIfTheRequestIsRefused) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = p.Read(512);
    cb.aio_key = 0x55;
    cb.aio_fildes = 9999;
    EXPECT_EQ(p.Submit({cb}), -EBADF);
    EXPECT_EQ(p.iocbs[0].Load().aio_key, KIOCB_KEY);
  });
}

TEST(IoSubmit, UnknownOpcode) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    for (const int opcode : {4, 6, 9, 255}) {
      user::iocb cb = p.Read(512);
      cb.aio_lio_opcode = static_cast<uint16_t>(opcode);
      EXPECT_EQ(p.Submit({cb}), -EINVAL);
      EXPECT_EQ(p.Reason(), "EINVAL: aio_lio_opcode=" + std::to_string(opcode) +
                                " is no operation that is supported");
    }
    p.ExpectSlotsBalance();
  });
}

// ---- Exits of aio_read and aio_write ----

TEST(IoSubmit, DescriptorThatIsNotOpen) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = p.Read(512);
    cb.aio_fildes = 9999;
    EXPECT_EQ(p.Submit({cb}), -EBADF);
    EXPECT_EQ(p.Reason(), "EBADF: fd 9999 is not open");
    p.ExpectSlotsBalance();
    EXPECT_EQ(p.Reap(0, 8), 0);
  });
}

TEST(IoSubmit, FileThatIsNotOpenForReading) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = p.Read(512);
    cb.aio_fildes = static_cast<uint32_t>(user::open("/tmp/file", O_WRONLY));
    EXPECT_EQ(p.Submit({cb}), -EBADF);
    EXPECT_THAT(p.Reason(), HasSubstr("is not open for reading"));
    p.ExpectSlotsBalance();
  });
}

TEST(IoSubmit, FileThatIsNotOpenForWriting) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = p.Write(512);
    cb.aio_fildes = static_cast<uint32_t>(user::open("/tmp/file", O_RDONLY));
    EXPECT_EQ(p.Submit({cb}), -EBADF);
    EXPECT_THAT(p.Reason(), HasSubstr("is not open for writing"));
    p.ExpectSlotsBalance();
  });
}

TEST(IoSubmit, FileWithoutReadIter) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = p.Read(512);
    cb.aio_fildes = static_cast<uint32_t>(user::eventfd(0, 0));
    EXPECT_EQ(p.Submit({cb}), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("has no read_iter"));
    cb = p.Write(512);
    cb.aio_fildes = static_cast<uint32_t>(user::eventfd(0, 0));
    EXPECT_EQ(p.Submit({cb}), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("has no write_iter"));
    p.ExpectSlotsBalance();
  });
}

TEST(IoSubmit, BufferBeyondTheUsersAddresses) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = p.Read(512);
    cb.aio_buf = 0xffffffff81000000;
    EXPECT_EQ(p.Submit({cb}), -EFAULT);
    EXPECT_THAT(p.Reason(), StartsWith("EFAULT"));
    p.ExpectSlotsBalance();
  });
}

TEST(IoSubmit, NegativeOffset) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(p.Submit({p.Read(512, -1)}), -EINVAL);
    EXPECT_THAT(p.Reason(), StartsWith("EINVAL"));
    EXPECT_EQ(p.Submit({p.Read(512, INT64_MAX - 100)}), -EINVAL);
    p.ExpectSlotsBalance();
  });
}

TEST(IoSubmit, UnknownFlagOfTheRequest) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = p.Read(512);
    cb.aio_rw_flags = 0x4000;
    EXPECT_EQ(p.Submit({cb}), -EOPNOTSUPP);
    p.ExpectSlotsBalance();
  });
}

TEST(IoSubmit, BadPriority) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = p.Read(512);
    cb.aio_flags = user::IOCB_FLAG_IOPRIO;
    cb.aio_reqprio = -1;
    EXPECT_EQ(p.Submit({cb}), -EINVAL);
    EXPECT_THAT(p.Reason(), HasSubstr("priority class"));
    p.ExpectSlotsBalance();
  });
}

// ---- What is no early exit: the request is taken and its event tells ----

TEST(IoSubmit, AnUnmappedBufferIsAnEvent) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = p.Read(512);
    cb.aio_buf = 0x10000;
    EXPECT_EQ(p.Submit({cb}), 1);
    EXPECT_EQ(p.Reap(1, 1), 1);
    EXPECT_EQ(p.Event(0).res, -EFAULT);
  });
}

TEST(IoSubmit, AReadAtTheEndIsAnEventOfZero) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(p.Submit({p.Read(512, 4096)}), 1);
    EXPECT_EQ(p.Reap(1, 1), 1);
    EXPECT_EQ(p.Event(0).res, 0);
  });
}

TEST(IoSubmit, ABadSecondIocbStopsTheBatchAndTellsTheCount) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    std::vector<user::iocb> list = p.Reads(3);
    list[1].aio_fildes = 9999;
    EXPECT_EQ(p.Submit(list), 1);
    EXPECT_EQ(p.Reason(), "EBADF: fd 9999 is not open; it is iocbpp[1], at " +
                              Value::Address(p.iocbs[1].address()).ToString() +
                              "; io_submit stopped there: 1 of 3 taken");
    EXPECT_EQ(p.Reap(1, 8), 1);
    EXPECT_EQ(p.Reap(0, 8), 0);
    p.ExpectSlotsBalance();
  });
}

TEST(IoSubmit, AnEventfdIsSignalledOncePerEvent) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int64_t eventfd = user::eventfd(0, 0);
    std::vector<user::iocb> list = p.Reads(3);
    for (user::iocb& cb : list) {
      cb.aio_flags = user::IOCB_FLAG_RESFD;
      cb.aio_resfd = static_cast<uint32_t>(eventfd);
    }
    EXPECT_EQ(p.Submit(list), 3);
    EXPECT_EQ(user::read(static_cast<int>(eventfd), p.buffer, 8), 8);
    EXPECT_EQ(user::Load<uint64_t>(p.buffer), 3u);
  });
}

}  // namespace
}  // namespace kpath
