// SPDX-License-Identifier: Apache-2.0
//
// How kernel code reads and writes the memory of the process that called it.
// v4.19 arch/x86/include/asm/uaccess.h, include/linux/uaccess.h, lib/usercopy.c
//
//   unsigned long value;
//   if (get_user(value, ctxp) != 0) return -EFAULT;              // the reason has been told
//   already if (copy_from_user(&tmp, user_iocb, sizeof(tmp)) != 0) return -EFAULT;
//
// An access goes through the page table that the CPU uses (Cpu::address_space). A page that is
// absent, or not writable when written, raises #PF as the hardware does; the gate at vector 14
// either makes the page present, and the access is done again, or continues at the fixup of the
// instruction (extable.h), and the access has failed. An address at or above the user limit fails
// without a fault.
//
// Every failed access has recorded -EFAULT with the address and what was wrong with it (fail.h);
// the caller decides what it returns.
//
// Context: process; may sleep, unless page faults are disabled (then an absent page is a failure).
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "sim/kernel/sched.h"
#include "sim/kernel/user_ptr.h"
#include "sim/machine/memory.h"

namespace kpath {

// The first address that a user access may not touch: v4.19 user_addr_max() without set_fs.
inline constexpr uint64_t TASK_SIZE_MAX = kUserAddressEnd;

// v4.19 arch/x86/include/asm/uaccess.h: access_ok. True if `size` bytes at `address` lie below the
// user limit. Says nothing about what is mapped there.
constexpr bool access_ok(user_ptr<const void> address, unsigned long size) {
  return address.address() + size >= size && address.address() + size <= TASK_SIZE_MAX;
}

// v4.19 arch/x86/lib/getuser.S. `*value` is zero-extended; 0 if the access failed. 0 or -EFAULT.
int __get_user_1(uint64_t* value, user_ptr<const void> ptr);
int __get_user_2(uint64_t* value, user_ptr<const void> ptr);
int __get_user_4(uint64_t* value, user_ptr<const void> ptr);
int __get_user_8(uint64_t* value, user_ptr<const void> ptr);
// v4.19 arch/x86/lib/putuser.S. 0 or -EFAULT.
int __put_user_1(uint64_t value, user_ptr<void> ptr);
int __put_user_2(uint64_t value, user_ptr<void> ptr);
int __put_user_4(uint64_t value, user_ptr<void> ptr);
int __put_user_8(uint64_t value, user_ptr<void> ptr);

template <typename T>
concept UserWord = std::is_trivially_copyable_v<T> &&
    (sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8);

// v4.19 get_user: reads the integer (or pointer) at `ptr`, converts it to `value`'s type. `value`
// is 0 if the access failed. Returns 0 or -EFAULT.
template <typename V, UserWord T>
int get_user(V& value, user_ptr<T> ptr) {
  uint64_t word = 0;
  int error;
  if constexpr (sizeof(T) == 1) error = __get_user_1(&word, ptr);
  if constexpr (sizeof(T) == 2) error = __get_user_2(&word, ptr);
  if constexpr (sizeof(T) == 4) error = __get_user_4(&word, ptr);
  if constexpr (sizeof(T) == 8) error = __get_user_8(&word, ptr);
  std::remove_const_t<T> read{};
  std::memcpy(static_cast<void*>(&read), &word, sizeof(read));  // little-endian: the low bytes
  value = static_cast<V>(read);
  return error;
}

// v4.19 put_user: writes `value`, converted to the type that `ptr` points to. Returns 0 or -EFAULT.
template <typename V, UserWord T>
requires(!std::is_const_v<T>) int put_user(V value, user_ptr<T> ptr) {
  const T written = static_cast<T>(value);
  uint64_t word = 0;
  std::memcpy(&word, &written, sizeof(written));
  if constexpr (sizeof(T) == 1) return __put_user_1(word, ptr);
  if constexpr (sizeof(T) == 2) return __put_user_2(word, ptr);
  if constexpr (sizeof(T) == 4) return __put_user_4(word, ptr);
  if constexpr (sizeof(T) == 8) return __put_user_8(word, ptr);
}

// v4.19 include/linux/uaccess.h: copy_from_user. Copies `n` bytes from the user's `from` to `to`.
// Returns how many bytes were not copied: 0 is success. Those bytes of `to` are zeroed.
unsigned long copy_from_user(void* to, user_ptr<const void> from, unsigned long n);

// v4.19 include/linux/uaccess.h: copy_to_user. Returns how many bytes were not copied.
unsigned long copy_to_user(user_ptr<void> to, const void* from, unsigned long n);

// v4.19 arch/x86/lib/usercopy_64.c: clear_user. Returns how many bytes were not zeroed.
unsigned long clear_user(user_ptr<void> to, unsigned long n);

// v4.19 lib/strncpy_from_user.c: strncpy_from_user. Copies up to and with the NUL, at most `count`
// bytes. Returns the length without the NUL; `count` if there was no NUL among them; -EFAULT.
long strncpy_from_user(char* dst, user_ptr<const char> src, long count);

// v4.19 include/linux/uaccess.h: pagefault_disable, pagefault_enable. Between them an access to an
// absent page fails at once instead of bringing the page in.
// Departs: counted in preempt_count, which the fault handler looks at, too, instead of in a count
// of their own.
inline void pagefault_disable() { preempt_disable(); }
inline void pagefault_enable() { preempt_enable(); }

}  // namespace kpath
