// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/trace.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "tools/diff_host/layout.h"

namespace kpath::diff_host {
namespace {

std::string DescribeRing(const Record& record) {
  static constexpr const char* kWords[] = {"id",    "nr",     "head",     "tail",
                                           "magic", "compat", "incompat", "header_length"};
  switch (record.what) {
    case What::kHead:
      return absl::StrCat("head of ring ", record.index + 1);
    case What::kTail:
      return absl::StrCat("tail of ring ", record.index + 1);
    case What::kNewObj:
      return absl::StrCat("obj of the event in slot ", record.index, " of ring ", record.ring + 1);
    case What::kNewRes:
      return absl::StrCat("res of the event in slot ", record.index, " of ring ", record.ring + 1);
    case What::kRingHeader:
      return absl::StrCat(kWords[record.index % 8], " of ring ", record.index / 16 + 1);
    default:
      return absl::StrCat("the bytes of event ", record.index, " of ring ", record.ring + 1);
  }
}

}  // namespace

std::string Describe(const Record& record) {
  switch (record.what) {
    case What::kResult:
      return "the result";
    case What::kHandle:
      return absl::StrCat("the handle in slot ", record.index);
    case What::kHandleOf:
      return absl::StrCat("the context in slot ", record.index);
    case What::kKey:
      return absl::StrCat("aio_key of iocb ", record.index);
    case What::kEventData:
      return absl::StrCat("data of event ", record.index);
    case What::kEventObj:
      return absl::StrCat("obj of event ", record.index);
    case What::kEventRes:
      return absl::StrCat("res of event ", record.index);
    case What::kEventRes2:
      return absl::StrCat("res2 of event ", record.index);
    case What::kMemory:
      return absl::StrCat("the bytes at 0x", absl::Hex(kArena + 256 * uint64_t{record.index}));
    case What::kFileSize:
      return absl::StrCat("the size of file ", record.index + 1);
    case What::kFileContent:
      return absl::StrCat("the bytes of page ", record.index % 64, " of file ",
                          record.index / 64 + 1);
    case What::kLeftToRead:
      return absl::StrCat("what was left to read from fd ", record.index);
    case What::kReadDigest:
      return "the bytes that were read";
    default:
      return DescribeRing(record);
  }
}

uint64_t Digest(absl::Span<const uint8_t> bytes) {
  uint64_t hash = bytes.size();
  for (size_t at = 0; at < bytes.size(); at += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min(sizeof(word), bytes.size() - at));
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  }
  return hash;
}

}  // namespace kpath::diff_host
