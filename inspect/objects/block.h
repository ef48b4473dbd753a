// SPDX-License-Identifier: Apache-2.0
//
// Lists of requests, and how they are shown: for block.cc.
//
// Context: as inspect/types.h.
#pragma once

#include <string>

#include "inspect/printer.h"
#include "inspect/types.h"
#include "sim/block/blk_mq.h"

namespace kpath {

// A list of requests, linked by queuelist, as a sequence of pointers to them.
Datum MakeRequestList(const list_head* head);

template <typename T, list_head T::*kList>
bool RequestsIn(const Look&, const Datum& object, Datum* value) {
  *value = MakeRequestList(&(static_cast<const T*>(object.host)->*kList));
  return true;
}

// "request tag 3 of vda: WRITE 8+24, 3 bios": sectors as blktrace has them, first + how many.
std::string DescribeRequest(const void* request);
size_t CountBios(const request& rq);
// Whether somebody has the tag now.
bool HasTag(const blk_mq_tags& tags, size_t tag);
// A plug as its list, a request in a line.
std::string ShowPlug(const Printer& printer, const Datum& object, const PrintLevel& level);

}  // namespace kpath
