// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/uaccess.h"

#include <algorithm>

#include "absl/base/attributes.h"
#include "sim/kernel/extable.h"
#include "sim/kernel/fail.h"
#include "sim/kernel/sched.h"

namespace kpath {
namespace {

// v4.19 arch/x86/include/asm/traps.h: bits of the error code of #PF.
constexpr uint64_t X86_PF_PROT = 1 << 0;
constexpr uint64_t X86_PF_WRITE = 1 << 1;

enum class Access { kRead, kWrite };

// The page table entry through which the hardware would let this access pass; nullptr: it would
// fault.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline PageTableEntry* PermittingEntry(uint64_t address,
                                                                    Access access) {
  AddressSpace* space = current->cpu->address_space;
  if (space == nullptr) return nullptr;
  PageTableEntry* entry = space->Find(address);
  if (entry == nullptr) return nullptr;
  if (access == Access::kWrite && !entry->writable) return nullptr;
  return entry;
}

// Says why the access failed, unless the fault handler, which knows more, has done so after
// `since`.
void ExplainFault(uint64_t address, Position since) {
  if (current->reason.number == EFAULT && current->reason.position > since) return;
  const AddressSpace* space = current->cpu->address_space;
  const bool present = space != nullptr && space->Find(address) != nullptr;
  Fail(EFAULT, present ? "$0 is mapped read-only" : "$0 is not mapped", Value::Address(address));
}

// Raises the page fault of the instruction `at`. Returns true if the access is to be done again.
bool PageFault(uint64_t address, Access access, const exception_table_entry& at) {
  const Position before = current->machine->position();
  const AddressSpace* space = current->cpu->address_space;
  const bool present = space != nullptr && space->Find(address) != nullptr;
  current->cpu->cr2 = address;
  current->cpu->regs.rip = at.insn;
  current->cpu->RaiseException(
      X86_TRAP_PF, true,
      (present ? X86_PF_PROT : 0) | (access == Access::kWrite ? X86_PF_WRITE : 0));
  if (current->cpu->regs.rip == at.insn) return true;  // maybe another CPU than before
  ExplainFault(address, before);
  return false;
}

// Raises page faults until the access would pass. Null after a fixup.
ABSL_ATTRIBUTE_NOINLINE PageTableEntry* FaultIn(uint64_t address, Access access,
                                                const exception_table_entry& at) {
  PageTableEntry* entry;
  do {
    if (!PageFault(address, access, at)) return nullptr;
    entry = PermittingEntry(address, access);
  } while (entry == nullptr);
  return entry;
}

// The bytes of the user page that `address` is in, from `address` on; nullptr after a fixup.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint8_t* UserBytes(uint64_t address, Access access,
                                                       const exception_table_entry& at) {
  PageTableEntry* entry = PermittingEntry(address, access);
  if (entry == nullptr) [[unlikely]] {
    entry = FaultIn(address, access, at);
    if (entry == nullptr) return nullptr;
  }
  if (access == Access::kWrite) entry->dirty = true;
  return current->machine->memory.PageBytes(entry->pfn) + (address & ~kPageMask);
}

template <typename Each>
ABSL_ATTRIBUTE_NOINLINE unsigned long ForEachOfPages(uint64_t address, unsigned long n,
                                                     Access access, const exception_table_entry& at,
                                                     Each each) {
  unsigned long done = 0;
  while (done < n) {
    const uint64_t here = address + done;
    const unsigned long size = std::min<unsigned long>(n - done, kPageSize - (here & ~kPageMask));
    uint8_t* bytes = UserBytes(here, access, at);
    if (bytes == nullptr) break;
    each(bytes, done, size);
    done += size;
  }
  return n - done;
}

// Calls `each(bytes, offset, size)` for the part of [address, address + n) in each page, in order.
// Returns how many bytes were not reached.
template <typename Each>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline unsigned long ForEachPage(uint64_t address, unsigned long n,
                                                              Access access,
                                                              const exception_table_entry& at,
                                                              Each each) {
  if (n > kPageSize - (address & ~kPageMask)) return ForEachOfPages(address, n, access, at, each);
  if (n == 0) return 0;
  uint8_t* bytes = UserBytes(address, access, at);
  if (bytes == nullptr) return n;
  each(bytes, 0, n);
  return 0;
}

ABSL_ATTRIBUTE_NOINLINE Error FailBeyondLimit(user_ptr<const void> ptr, unsigned long size) {
  return Fail(EFAULT, "$0 ($1 bytes) is beyond the user address limit $2", ptr, size,
              Value::Address(TASK_SIZE_MAX));
}

bool CrossesPages(uint64_t address, int size) { return (address & ~kPageMask) + size > kPageSize; }

// A word that lies in two pages. 0 or -EFAULT.
ABSL_ATTRIBUTE_NOINLINE int GetCrossing(uint64_t* value, uint64_t address, int size,
                                        const exception_table_entry& at) {
  uint64_t word = 0;
  const unsigned long missing =
      ForEachPage(address, static_cast<unsigned long>(size), Access::kRead, at,
                  [&](const uint8_t* bytes, unsigned long offset, unsigned long count) {
                    std::memcpy(reinterpret_cast<uint8_t*>(&word) + offset, bytes, count);
                  });
  if (missing != 0) return -EFAULT;
  *value = word;
  return 0;
}

// A store that crosses into a page that faults stores nothing.
ABSL_ATTRIBUTE_NOINLINE int PutCrossing(uint64_t value, uint64_t address, int size,
                                        const exception_table_entry& at) {
  const auto bytes_to_store = static_cast<unsigned long>(size);
  const uint64_t second_page = (address + bytes_to_store - 1) & kPageMask;
  do {
    if (UserBytes(address, Access::kWrite, at) == nullptr) return -EFAULT;
    if (UserBytes(second_page, Access::kWrite, at) == nullptr) return -EFAULT;
    // Bringing in the second page may have taken the first one away.
  } while (PermittingEntry(address, Access::kWrite) == nullptr);
  ForEachPage(address, bytes_to_store, Access::kWrite, at,
              [&](uint8_t* bytes, unsigned long offset, unsigned long count) {
                std::memcpy(bytes, reinterpret_cast<const uint8_t*>(&value) + offset, count);
              });
  return 0;
}

template <int kSize>
int GetUser(uint64_t* value, user_ptr<const void> ptr, const exception_table_entry& at) {
  *value = 0;
  if (!access_ok(ptr, kSize)) [[unlikely]]
    return FailBeyondLimit(ptr, kSize);
  if (CrossesPages(ptr.address(), kSize)) [[unlikely]]
    return GetCrossing(value, ptr.address(), kSize, at);
  const uint8_t* bytes = UserBytes(ptr.address(), Access::kRead, at);
  if (bytes == nullptr) return -EFAULT;
  std::memcpy(value, bytes, kSize);
  return 0;
}

template <int kSize>
int PutUser(uint64_t value, user_ptr<void> ptr, const exception_table_entry& at) {
  if (!access_ok(ptr, kSize)) [[unlikely]]
    return FailBeyondLimit(ptr, kSize);
  if (CrossesPages(ptr.address(), kSize)) [[unlikely]]
    return PutCrossing(value, ptr.address(), kSize, at);
  uint8_t* bytes = UserBytes(ptr.address(), Access::kWrite, at);
  if (bytes == nullptr) return -EFAULT;
  std::memcpy(bytes, &value, kSize);
  return 0;
}

}  // namespace

int __get_user_1(uint64_t* value, user_ptr<const void> ptr) {
  FUNCTION(ptr);
  return fn.Return(GetUser<1>(value, ptr, kExtableGetUser1));
}

int __get_user_2(uint64_t* value, user_ptr<const void> ptr) {
  FUNCTION(ptr);
  return fn.Return(GetUser<2>(value, ptr, kExtableGetUser2));
}

int __get_user_4(uint64_t* value, user_ptr<const void> ptr) {
  FUNCTION(ptr);
  return fn.Return(GetUser<4>(value, ptr, kExtableGetUser4));
}

int __get_user_8(uint64_t* value, user_ptr<const void> ptr) {
  FUNCTION(ptr);
  return fn.Return(GetUser<8>(value, ptr, kExtableGetUser8));
}

int __put_user_1(uint64_t value, user_ptr<void> ptr) {
  FUNCTION(value, ptr);
  return fn.Return(PutUser<1>(value, ptr, kExtablePutUser1));
}

int __put_user_2(uint64_t value, user_ptr<void> ptr) {
  FUNCTION(value, ptr);
  return fn.Return(PutUser<2>(value, ptr, kExtablePutUser2));
}

int __put_user_4(uint64_t value, user_ptr<void> ptr) {
  FUNCTION(value, ptr);
  return fn.Return(PutUser<4>(value, ptr, kExtablePutUser4));
}

int __put_user_8(uint64_t value, user_ptr<void> ptr) {
  FUNCTION(value, ptr);
  return fn.Return(PutUser<8>(value, ptr, kExtablePutUser8));
}

unsigned long copy_from_user(void* to, user_ptr<const void> from, unsigned long n) {
  FUNCTION(from, n);
  auto* out = static_cast<uint8_t*>(to);
  unsigned long missing = n;
  if (access_ok(from, n)) {
    missing = ForEachPage(from.address(), n, Access::kRead, kExtableCopyFromUser,
                          [out](const uint8_t* bytes, unsigned long offset, unsigned long size) {
                            std::memmove(out + offset, bytes, size);  // as in copy_to_user
                          });
  } else {
    FailBeyondLimit(from, n);
  }
  if (missing != 0) std::memset(out + (n - missing), 0, missing);
  return fn.Return(missing);
}

unsigned long copy_to_user(user_ptr<void> to, const void* from, unsigned long n) {
  FUNCTION(to, n);
  if (!access_ok(to, n)) {
    FailBeyondLimit(to, n);
    return fn.Return(n);
  }
  const auto* in = static_cast<const uint8_t*>(from);
  return fn.Return(ForEachPage(to.address(), n, Access::kWrite, kExtableCopyToUser,
                               [in](uint8_t* bytes, unsigned long offset, unsigned long size) {
                                 // Not memcpy: g++ makes it a rep movs, slow for 512 bytes.
                                 std::memmove(bytes, in + offset, size);
                               }));
}

unsigned long clear_user(user_ptr<void> to, unsigned long n) {
  FUNCTION(to, n);
  if (!access_ok(to, n)) {
    FailBeyondLimit(to, n);
    return fn.Return(n);
  }
  return fn.Return(ForEachPage(
      to.address(), n, Access::kWrite, kExtableClearUser,
      [](uint8_t* bytes, unsigned long, unsigned long size) { std::memset(bytes, 0, size); }));
}

long strncpy_from_user(char* dst, user_ptr<const char> src, long count) {
  FUNCTION(src, count);
  if (count <= 0) return fn.Return(0L);
  if (src.address() >= TASK_SIZE_MAX) return fn.Return<long>(FailBeyondLimit(src, 1));
  const long reachable = static_cast<long>(
      std::min<uint64_t>(static_cast<uint64_t>(count), TASK_SIZE_MAX - src.address()));
  long done = 0;
  while (done < reachable) {
    const uint64_t here = src.address() + static_cast<uint64_t>(done);
    const long size =
        std::min<long>(reachable - done, static_cast<long>(kPageSize - (here & ~kPageMask)));
    const uint8_t* bytes = UserBytes(here, Access::kRead, kExtableStrncpyFromUser);
    if (bytes == nullptr) return fn.Return<long>(-EFAULT);
    const void* nul = std::memchr(bytes, 0, static_cast<size_t>(size));
    const long length = nul == nullptr ? size : static_cast<const uint8_t*>(nul) - bytes;
    std::memcpy(dst + done, bytes, static_cast<size_t>(length + (nul != nullptr ? 1 : 0)));
    done += length;
    if (nul != nullptr) return fn.Return(done);
  }
  if (done >= count) return fn.Return(done);
  return fn.Return<long>(FailBeyondLimit(src + done, 1));
}

}  // namespace kpath
