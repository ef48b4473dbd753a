// SPDX-License-Identifier: Apache-2.0
//
// io_getevents and io_pgetevents.
#include <csignal>

#include "tools/docs/condition.h"

namespace kpath {
namespace {

constexpr uint64_t kNothingThere = 0x10000;

DocCall Getevents(AioProgram& p, int64_t min_nr, int64_t nr, uint64_t events, uint64_t timeout) {
  return {NR_io_getevents,
          {p.ctx, static_cast<uint64_t>(min_nr), static_cast<uint64_t>(nr), events, timeout}};
}

// io_pgetevents with a mask of `size` bytes at `mask`.
DocCall Pgetevents(AioProgram& p, uint64_t mask, uint64_t size) {
  const auto usig = p.arena.New<uint64_t>(2);
  usig.Store(mask);
  (usig + 1).Store(size);
  return {NR_io_pgetevents, {p.ctx, 1, 1, p.events.address(), 0, usig.address()}};
}

}  // namespace

std::vector<Condition> GeteventsConditions() {
  return {
      {"io_getevents", "the timeout cannot be read",
       [](AioProgram& p) { return Getevents(p, 1, 1, p.events.address(), kNothingThere); }},
      {"io_getevents", "no such context",
       [](AioProgram& p) { return Getevents(p, 1, 1, p.events.address(), 0); }},
      {"io_getevents", "`min_nr` is negative or more than `nr`",
       [](AioProgram& p) {
         p.Setup(8);
         return Getevents(p, 2, 1, p.events.address(), 0);
       }},
      {"io_getevents", "events cannot be written",
       [](AioProgram& p) {
         p.Setup(8);
         p.Submit(p.Reads(1));
         return Getevents(p, 1, 1, kNothingThere, 0);
       }},
      {"io_getevents", "a signal comes before the first event",
       [](AioProgram& p) {
         p.Setup(8);
         user::sigaction(SIGALRM, [](const user::Signal&) {});
         user::setitimer(2'000, 0);
         return Getevents(p, 1, 1, p.events.address(), 0);
       }},
      {"io_getevents", "the context is destroyed while it waits",
       [](AioProgram& p) {
         p.Setup(8);
         const user::io_context_t ctx = p.ctx;
         user::clone(CLONE_VM | CLONE_FILES, 0, 0, 0, user::Program([ctx] {
                       user::nanosleep(1'000'000);
                       user::io_destroy(ctx);
                     }));
         return Getevents(p, 1, 1, p.events.address(), 0);
       }},
      {"io_pgetevents", "the pointer and size of the mask cannot be read",
       [](AioProgram& p) {
         return DocCall{NR_io_pgetevents, {p.ctx, 1, 1, p.events.address(), 0, kNothingThere}};
       }},
      {"io_pgetevents", "the size of the mask is not 8",
       [](AioProgram& p) { return Pgetevents(p, p.buffer, 4); }},
      {"io_pgetevents", "the mask cannot be read",
       [](AioProgram& p) { return Pgetevents(p, kNothingThere, 8); }},
      {"io_pgetevents", "a signal with a handler comes before the first event",
       [](AioProgram& p) {
         p.Setup(8);
         user::sigaction(SIGALRM, [](const user::Signal&) {});
         user::setitimer(2'000, 0);
         return Pgetevents(p, p.arena.New<uint64_t>().address(), 8);
       }},
  };
}

}  // namespace kpath
