// SPDX-License-Identifier: Apache-2.0
//
// The functions that a machine enters and leaves, kept in memory as they come, as ftrace keeps them
// in its ring buffer: 16 bytes each, and nothing is made of them before they are asked for.
//
//   FunctionRecorder recorder(1 << 16);   // the last 65,536 or so: 1 MiB
//   machine.SetRecorder(&recorder);
//   machine.Run();
//   machine.SetRecorder(nullptr);
//   TellCalls(recorder, &writer);         // sim/trace/recorded_calls.h: as text, or as a tree
//
// A recorder belongs to one machine at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "sim/machine/context.h"
#include "sim/machine/probe.h"

namespace kpath {

class FunctionRecorder {
 public:
  // Who was seen, as it was when it came to run.
  struct Task {
    int id;  // 0: an idle loop, or the boot
    std::string label;
    int cpu;
  };

  static constexpr size_t kAll = SIZE_MAX;

  // `most`: how many records are kept; the oldest are dropped for new ones, some thousand at a
  // time.
  explicit FunctionRecorder(size_t most = kAll);

  // Called by the machine: `function` was entered, or the innermost one was left (null). Returns
  // false, and keeps nothing, if GoOn has to be called first.
  bool Add(const FunctionInfo* function, int64_t time_ns) {
    if (next_ == stop_) [[unlikely]]
      return false;
    *next_++ = {function, time_ns};
    return true;
  }
  // Called by the machine: maybe another context executes from now on.
  void Switch() { stop_ = next_; }
  // Makes room, and keeps that it is `context` that goes on, if that is not known yet.
  void GoOn(const Context& context);

  // Calls visit.Switch(const Task&) whenever another task, or the same one on another CPU, goes on;
  // visit.Enter(const FunctionInfo&, int64_t time_ns) and visit.Exit(int64_t time_ns). In the order
  // in which it all happened. Where old records were dropped, some functions are left that nothing
  // tells the entry of.
  template <typename Visitor>
  void ForEach(Visitor&& visit) const {
    for (const Chunk& chunk : chunks_) {
      const Record* const begin = chunk.records.get();
      const Record* const end = &chunk == &chunks_.back() ? next_ : begin + kRecordsOfChunk;
      for (const Record* record = begin; record != end; ++record) {
        if (record->function == nullptr) {
          visit.Exit(record->time_ns);
        } else if (record->function == &kSwitch) {
          visit.Switch(chunk.tasks[record->time_ns]);
        } else {
          visit.Enter(*record->function, record->time_ns);
        }
      }
    }
  }

  // How many functions entered or left, and switches to a task, are kept.
  size_t size() const { return chunks_.size() * kRecordsOfChunk - (end_ - next_); }

  // Forgets all.
  void Clear();

 private:
  struct Record {
    const FunctionInfo* function;  // null: left. &kSwitch: `time_ns` is an index of chunk.tasks
    int64_t time_ns;
  };
  // Begins with a switch.
  struct Chunk {
    std::unique_ptr<Record[]> records;
    std::vector<Task> tasks;
  };
  static constexpr size_t kRecordsOfChunk = 4096;
  static const FunctionInfo kSwitch;

  void AddChunk();

  size_t most_chunks_;
  std::deque<Chunk> chunks_;  // all but the last are full
  Record* next_ = nullptr;
  Record* stop_ = nullptr;  // where GoOn has to be called: the end, or nearer
  Record* end_ = nullptr;
  const Context* context_ = nullptr;  // whose functions come at present
  const Cpu* cpu_ = nullptr;
};

}  // namespace kpath
