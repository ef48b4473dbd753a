// SPDX-License-Identifier: Apache-2.0
//
// What strace shows of calls that wait for several descriptors at a time: which they were asked
// for, and which were ready.
//
//   poll([{fd=3, events=POLLIN}, {fd=4, events=POLLOUT}], 2, -1) = 1 ([{fd=4, revents=POLLOUT}])
//   pselect6(5, [3], [4], NULL, NULL, NULL) = 1 (out [4], left {tv_sec=0, tv_nsec=1998597})
//   epoll_wait(5, [{events=EPOLLIN, data={u32=7, u64=7}}], 4, -1) = 1
//
// Pure text: no machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tools/transcript/replay/signature.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath {

// A descriptor that poll or select was asked for. Of select: POLLIN, POLLOUT or POLLPRI for its
// three sets, one entry for each set that has the descriptor.
struct Watched {
  int fd = -1;
  uint32_t events = 0;  // POLL*
};

// An event that epoll_wait shows. Also one of the model.
struct EpollEvent {
  uint32_t events = 0;  // EPOLL*
  uint64_t data = 0;

  friend bool operator==(const EpollEvent&, const EpollEvent&) = default;
};

// True for poll, ppoll, select, pselect6; and for epoll_wait, epoll_pwait.
bool IsPoll(const Signature& signature);
bool IsSelect(const Signature& signature);
bool IsEpollWait(const Signature& signature);

// All descriptors that poll or select was asked for, in the order of the arguments. Negative ones,
// which poll passes over, are among them. Empty for other calls, and where no array is shown.
std::vector<Watched> WatchedBy(const strace::Call& call, const Signature& signature);
// False if strace has cut the array short: nobody knows what else it was asked for.
bool ShowsAllWatched(const strace::Call& call, const Signature& signature);

// Which of them the result shows as ready.
struct ShownReady {
  bool detailed = false;         // false: the transcript does not say which
  std::vector<uint32_t> events;  // of each of the Watched: POLL*, 0: not ready
  int64_t count = 0;             // as many entries were shown
  std::string wrong;             // it shows one that was not asked for
};
ShownReady ReadyShown(const strace::Call& call, const Signature& signature,
                      const std::vector<Watched>& watched);

// The event that a struct of an epoll_ctl or epoll_wait stands for.
EpollEvent EpollEventOf(const strace::Value& value);
// The events that an epoll_wait shows.
std::vector<EpollEvent> EpollEventsShown(const strace::Call& call);

// `POLLIN|POLLHUP`.
std::string PollEventsText(uint32_t events);

// The bytes of an array of pollfd; of a set of descriptors below `descriptors`.
std::string EncodePollfds(const strace::Value& value);
std::string EncodeFdSet(const strace::Value& value, int64_t descriptors);
// How many bytes a set of descriptors below `descriptors` has, as select reads it; at least 128.
uint64_t FdSetBytes(int64_t descriptors);

// True for kPollfds, kFdSet, kSigsetArgument, kEpollEventsOut.
bool IsPollRecord(ParameterKind kind);
// Looks at an argument of one of these kinds. An error is one line, "FILE:LINE:COLUMN: …".
absl::Status CheckPollRecord(absl::string_view file_name, ParameterKind kind,
                             const strace::Value& value);
// Looks at what stands behind the result.
absl::Status CheckReadyShown(absl::string_view file_name, const strace::Call& call,
                             const Signature& signature);

}  // namespace kpath
