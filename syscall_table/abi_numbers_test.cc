// SPDX-License-Identifier: Apache-2.0
#include "syscall_table/abi_numbers.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

TEST(AbiNumbers, ACallUnderEveryAbi) {
  EXPECT_EQ(*RenderAbis(AllAbis(), "io_submit"),
            "CALL           ABI      NR          ENTRY POINT\n"
            "io_submit      x86_64   209         __x64_sys_io_submit\n"
            "               x32      0x40000220  __x32_compat_sys_io_submit\n"
            "               i386     248         __ia32_compat_sys_io_submit\n"
            "               generic  2           sys_io_submit, 32-bit tasks compat_sys_io_submit\n"
            "               ia64     1241        sys_io_submit\n");
}

TEST(AbiNumbers, CallsThatNeedNoTranslationAreSharedByX32) {
  EXPECT_EQ(*RenderAbis({"x32", "ia64"}, "getevents"),
            "CALL           ABI      NR          ENTRY POINT\n"
            "io_getevents   x32      0x400000d0  __x64_sys_io_getevents\n"
            "               ia64     1240        sys_io_getevents\n"
            "io_pgetevents  x32      0x4000014d  __x64_sys_io_pgetevents\n"
            "               ia64     -           no such call\n");
}

TEST(AbiNumbers, UnknownAbisAndNamesAreTold) {
  EXPECT_EQ(RenderAbis({"sparc"}, "").status().message(),
            "--abi=sparc: unknown ABI, expected x86_64, x32, i386, generic, ia64, or common, 64 or "
            "x32 alone");
  EXPECT_EQ(*RenderAbis({"i386"}, "read"), "no call of native AIO has a name with 'read'\n");
}

}  // namespace
}  // namespace kpath
