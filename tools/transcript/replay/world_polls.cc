// SPDX-License-Identifier: Apache-2.0
//
// Descriptors that are waited for: what has to be there, and what may be ready at another moment
// than in the recording.
#include <poll.h>

#include <algorithm>

#include "sim/user/syscall.h"
#include "syscall_table/numbers_64.h"
#include "tools/transcript/replay/world.h"

namespace kpath {
namespace {

// select passes over what is beyond the end of the table of descriptors, however large that has
// become. The process's table goes to `descriptors` at least.
void GrowTable(int64_t descriptors) {
  constexpr int64_t kMost = 1024;
  const auto last = static_cast<int>(std::min(descriptors, kMost) - 1);
  if (last < 0 || FileBehind(last).open) return;
  InstallEventfd(last);
  user::Syscall(NR_close, last);
}

}  // namespace

// False: one of the descriptors is of something outside of the model, or is not shown.
bool World::PreparePolled(const PlanStep& step) {
  const strace::Call& call = *step.call;
  const Signature* signature = FindSignature(call.name);
  if (signature == nullptr || signature->result != ResultKind::kReady) return true;
  if (IsEpollWait(*signature)) {
    const auto& items =
        epolls_.items(FileBehind(static_cast<int>(NumberOf(PrintedArgument(call, 0), -1))).id);
    return std::none_of(items.begin(), items.end(), [](const auto& item) {
      return FileBehind(item.first).kind == FileKind::kOutside;
    });
  }
  if (IsSelect(*signature) && FailedWith(call, "EBADF"))
    GrowTable(NumberOf(PrintedArgument(call, 0)));
  if (!ShowsAllWatched(call, *signature)) return false;
  const std::vector<Watched> watched = WatchedBy(call, *signature);
  const ShownReady shown = ReadyShown(call, *signature, watched);
  for (size_t i = 0; i < watched.size(); ++i) {
    const bool is_open = !FailedWith(call, "EBADF") && (shown.events[i] & POLLNVAL) == 0;
    if (is_open) AssumeDescriptor(step, watched[i].fd);
    if (FileBehind(watched[i].fd).kind == FileKind::kOutside) return false;
  }
  return true;
}

void World::NoteEpoll(const strace::Call& call) {
  if (!Succeeded(call)) return;
  const bool creates = call.name == "epoll_create" || call.name == "epoll_create1";
  if (creates) epolls_.Created(FileBehind(static_cast<int>(ResultOf(call))).id);
  if (call.name != "epoll_ctl") return;
  epolls_.Controlled(FileBehind(static_cast<int>(NumberOf(PrintedArgument(call, 0), -1))).id, call);
}

bool World::IsRacing(int fd) const {
  if (racing_eventfds_.count(fd) != 0) return true;
  const OpenFile file = FileBehind(fd);
  if (file.kind != FileKind::kEpoll) return file.kind == FileKind::kTimerfd;
  const auto& items = epolls_.items(file.id);
  return std::any_of(items.begin(), items.end(),
                     [&](const auto& item) { return item.first != fd && IsRacing(item.first); });
}

}  // namespace kpath
