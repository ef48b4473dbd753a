// SPDX-License-Identifier: Apache-2.0
#include "fs_aio/sysctl.h"

#include "fs_aio/aio_test_program.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

std::string Read(absl::string_view name) {
  std::string text;
  const long length = ReadAioSysctl(name, &text);
  EXPECT_EQ(length, static_cast<long>(text.size()));
  return text;
}

TEST(AioSysctl, AioNrCountsWhatWasAskedFor) {
  RunAio({}, [](AioProgram& p) {
    EXPECT_EQ(Read("fs.aio-nr"), "0\n");
    EXPECT_EQ(Read("fs.aio-max-nr"), "65536\n");
    ASSERT_EQ(p.Setup(8), 0);  // the ring has 127 events
    EXPECT_EQ(Read("fs.aio-nr"), "8\n");
    EXPECT_EQ(user::io_destroy(p.ctx), 0);
    EXPECT_EQ(Read("fs.aio-nr"), "0\n");
  });
}

TEST(AioSysctl, AioMaxNrIsTheLimit) {
  RunAio({}, [](AioProgram& p) {
    EXPECT_EQ(WriteAioSysctl("fs.aio-max-nr", "10\n"), 3);
    EXPECT_EQ(p.Setup(11), -EAGAIN);
    EXPECT_EQ(p.Reason(), "EAGAIN: nr_events=11 is more than aio-max-nr=10");
    EXPECT_EQ(p.Setup(10), 0);
    const auto other = p.arena.New<user::io_context_t>();
    EXPECT_EQ(user::io_setup(1, other), -EAGAIN);
    EXPECT_THAT(p.Reason(), HasSubstr("aio-nr=10 + 1 asked for is more than aio-max-nr=10"));
    // A lower limit takes nothing away from what there is.
    EXPECT_EQ(WriteAioSysctl("fs.aio-max-nr", "1"), 1);
    EXPECT_EQ(p.Submit(p.Reads(20)), 20);
    EXPECT_EQ(user::io_destroy(p.ctx), 0);
    EXPECT_EQ(user::io_setup(1, other), 0);
  });
}

TEST(AioSysctl, WhatCannotBeWritten) {
  RunAio({}, [](AioProgram&) {
    EXPECT_EQ(WriteAioSysctl("fs.aio-nr", "1"), -EACCES);
    EXPECT_EQ(WriteAioSysctl("fs.aio-max-nr", "many"), -EINVAL);
    EXPECT_EQ(WriteAioSysctl("fs.aio-max-nr", "-1"), 2);  // taken, and ignored
    EXPECT_EQ(Read("fs.aio-max-nr"), "65536\n");
    std::string text;
    EXPECT_EQ(ReadAioSysctl("fs.file-max", &text), -ENOENT);
    EXPECT_EQ(WriteAioSysctl("fs.file-max", "1"), -ENOENT);
  });
}

}  // namespace
}  // namespace kpath
