// SPDX-License-Identifier: Apache-2.0
//
// A program's loads and stores. They go through the page table that the CPU uses; a page that is
// absent, or read-only when written, raises the page fault of user mode, and what the kernel
// decides decides: the page comes in and the instruction is done again, or the process ends.
//
//   user::Store<uint32_t>(address, 7);
//   uint32_t value = user::Load<uint32_t>(address);
//
//   user::Pointer<io_event> events(address);   // the same with a type and arithmetic
//   io_event third = (events + 2).Load();
//
// Context: ring 3. Each access is a probe; a load or store that does not cross a page is atomic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "absl/strings/string_view.h"

namespace kpath::user {

// Copies `size` bytes, ascending, page by page.
void ReadMemory(uint64_t address, void* to, size_t size);
void WriteMemory(uint64_t address, const void* from, size_t size);

template <typename T>
requires std::is_trivially_copyable_v<T> T Load(uint64_t address) {
  T value;
  ReadMemory(address, &value, sizeof(value));
  return value;
}

template <typename T>
requires std::is_trivially_copyable_v<T>
void Store(uint64_t address, const std::type_identity_t<T>& value) {
  WriteMemory(address, &value, sizeof(value));
}

// A pointer of the program: an address with a type. The default is the null pointer.
template <typename T>
class Pointer {
 public:
  constexpr Pointer() = default;
  constexpr explicit Pointer(uint64_t address) : address_(address) {}
  constexpr uint64_t address() const { return address_; }

  T Load() const { return user::Load<T>(address_); }
  void Store(const T& value) const { user::Store<T>(address_, value); }

  // In units of T.
  constexpr Pointer operator+(int64_t n) const {
    return Pointer(address_ + static_cast<uint64_t>(n) * sizeof(T));
  }
  friend constexpr bool operator==(Pointer, Pointer) = default;

 private:
  uint64_t address_ = 0;
};

// The bytes [address, address + size) as text.
std::string ReadText(uint64_t address, size_t size);
// Writes `text` and a NUL behind it.
void WriteString(uint64_t address, absl::string_view text);

// A place for `size` bytes at the end of the program's stack that lasts until the next call of this
// function, as an argument that a compiler builds on the stack. `size` is at most 64 KiB.
uint64_t StackBytes(size_t size);

}  // namespace kpath::user
