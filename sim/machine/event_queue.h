// SPDX-License-Identifier: Apache-2.0
//
// What is to happen at some time: the events of one machine that have not been carried out.
//
//   EventQueue queue;
//   uint64_t id = queue.Schedule(5'000, [] { … });
//   queue.Cancel(id);
//   while (!queue.empty() && queue.first_time_ns() <= now) queue.TakeFirst()();
//
// A heap; an action lies still in a place of its own meanwhile. Nothing is allocated for an event
// once there have been as many at a time, if its action is no more than two pointers.
//
// Context: any; passes no probe.
//
// Invariants
//   1. Events leave in the order of (time, order in which they were scheduled).
//   2. An id is given once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace kpath {

class EventQueue {
 public:
  using Action = std::function<void()>;

  // `time_ns`: any. Returns an id for Cancel, never 0. At most 2^24 events at a time.
  uint64_t Schedule(int64_t time_ns, Action action);
  // Returns false if the event has been taken or cancelled already.
  bool Cancel(uint64_t id);

  bool empty() const { return heap_.empty(); }
  // REQUIRES: !empty().
  int64_t first_time_ns() const { return heap_.front().time_ns; }
  // Removes the first event and returns its action, which may schedule and cancel others.
  // REQUIRES: !empty().
  Action TakeFirst();

 private:
  struct Entry {
    int64_t time_ns;
    uint64_t id;  // how many were scheduled before, and (the lower bits) its slot
  };
  struct Slot {
    uint64_t id = 0;   // 0: free
    size_t place = 0;  // in the heap
    Action action;
  };

  static bool IsBefore(const Entry& a, const Entry& b) {
    return a.time_ns != b.time_ns ? a.time_ns < b.time_ns : a.id < b.id;
  }
  Slot& SlotOf(uint64_t id);
  void Put(size_t place, const Entry& entry);
  // Find a place for the entry, from a free one on.
  void MoveUp(size_t place, const Entry& entry);
  void MoveDown(size_t place, const Entry& entry);
  void RemoveFromHeap(size_t place);
  // The slot's action; the slot is free.
  Action Release(uint64_t id);

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<size_t> free_slots_;
  uint64_t scheduled_ = 0;
};

}  // namespace kpath
