// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/recorded_answer.h"

#include <algorithm>

#include "sim/mm/compaction.h"

namespace kpath {

ssize_t RecordedAnswer::Read(size_t count, std::string* bytes) {
  if (result_ < 0) return result_;
  const size_t size = std::min(count, static_cast<size_t>(result_));
  std::string shown = bytes_.substr(0, size);
  shown.resize(size, '\0');
  bytes->append(shown);
  return static_cast<ssize_t>(size);
}

ssize_t RecordedAnswer::Write(absl::string_view bytes) {
  if (result_ < 0) return result_;
  if (compacts_) compact_nodes();
  return static_cast<ssize_t>(std::min<uint64_t>(bytes.size(), static_cast<uint64_t>(result_)));
}

}  // namespace kpath
