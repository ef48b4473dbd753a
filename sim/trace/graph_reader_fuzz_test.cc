// SPDX-License-Identifier: Apache-2.0
//
// Whatever the input: the reader gives a sound graph, or an error of one line that names a place.
#include <cstddef>
#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "sim/machine/check.h"
#include "sim/trace/graph_reader.h"

namespace kpath {
namespace {

void CheckTree(const CallTree& calls) {
  size_t seen = 0;
  CallId id = calls.first_root();
  for (; id != kNoCall; id = calls.Next(id, kNoCall)) {
    KPATH_CHECK(++seen <= calls.size(), "a call stands in the tree twice");
    const CallNode& node = calls.node(id);
    KPATH_CHECK(node.parent == kNoCall || node.parent < id, "a call stands before its caller");
    KPATH_CHECK(node.entered == (node.order > 0), "a call that was entered has a line");
  }
  KPATH_CHECK(seen == calls.size(), "a call is not in the tree");
}

}  // namespace
}  // namespace kpath

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<kpath::Graph> graph = kpath::ReadGraph(text, "input");
  if (!graph.ok()) {
    KPATH_CHECK(absl::StartsWith(graph.status().message(), "input:"), graph.status().message());
    return 0;
  }
  for (const kpath::Stream& stream : graph->streams) kpath::CheckTree(stream.calls);
  return 0;
}
