// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/rules.h"

#include <string>

#include "gtest/gtest.h"
#include "tools/compare/protected.h"

namespace kpath {
namespace {

CompareRules Rules(absl::string_view ignored, absl::string_view inlined) {
  absl::StatusOr<CompareRules> rules = ReadRules({"i.txt", ignored}, {"n.txt", inlined});
  EXPECT_TRUE(rules.ok()) << rules.status().message();
  return rules.ok() ? *std::move(rules) : CompareRules();
}

std::string ErrorOf(absl::string_view ignored, absl::string_view inlined) {
  const absl::StatusOr<CompareRules> rules = ReadRules({"i.txt", ignored}, {"n.txt", inlined});
  return rules.ok() ? "no error" : std::string(rules.status().message());
}

TEST(RulesTest, ReadsEveryKind) {
  const CompareRules rules = Rules(
      "# a comment\n"
      "\n"
      "slob_alloc: SLOB's own walk\n"
      "touch_atime{}: the clock decides\n"
      "rcu_segcblist_*: list of callbacks\n",
      "aio_get_req: inlined into io_submit_one\n"
      "iov_iter_*: lib/\n");
  EXPECT_EQ(rules.ActionFor("slob_alloc"), RuleAction::kCut);
  EXPECT_EQ(rules.ActionFor("slob_allocate"), RuleAction::kKeep);
  EXPECT_EQ(rules.ActionFor("touch_atime"), RuleAction::kCutInside);
  EXPECT_EQ(rules.ActionFor("rcu_segcblist_enqueue"), RuleAction::kCut);
  EXPECT_EQ(rules.ActionFor("aio_get_req"), RuleAction::kInline);
  EXPECT_EQ(rules.ActionFor("iov_iter_init"), RuleAction::kInline);
  EXPECT_EQ(rules.ActionFor("aio_read"), RuleAction::kKeep);
  EXPECT_EQ(rules.rules()[1].reason, "the clock decides");
  EXPECT_EQ(rules.rules()[1].line, 4);
}

TEST(RulesTest, ExactRuleWinsOverPrefix) {
  const CompareRules rules = Rules("f_*: many\nf_a{}: this one\n", "");
  EXPECT_EQ(rules.ActionFor("f_a"), RuleAction::kCutInside);
  EXPECT_EQ(rules.ActionFor("f_b"), RuleAction::kCut);
}

TEST(RulesTest, ErrorsNameFileLineColumnAndExpectation) {
  EXPECT_EQ(ErrorOf("f: x\nslob_alloc\n", ""), "i.txt:2:11: no ':', expected 'NAME: reason'");
  EXPECT_EQ(ErrorOf("slob_alloc:  \n", ""),
            "i.txt:1:12: no reason for slob_alloc, expected 'NAME: reason'");
  EXPECT_EQ(ErrorOf("slob alloc: x\n", ""),
            "i.txt:1:1: 'slob alloc' is no rule, expected NAME, NAME* or NAME{}");
  EXPECT_EQ(ErrorOf("*: x\n", ""), "i.txt:1:1: '*' is no rule, expected NAME, NAME* or NAME{}");
  EXPECT_EQ(ErrorOf("f: x\nf{}: y\n", ""),
            "i.txt:2:1: second rule for f, expected one (the other is in line 1)");
  EXPECT_EQ(ErrorOf("", "f{}: x\n"), "n.txt:1:1: 'f{}' is no rule, expected NAME, NAME*");
  EXPECT_EQ(ErrorOf("", "f.isra.0: x\n"), "n.txt:1:1: 'f.isra.0' is no rule, expected NAME, NAME*");
}

TEST(RulesTest, ProtectedAreasMayNotBeIgnored) {
  EXPECT_EQ(ErrorOf("aio_complete{}: x\n", ""),
            "i.txt:1:1: aio_complete may not be ignored, it would cut fs/aio.c");
  EXPECT_EQ(ErrorOf("submit_bio: x\n", ""),
            "i.txt:1:1: submit_bio may not be ignored, it would cut the bio and request path");
  EXPECT_EQ(ErrorOf("mutex_lock: x\n", ""),
            "i.txt:1:1: mutex_lock may not be ignored, it would cut lock operations, which the "
            "protected areas call too");
  for (const char* name : {"do_syscall_64", "do_IRQ", "__x64_sys_io_submit", "lookup_ioctx",
                           "io_submit_one", "blk_start_plug", "blk_mq_get_tag", "__blk_mq_get_tag",
                           "bio_endio", "part_round_stats", "virtqueue_add_sgs", "null_queue_rq",
                           "smp_call_function_single_interrupt", "_raw_spin_lock_irqsave"}) {
    EXPECT_NE(ErrorOf(std::string(name) + ": x\n", ""), "no error") << name;
  }
}

TEST(RulesTest, PrefixThatReachesAProtectedNameIsRefused) {
  for (const char* name : {"a*", "aio_*", "aio_comp*", "b*", "io_*", "submit_bi*", "mutex_l*"}) {
    EXPECT_NE(ErrorOf(std::string(name) + ": x\n", ""), "no error") << name;
  }
  EXPECT_EQ(ErrorOf("slob_*: x\nrcu_*: y\n", ""), "no error");
}

TEST(RulesTest, ProtectedFunctionsMayBeInlined) {
  EXPECT_EQ(ErrorOf("", "aio_poll: inlined into io_submit_one\n"), "no error");
}

TEST(ProtectedTest, LocksAreNotProtectedInsideCuts) {
  EXPECT_FALSE(IsProtected("_raw_spin_lock"));
  EXPECT_TRUE(IsLockOperation("_raw_spin_lock"));
  EXPECT_FALSE(IsLockOperation("aio_read"));
  EXPECT_TRUE(IsProtected("smp_call_function_single_interrupt"));
  EXPECT_FALSE(IsProtected("smp_call_function_single"));
  EXPECT_FALSE(IsProtected("slob_alloc"));
}

TEST(LoadRulesTest, MissingFile) {
  EXPECT_EQ(LoadRules("no/ignored.txt", "no/inlined.txt").status().message(),
            "no/ignored.txt: cannot read: No such file or directory");
}

}  // namespace
}  // namespace kpath
