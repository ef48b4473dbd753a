// SPDX-License-Identifier: Apache-2.0
//
// A fiber: a function with a stack of its own that can be left in the middle and continued later
// (Boost.Context underneath). Stacks are guarded by an inaccessible page, taken from a pool on the
// first Resume, and given back when the fiber has ended. Switches are announced to
// AddressSanitizer.
//
//   StackPool stacks;
//   Fiber fiber(stacks, [&] { work(); fiber.Suspend(); more_work(); });
//   fiber.Resume();  // runs work()
//   fiber.Resume();  // runs more_work()
//
// Thread safety: a fiber is used by one host thread. Resume is called from outside of every fiber,
// Suspend from inside this one. Destroying a fiber that has not ended unwinds its stack: Suspend
// throws, so code on a fiber must not swallow unknown exceptions and must not suspend in a noexcept
// function.
#pragma once

#include <boost/context/fiber.hpp>
#include <cstddef>
#include <functional>
#include <vector>

namespace kpath {

class StackPool {
 public:
  // Room for deep kernel call chains with sanitizers on. Pages that are never touched cost nothing.
  static constexpr size_t kStackBytes = 256 * 1024;

  StackPool() = default;
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  boost::context::stack_context Take();
  void Return(boost::context::stack_context stack);

 private:
  std::vector<boost::context::stack_context> free_;
};

class Fiber {
 public:
  // `stacks` outlives the fiber.
  Fiber(StackPool& stacks, std::function<void()> body) : stacks_(stacks), body_(std::move(body)) {}
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Runs the body up to its next Suspend, or to its end. REQUIRES: !ended().
  void Resume();
  // Goes back to where Resume was called.
  void Suspend();

  bool ended() const { return ended_; }

 private:
  struct Unwind {};

  void Start();
  void Run();

  StackPool& stacks_;
  std::function<void()> body_;
  boost::context::fiber inside_;   // the suspended body, while outside
  boost::context::fiber outside_;  // the suspended caller of Resume, while inside
  boost::context::stack_context stack_;
  bool started_ = false;
  bool ended_ = false;
  bool unwinding_ = false;
  // For AddressSanitizer: the saved shadow stacks and the bounds of the caller's stack.
  void* inside_shadow_ = nullptr;
  void* outside_shadow_ = nullptr;
  const void* outside_bottom_ = nullptr;
  size_t outside_size_ = 0;
};

}  // namespace kpath
