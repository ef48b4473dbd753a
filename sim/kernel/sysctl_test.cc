// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/sysctl.h"

#include "gtest/gtest.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

TEST(Sysctl, ReadsTheNumberAndANewline) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  const unsigned long data = 65536;
  std::string text;
  EXPECT_EQ(proc_doulongvec_minmax_read(&data, &text, 0), 6);
  EXPECT_EQ(text, "65536\n");
  EXPECT_EQ(proc_doulongvec_minmax_read(&data, &text, 6), 0);
  EXPECT_EQ(text, "");
}

TEST(Sysctl, WhatIsTakenAndWhatBecomesOfTheNumber) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  const struct {
    std::string text;
    long result;
    unsigned long value;
  } kCases[] = {
      {"7", 1, 7},
      {" \t7 \n", 5, 7},
      {"0x10\n", 5, 16},
      {"010", 3, 8},
      {"0", 1, 0},
      {"18446744073709551615", 20, ~0ul},
      {"18446744073709551616", 20, 0},         // wraps
      {"100000000000000000000", -EINVAL, 42},  // 21 characters
      {"-1", 2, 42},                           // taken and ignored
      {"-", -EINVAL, 42},
      {"", 0, 42},
      {" \n", -EINVAL, 42},
      {"x", -EINVAL, 42},
      {"7x", -EINVAL, 42},
      {"7 8", 2, 7},  // the second is left over
      {"+7", -EINVAL, 42},
  };
  for (const auto& c : kCases) {
    unsigned long data = 42;
    EXPECT_EQ(proc_doulongvec_minmax_write(&data, c.text, 0), c.result) << c.text;
    EXPECT_EQ(data, c.value) << c.text;
  }
}

TEST(Sysctl, WhatIsWrittenBehindTheFirstByteIsIgnored) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  unsigned long data = 42;
  EXPECT_EQ(proc_doulongvec_minmax_write(&data, "7", 1), 1);
  EXPECT_EQ(data, 42u);
}

}  // namespace
}  // namespace kpath
