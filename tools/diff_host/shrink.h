// SPDX-License-Identifier: Apache-2.0
//
// Makes a program smaller as long as it shows what it showed: fewer operations, fewer iocbs,
// simpler numbers.
#pragma once

#include <functional>

#include "tools/diff_host/program.h"

namespace kpath::diff_host {

// `shows` is called at most `most_tries` times; it is true for `program`. The result is one of the
// programs for which it was.
Program Shrink(const Program& program, const std::function<bool(const Program&)>& shows,
               int most_tries = 400);

}  // namespace kpath::diff_host
