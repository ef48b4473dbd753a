// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/filters.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath {
namespace {

// The bytes of the program in hexadecimal; "not printed".
std::string Encoded(const std::string& filter) {
  const auto transcript =
      strace::ParseTranscript("t", absl::StrCat("seccomp(1, 0, ", filter, ") = 0\n"));
  EXPECT_TRUE(transcript.ok()) << transcript.status();
  const strace::Value& value = transcript->calls.front().args[2];
  if (!IsPrintedFilter(value)) return "not printed";
  return absl::BytesToHexString(EncodeFilter(value));
}

TEST(Filters, EachInstructionHasEightBytes) {
  EXPECT_EQ(Encoded("{len=2, filter=[BPF_STMT(BPF_LD|BPF_W|BPF_ABS, 0x4), "
                    "BPF_JUMP(BPF_JMP|BPF_JEQ|BPF_K, 0xc000003e, 0x1, 0x2)]}"),
            "2000000004000000"
            "150001023e0000c0");
  EXPECT_EQ(Encoded("{len=1, filter=[BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ERRNO|0x5)]}"),
            "0600000005000500");
}

TEST(Filters, WhatWasNotPrintedIsNotKnown) {
  EXPECT_EQ(Encoded("{len=1, filter=0x7ffd1000}"), "not printed");
  EXPECT_EQ(Encoded("NULL"), "not printed");
  EXPECT_EQ(Encoded("{len=9, filter=[BPF_STMT(BPF_RET|BPF_K, 0), ...]}"), "not printed");
  EXPECT_EQ(Encoded("{len=1, filter=[BPF_STMT(BPF_RET|BPF_K, NO_SUCH_NAME)]}"), "not printed");
}

}  // namespace
}  // namespace kpath
