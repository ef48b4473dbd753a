// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/poll_records.h"

#include <poll.h>

#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

struct Read {
  explicit Read(const std::string& line) {
    auto parsed = strace::ParseTranscript("t", absl::StrCat(line, "\n"));
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    transcript = *std::move(parsed);
    signature = FindSignature(call().name);
  }
  const strace::Call& call() const { return transcript.calls[0]; }
  std::vector<Watched> WatchedOnes() const { return WatchedBy(call(), *signature); }
  ShownReady Ready() const { return ReadyShown(call(), *signature, WatchedOnes()); }

  strace::Transcript transcript;
  const Signature* signature;
};

TEST(PollRecords, WhatPollIsAskedForAndFinds) {
  const Read read(
      "poll([{fd=3, events=POLLIN}, {fd=-1}, {fd=3, events=POLLOUT|POLLPRI}], 3, -1) = 1 ([{fd=3, "
      "revents=POLLOUT}])");
  const std::vector<Watched> watched = read.WatchedOnes();
  ASSERT_EQ(watched.size(), 3u);
  EXPECT_EQ(watched[1].fd, -1);
  EXPECT_EQ(watched[2].events, static_cast<uint32_t>(POLLOUT | POLLPRI));
  // Nobody can tell which of the two entries it is: the first.
  EXPECT_EQ(read.Ready().events, (std::vector<uint32_t>{POLLOUT, 0, 0}));
  EXPECT_EQ(read.Ready().count, 1);
  EXPECT_TRUE(read.Ready().detailed);
}

TEST(PollRecords, ResultsInTheOrderOfTheArray) {
  const Read read(
      "ppoll([{fd=3, events=POLLIN}, {fd=4, events=POLLIN}, {fd=3, events=POLLIN}], 3, NULL, [], 8)"
      " = 2 ([{fd=4, revents=POLLIN}, {fd=3, revents=POLLHUP}], left {tv_sec=0, tv_nsec=1})");
  EXPECT_EQ(read.Ready().events, (std::vector<uint32_t>{0, POLLIN, POLLHUP}));
  EXPECT_EQ(read.Ready().wrong, "");
}

TEST(PollRecords, ADescriptorThatWasNotAskedFor) {
  EXPECT_EQ(
      Read("poll([{fd=3, events=POLLIN}], 1, -1) = 1 ([{fd=4, revents=POLLIN}])").Ready().wrong,
      "fd 4 is shown as ready and was not asked for");
  EXPECT_EQ(Read("select(5, [3], [4], NULL, NULL) = 1 (in [4])").Ready().wrong,
            "fd 4 is shown as ready and was not asked for");
}

TEST(PollRecords, TheSetsOfSelect) {
  const Read read(
      "select(9, [3 4], [4], [8], {tv_sec=0, tv_usec=5}) = 3 (in [4], out [4], except [8], left "
      "{tv_sec=0, tv_usec=4})");
  const std::vector<Watched> watched = read.WatchedOnes();
  ASSERT_EQ(watched.size(), 4u);
  EXPECT_EQ(watched[1].fd, 4);
  EXPECT_EQ(watched[1].events, static_cast<uint32_t>(POLLIN));
  EXPECT_EQ(watched[2].events, static_cast<uint32_t>(POLLOUT));
  EXPECT_EQ(watched[3].events, static_cast<uint32_t>(POLLPRI));
  EXPECT_EQ(read.Ready().events, (std::vector<uint32_t>{0, POLLIN, POLLOUT, POLLPRI}));
}

TEST(PollRecords, WhatIsNotShown) {
  EXPECT_FALSE(Read("poll([{fd=3, events=POLLIN}], 1, -1) = 1").Ready().detailed);
  EXPECT_TRUE(Read("poll([{fd=3, events=POLLIN}], 1, 1) = 0 (Timeout)").Ready().detailed);
  const Read cut("poll([{fd=3, events=POLLIN}, ...], 2, -1) = 1 ([{fd=3, revents=POLLIN}])");
  EXPECT_FALSE(ShowsAllWatched(cut.call(), *cut.signature));
}

TEST(PollRecords, EventsOfEpoll) {
  const Read read(
      "epoll_wait(5, [{events=EPOLLIN|EPOLLET, data={u32=878082202, u64=78187493530}}], 4, -1) = "
      "1");
  EXPECT_EQ(EpollEventsShown(read.call()), (std::vector<EpollEvent>{{0x80000001, 78187493530}}));
  EXPECT_TRUE(
      EpollEventsShown(Read("epoll_wait(5, 0x7ffe0000, 4, -1) = -1 EINTR (x)").call()).empty());
}

TEST(PollRecords, Bytes) {
  const Read poll("poll([{fd=3, events=POLLIN}, {fd=-1}], 2, 0) = 0 (Timeout)");
  const std::string pollfds = EncodePollfds(poll.call().args[0]);
  EXPECT_EQ(pollfds, std::string("\3\0\0\0\1\0\0\0\xff\xff\xff\xff\0\0\0\0", 16));
  const Read select("select(70, [3 69], NULL, NULL, NULL) = 0 (Timeout)");
  const std::string set = EncodeFdSet(select.call().args[1], 70);
  EXPECT_EQ(set.size(), 128u);
  EXPECT_EQ(set[0], 8);
  EXPECT_EQ(set[8], 0x20);
  EXPECT_EQ(FdSetBytes(-1), 128u);
  EXPECT_EQ(FdSetBytes(1025), 136u);
}

TEST(PollRecords, EventsByName) {
  EXPECT_EQ(PollEventsText(POLLIN | POLLHUP), "POLLIN|POLLHUP");
  EXPECT_EQ(PollEventsText(POLLIN | 0x8000), "POLLIN|0x8000");
}

}  // namespace
}  // namespace kpath
