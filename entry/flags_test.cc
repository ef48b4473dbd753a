// SPDX-License-Identifier: Apache-2.0
#include "entry/flags.h"

#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace kpath {
namespace {

constexpr uint64_t CF = X86_EFLAGS_CF, PF = X86_EFLAGS_PF, AF = X86_EFLAGS_AF, ZF = X86_EFLAGS_ZF,
                   SF = X86_EFLAGS_SF, OF = X86_EFLAGS_OF;

TEST(Flags, TextbookCases) {
  EXPECT_EQ(LogicFlags<uint32_t>(0), ZF | PF);
  EXPECT_EQ(LogicFlags<uint64_t>(0x8000000000000001), SF);
  EXPECT_EQ(LogicFlags<uint32_t>(0x103), PF);
  EXPECT_EQ(AddFlags<uint64_t>(~uint64_t{0}, 1), CF | PF | AF | ZF);
  EXPECT_EQ(AddFlags<uint32_t>(0x7fffffff, 1), PF | AF | SF | OF);
  EXPECT_EQ(AddFlags<uint8_t>(0x80, 0x80), CF | PF | ZF | OF);
  EXPECT_EQ(SubFlags<uint64_t>(0, 1), CF | PF | AF | SF);
  EXPECT_EQ(SubFlags<uint32_t>(0x80000000, 1), PF | AF | OF);
  EXPECT_EQ(SubFlags<uint64_t>(5, 5), ZF | PF);
  EXPECT_EQ(IncFlags<uint32_t>(0xffffffff), PF | AF | ZF);
  EXPECT_EQ(DecFlags<uint32_t>(0), PF | AF | SF);
  EXPECT_EQ(ShlFlags<uint64_t>(0xc000000000000000, 1), CF | PF | SF);
  EXPECT_EQ(ShlFlags<uint64_t>(0x4000000000000000, 1), PF | SF | OF);
  EXPECT_EQ(ShlFlags<uint64_t>(0x0001000000000000, 16), CF | PF | ZF);
  EXPECT_EQ(SarFlags<uint64_t>(0x8000000000000000, 16), PF | SF);
  EXPECT_EQ(SarFlags<uint64_t>(0x8001, 16), CF | PF | ZF);
}

#if defined(__x86_64__)

// The same as the processor that this test runs on, in all flags that are defined.

// LAHF puts SF ZF AF PF CF in AH, at their places in RFLAGS; OF comes separately.
uint64_t FromLahf(uint16_t ax) {
  return (ax >> 8 & (SF | ZF | AF | PF | CF)) | ((ax & 1) != 0 ? OF : 0);
}

#define KPATH_HOST_FLAGS(name, instruction)                                                 \
  template <typename T>                                                                     \
  uint64_t name(T a, T b) {                                                                 \
    uint16_t ax;                                                                            \
    asm(instruction "\n\tlahf\n\tseto %%al" : "=&a"(ax), [a] "+&r"(a) : [b] "r"(b) : "cc"); \
    return FromLahf(ax);                                                                    \
  }
KPATH_HOST_FLAGS(HostAdd, "add %[b], %[a]")
KPATH_HOST_FLAGS(HostSub, "sub %[b], %[a]")
KPATH_HOST_FLAGS(HostXor, "xor %[b], %[a]")
KPATH_HOST_FLAGS(HostTest, "test %[b], %[a]")
KPATH_HOST_FLAGS(HostInc, "inc %[a]")
KPATH_HOST_FLAGS(HostDec, "dec %[a]")
KPATH_HOST_FLAGS(HostShl1, "shl $1, %[a]")
KPATH_HOST_FLAGS(HostSar1, "sar $1, %[a]")
KPATH_HOST_FLAGS(HostShl16, "shl $16, %[a]")
KPATH_HOST_FLAGS(HostSar16, "sar $16, %[a]")
#undef KPATH_HOST_FLAGS

template <typename T>
class FlagsAsOnTheHost : public testing::Test {};
using Sizes = testing::Types<uint8_t, uint32_t, uint64_t>;
TYPED_TEST_SUITE(FlagsAsOnTheHost, Sizes);

TYPED_TEST(FlagsAsOnTheHost, ForEdgesAndRandomWords) {
  using T = TypeParam;
  std::vector<T> words = {0, 1, 0xf, 0x10, 0x7f, 0x80, 0xff};
  words.push_back(static_cast<T>(~T{0}));
  words.push_back(static_cast<T>(static_cast<T>(~T{0}) >> 1));
  words.push_back(static_cast<T>(words.back() + 1));
  std::mt19937_64 random(1);
  for (int i = 0; i < 100; ++i) words.push_back(static_cast<T>(random()));

  for (T a : words) {
    EXPECT_EQ(IncFlags(a), HostInc<T>(a, 0) & ~CF) << +a;
    EXPECT_EQ(DecFlags(a), HostDec<T>(a, 0) & ~CF) << +a;
    EXPECT_EQ(ShlFlags(a, 1), HostShl1<T>(a, 0) & ~AF) << +a;
    EXPECT_EQ(SarFlags(a, 1), HostSar1<T>(a, 0) & ~AF) << +a;
    if constexpr (sizeof(T) > 2) {
      EXPECT_EQ(ShlFlags(a, 16), HostShl16<T>(a, 0) & ~(AF | OF)) << +a;
      EXPECT_EQ(SarFlags(a, 16), HostSar16<T>(a, 0) & ~(AF | OF)) << +a;
    }
    for (T b : words) {
      EXPECT_EQ(AddFlags(a, b), HostAdd(a, b)) << +a << " + " << +b;
      EXPECT_EQ(SubFlags(a, b), HostSub(a, b)) << +a << " - " << +b;
      EXPECT_EQ(LogicFlags(static_cast<T>(a ^ b)), HostXor(a, b) & ~AF) << +a << " ^ " << +b;
      EXPECT_EQ(LogicFlags(static_cast<T>(a & b)), HostTest(a, b) & ~AF) << +a << " & " << +b;
    }
  }
}

#endif  // __x86_64__

}  // namespace
}  // namespace kpath
