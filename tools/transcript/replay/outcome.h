// SPDX-License-Identifier: Apache-2.0
//
// What a call wrote to the process's memory, held against what the transcript shows of it.
#pragma once

#include <string>
#include <vector>

#include "tools/transcript/replay/aio_ledger.h"
#include "tools/transcript/replay/frame.h"
#include "tools/transcript/replay/staging.h"
#include "tools/transcript/replay/world.h"

namespace kpath {

// Looks at the memory behind the arguments of a call that returned `result` without an error. Keeps
// the ledger. `place`: where the bytes of a read came from; those of them are judged that are
// certain. Returns what is not legal, or nothing. Context: ring 3 of the process.
std::string JudgeMemory(const CallFrame& frame, int64_t result, const World::Place& place,
                        const KnownContent& content, AioLedger* ledger, Staging* staging);

// The events that are in the context's ring, completed and not read. Context: ring 3.
std::vector<io_event> EventsInRing(uint64_t ctx);
// How many events its ring has room for; 0 if it is no context.
int64_t SlotsOfRing(uint64_t ctx);
// Moves the ring's head behind all of them, as a program may.
void TakeEvents(uint64_t ctx);
// The events that a call of io_getevents shows.
std::vector<io_event> EventsShown(const strace::Call& call);

}  // namespace kpath
