// SPDX-License-Identifier: Apache-2.0
//
// A machine with the services of sim/kernel and sim/vfs, for unit tests. Regular files keep their
// contents in a string of the test's, as sim/mm is above this folder.
//
//   TestVfs vfs;
//   vfs.Process("a", [&] {
//     EXPECT_EQ(vfs.Call(__x64_sys_close, 9999), -EBADF);
//     EXPECT_EQ(current->reason.ToString(), "EBADF: fd 9999 is not open");
//   });
//   EXPECT_EQ(vfs.Run(), "");   // no report, nobody hangs, nothing has leaked
#pragma once

#include <algorithm>
#include <any>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sim/kernel/test_kernel.h"
#include "sim/kernel/test_user_memory.h"
#include "sim/machine/pt_regs.h"
#include "sim/vfs/file.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/libfs.h"
#include "sim/vfs/read_write.h"
#include "sim/vfs/shmem_dir.h"

namespace kpath {

// The operations of the regular files of these tests.
inline std::string& ContentsOf(kptr<inode> inode) {
  if (!inode->i_private.has_value()) inode->i_private = std::string();
  return *std::any_cast<std::string>(&inode->i_private);
}

inline ssize_t TestFileRead(kiocb* iocb, iov_iter* to) {
  FUNCTION();
  kptr<inode> inode = file_inode(iocb->ki_filp);
  std::string& contents = ContentsOf(inode);
  contents.resize(static_cast<size_t>(inode->i_size));
  const size_t at = std::min(static_cast<size_t>(iocb->ki_pos), contents.size());
  const size_t wanted = std::min(contents.size() - at, iov_iter_count(*to));
  const size_t copied = copy_to_iter(contents.data() + at, wanted, to);
  iocb->ki_pos += static_cast<loff_t>(copied);
  file_accessed(iocb->ki_filp);
  return copied == 0 && wanted != 0 ? -EFAULT : static_cast<ssize_t>(copied);
}

inline ssize_t TestFileWrite(kiocb* iocb, iov_iter* from) {
  FUNCTION();
  kptr<inode> inode = file_inode(iocb->ki_filp);
  std::string& contents = ContentsOf(inode);
  if ((iocb->ki_flags & IOCB_APPEND) != 0) iocb->ki_pos = inode->i_size;
  std::string bytes(iov_iter_count(*from), '\0');
  bytes.resize(copy_from_iter(bytes.data(), bytes.size(), from));
  file_update_time(iocb->ki_filp);
  const size_t at = static_cast<size_t>(iocb->ki_pos);
  contents.resize(std::max(static_cast<size_t>(inode->i_size), at + bytes.size()));
  contents.replace(at, bytes.size(), bytes);
  inode->i_size = static_cast<loff_t>(contents.size());
  iocb->ki_pos += static_cast<loff_t>(bytes.size());
  return bytes.empty() && iov_iter_count(*from) != 0 ? -EFAULT : static_cast<ssize_t>(bytes.size());
}

inline constexpr file_operations kTestFileOperations = {
    .name = "test_file_operations",
    .llseek = generic_file_llseek,
    .read_iter = TestFileRead,
    .write_iter = TestFileWrite,
    .fsync = noop_fsync,
};

// The functions that were entered, as "outer { inner }" text, for those below the function `root`.
class CallRecorder : public ProbeListener {
 public:
  CallRecorder(Machine& machine, std::string root) : machine_(machine), root_(std::move(root)) {
    machine_.AddListener(this);
  }
  ~CallRecorder() override { machine_.RemoveListener(this); }

  void OnProbe(const ProbeEvent& event) override {
    if (event.kind == ProbeEvent::Kind::kFunctionEnter) {
      if (depth_ == 0 && event.function->name != root_) return;
      text_ += std::string(static_cast<size_t>(2 * depth_), ' ') + event.function->name + "\n";
      ++depth_;
    } else if (event.kind == ProbeEvent::Kind::kFunctionExit && depth_ > 0) {
      --depth_;
    }
  }

  // A line a function, indented by two spaces a level. Clears what was recorded.
  // `without`: functions to leave out; what they call moves up a level.
  std::string Take(const std::vector<std::string>& without = {}) {
    std::string result;
    std::vector<size_t> cut;  // levels of the left out functions that are open
    for (size_t begin = 0; begin < text_.size();) {
      const size_t end = text_.find('\n', begin);
      const size_t name = text_.find_first_not_of(' ', begin);
      const size_t level = (name - begin) / 2;
      while (!cut.empty() && cut.back() >= level) cut.pop_back();
      const std::string function = text_.substr(name, end - name);
      if (std::count(without.begin(), without.end(), function) != 0) {
        cut.push_back(level);
      } else {
        result += std::string(2 * (level - cut.size()), ' ') + function + "\n";
      }
      begin = end + 1;
    }
    text_.clear();
    return result;
  }

 private:
  Machine& machine_;
  const std::string root_;
  std::string text_;
  int depth_ = 0;
};

class TestVfs {
 public:
  static constexpr uint64_t kUserBase = 0x10000;
  static constexpr uint64_t kUserBytes = 64 * kPageSize;

  explicit TestVfs(int cpus = 1, std::unique_ptr<Chooser> chooser = nullptr)
      : kernel(cpus, std::move(chooser)), user(kernel.machine) {
    EnterMachine enter(kernel.machine);
    vfs_caches_init();
    vfs_hooks->shmem_init_regular = [](kptr<inode> inode) { inode->i_fop = &kTestFileOperations; };
    user.Map(kUserBase, kUserBytes);
    AllIsWell();
  }

  // A process with a table of descriptors of its own, or with `files`. Works of task_work_add are
  // done after the body, and wherever it calls ReturnToUserMode.
  task_struct* Process(const std::string& comm, std::function<void()> body,
                       kptr<files_struct> files = nullptr) {
    return kernel.Spawn(comm, [files, body = std::move(body)] {
      current->files = files ? files : alloc_files();
      body();
      exit_files(current);
      task_work_run();
    });
  }
  static void ReturnToUserMode() { task_work_run(); }

  // A system call with these arguments: integers, or what Text and Buffer return.
  template <typename... Args>
  static long Call(long (*entry)(const pt_regs*), Args... args) {
    unsigned long values[6] = {Register(args)...};
    pt_regs regs = {};
    regs.di = values[0];
    regs.si = values[1];
    regs.dx = values[2];
    regs.r10 = values[3];
    regs.r8 = values[4];
    regs.r9 = values[5];
    return entry(&regs);
  }

  // User memory: `bytes` of it, never handed out before.
  user_ptr<char> Buffer(size_t bytes) {
    const uint64_t address = next_;
    next_ += (bytes + 15) / 16 * 16;
    KPATH_CHECK(next_ <= kUserBase + kUserBytes, "the test's user memory is full");
    return user_ptr<char>(address);
  }
  user_ptr<char> Text(const std::string& text) {
    const user_ptr<char> at = Buffer(text.size() + 1);
    Put(at, text + '\0');
    return at;
  }
  void Put(user_ptr<char> at, const std::string& bytes) {
    for (size_t i = 0; i < bytes.size(); ++i) {
      user.Write(at + static_cast<int64_t>(i), bytes[i]);
    }
  }
  std::string Get(user_ptr<char> at, size_t bytes) {
    std::string text;
    for (size_t i = 0; i < bytes; ++i) text += user.Read(at + static_cast<int64_t>(i));
    return text;
  }

  // Runs to the end. Empty if all is well: no report, nobody hangs, every object that was made
  // since the constructor is freed.
  std::string Run() {
    const std::string report = kernel.Run();
    if (!report.empty()) return report;
    EnterMachine enter(kernel.machine);
    std::string leaks;
    for (absl::string_view line : absl::StrSplit(DescribeLeaks({"worker"}), '\n')) {
      if (!absl::StrContains(at_start_, line)) absl::StrAppend(&leaks, line, "\n");
    }
    return leaks;
  }
  // What is allocated now is no leak.
  void AllIsWell() {
    EnterMachine enter(kernel.machine);
    at_start_ = DescribeLeaks({"worker"});
  }

  TestKernel kernel;
  TestUserMemory user;

 private:
  template <typename T>
  static unsigned long Register(T value) {
    if constexpr (std::is_integral_v<T>) {
      return static_cast<unsigned long>(value);
    } else {
      return value.address();
    }
  }

  uint64_t next_ = kUserBase;
  std::string at_start_;
};

// Why the last call of this task was refused: "EBADF: fd 9999 is not open".
inline std::string Why() { return current->reason.ToString(); }

}  // namespace kpath
