// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/known_content.h"

#include <random>
#include <string>

#include "gtest/gtest.h"

namespace kpath {
namespace {

// One character for each of the first `size` bytes: k known, . not.
std::string Picture(const KnownContent& content, uint64_t inode, uint64_t size) {
  std::string text;
  for (uint64_t i = 0; i < size; ++i) text += content.IsKnown(inode, i) ? 'k' : '.';
  return text;
}

TEST(KnownContent, AFileThatNobodyMentionedIsKnown) {
  EXPECT_EQ(Picture(KnownContent(), 7, 4), "kkkk");
}

TEST(KnownContent, ForgottenAndLearntAgain) {
  KnownContent content;
  content.Forget(7, 0, kEndOfFile);
  EXPECT_EQ(Picture(content, 7, 8), "........");
  content.Learn(7, 2, 4);
  EXPECT_EQ(Picture(content, 7, 8), "..kk....");
  content.Learn(7, 4, kEndOfFile);
  EXPECT_EQ(Picture(content, 7, 8), "..kkkkkk");
  content.Forget(7, 3, 5);
  EXPECT_EQ(Picture(content, 7, 8), "..k..kkk");
  EXPECT_EQ(Picture(content, 8, 8), "kkkkkkkk") << "another file";
}

TEST(KnownContent, NothingOfNothing) {
  KnownContent content;
  content.Forget(7, 3, 3);
  content.Learn(7, 9, 2);
  EXPECT_EQ(Picture(content, 7, 8), "kkkkkkkk");
}

TEST(KnownContent, WhatCanBeWrittenUnseenStaysUnknown) {
  KnownContent content;
  content.ForgetForGood(7);
  content.Learn(7, 0, kEndOfFile);
  EXPECT_EQ(Picture(content, 7, 4), "....");
}

TEST(KnownContent, AgreesWithOneCharacterAByte) {
  std::mt19937 random(1);
  KnownContent content;
  std::string naive(64, 'k');
  for (int i = 0; i < 3000; ++i) {
    const uint64_t begin = random() % 64, end = begin + random() % (65 - begin);
    const bool learn = random() % 2 == 0;
    if (learn) {
      content.Learn(7, begin, end);
    } else {
      content.Forget(7, begin, end);
    }
    naive.replace(begin, end - begin, end - begin, learn ? 'k' : '.');
    ASSERT_EQ(Picture(content, 7, 64), naive) << "after step " << i;
  }
}

}  // namespace
}  // namespace kpath
