// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/transcript_values.h"

#include <sys/mman.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/diff_host/layout.h"
#include "tools/transcript/syntax/constants.h"

namespace kpath::diff_host {
namespace {

bool IsErrno(int64_t value) { return value < 0 && value >= -4095; }

std::string OpcodeText(uint16_t opcode) {
  static constexpr const char* kNames[] = {"PREAD", "PWRITE", "FSYNC",  "FDSYNC", "",
                                           "POLL",  "NOOP",   "PREADV", "PWRITEV"};
  if (opcode < std::size(kNames) && kNames[opcode][0] != '\0') {
    return absl::StrCat("IOCB_CMD_", kNames[opcode]);
  }
  return absl::StrCat("0x", absl::Hex(opcode));
}

std::string BufferText(const Entry& entry) {
  if (entry.vectors.empty()) return AddressText(entry.iocb.aio_buf);
  std::vector<std::string> vectors;
  for (const Vector& vector : entry.vectors) {
    vectors.push_back(
        absl::StrCat("{iov_base=", AddressText(vector.base), ", iov_len=", vector.size, "}"));
  }
  return absl::StrCat("[", absl::StrJoin(vectors, ", "), "]");
}

}  // namespace

std::string AddressText(uint64_t address) {
  return address == 0 ? "NULL" : absl::StrCat("0x", absl::Hex(address));
}

std::string ResultText(int64_t result) {
  if (!IsErrno(result)) return absl::StrCat(result);
  const auto number = static_cast<int>(-result);
  return absl::StrCat("-1 ", strace::ErrorName(number), " (", strace::ErrorMessage(number), ")");
}

std::string IocbText(const Entry& entry) {
  const user::iocb& cb = entry.iocb;
  std::string text = absl::StrCat("{aio_data=", cb.aio_data);
  if (cb.aio_key != 0) absl::StrAppend(&text, ", aio_key=", cb.aio_key);
  if (cb.aio_rw_flags != 0) {
    absl::StrAppend(&text, ", aio_rw_flags=0x", absl::Hex(static_cast<uint32_t>(cb.aio_rw_flags)));
  }
  absl::StrAppend(&text, ", aio_lio_opcode=", OpcodeText(cb.aio_lio_opcode));
  if (cb.aio_reqprio != 0) absl::StrAppend(&text, ", aio_reqprio=", cb.aio_reqprio);
  absl::StrAppend(&text, ", aio_fildes=", static_cast<int>(cb.aio_fildes),
                  ", aio_buf=", BufferText(entry), ", aio_nbytes=", cb.aio_nbytes,
                  ", aio_offset=", cb.aio_offset);
  if (cb.aio_reserved2 != 0) absl::StrAppend(&text, ", aio_reserved2=", cb.aio_reserved2);
  if (cb.aio_flags != 0) absl::StrAppend(&text, ", aio_flags=0x", absl::Hex(cb.aio_flags));
  if (cb.aio_resfd != 0) absl::StrAppend(&text, ", aio_resfd=", static_cast<int>(cb.aio_resfd));
  return text + "}";
}

std::string ListText(const Op& op) {
  constexpr size_t kShown = 6;
  if (op.args[1] != kList) return AddressText(op.args[1]);
  std::vector<std::string> list;
  for (size_t i = 0; i < std::min(op.entries.size(), kShown); ++i) {
    const Entry& entry = op.entries[i];
    const bool shown = entry.store && InArena(entry.address, sizeof(user::iocb));
    list.push_back(shown ? IocbText(entry) : AddressText(entry.address));
  }
  if (op.entries.size() > kShown) list.push_back("...");
  return absl::StrCat("[", absl::StrJoin(list, ", "), "]");
}

std::string TimeoutText(uint64_t address, uint64_t seconds, uint64_t nanoseconds) {
  if (address != kTimespec) return AddressText(address);
  return absl::StrCat("{tv_sec=", static_cast<int64_t>(seconds),
                      ", tv_nsec=", static_cast<int64_t>(nanoseconds), "}");
}

std::string SigsetText(uint64_t address, uint64_t mask, uint64_t size) {
  if (address != kSigset) return AddressText(address);
  return absl::StrCat("{sigmask=", mask == kMask ? "[]" : AddressText(mask), ", sigsetsize=", size,
                      "}");
}

std::string ProtectionText(uint64_t protection) {
  if (protection == PROT_NONE) return "PROT_NONE";
  return (protection & PROT_WRITE) != 0 ? "PROT_READ|PROT_WRITE" : "PROT_READ";
}

std::string MremapText(uint64_t flags) {
  if (flags == 0) return "0";
  return (flags & MREMAP_FIXED) != 0 ? "MREMAP_MAYMOVE|MREMAP_FIXED" : "MREMAP_MAYMOVE";
}

std::string ValueText(const Record& record) {
  const auto value = static_cast<int64_t>(record.value);
  if (IsErrno(value)) {
    const absl::string_view name = strace::ErrorName(static_cast<int>(-value));
    if (!name.empty()) return std::string(name);
  }
  switch (record.what) {
    case What::kEventObj:
    case What::kNewObj:
    case What::kHandle:
      return absl::StrCat("0x", absl::Hex(record.value));
    case What::kMemory:
    case What::kRingEvent:
    case What::kFileContent:
    case What::kReadDigest:
      return absl::StrCat("digest ", absl::Hex(record.value));
    default:
      return absl::StrCat(value);
  }
}

}  // namespace kpath::diff_host
