// SPDX-License-Identifier: Apache-2.0
//
// container_of: from a part that is embedded in an object to the object. v4.19
// include/linux/kernel.h
//
//   void free_ioctx_users(percpu_ref* ref) {
//     kptr<kioctx> ctx(container_of(ref, &kioctx::users));
//
// REQUIRES: `part` points at that member of a T. Nothing can check it.
#pragma once

#include <cstdint>

namespace kpath {

template <typename T, typename Part>
T* container_of(Part* part, Part T::*member) {
  // An address that no object has, but that is neither null nor misaligned.
  constexpr uintptr_t kBase = 0x10000;
  const uintptr_t offset =
      reinterpret_cast<uintptr_t>(&(reinterpret_cast<T*>(kBase)->*member)) - kBase;
  return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(part) - offset);
}

}  // namespace kpath
