// SPDX-License-Identifier: Apache-2.0
//
// Where two call trees part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/compare/visible.h"

namespace kpath {

struct Difference {
  std::vector<std::string> path;  // the callers, outermost first; empty at the root
  std::string after;              // what was called before, inside the same caller; or empty
  std::string expected;           // what the recording has here: "aio_read()", "return"
  std::string actual;             // what the model has here
  uint32_t recorded_line = 0;     // of `expected` in the recording; 0 if not known
  size_t step = 0;                // index of the first different step in both lists

  // One line: "do_syscall_64 > __x64_sys_io_submit > io_submit_one, after kmem_cache_alloc():
  // expected aio_read() (line 31 of the recording), the model has return".
  std::string Message() const;
};

// The first step in which the model differs from the recording; nothing if the trees are equal.
// Where the recording ended in the middle of a call, what the model does after that is not looked
// at. A call that returned in the recording must return in the model.
std::optional<Difference> FirstDifference(const VisibleTree& recorded_tree,
                                          const std::vector<VisibleStep>& recorded,
                                          const std::vector<VisibleStep>& model);

}  // namespace kpath
