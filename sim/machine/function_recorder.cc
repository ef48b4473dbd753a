// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/function_recorder.h"

#include <algorithm>
#include <utility>

#include "sim/machine/cpu.h"

namespace kpath {

const FunctionInfo FunctionRecorder::kSwitch = {};

// Two chunks at least: one is full, the other is being filled.
FunctionRecorder::FunctionRecorder(size_t most)
    : most_chunks_(std::max<size_t>(2, most / kRecordsOfChunk)) {}

void FunctionRecorder::GoOn(const Context& context) {
  stop_ = end_;
  if (&context == context_ && context.cpu == cpu_ && next_ != end_) return;
  context_ = &context;
  cpu_ = context.cpu;
  // For the switch, and what comes with it.
  if (end_ - next_ < 2) AddChunk();
  std::vector<Task>& tasks = chunks_.back().tasks;
  *next_++ = {&kSwitch, static_cast<int64_t>(tasks.size())};
  tasks.push_back({context.id(), std::string(context.label()), cpu_->id()});
}

void FunctionRecorder::AddChunk() {
  // A place that is left over at the end of a full chunk: the same task goes on.
  if (next_ != end_) {
    const std::vector<Task>& tasks = chunks_.back().tasks;
    *next_++ = {&kSwitch, static_cast<int64_t>(tasks.size()) - 1};
  }
  Chunk chunk;
  if (chunks_.size() == most_chunks_) {
    chunk = std::move(chunks_.front());
    chunk.tasks.clear();
    chunks_.pop_front();
  } else {
    chunk.records = std::make_unique_for_overwrite<Record[]>(kRecordsOfChunk);
  }
  chunks_.push_back(std::move(chunk));
  next_ = chunks_.back().records.get();
  end_ = stop_ = next_ + kRecordsOfChunk;
}

void FunctionRecorder::Clear() {
  chunks_.clear();
  next_ = stop_ = end_ = nullptr;
  context_ = nullptr;
  cpu_ = nullptr;
}

}  // namespace kpath
