// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "inspect/objects/block.h"
#include "inspect/objects/names.h"
#include "inspect/print_number.h"
#include "inspect/types_of.h"
#include "sim/block/blk_plug.h"

namespace kpath {
namespace {

const list_head& HeadOf(const Datum& list) { return *static_cast<const list_head*>(list.host); }

size_t CountRequests(const Look&, const Datum& list) {
  size_t count = 0;
  for (const list_head* at = HeadOf(list).next; at != &HeadOf(list); at = at->next) ++count;
  return count;
}

Datum RequestIn(const Look&, const Datum& list, size_t index) {
  list_head* at = HeadOf(list).next;
  for (; index > 0; --index) at = at->next;
  return MakePointer(StructTypeOf<request>(), list_entry_rq(at));
}

constexpr Sequence kRequests = {CountRequests, RequestIn};

std::string OperationOf(const request& rq) {
  static constexpr Type kOperation = IntegerType<unsigned>(&kOpfNames);
  return FormatNumber(kOperation, rq.cmd_flags, 0);
}

}  // namespace

bool HasTag(const blk_mq_tags& tags, size_t tag) {
  return tag < tags.rqs.size() && tags.rqs[tag] != nullptr && tag >= tags.nr_reserved_tags &&
         sbitmap_test_bit(&tags.bitmap_tags.sb, static_cast<unsigned>(tag - tags.nr_reserved_tags));
}

Datum MakeRequestList(const list_head* head) {
  Datum list;
  list.type = &SequenceType<kRequests>();
  list.host = head;
  return list;
}

size_t CountBios(const request& rq) {
  size_t count = 0;
  for (const bio* at = rq.bio; at != nullptr; at = at->bi_next) {
    ++count;
    if (at == rq.biotail) break;
  }
  return count;
}

std::string DescribeRequest(const void* object) {
  const auto& rq = *static_cast<const request*>(object);
  std::string text = absl::StrCat("request tag ", rq.tag);
  if (rq.rq_disk != nullptr) absl::StrAppend(&text, " of ", rq.rq_disk->disk_name);
  const size_t bios = CountBios(rq);
  absl::StrAppend(&text, ": ", OperationOf(rq), " ", rq.__sector, "+", blk_rq_sectors(&rq), ", ",
                  bios, bios == 1 ? " bio" : " bios");
  return text;
}

std::string ShowPlug(const Printer& printer, const Datum& object, const PrintLevel& level) {
  const Datum list = MakeRequestList(&static_cast<const blk_plug*>(object.host)->mq_list);
  const PrintLevel inner = level.Deeper();
  std::vector<std::string> requests;
  for (size_t i = 0; i < CountElements(printer.look(), list); ++i) {
    requests.push_back(printer.Value(GetElement(printer.look(), list, i), inner));
  }
  return Braces({absl::StrCat("mq_list = ", requests.empty() ? "{}" : Braces(requests, inner))},
                level);
}

}  // namespace kpath
