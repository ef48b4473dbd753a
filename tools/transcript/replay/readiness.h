// SPDX-License-Identifier: Apache-2.0
//
// Judges calls that wait for several descriptors: poll, ppoll, select, pselect6, epoll_wait,
// epoll_pwait. What is shown as ready has to be ready in the model; what is ready in the model has
// to be shown, unless it may have become so at another moment: an eventfd that requests in flight
// signal, a timer, a descriptor of which another process or thread did something meanwhile.
//
// Of several threads that wait for one set, another one may get an event in the model than in the
// recording. It gives the event back to the set then, and goes on waiting for its own.
//
// How much time was left is not judged: that is the recording machine's speed.
//
// Context: ring 3 of the process that makes the call. The work is done with the process's own
// system calls, which the caller keeps out of the trace.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/transcript/replay/frame.h"
#include "tools/transcript/replay/poll_records.h"
#include "tools/transcript/replay/world.h"

namespace kpath {

class Readiness {
 public:
  // Both outlive this.
  Readiness(const Plan& plan, World* world);

  // False if the call should begin later: it shows something that is not ready yet and may still
  // become so. A call that will wait for it by itself begins at once. `requests_in_flight`: AIO may
  // signal an eventfd.
  bool MayBegin(const CallFrame& frame, bool requests_in_flight) const;
  // After the call has returned `result`, not an error: what is not legal, or nothing. Nothing for
  // other calls.
  std::string Judge(const CallFrame& frame, int64_t result);
  // Around the call, whatever it returns.
  void Begins(const CallFrame& frame);
  void Ends(const CallFrame& frame) { waiting_.erase(frame.call); }

 private:
  void NoteOverlaps(const Plan& plan);
  bool OthersAct(const CallFrame& frame) const;
  bool IsRacing(const CallFrame& frame, int fd) const;
  bool IsRacing(const CallFrame& frame, const EpollEvent& event) const;
  bool MayChange(const CallFrame& frame, bool requests_in_flight) const;
  bool IsShownReady(const CallFrame& frame) const;
  bool IsShownReadyInSet(const CallFrame& frame) const;
  std::string JudgePolled(const CallFrame& frame, int64_t result) const;
  std::string JudgeEpoll(const CallFrame& frame, int64_t result) const;
  bool IsClaimed(const CallFrame& frame, const EpollEvent& event) const;
  bool TakeShown(const CallFrame& frame, const EpollEvent& shown,
                 std::vector<EpollEvent>* given) const;
  void GiveBack(const CallFrame& frame, const std::vector<EpollEvent>& events) const;

  World& world_;
  bool alone_ = true;                                // no other process or thread
  std::map<const strace::Call*, bool> others_act_;   // while a call of this kind went on
  std::map<const strace::Call*, uint64_t> waiting_;  // in epoll_wait: for which set
};

}  // namespace kpath
