// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/epoll_sets.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

constexpr uint64_t kSet = 1;

void Control(EpollSets* sets, const std::string& arguments) {
  const auto transcript =
      strace::ParseTranscript("t", absl::StrCat("epoll_ctl(5, EPOLL_CTL_", arguments, ") = 0\n"));
  ASSERT_TRUE(transcript.ok()) << transcript.status();
  sets->Controlled(kSet, transcript->calls[0]);
}

TEST(EpollSets, HoldWhatIsAddedUntilItIsTakenOut) {
  EpollSets sets;
  Control(&sets, "ADD, 3, {events=EPOLLIN, data={u32=7, u64=7}}");
  Control(&sets, "ADD, 4, {events=EPOLLIN, data={u32=7, u64=7}}");
  EXPECT_EQ(sets.DescriptorsOf(kSet, 7), (std::vector<int>{3, 4}));
  EXPECT_TRUE(sets.DescriptorsOf(kSet + 1, 7).empty());
  Control(&sets, "MOD, 4, {events=EPOLLIN, data={u32=8, u64=8}}");
  Control(&sets, "DEL, 3, NULL");
  EXPECT_TRUE(sets.DescriptorsOf(kSet, 7).empty());
  EXPECT_EQ(sets.DescriptorsOf(kSet, 8), std::vector<int>{4});
}

TEST(EpollSets, EdgesAndOneShotsAreGivenOnce) {
  EpollSets sets;
  Control(&sets, "ADD, 3, {events=EPOLLIN, data={u32=1, u64=1}}");
  Control(&sets, "ADD, 4, {events=EPOLLIN|EPOLLET, data={u32=2, u64=2}}");
  Control(&sets, "ADD, 5, {events=EPOLLIN|EPOLLONESHOT, data={u32=3, u64=3}}");
  EXPECT_FALSE(sets.IsGivenOnce(kSet, 1));
  EXPECT_TRUE(sets.IsGivenOnce(kSet, 2));
  EXPECT_TRUE(sets.IsGivenOnce(kSet, 3));
}

TEST(EpollSets, ANewSetIsEmpty) {
  EpollSets sets;
  Control(&sets, "ADD, 3, {events=EPOLLIN, data={u32=1, u64=1}}");
  sets.Created(kSet);
  EXPECT_TRUE(sets.items(kSet).empty());
}

}  // namespace
}  // namespace kpath
