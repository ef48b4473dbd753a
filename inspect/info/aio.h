// SPDX-License-Identifier: Apache-2.0
//
// `info kioctx`, `info ring`: the contexts of native AIO and what is in their rings.
//
//   Ring of 0x7ffff7fea000 (prog/1): 127 slots, head 2, tail 5, 3 unread
//     0 > ..H##T.......................................................... > 63
//   126 < ................................................................ < 64
//   H the next to be read, T the next to be written, # unread, . free
//   [2] data=0x7 obj=0x7ffd00001000 res=512 res2=0
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "inspect/info/view.h"

namespace kpath {

// Every context: where its slots are, and that they add up; its requests that are not freed, and
// who waits for events.
std::string InfoKioctx(const View& view);

// The ring of the context whose handle (user_id) or whose kioctx is at `address`; none: of all
// contexts of the selected task's process. Errors (NotFound): No context has the address 0x1234
absl::StatusOr<std::string> InfoRing(const View& view, absl::optional<uint64_t> address = {});

}  // namespace kpath
