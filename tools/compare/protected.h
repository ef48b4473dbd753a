// SPDX-License-Identifier: Apache-2.0
//
// The functions whose agreement with the real kernel is the point of a comparison: entry code,
// fs/aio.c, blk_plug, the bio and request path, completion. No rule may leave them out.
#pragma once

#include "absl/strings/string_view.h"

namespace kpath {

// True for a function of one of those areas. `name` is a source name, see SourceName().
bool IsProtected(absl::string_view name);

// True for the operations of locks. They are called everywhere, the protected areas among them, so
// a rule that names one would cut it there too.
bool IsLockOperation(absl::string_view name);

// What a rule would cut if it cut `name`: "fs/aio.c", "the bio and request path", ...; empty for a
// function that rules may cut. A `name` with '*' at its end stands for all names that begin so.
absl::string_view ForbiddenArea(absl::string_view name);

}  // namespace kpath
