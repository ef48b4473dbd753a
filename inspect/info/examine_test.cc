// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/examine.h"

#include "entry/disassemble.h"
#include "entry/entry_64.h"
#include "inspect/info/address.h"
#include "inspect/info/stopped.h"
#include "sim/kernel/slab_caches.h"

namespace kpath {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string ErrorOf(absl::string_view format) {
  return std::string(ParseExamineFormat(format).status().message());
}

TEST(ExamineFormat, CountLetterAndSize) {
  const ExamineFormat plain = ParseExamineFormat("").value();
  EXPECT_EQ(plain.count, 1);
  EXPECT_EQ(plain.letter, 'x');
  EXPECT_EQ(plain.size, 4);
  const ExamineFormat words = ParseExamineFormat("/8gx").value();
  EXPECT_EQ(words.count, 8);
  EXPECT_EQ(words.letter, 'x');
  EXPECT_EQ(words.size, 8);
  EXPECT_EQ(ParseExamineFormat("xh").value().size, 2);
  EXPECT_EQ(ParseExamineFormat("3c").value().size, 1);
  EXPECT_EQ(ParseExamineFormat("a").value().size, 8);
}

TEST(ExamineFormat, WhatIsWrongIsTold) {
  EXPECT_EQ(ErrorOf("8zz"),
            "x/8zz: 'z' is neither a format (x d u o t c a s i) nor a size (b h w g)");
  EXPECT_EQ(ErrorOf("/-1x"),
            "x/-1x: '-' is neither a format (x d u o t c a s i) nor a size (b h w g)");
  EXPECT_EQ(ErrorOf("99999999999x"), "x/99999999999x: the count is at most 65536");
}

// A program with known bytes in its memory, asleep.
class ExamineTest : public testing::Test {
 protected:
  ExamineTest() {
    run_.system.Start("prog", [this] {
      user::Arena arena;
      bytes_ = arena.Bytes(64, 64);
      const char text[] = "one \"word\"\n";
      for (size_t i = 0; i < sizeof(text); ++i) user::Store<char>(bytes_ + i, text[i]);
      user::Store<uint64_t>(bytes_ + 16, 0xfffffffffffffffe);
      user::Store<uint32_t>(bytes_ + 24, 8);
      user::nanosleep(1'000'000'000);
    });
    EXPECT_TRUE(run_.At("do_nanosleep"));
  }
  std::string X(absl::string_view format, uint64_t address) {
    const absl::StatusOr<std::string> text = Examine(run_.view(), format, address);
    return text.ok() ? *text : absl::StrCat("error: ", text.status().message());
  }
  std::string At(uint64_t offset) { return absl::StrCat("0x", absl::Hex(bytes_ + offset)); }

  Stopped run_;
  uint64_t bytes_ = 0;
};

TEST_F(ExamineTest, NumbersInAllFormats) {
  EXPECT_EQ(X("gx", bytes_ + 16), At(16) + ":  0xfffffffffffffffe\n");
  EXPECT_EQ(X("2wx", bytes_ + 20), At(20) + ":  0xffffffff  0x00000008\n");
  EXPECT_EQ(X("gd", bytes_ + 16), At(16) + ":  -2\n");
  EXPECT_EQ(X("hd", bytes_ + 16), At(16) + ":  -2\n");
  EXPECT_EQ(X("bu", bytes_ + 16), At(16) + ":  254\n");
  EXPECT_EQ(X("wo", bytes_ + 24), At(24) + ":  000000000010\n");
  EXPECT_EQ(X("bt", bytes_ + 24), At(24) + ":  00001000\n");
  EXPECT_EQ(X("4c", bytes_ + 9), At(9) + ":  34 '\"'  10 '\\n'  0 '\\000'  0 '\\000'\n");
}

TEST_F(ExamineTest, LinesAreAsLongAsTheScreenIsWide) {
  EXPECT_EQ(X("4gx", bytes_ + 32), At(32) + ":  0x0000000000000000  0x0000000000000000\n" + At(48) +
                                       ":  0x0000000000000000  0x0000000000000000\n");
  EXPECT_EQ(Examine(run_.view(40), "2gx", bytes_ + 32).value(),
            At(32) + ":  0x0000000000000000\n" + At(40) + ":  0x0000000000000000\n");
}

TEST_F(ExamineTest, StringsOfTheUser) {
  EXPECT_EQ(X("s", bytes_), At(0) + ":  \"one \\\"word\\\"\\n\"\n");
  EXPECT_EQ(X("2s", bytes_ + 4), At(4) + ":  \"\\\"word\\\"\\n\"\n" + At(12) + ":  \"\"\n");
}

TEST_F(ExamineTest, WhatIsNotMappedCannotBeRead) {
  EXPECT_EQ(X("gx", 0x1000), "error: Cannot access memory at address 0x1000");
  EXPECT_EQ(X("s", 0x1000), "error: Cannot access memory at address 0x1000");
  EXPECT_EQ(X("gx", 0xffffc90000000000),
            "error: Cannot access memory at address "
            "0xffffc90000000000");
  EXPECT_EQ(X("gx", ~0ull), "error: Cannot access memory at address 0xffffffffffffffff");
  EXPECT_THAT(X("gx", 0x401000), EndsWith("no page is mapped where programs have their code"));
  EXPECT_THAT(X("gx", 0x7ffffffde000), EndsWith(": the page of [stack] is not present"));
  const uint64_t object = LiveObjectsOf<mm_struct>(run_.machine()).at(0).address();
  EXPECT_THAT(X("gx", object), EndsWith(": mm_struct is an object, not bytes: print it"));
}

TEST_F(ExamineTest, TheBytesBeforeAHoleAreShown) {
  uint64_t hole = bytes_ & kPageMask;
  while (ReadNumber(run_.view(), hole, 1).has_value()) hole += kPageSize;
  const std::string text = X("4gx", hole - 8);
  EXPECT_THAT(text, HasSubstr(":  0x0000000000000000\nCannot access memory at address 0x"));
  EXPECT_THAT(text, EndsWith(" is not present\n"));
}

TEST_F(ExamineTest, AddressesByName) {
  const auto& task = TaskOf(run_.view());
  const uint64_t regs = task_top_of_stack(&task) - 168;
  EXPECT_EQ(X("2a", regs + 0x78),
            absl::StrCat("0x", absl::Hex(regs + 0x78), ":  0x23  0x401002 <behind SYSCALL>\n"));
  EXPECT_EQ(AddressName(run_.view(), regs), "stack of prog/1+16216");
  EXPECT_EQ(AddressName(run_.view(), 0x7ffffffff000 - 8), "[stack]");
  EXPECT_EQ(AddressName(run_.view(), bytes_), "anonymous memory");
  EXPECT_EQ(AddressName(run_.view(), 0x1000), "");
  const auto mm = LiveObjectsOf<mm_struct>(run_.machine()).at(0);
  EXPECT_EQ(AddressText(run_.view(), mm.address() + 16),
            absl::StrCat("0x", absl::Hex(mm.address() + 16), " <mm_struct+16>"));
  const Cpu& cpu = run_.machine().cpu(0);
  EXPECT_EQ(AddressName(run_.view(), cpu.per_cpu_base() + kPerCpuRspScratch.offset),
            "rsp_scratch of CPU 0");
}

TEST(ExamineCode, EveryLineOfAListingByItsAddress) {
  for (size_t i = 0; i < assembly::entry_SYSCALL_64_listing.lines.size(); ++i) {
    const auto line = CodeAt(assembly::entry_SYSCALL_64_listing.AddressOf(i));
    ASSERT_TRUE(line.has_value());
    EXPECT_EQ(line->index, i);
    EXPECT_TRUE(line->instruction() == assembly::entry_SYSCALL_64_listing.lines[i]);
  }
  EXPECT_FALSE(CodeAt(assembly::entry_SYSCALL_64.address + 1).has_value());
  EXPECT_EQ(NameCode(assembly::entry_SYSCALL_64.address + 1), "entry_SYSCALL_64+1");
  EXPECT_EQ(NameCode(0xffffffff810017c0), "do_syscall_64");
}

TEST(ExamineCode, ListingsDoNotOverlap) {
  const auto& all = AllCode();
  EXPECT_GT(all.size(), 250u);
  for (size_t i = 1; i < all.size(); ++i) {
    EXPECT_LE(all[i - 1].addresses.back(), all[i].symbol->address)
        << all[i - 1].symbol->name << " and " << all[i].symbol->name;
  }
}

TEST(ExamineCode, InstructionsWithTheCurrentOneMarked) {
  Stopped run;
  run.system.Start("prog", WaitForEver);
  ASSERT_TRUE(run.AtInstruction("entry_SYSCALL_64", 0));
  EXPECT_EQ(Examine(run.view(), "3i", 0xffffffff81400010).value(),
            "   0xffffffff81400010 <entry_SYSCALL_64>:  swapgs\n"
            "=> 0xffffffff81400013 <entry_SYSCALL_64+3>:  mov    %rsp,%gs:rsp_scratch\n"
            "   0xffffffff8140001c <entry_SYSCALL_64+12>:\n"
            "          mov    %gs:cpu_current_top_of_stack,%rsp\n");
  // The stub of vector 0x22, two behind the first one.
  EXPECT_EQ(Examine(run.view(), "2i", 0xffffffff81400170 + 16).value(),
            "   0xffffffff81400180 <irq_entries_start+16>:  push   $0x5d\n"
            "   0xffffffff81400182 <irq_entries_start+18>:  jmp    common_interrupt\n");
}

TEST(ExamineCode, WhereThereIsNoListing) {
  Stopped run;
  run.system.Start("prog", WaitForEver);
  ASSERT_TRUE(run.AtInstruction("entry_SYSCALL_64", 0));
  EXPECT_EQ(Examine(run.view(), "i", 0xffffffff81400011).status().message(),
            "No listing at 0xffffffff81400011: entry_SYSCALL_64+1 is no line of assembly");
  EXPECT_EQ(Examine(run.view(), "i", 0x401000).status().message(),
            "No listing at 0x401000: SYSCALL is no line of assembly");
  EXPECT_EQ(Examine(run.view(), "i", 0x10).status().message(), "No listing at 0x10");
  EXPECT_THAT(Examine(run.view(), "99i", 0xffffffff81400010).value(),
              testing::ContainsRegex("\nNo listing at 0xffffffff81400[0-9a-f]+\n$"));
}

}  // namespace
}  // namespace kpath
