// SPDX-License-Identifier: Apache-2.0
#include "sim/user/seccomp.h"

#include <linux/audit.h>

#include "sim/machine/check.h"

namespace kpath::user {
namespace {

struct Program {
  uint16_t length;
  uint64_t filter;
};
static_assert(sizeof(Program) == 16);

}  // namespace

Filter FilterOf(const std::vector<FilterRow>& table, uint32_t otherwise) {
  Filter filter = {LoadWord(offsetof(seccomp_data, arch)), SkipUnless(AUDIT_ARCH_X86_64, 0),
                   LoadWord(offsetof(seccomp_data, nr))};
  for (const FilterRow& row : table) {
    filter.push_back(SkipUnless(row.number, 1));
    filter.push_back(Return(row.action));
  }
  KPATH_CHECK(filter.size() < 256, "the table is too long for one jump");
  filter[1].jf = static_cast<uint8_t>(filter.size() - 2);
  filter.push_back(Return(otherwise));
  return filter;
}

int64_t SetFilter(const Filter& filter, unsigned flags) {
  const size_t bytes = filter.size() * sizeof(sock_filter);
  const uint64_t place = StackBytes(sizeof(Program) + bytes);
  WriteMemory(place + sizeof(Program), filter.data(), bytes);
  Store<Program>(place, {static_cast<uint16_t>(filter.size()), place + sizeof(Program)});
  return Syscall(NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, place);
}

}  // namespace kpath::user
