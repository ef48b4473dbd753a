// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/epoll_sets.h"

#include <sys/epoll.h>

#include <algorithm>

#include "tools/transcript/replay/frame.h"
#include "tools/transcript/replay/records.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

uint64_t NumberOf(const strace::Call& call, size_t index) {
  const strace::Value* value = PrintedArgument(call, index);
  return value == nullptr ? UINT64_MAX : strace::Evaluate(*value).value_or(UINT64_MAX);
}

}  // namespace

void EpollSets::Controlled(uint64_t set, const strace::Call& call) {
  const auto fd = static_cast<int>(NumberOf(call, 2));
  Items& items = sets_[set];
  if (NumberOf(call, 1) == EPOLL_CTL_DEL) {
    items.erase(fd);
    return;
  }
  const strace::Value* event = PrintedArgument(call, 3);
  if (event == nullptr || event->kind != strace::ValueKind::kStruct) return;
  items[fd] = EpollEventOf(*event);
}

const EpollSets::Items& EpollSets::items(uint64_t set) const {
  static const Items* const none = new Items;
  const auto found = sets_.find(set);
  return found == sets_.end() ? *none : found->second;
}

std::vector<int> EpollSets::DescriptorsOf(uint64_t set, uint64_t data) const {
  std::vector<int> descriptors;
  for (const auto& [fd, event] : items(set)) {
    if (event.data == data) descriptors.push_back(fd);
  }
  return descriptors;
}

bool EpollSets::IsGivenOnce(uint64_t set, uint64_t data) const {
  const Items& all = items(set);
  return std::any_of(all.begin(), all.end(), [data](const auto& item) {
    const EpollEvent& event = item.second;
    return event.data == data && (event.events & (EPOLLET | EPOLLONESHOT)) != 0;
  });
}

}  // namespace kpath
