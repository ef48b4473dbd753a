// SPDX-License-Identifier: Apache-2.0
//
// Reads what stands behind the name of a call: arguments and result.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tools/transcript/syntax/arena.h"
#include "tools/transcript/syntax/error.h"
#include "tools/transcript/syntax/lexer.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath::strace {

// Reads `text`, the joined `pieces` of a call from behind its "(" on, into call->args and, unless
// more is to come (`to_be_continued`), call->result. Sets args_unfinished, returned, end and cuts
// too. Values borrow from `text` and `arena`. Returns false after an error.
bool ParseCallText(absl::string_view text, absl::Span<const Piece> pieces, bool to_be_continued,
                   Arena* arena, Call* call, FirstError* error);

}  // namespace kpath::strace
