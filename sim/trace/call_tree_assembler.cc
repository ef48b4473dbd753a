// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/call_tree_assembler.h"

#include <utility>

namespace kpath {

OpenCalls GraphAssembler::AddTask(absl::string_view comm, int pid, int cpu) {
  Stream stream;
  stream.comm = std::string(comm);
  stream.pid = pid;
  stream.cpu = cpu;
  graph_.streams.push_back(std::move(stream));
  OpenCalls open;
  open.stream = graph_.streams.size() - 1;
  return open;
}

void GraphAssembler::Enter(OpenCalls& open, const CallEntry& entry) {
  OpenCalls::Frame frame{open.stream, kNoCall, false};
  if (!open.frames.empty()) frame = open.frames.back();
  // An entry function right inside another one is its second half: interrupts are off between them.
  const bool is_second_half = frame.is_interrupt;
  frame.is_interrupt = entry.interrupt;
  if (entry.interrupt && !is_second_half) {
    frame.stream = InterruptStream(entry.cpu);
    frame.call = kNoCall;
  }

  frame.call = graph_.streams[frame.stream].calls.Add(frame.call, entry.name);
  CallNode& node = Node(frame);
  node.cpu = static_cast<int16_t>(entry.cpu);
  node.order = entry.order;
  node.start_ns = entry.start_ns;
  open.frames.push_back(frame);
}

void GraphAssembler::EnterUnseen(OpenCalls& open, int cpu) {
  CallEntry entry;
  entry.cpu = cpu;
  Enter(open, entry);
  Node(open.frames.back()).entered = false;
}

void GraphAssembler::Exit(OpenCalls& open, int64_t duration_ns) {
  CallNode& node = Node(open.frames.back());
  node.duration_ns = duration_ns;
  node.returned = true;
  open.frames.pop_back();
}

const CallNode& GraphAssembler::Innermost(const OpenCalls& open) const {
  const OpenCalls::Frame& frame = open.frames.back();
  return graph_.streams[frame.stream].calls.node(frame.call);
}

const std::string& GraphAssembler::InnermostName(const OpenCalls& open) const {
  return FrameName(open, open.frames.size() - 1);
}

void GraphAssembler::NameInnermost(const OpenCalls& open, absl::string_view name) {
  const OpenCalls::Frame& frame = open.frames.back();
  graph_.streams[frame.stream].calls.Rename(frame.call, name);
}

const std::string& GraphAssembler::FrameName(const OpenCalls& open, size_t frame) const {
  const OpenCalls::Frame& found = open.frames[frame];
  return graph_.streams[found.stream].calls.name(found.call);
}

Graph GraphAssembler::Take() {
  interrupt_streams_.clear();
  return std::exchange(graph_, Graph());
}

size_t GraphAssembler::InterruptStream(int cpu) {
  const auto [found, is_new] = interrupt_streams_.emplace(cpu, graph_.streams.size());
  if (is_new) {
    Stream stream;
    stream.kind = Stream::Kind::kInterrupt;
    stream.cpu = cpu;
    graph_.streams.push_back(std::move(stream));
  }
  return found->second;
}

CallNode& GraphAssembler::Node(const OpenCalls::Frame& frame) {
  return graph_.streams[frame.stream].calls.node(frame.call);
}

}  // namespace kpath
