// SPDX-License-Identifier: Apache-2.0
//
// Memory for many small things that die together: a syntax tree's values and texts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace kpath::strace {

// Hands out memory that lives as long as the arena does; nothing is given back before. Only for
// types that need no destructor. Moving an arena moves no object.
class Arena {
 public:
  Arena() = default;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  // `size` uninitialised bytes, at an address that is a multiple of `alignment` (a power of two,
  // at most that of std::max_align_t).
  char* Allocate(size_t size, size_t alignment) {
    size_t start = (used_ + alignment - 1) & ~(alignment - 1);
    if (chunks_.empty() || start > capacity_ || size > capacity_ - start) {
      NewChunk(size);
      start = 0;
    }
    used_ = start + size;
    return chunks_.back().get() + start;
  }

  // A copy of `text`.
  absl::string_view Copy(absl::string_view text) {
    if (text.empty()) return absl::string_view();
    char* bytes = Allocate(text.size(), 1);
    std::memcpy(bytes, text.data(), text.size());
    return absl::string_view(bytes, text.size());
  }

  // A copy of `values`.
  template <typename T>
  absl::Span<const T> Copy(absl::Span<const T> values) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (values.empty()) return {};
    T* copies = reinterpret_cast<T*>(Allocate(values.size() * sizeof(T), alignof(T)));
    std::uninitialized_copy(values.begin(), values.end(), copies);
    return absl::Span<const T>(copies, values.size());
  }

  // A new T with the value `value`.
  template <typename T>
  T* New(const T& value) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (Allocate(sizeof(T), alignof(T))) T(value);
  }

 private:
  static constexpr size_t kChunkSize = 256 * 1024;

  void NewChunk(size_t at_least) {
    capacity_ = std::max(at_least, kChunkSize);
    chunks_.push_back(std::unique_ptr<char[]>(new char[capacity_]));
  }

  std::vector<std::unique_ptr<char[]>> chunks_;
  size_t used_ = 0;      // bytes of the last chunk handed out
  size_t capacity_ = 0;  // size of the last chunk
};

}  // namespace kpath::strace
