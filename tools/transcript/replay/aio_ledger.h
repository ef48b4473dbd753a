// SPDX-License-Identifier: Apache-2.0
//
// The requests and events of all AIO contexts of a replay: what has been submitted, what the model
// has delivered, what the recording has shown. Each event is delivered once and shown once, in any
// order that the devices allow.
//
// A request is certain when it is complete as soon as io_submit returns: a read or write that goes
// through the page cache. Its event is in the ring then, behind those of the requests before it,
// and no io_getevents that has room for it may leave it there. Others (direct I/O, fsync, poll) end
// when they end.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tools/transcript/replay/frame.h"

namespace kpath {

class AioLedger {
 public:
  // An io_setup made this context for so many events.
  void Created(uint64_t ctx, int64_t nr_events) { contexts_[ctx] = {nr_events, {}, {}, {}, 0, 0}; }
  // How many requests io_submit is sure to take now: what io_setup was asked for, less what is in
  // flight or not read. A kernel takes more as long as its slots last.
  int64_t SureToFit(uint64_t ctx) const;
  // An io_submit came back: the first `accepted` iocbs of the frame are in flight.
  void Submitted(const CallFrame& frame, int64_t accepted);

  // An io_getevents begins; EndRead when it has been judged. Returns how many events are certainly
  // there for it: those of certain requests that the recording has not shown. 0 while another
  // thread reads, too.
  int64_t BeginRead(uint64_t ctx);
  void EndRead(uint64_t ctx);
  // An io_getevents delivered these events in the model. Returns the staged places that are free
  // now.
  std::vector<uint64_t> Delivered(uint64_t ctx, const std::vector<io_event>& events);
  // The program has taken these events from the ring by itself. Returns as Delivered.
  std::vector<uint64_t> Taken(uint64_t ctx, const std::vector<io_event>& events);
  // How many requests the model has not delivered, completed or not.
  int64_t InFlight(uint64_t ctx) const;
  // How many events the model has delivered that the recording has not shown yet.
  int64_t delivered_early(uint64_t ctx) const;
  // The recording shows an event. `in_ring`: those that the model has completed and nobody has
  // read. Returns what is wrong with it, or nothing.
  std::string Shown(uint64_t ctx, const io_event& shown, const std::vector<io_event>& in_ring);
  // True if the model has delivered such events, or has them in its ring.
  bool AreComplete(uint64_t ctx, const std::vector<io_event>& shown,
                   std::vector<io_event> in_ring) const;
  // True if something is in flight that may take its time.
  bool Waits(uint64_t ctx) const;
  bool Waits() const;
  // Where the iocb is of a request in flight that looks like this one; 0 if there is none.
  uint64_t InFlight(uint64_t ctx, const StagedIocb& iocb) const;
  // An io_destroy came back.
  void Destroyed(uint64_t ctx) { contexts_.erase(ctx); }

 private:
  struct Request {
    uint64_t iocb;  // where the replay put it
    uint64_t data;
    std::vector<uint64_t> kept;
    bool certain;
  };
  struct Context {
    int64_t guaranteed = 0;
    std::vector<Request> in_flight;  // not delivered in the model
    std::vector<io_event> early;     // delivered, not yet shown
    std::vector<io_event> owed;      // shown, not yet delivered
    int64_t certain_unshown = 0;
    int readers = 0;
  };

  const Context* Find(uint64_t ctx) const;
  void Settle(Context* context, uint64_t iocb);
  static const Request* RequestOf(const Context& context, const io_event& event);

  std::map<uint64_t, Context> contexts_;
  // Requests that were made with RWF_NOWAIT, by iocb: -EAGAIN is an answer for them, as who knows
  // what the page cache of the recorded machine held.
  std::set<uint64_t> nowait_;
  std::map<uint64_t, int64_t> certain_;  // by iocb: certain requests not yet shown
};

// The event that `value`, a struct as strace prints it, stands for.
io_event EventOf(const strace::Value& value);

}  // namespace kpath
