// SPDX-License-Identifier: Apache-2.0
//
// Where the generator's decisions come from: a seed, or the bytes that a fuzzer chose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace kpath::diff_host {

class Decisions {
 public:
  virtual ~Decisions() = default;

  // A number in [0, bound); bound > 0.
  virtual uint64_t Below(uint64_t bound) = 0;

  bool OneIn(uint64_t n) { return Below(n) == 0; }
  template <typename T>
  T OneOf(std::initializer_list<T> options) {
    return options.begin()[Below(options.size())];
  }
};

// splitmix64: the same numbers with every compiler and library.
class SeededDecisions : public Decisions {
 public:
  // Program `index` of the series `seed`.
  SeededDecisions(uint64_t seed, uint64_t index) : state_(Mix(Mix(seed) ^ index)) {}
  uint64_t Below(uint64_t bound) override { return Mix(state_ += kStep) % bound; }

 private:
  static constexpr uint64_t kStep = 0x9e3779b97f4a7c15;

  static uint64_t Mix(uint64_t z) {
    z += kStep;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }

  uint64_t state_;
};

// Two bytes a decision; zeros when there are none left.
class ByteDecisions : public Decisions {
 public:
  ByteDecisions(const uint8_t* bytes, size_t size) : next_(bytes), end_(bytes + size) {}
  bool empty() const { return next_ == end_; }
  uint64_t Below(uint64_t bound) override {
    uint64_t value = 0;
    for (int i = 0; i < 2 && next_ != end_; ++i) value = value << 8 | *next_++;
    return value % bound;
  }

 private:
  const uint8_t* next_;
  const uint8_t* end_;
};

}  // namespace kpath::diff_host
