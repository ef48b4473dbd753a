// SPDX-License-Identifier: Apache-2.0
#include "sim/user/arena.h"

#include <sys/mman.h>

#include "absl/strings/str_cat.h"
#include "sim/machine/check.h"
#include "sim/user/calls.h"

namespace kpath::user {

Arena::Arena(size_t size) {
  const int64_t address =
      user::mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address < 0) user::exit_group(1);
  next_ = static_cast<uint64_t>(address);
  end_ = next_ + size;
}

uint64_t Arena::Bytes(size_t size, size_t alignment) {
  const uint64_t address = (next_ + alignment - 1) & ~uint64_t{alignment - 1};
  KPATH_CHECK(address + size <= end_,
              absl::StrCat(size, " bytes wanted, ", end_ - next_, " left in the arena"));
  next_ = address + size;
  return address;
}

}  // namespace kpath::user
