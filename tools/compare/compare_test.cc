// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/compare.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tools/compare/outline_for_test.h"

namespace kpath {
namespace {

CompareResult Result(absl::string_view recorded, absl::string_view model, std::string root = "") {
  CompareOptions options;
  options.rules = ReadRules({"i", "cut: x\nfold{}: x\n"}, {"n", "inl: x\n"}).value();
  options.root = std::move(root);
  absl::StatusOr<CompareResult> result = Compare(Outline(recorded), Outline(model), options);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result.ok() ? *std::move(result) : CompareResult();
}

// "equal", or the message of the first difference.
std::string Verdict(absl::string_view recorded, absl::string_view model, std::string root = "") {
  const CompareResult result = Result(recorded, model, std::move(root));
  return result.equal() ? "equal" : result.FirstDifferent()->difference->Message();
}

std::string ErrorOf(absl::string_view recorded, absl::string_view model, std::string root = "") {
  CompareOptions options;
  options.root = std::move(root);
  return std::string(Compare(Outline(recorded), Outline(model), options).status().message());
}

// --- One tree against another ------------------------------------------------------------------

TEST(CompareTest, EqualTrees) {
  EXPECT_EQ(Verdict("a{b c{d}}", "a{b c{d}}"), "equal");
  EXPECT_EQ(Verdict("a{b.isra.0 cut{x} fold{y}}", "a{inl{b} fold cut}"), "equal");
}

TEST(CompareTest, NamesThePlaceOfADifference) {
  EXPECT_EQ(Verdict("a{b c{d e}}", "a{b c{d f}}"),
            "a > c, after d(): expected e() (line 5 of the recording), the model has f()");
  EXPECT_EQ(Verdict("a{b c{d}}", "a{b c}"),
            "a > c: expected d() (line 4 of the recording), the model has return");
  EXPECT_EQ(Verdict("a{b c}", "a{b c{d}}"), "a > c: expected return, the model has d()");
  EXPECT_EQ(Verdict("a{b c}", "a{c b}"),
            "a: expected b() (line 2 of the recording), the model has c()");
  EXPECT_EQ(Verdict("a{b b c}", "a{b c}"),
            "a, after b(): expected b() (line 3 of the recording), the model has c()");
  EXPECT_EQ(Verdict("a{b{c} d}", "a{b c d}"),
            "a > b: expected c() (line 3 of the recording), the model has return");
}

TEST(CompareTest, EndOfTheRecordingIsNoDifference) {
  EXPECT_EQ(Verdict("a!{b c!{d}}", "a{b c{d e} f}"), "equal");
  EXPECT_EQ(Verdict("a!{b c!{d}}", "a{b c}"),
            "a > c: expected d() (line 4 of the recording), the model has return");
}

TEST(CompareTest, ModelMustReturnWhereTheRecordingDoes) {
  EXPECT_EQ(Verdict("a{b c}", "a!{b c!}"),
            "a > c: expected return, the model has a call that never returns");
  EXPECT_EQ(Verdict("a{b c}", "a!{b c}"),
            "a, after c(): expected return, the model has a call that never returns");
}

TEST(CompareTest, DepthCountsBehindACallThatDidNotReturn) {
  EXPECT_EQ(Verdict("a{b! c}", "a{b!{c}}"),
            "a > b: expected c() (line 3 of the recording), the model has c()");
}

// --- Which trees -------------------------------------------------------------------------------

TEST(CompareTest, TakesTheModelsLastCallOfTheSameSystemCall) {
  const std::string model =
      "do_syscall_64{__x64_sys_io_submit{x}} do_syscall_64{__x64_sys_io_submit{y}} "
      "do_syscall_64{__x64_sys_close}";
  EXPECT_EQ(Verdict("do_syscall_64{__x64_sys_io_submit{y}}", model), "equal");
  EXPECT_NE(Verdict("do_syscall_64{__x64_sys_io_submit{x}}", model), "equal");
}

TEST(CompareTest, SystemCallCountsWhateverTheModelShowsBeforeIt) {
  EXPECT_EQ(Verdict("do_syscall_64{__x64_sys_close}",
                    "do_syscall_64{inl{__x64_sys_close}} do_syscall_64{__x64_sys_open}"),
            "equal");
}

TEST(CompareTest, NumberWithoutACallIsAKindOfItsOwn) {
  EXPECT_EQ(Verdict("do_syscall_64", "do_syscall_64 do_syscall_64{__x64_sys_exit}"), "equal");
}

TEST(CompareTest, ComparesAllCallsOfTheFirstTask) {
  const std::string recorded = "do_syscall_64{sys_a} do_syscall_64{sys_b{x}}";
  EXPECT_EQ(Verdict(recorded, "do_syscall_64{sys_a} do_syscall_64{sys_b{x}} do_syscall_64{sys_c}"),
            "equal");
  EXPECT_EQ(Verdict(recorded, "do_syscall_64{sys_a} do_syscall_64{sys_b{y}}"),
            "do_syscall_64 > sys_b: expected x() (line 5 of the recording), the model has y()");
  EXPECT_EQ(
      Verdict(recorded, "do_syscall_64{sys_b{x}} do_syscall_64{sys_a}"),
      "expected do_syscall_64() with sys_a(), then do_syscall_64() with sys_b() (line 1 of the "
      "recording), the model has no such call");
}

TEST(CompareTest, FindsTheCallInAnyTaskOfTheModel) {
  EXPECT_EQ(Verdict("do_syscall_64{sys_a}", "init\ndo_syscall_64{sys_a}\nlast"), "equal");
}

TEST(CompareTest, CallsThatBeganBeforeTheRecordingAreNotCompared) {
  EXPECT_EQ(Verdict("old?{x} a{b}", "a{b}"), "equal");
}

TEST(CompareTest, EmptyRecordingIsAnError) {
  EXPECT_EQ(ErrorOf("", "a"), "the recording holds no call to compare, expected at least one");
  EXPECT_EQ(ErrorOf("old?", "a"), "the recording holds no call to compare, expected at least one");
  EXPECT_EQ(ErrorOf("irq: do_IRQ", "a"),
            "the recording holds no call to compare, expected at least one");
}

// --- A chosen root -----------------------------------------------------------------------------

TEST(CompareRootTest, PicksTheKthCallOnBothSides) {
  const std::string recorded = "a{one{x} one{y}}\nb{one{z}}";
  EXPECT_EQ(Verdict(recorded, "one{x}", "one"), "equal");
  EXPECT_EQ(Verdict(recorded, "one{x} c{one{y}}", "one:2"), "equal");
  EXPECT_EQ(Verdict(recorded, "one{x} one{y} one{w}", "one:3"),
            "one: expected z() (line 8 of the recording), the model has w()");
}

TEST(CompareRootTest, ComparesThatTreeAlone) {
  EXPECT_EQ(Verdict("a{one{x}}\nirq: do_IRQ{e}", "b{one{x}}\nirq: do_IRQ{f}", "one"), "equal");
}

TEST(CompareRootTest, LooksIntoAChosenCallThatARuleFolds) {
  EXPECT_NE(Verdict("a{fold{x}}", "a{fold{y}}", "fold"), "equal");
  EXPECT_NE(Verdict("a{cut{x}}", "a{cut{y}}", "cut"), "equal");
}

TEST(CompareRootTest, MissingInTheModelIsADifference) {
  EXPECT_EQ(Verdict("one one", "one", "one:2"),
            "expected call 2 of one() (line 2 of the recording), the model has no such call");
}

TEST(CompareRootTest, MissingInTheRecordingIsAnError) {
  EXPECT_EQ(ErrorOf("one", "one one", "one:2"),
            "--root=one:2: the recording has 1 calls of one, expected at least 2");
}

TEST(CompareRootTest, MalformedRootIsAnError) {
  for (const char* root : {":1", "one:", "one:0", "one:x", "one:-1"}) {
    EXPECT_EQ(ErrorOf("one", "one", root),
              absl::StrCat("--root=", root,
                           ": expected --root=NAME or --root=NAME:K with K = 1, 2, ..."));
  }
}

// --- Asynchronous trees ------------------------------------------------------------------------

TEST(CompareAsyncTest, InterruptsAreComparedOnTheirOwn) {
  EXPECT_EQ(Verdict("a{b}\nirq: do_IRQ{x}", "a{b}\nirq: do_IRQ{x}"), "equal");
  EXPECT_EQ(Verdict("a{b}\nirq: do_IRQ{x}", "a{b}\nirq: do_IRQ{y}"),
            "do_IRQ: expected x() (line 4 of the recording), the model has y()");
}

TEST(CompareAsyncTest, TheirOrderIsFree) {
  EXPECT_EQ(Verdict("a\nirq: do_IRQ{x} do_IRQ{y}", "a\nirq: do_IRQ{y}\nwork do_IRQ{x}"), "equal");
}

TEST(CompareAsyncTest, EachTreeOfTheModelStandsForOne) {
  EXPECT_NE(Verdict("a\nirq: do_IRQ{x} do_IRQ{x}", "a\nirq: do_IRQ{x} do_IRQ{y}"), "equal");
}

TEST(CompareAsyncTest, DifferentTreeIsUsedUpToo) {
  const CompareResult result = Result("a\nirq: do_IRQ{x} do_IRQ{x}", "a\nirq: do_IRQ{y}");
  EXPECT_EQ(result.trees.size(), 2u);
  EXPECT_EQ(result.not_compared, (std::map<std::string, int>{{"do_IRQ", 1}}));
}

TEST(CompareAsyncTest, WhatTheModelLacksIsListed) {
  const CompareResult result =
      Result("a\nirq: do_IRQ{x} do_IRQ{x}\nidle{y} cut{z}", "a\nirq: do_IRQ{x}");
  EXPECT_TRUE(result.equal());
  EXPECT_EQ(result.trees.size(), 2u);
  EXPECT_EQ(result.not_compared, (std::map<std::string, int>{{"do_IRQ", 1}, {"idle", 1}}));
}

TEST(CompareAsyncTest, ARecordingMayBeginInsideOfAnotherTasksCall) {
  EXPECT_EQ(Verdict("a\nwork one{x} two{y}", "a\nwork b{one{x} two{y}}"), "equal");
  EXPECT_EQ(Verdict("a\nwork one{x}", "a\nwork b{one{y}}"),
            "one: expected x() (line 4 of the recording), the model has y()");
  const CompareResult result = Result("a\nwork one{x} one{x}", "a\nwork b{one{x}}");
  EXPECT_EQ(result.not_compared, (std::map<std::string, int>{{"one", 1}})) << "each stands for one";
}

TEST(CompareAsyncTest, OnlyTreesThatBeganAfterTheCallCount) {
  const CompareResult result = Result("a\nirq: do_IRQ{x}", "irq: do_IRQ{y}\na");
  EXPECT_TRUE(result.equal());
  EXPECT_EQ(result.not_compared.size(), 1u);
}

}  // namespace
}  // namespace kpath
