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
// A fiber may also let another one go on in its place, which takes one change of stacks, not two.
//
// Thread safety: a fiber is used by one host thread. Resume is called from outside of the fiber,
// Suspend and SwitchTo from inside. Destroying a fiber that has not ended unwinds its stack: what
// left it throws, so code on a fiber must not swallow unknown exceptions and must not leave it in a
// noexcept function.
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

  // Runs the body until it suspends, or ends; or until another one does that goes on in its place.
  // REQUIRES: !ended().
  void Resume();
  // Goes back to where Resume was called.
  void Suspend();
  // Lets `next`, which is not inside, go on from where it was left, until this one goes on again.
  // REQUIRES: !next.ended().
  void SwitchTo(Fiber& next);

  bool ended() const { return ended_; }

 private:
  struct Unwind {};

  void Start();
  void Run();
  // Goes to `to`, whose stack is [bottom, bottom + size); returns when this one goes on again.
  void Leave(boost::context::fiber& to, const void* bottom, size_t size);
  void Arrive();

  StackPool& stacks_;
  std::function<void()> body_;
  boost::context::fiber inside_;   // where the body was left, while outside
  boost::context::fiber outside_;  // where Resume was called, while inside
  boost::context::stack_context stack_;
  bool started_ = false;
  bool ended_ = false;
  bool unwinding_ = false;
  // For AddressSanitizer: the saved shadow stack, and the bounds of the stack outside; null: not
  // told yet.
  void* inside_shadow_ = nullptr;
  const void* outside_bottom_ = nullptr;
  size_t outside_size_ = 0;
};

}  // namespace kpath
