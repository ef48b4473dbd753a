// SPDX-License-Identifier: Apache-2.0
//
// gdb's `list`: the surroundings of the selected frame, in the model's source or in its listing.
//
//   117     // v4.19 fs/aio.c: lookup_ioctx
//   118     kptr<kioctx> lookup_ioctx(unsigned long ctx_id) {
//   119  =>   FUNCTION(ctx_id);
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "inspect/info/view.h"

namespace kpath {

// Ten lines around the step that the frame's function has passed last, or its FUNCTION; the same of
// a listing, if the frame is assembly. `root`: the checkout that the program was built from; what
// is there may be older or newer than the program.
//
// Errors: FailedPrecondition: nothing is being executed. NotFound: the source is not at hand:
//   fs_aio/ioctx.cc is not at hand: kpath looks for it in /src/kpath (line 119 of it is where …)
absl::StatusOr<std::string> List(const View& view, absl::string_view root);

}  // namespace kpath
