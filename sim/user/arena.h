// SPDX-License-Identifier: Apache-2.0
//
// A place for a program's own data: anonymous memory that it maps for itself, handed out piece by
// piece and never taken back. The process's end frees it.
//
//   user::Arena arena;                             // 64 KiB
//   auto ctx = arena.New<user::io_context_t>();    // zeroed
//   auto cb = arena.Put(user::PreadIocb(…));       // a copy
//   const uint64_t buffer = arena.Bytes(4096, 4096);
//
// Context: ring 3.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/user/memory.h"

namespace kpath::user {

class Arena {
 public:
  // Maps `size` bytes, rounded up to whole pages. Where the kernel refuses, the program ends with
  // exit status 1.
  explicit Arena(size_t size = 64 * 1024);
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `size` zeroed bytes at a multiple of `alignment`, a power of two. Asking for more than is left
  // is a mistake in the program and ends the run.
  uint64_t Bytes(size_t size, size_t alignment = 16);

  template <typename T>
  Pointer<T> New(size_t count = 1) {
    return Pointer<T>(Bytes(count * sizeof(T), alignof(T)));
  }

  template <typename T>
  Pointer<T> Put(const T& value) {
    const Pointer<T> place = New<T>();
    place.Store(value);
    return place;
  }

 private:
  uint64_t next_;
  uint64_t end_;
};

}  // namespace kpath::user
