// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/recorded_file.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "sim/vfs/test_vfs.h"

namespace kpath {

long __x64_sys_read(const pt_regs* regs);
long __x64_sys_write(const pt_regs* regs);
long __x64_sys_pread64(const pt_regs* regs);

namespace {

class Console : public RecordedSource {
 public:
  ssize_t Read(size_t count, std::string* bytes) override {
    if (input.empty()) return 0;
    *bytes = input.substr(0, count);
    input.erase(0, bytes->size());
    return static_cast<ssize_t>(bytes->size());
  }
  ssize_t Write(absl::string_view bytes) override {
    if (broken) return -EIO;
    absl::StrAppend(&output, bytes.substr(0, 4));
    return static_cast<ssize_t>(std::min<size_t>(bytes.size(), 4));
  }
  std::string input = "typed", output;
  bool broken = false;
};

TEST(RecordedFile, AsksItsSource) {
  TestVfs vfs;
  const auto console = std::make_shared<Console>();
  vfs.Process("a", [&] {
    EXPECT_EQ(InstallAt(1, RecordedFile(console, O_RDWR), 0), 1);
    const user_ptr<char> buf = vfs.Buffer(16);
    EXPECT_EQ(vfs.Call(__x64_sys_read, 1, buf, 3), 3);
    EXPECT_EQ(vfs.Get(buf, 3), "typ");
    EXPECT_EQ(vfs.Call(__x64_sys_read, 1, buf, 16), 2);
    EXPECT_EQ(vfs.Call(__x64_sys_read, 1, buf, 16), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_write, 1, vfs.Text("printed"), 7), 4);
    EXPECT_EQ(console->output, "prin");
    EXPECT_EQ(vfs.Call(__x64_sys_pread64, 1, buf, 3, 0), -ESPIPE);
    EXPECT_EQ(vfs_poll(fdget(1).file, nullptr), DEFAULT_POLLMASK);
  });
  EXPECT_EQ(vfs.Run(), "");
  EXPECT_EQ(console.use_count(), 1);
}

TEST(RecordedFile, ErrorsAreTheSourcesOwn) {
  TestVfs vfs;
  const auto console = std::make_shared<Console>();
  vfs.Process("a", [&] {
    InstallAt(0, RecordedFile(console, O_WRONLY), 0);
    console->broken = true;
    EXPECT_EQ(vfs.Call(__x64_sys_write, 0, vfs.Text("x"), 1), -EIO);
    EXPECT_EQ(Why(), "EIO: the file's outside source says so");
    EXPECT_EQ(vfs.Call(__x64_sys_read, 0, vfs.Buffer(1), 1), -EBADF);
    EXPECT_EQ(vfs.Call(__x64_sys_write, 0, 0xdead0000, 1), -EFAULT);
    InstallAt(1, RecordedFile(std::make_shared<RecordedSource>(), O_RDWR), 0);
    EXPECT_EQ(vfs.Call(__x64_sys_read, 1, vfs.Buffer(1), 1), -EIO);
    EXPECT_EQ(vfs.Call(__x64_sys_write, 1, vfs.Text("abc"), 3), 3);
  });
  EXPECT_EQ(vfs.Run(), "");
}

}  // namespace
}  // namespace kpath
