// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/event_queue.h"

#include <utility>

#include "sim/machine/check.h"

namespace kpath {
namespace {

constexpr int kSlotBits = 24;
constexpr uint64_t kMaxSlots = uint64_t{1} << kSlotBits;

size_t Parent(size_t place) { return (place - 1) / 2; }

}  // namespace

EventQueue::Slot& EventQueue::SlotOf(uint64_t id) { return slots_[id % kMaxSlots]; }

void EventQueue::Put(size_t place, const Entry& entry) {
  heap_[place] = entry;
  SlotOf(entry.id).place = place;
}

void EventQueue::MoveUp(size_t place, const Entry& entry) {
  while (place != 0 && IsBefore(entry, heap_[Parent(place)])) {
    Put(place, heap_[Parent(place)]);
    place = Parent(place);
  }
  Put(place, entry);
}

void EventQueue::MoveDown(size_t place, const Entry& entry) {
  while (true) {
    size_t child = 2 * place + 1;
    if (child + 1 < heap_.size() && IsBefore(heap_[child + 1], heap_[child])) ++child;
    if (child >= heap_.size() || IsBefore(entry, heap_[child])) break;
    Put(place, heap_[child]);
    place = child;
  }
  Put(place, entry);
}

void EventQueue::RemoveFromHeap(size_t place) {
  const Entry last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  if (place != 0 && IsBefore(last, heap_[Parent(place)])) {
    MoveUp(place, last);
  } else {
    MoveDown(place, last);
  }
}

EventQueue::Action EventQueue::Release(uint64_t id) {
  Slot& slot = SlotOf(id);
  slot.id = 0;
  free_slots_.push_back(id % kMaxSlots);
  return std::exchange(slot.action, nullptr);
}

uint64_t EventQueue::Schedule(int64_t time_ns, Action action) {
  if (free_slots_.empty()) {
    KPATH_CHECK(slots_.size() < kMaxSlots, "too many events at a time");
    free_slots_.push_back(slots_.size());
    slots_.emplace_back();
  }
  const uint64_t id = ++scheduled_ << kSlotBits | free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = SlotOf(id);
  slot.id = id;
  slot.action = std::move(action);
  heap_.emplace_back();
  MoveUp(heap_.size() - 1, {time_ns, id});
  return id;
}

bool EventQueue::Cancel(uint64_t id) {
  if (id % kMaxSlots >= slots_.size() || SlotOf(id).id != id || id == 0) return false;
  RemoveFromHeap(SlotOf(id).place);
  Release(id);
  return true;
}

EventQueue::Action EventQueue::TakeFirst() {
  const uint64_t id = heap_.front().id;
  RemoveFromHeap(0);
  return Release(id);
}

}  // namespace kpath
