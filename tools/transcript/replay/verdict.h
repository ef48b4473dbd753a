// SPDX-License-Identifier: Apache-2.0
//
// Is a recorded result one that the simulated kernel allows? Real runs race, so a result is legal,
// not equal: an error must be the same error; a count must be one that the kernel could have
// returned; an event must be that of a request in flight, each exactly once, in any order.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tools/transcript/replay/frame.h"

namespace kpath {

struct Verdict {
  bool legal = true;
  std::string simulated;  // what the model returned, as strace would print it
  std::string reason;     // of the model's error, or what is not legal; may be empty
};

// `-1 EBADF (Bad file descriptor)`, `3`, `0x7f9c4d335000`: a result as strace prints it.
std::string PrintResult(ResultKind kind, int64_t result);
// The same of a recorded one, without what strace adds behind it.
std::string PrintRecorded(const strace::Result& result);

// What has been submitted and read through all AIO contexts of a replay.
class AioLedger {
 public:
  // An io_setup made this context for so many events.
  void Created(uint64_t ctx, int64_t nr_events) { contexts_[ctx].guaranteed = nr_events; }
  // How many requests io_submit is sure to take now: what io_setup was asked for, less what is in
  // flight or not read. A kernel takes more as long as its slots last.
  int64_t SureToFit(uint64_t ctx) const;
  // An io_submit came back: the first `accepted` iocbs of the frame are in flight.
  void Submitted(const CallFrame& frame, int64_t accepted);
  // An io_getevents delivered these events in the model. Returns the staged places that are free
  // now.
  std::vector<uint64_t> Delivered(uint64_t ctx, const std::vector<io_event>& events);
  // How many events the model has delivered that the recording has not shown yet.
  int64_t delivered_early(uint64_t ctx) const;
  // The recording shows an event. Returns what is wrong with that, or nothing.
  std::string Shown(uint64_t ctx, const strace::Value& event);

 private:
  struct Request {
    uint64_t iocb;  // where the replay put it
    uint64_t data;
    uint64_t kept_buffer;
    bool kept_iocb;
  };
  struct Context {
    int64_t guaranteed = 0;
    std::vector<Request> in_flight;
    std::vector<io_event> early;  // delivered, not yet shown
  };
  std::map<uint64_t, Context> contexts_;
};

// Judges the number that a call returned; what it wrote to memory is judged by Replayer, which
// knows where things are. `sure_to_fit`: of the context of an io_submit, before it.
Verdict JudgeResult(const CallFrame& frame, int64_t result, const std::string& reason,
                    int64_t sure_to_fit = 0);

}  // namespace kpath
