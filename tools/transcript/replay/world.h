// SPDX-License-Identifier: Apache-2.0
//
// What was there before the transcript began, or came from outside of it: files, descriptors that
// were inherited, what they held. A transcript shows it only when it is used, so it is brought into
// being right before the call that shows it, and only where the recorded result says that it was
// there:
//
//   - a path that is opened without having been made is made: a directory or a memory file;
//   - such a file has the size that reads, fstat and lseek show;
//   - a descriptor that is used without having been opened, and what lies under /proc, /sys and
//   /dev
//     (but not /dev/shm), is a file whose data are the recorded ones (vfs: recorded_file).
//
// Context: ring 3 of the process that makes the call. The work is done with the process's own
// system calls, which the caller keeps out of the trace.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "sim/vfs/recorded_file.h"
#include "tools/transcript/replay/frame.h"

namespace kpath {

class World {
 public:
  // Brings into being what `call` shows. Returns false if the call cannot be executed on the model
  // because it opens something outside of it: it is replayed as recorded.
  bool Prepare(const strace::Call& call);

  // Descriptors 0, 1 and 2 of a process that was there before the transcript began.
  void OpenStandardStreams();
  // Makes a file of `size` zeros, and the directories above it.
  void MakeSized(const std::string& path, int64_t size);

  // A call that was not executed has returned a descriptor: something outside of the model has it
  // now.
  void AdoptDescriptor(const strace::Call& call);

  // True if all bytes of the file behind `fd` came from the transcript, unabbreviated: then what is
  // read from it can be judged.
  bool ContentIsKnown(int fd);
  // The process is about to write to `fd` bytes that the transcript shows only in part.
  void ForgetContent(int fd);

 private:
  struct File {
    uint64_t inode = 0;
    int64_t size = 0;
    uint32_t mode = 0;
  };

  bool PrepareOpen(const strace::Call& call, int dirfd, const strace::Value& path, uint64_t flags);
  void PrepareTransfer(const strace::Call& call);
  void PrepareRead(const strace::Call& call, int fd, bool positioned);
  void PrepareSize(const strace::Call& call, int fd);
  void AssumeDescriptor(int fd);
  void Install(int fd);
  void MakeParents(const std::string& path);
  void MakeFile(int dirfd, const std::string& path, bool directory);
  void Resize(const File& file, int64_t size);
  bool Exists(int dirfd, const std::string& path) const;
  bool IsOutside(int dirfd, const std::string& path) const;
  // The file behind a descriptor; false if it is not open.
  bool Describe(int fd, File* file) const;

  // Answers a read or write with what the transcript says.
  class Source : public RecordedSource {
   public:
    void SetNext(int64_t result, std::string bytes) {
      result_ = result;
      bytes_ = std::move(bytes);
    }
    ssize_t Read(size_t count, std::string* bytes) override;
    ssize_t Write(absl::string_view bytes) override;

   private:
    int64_t result_ = 0;
    std::string bytes_;
  };

  const std::shared_ptr<Source> source_ = std::make_shared<Source>();
  std::map<uint64_t, std::string> assumed_;  // inode, path: files that were made here
  std::set<uint64_t> unknown_content_;       // inodes
};

}  // namespace kpath
