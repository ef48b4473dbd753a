// SPDX-License-Identifier: Apache-2.0
//
// user_ptr<T>: what Linux writes as `T __user *`, an address that user code handed to the kernel.
// It has a type and arithmetic, and it cannot be dereferenced: what is there is reached through
// sim/kernel/uaccess.h only. It is an address of the simulated process, never one of the host.
//
//   user_ptr<iocb> user_iocb(0x7f1200000040);
//   user_iocb + 1;                       // 0x7f1200000080: the next iocb
//   user_iocb.member(&iocb::aio_key);    // what C writes as &user_iocb->aio_key
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "sim/machine/value.h"

namespace kpath {

template <typename T>
class user_ptr {
 public:
  constexpr user_ptr() = default;
  constexpr user_ptr(std::nullptr_t) {}
  constexpr explicit user_ptr(uint64_t address) : address_(address) {}
  // To const and to void, as with C's pointers.
  template <typename U>
  requires(std::is_convertible_v<U*, T*> &&
           !std::is_same_v<U, T>) constexpr user_ptr(user_ptr<U> other)
      : address_(other.address()) {}

  constexpr uint64_t address() const { return address_; }
  constexpr explicit operator bool() const { return address_ != 0; }

  // The same address as a pointer to another type.
  template <typename U>
  constexpr user_ptr<U> cast() const {
    return user_ptr<U>(address_);
  }

  // The address of a member of the object.
  template <typename M, typename C>
  requires std::is_base_of_v<C, T> user_ptr<M> member(M C::*which)
  const {
    alignas(C) static constexpr std::byte storage[sizeof(C)] = {};
    const C* object = reinterpret_cast<const C*>(storage);
    const auto* at = reinterpret_cast<const std::byte*>(std::addressof(object->*which));
    return user_ptr<M>(address_ + static_cast<uint64_t>(at - storage));
  }

  // In units of T; they wrap as addresses do.
  constexpr user_ptr operator+(int64_t n) const {
    return user_ptr(address_ + static_cast<uint64_t>(n) * sizeof(T));
  }
  constexpr user_ptr operator-(int64_t n) const { return *this + -n; }
  constexpr user_ptr& operator+=(int64_t n) { return *this = *this + n; }
  constexpr user_ptr& operator++() { return *this += 1; }

  friend constexpr bool operator==(user_ptr, user_ptr) = default;

 private:
  uint64_t address_ = 0;
};

template <typename T>
constexpr Value MakeValue(user_ptr<T> pointer) {
  return Value::Address(pointer.address());
}

}  // namespace kpath
