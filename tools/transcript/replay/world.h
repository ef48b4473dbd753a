// SPDX-License-Identifier: Apache-2.0
//
// What was there before the transcript began, or came from outside of it: files, descriptors that
// were inherited, what they held. A transcript shows it only when it is used, so it is brought into
// being right before the call that shows it, and only where the recorded result says that it was
// there:
//
//   - a path that is used without having been made is made: a directory or a memory file;
//   - such a file has the size that reads, events, fstat and lseek show;
//   - a descriptor that is used without having been made, and what lies under /proc, /sys and /dev
//     (but not /dev/shm, and not the scenario's disks), is a file whose data are the
//     recorded ones (vfs: recorded_file); one that AIO signals is an eventfd, one with positions
//     a memory file;
//   - the program break is where the first brk says.
//
// Context: ring 3 of the process that makes the call. The work is done with the process's own
// system calls, which the caller keeps out of the trace.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "tools/transcript/replay/descriptors.h"
#include "tools/transcript/replay/epoll_sets.h"
#include "tools/transcript/replay/frame.h"
#include "tools/transcript/replay/known_content.h"
#include "tools/transcript/replay/open_files.h"
#include "tools/transcript/replay/recorded_answer.h"

namespace kpath {

class World {
 public:
  // Both outlive this.
  World(const Descriptors& descriptors, const IocbOutcomes& outcomes)
      : descriptors_(descriptors), outcomes_(outcomes) {}

  // Where the files are that are made for descriptors which no recorded call made.
  static constexpr const char* kAssumedFiles = "/.assumed";

  // Brings into being what the call of `step` shows. Returns false if the call cannot be executed
  // on the model because it concerns something outside of it: it is replayed as recorded.
  bool Prepare(const PlanStep& step);
  // The same of a call that was replayed as recorded: what it did, as far as later calls show it.
  void Follow(const PlanStep& step);

  // Descriptors 0, 1 and 2 of a process that was there before the transcript began.
  void OpenStandardStreams();
  // Makes a file of `size` zeros, and the directories above it.
  void MakeSized(const std::string& path, int64_t size);
  // The same on a disk: all its blocks are there, and nothing of it is cached.
  void MakeOnDisk(const std::string& path, int64_t size);
  // A disk of the scenario's: calls that name it are for the model.
  void DeviceIsThere(const std::string& path) { scenario_devices_.insert(path); }
  // The scenario sets the sysctls of AIO: what the transcript shows of them is judged from the
  // start. Otherwise its first look tells what they are, other programs of that machine included.
  void SysctlsAreGiven() { sysctls_given_ = true; }
  // The process has a new address space.
  void ForgetBreak() { breaks_.erase(current->pid); }

  // Where the bytes are that a read or write of the frame has moved.
  struct Place {
    uint64_t inode = 0;
    uint64_t offset = 0;
    bool judged = false;  // false: what is there comes from the recording itself
  };
  // A read or write has moved `result` bytes: where. Keeps the account of what is certain.
  Place Moved(const CallFrame& frame, int64_t result);
  // The same of the iocbs of an io_submit that have been taken.
  void NoteIocbs(const CallFrame& frame, int64_t accepted);
  // ftruncate, open with O_TRUNC, mmap …: other calls that change what is certain.
  void NoteOther(const CallFrame& frame, int64_t result);
  const KnownContent& content() const { return content_; }

  // True if the call found something that is not there yet: an eventfd that AIO has signalled, if
  // `requests_in_flight`; a timer that has expired.
  bool MustWait(const strace::Call& call, const CallFrame& frame, bool requests_in_flight) const;
  // True if the descriptor may become ready at another moment than in the recording, whatever the
  // processes do: AIO signals it, or a timer.
  bool IsRacing(int fd) const;
  EpollSets& epolls() { return epolls_; }

  // True if a request on this descriptor is complete when io_submit returns: see aio_ledger.h.
  bool IsCertain(const iocb& iocb) const;

  // Descriptors that were made by no recorded call, with the first line that needed them.
  const std::map<int, uint32_t>& assumed_descriptors() const { return assumed_descriptors_; }

 private:
  // ---- world_paths.cc ----
  bool PreparePaths(const strace::Call& call);
  bool PrepareOpen(const strace::Call& call);
  bool PreparePath(const strace::Call& call, int dirfd, const strace::Value& path);
  bool IsOutside(int dirfd, const std::string& path) const;
  bool Exists(int dirfd, const std::string& path) const;
  void MakeParents(int dirfd, const std::string& path);
  void MakeFile(int dirfd, const std::string& path, bool directory);
  void FollowPaths(const strace::Call& call);

  // ---- world_polls.cc ----
  bool PreparePolled(const PlanStep& step);
  void NoteEpoll(const strace::Call& call);

  // ---- world.cc ----
  bool IsTooEarly(const strace::Call& call, const OpenFile& file) const;
  static uint64_t CountShown(const CallFrame& frame);
  void GiveBackCount(const CallFrame& frame);
  bool PrepareSysctl(const strace::Call& call);
  bool CompactsMemory(const strace::Call& call) const;
  void AdoptSysctl(const strace::Call& call, int fd);
  bool PrepareDescriptors(const PlanStep& step);
  void PrepareTransfer(const strace::Call& call);
  void PrepareRead(const strace::Call& call, const OpenFile& file);
  void PrepareSize(const strace::Call& call, const OpenFile& file);
  void PrepareIocbs(const PlanStep& step);
  void PrepareIocb(const PlanStep& step, size_t index, const strace::Value& iocb);
  void PrepareResult(const PlanStep& step);
  void PrepareBreak(const strace::Call& call);
  void AssumeDescriptor(const PlanStep& step, int fd);
  void AdoptDescriptors(const PlanStep& step);
  void FollowTransfer(const strace::Call& call);
  void FillGap(const PlanStep& step, int64_t made);
  void Resize(const OpenFile& file, int64_t size, bool is_end);
  void PrepareBytes(const OpenFile& file, int64_t offset, int64_t asked, int64_t got);
  void LearnSegments(const std::vector<Segment>& segments, const Place& place, uint64_t bytes);

  const Descriptors& descriptors_;
  const IocbOutcomes& outcomes_;
  const std::shared_ptr<RecordedAnswer> source_ = std::make_shared<RecordedAnswer>();
  // Files that were, or may have been, there before: their size is what the transcript shows first,
  // but not less than what it wrote. By inode: the end of what it wrote.
  std::map<uint64_t, int64_t> assumed_;
  std::set<const strace::Call*> may_have_been_there_;  // open with O_CREAT
  std::set<int> racing_eventfds_;  // signalled by requests that end when they end
  EpollSets epolls_;
  std::set<int> outside_cwd_;  // pids whose working directory is not in the model
  std::set<int> breaks_;       // pids whose program break is where it was
  std::map<int, uint32_t> assumed_descriptors_;
  // Descriptors of files below /proc/sys that the model has: which, and how much has been read.
  struct Sysctl {
    std::string name;
    size_t offset = 0;
  };
  std::map<int, Sysctl> sysctls_;
  std::set<std::string> scenario_devices_;
  bool sysctls_given_ = false;
  std::set<std::string> sysctls_seen_;
  int nameless_ = 0;
  KnownContent content_;
  std::map<uint64_t, uint64_t> streamed_in_, streamed_out_;  // bytes through a pipe, by inode
};

// A number of the transcript, or `otherwise`.
int64_t NumberOf(const strace::Value* value, int64_t otherwise = 0);
bool Succeeded(const strace::Call& call);
int64_t ResultOf(const strace::Call& call);

}  // namespace kpath
