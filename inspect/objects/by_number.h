// SPDX-License-Identifier: Apache-2.0
//
// Objects of the block layer that FUNCTION and STEP show by a number, because they have no address:
// a request by its tag, a queue by its id.
//
//   Datum rq;
//   if (FindByNumber(look, "rq", 3, &rq)) ...   // the request that has tag 3 now
//
// Context: as inspect/types.h.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "inspect/types.h"

namespace kpath {

// `name`: what the value is called there: rq, req, q, hctx. False: no such object, or several.
bool FindByNumber(const Look& look, absl::string_view name, uint64_t number, Datum* pointer);
// Whether a value of this name may be one.
bool MayBeByNumber(absl::string_view name);

}  // namespace kpath
