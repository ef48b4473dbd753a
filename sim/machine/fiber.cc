// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "absl/base/config.h"
#include "sim/machine/check.h"

#ifdef ABSL_HAVE_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace kpath {
namespace {

// Announces that the next instructions leave this stack for [bottom, bottom + size). A null
// `shadow` says that this stack will not be used again.
void AnnounceLeave([[maybe_unused]] void** shadow, [[maybe_unused]] const void* bottom,
                   [[maybe_unused]] size_t size) {
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
  __sanitizer_start_switch_fiber(shadow, bottom, size);
#endif
}

// Announces the arrival on a stack and tells where we came from.
void AnnounceArrive([[maybe_unused]] void* shadow, [[maybe_unused]] const void** from_bottom,
                    [[maybe_unused]] size_t* from_size) {
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(shadow, from_bottom, from_size);
#endif
}

// Goes to `to`, and keeps in `here` where this stack is left: whoever comes back may come from
// another one.
void GoTo(boost::context::fiber& to, boost::context::fiber& here) {
  std::move(to).resume_with([&here](boost::context::fiber&& left) {
    here = std::move(left);
    return boost::context::fiber();
  });
}

const void* Bottom(const boost::context::stack_context& stack) {
  return static_cast<const char*>(stack.sp) - stack.size;
}

}  // namespace

StackPool::~StackPool() {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  for (const boost::context::stack_context& stack : free_) {
    munmap(const_cast<char*>(static_cast<const char*>(Bottom(stack))) - page, stack.size + page);
  }
}

boost::context::stack_context StackPool::Take() {
  if (!free_.empty()) {
    boost::context::stack_context stack = free_.back();
    free_.pop_back();
    return stack;
  }
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* bytes = mmap(nullptr, kStackBytes + page, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
  KPATH_CHECK(bytes != MAP_FAILED, "out of memory for a fiber's stack");
  KPATH_CHECK(mprotect(bytes, page, PROT_NONE) == 0, "cannot guard a fiber's stack");
  boost::context::stack_context stack;
  stack.size = kStackBytes;
  stack.sp = static_cast<char*>(bytes) + page + kStackBytes;
  return stack;
}

void StackPool::Return(boost::context::stack_context stack) {
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
  __asan_unpoison_memory_region(Bottom(stack), stack.size);
#endif
  free_.push_back(stack);
}

Fiber::~Fiber() {
  if (!started_ || ended_) return;
  unwinding_ = true;
  Resume();
  KPATH_CHECK(ended_, "a fiber went on after it was told to unwind");
}

void Fiber::Start() {
  struct Allocator {
    Fiber* fiber;
    boost::context::stack_context allocate() { return fiber->stack_ = fiber->stacks_.Take(); }
    void deallocate(boost::context::stack_context& stack) { fiber->stacks_.Return(stack); }
  };
  started_ = true;
  inside_ =
      boost::context::fiber(std::allocator_arg, Allocator{this}, [this](boost::context::fiber&&) {
        Arrive();
        Run();
        ended_ = true;
        AnnounceLeave(nullptr, outside_bottom_, outside_size_);
        return std::move(outside_);
      });
}

void Fiber::Run() {
  try {
    body_();
  } catch (const Unwind&) {
    // The destructor asked for it.
  }
}

void Fiber::Resume() {
  KPATH_CHECK(!ended_, "a fiber that has ended is resumed");
  if (!started_) Start();
  outside_bottom_ = nullptr;
  void* shadow = nullptr;
  AnnounceLeave(&shadow, Bottom(stack_), stack_.size);
  GoTo(inside_, outside_);
  AnnounceArrive(shadow, nullptr, nullptr);
}

void Fiber::Suspend() { Leave(outside_, outside_bottom_, outside_size_); }

void Fiber::SwitchTo(Fiber& next) {
  KPATH_CHECK(!next.ended_, "a fiber that has ended is switched to");
  if (!next.started_) next.Start();
  next.outside_ = std::move(outside_);
  next.outside_bottom_ = outside_bottom_;
  next.outside_size_ = outside_size_;
  Leave(next.inside_, Bottom(next.stack_), next.stack_.size);
}

void Fiber::Leave(boost::context::fiber& to, const void* bottom, size_t size) {
  AnnounceLeave(&inside_shadow_, bottom, size);
  GoTo(to, inside_);
  Arrive();
  if (unwinding_) throw Unwind();
}

void Fiber::Arrive() {
  const void* from_bottom = nullptr;
  size_t from_size = 0;
  AnnounceArrive(inside_shadow_, &from_bottom, &from_size);
  if (outside_bottom_ != nullptr) return;
  outside_bottom_ = from_bottom;
  outside_size_ = from_size;
}

}  // namespace kpath
