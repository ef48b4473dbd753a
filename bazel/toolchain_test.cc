// SPDX-License-Identifier: Apache-2.0
//
// Shows that each library of WORKSPACE compiles, links and runs in the configuration at hand.

#include <histedit.h>

#include <boost/context/fiber.hpp>
#include <cassert>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

ABSL_FLAG(std::string, toolchain_test_flag, "unset", "a flag to look up by name");

namespace kpath {
namespace {

TEST(ToolchainTest, IsCxx20) { EXPECT_GE(__cplusplus, 202002L); }

TEST(ToolchainTest, AssertsAreOn) {
  bool evaluated = false;
  assert((evaluated = true));
  EXPECT_TRUE(evaluated);
}

TEST(ToolchainTest, AbseilStringsAndStatus) {
  const absl::StatusOr<std::string> bad = absl::NotFoundError(absl::StrCat("no file ", 3));
  EXPECT_EQ(bad.status().ToString(), "NOT_FOUND: no file 3");
  EXPECT_EQ(absl::StrFormat("%016x", 0xfeed), "000000000000feed");
  EXPECT_EQ(absl::FormatDuration(absl::Nanoseconds(1500)), "1.5us");
}

TEST(ToolchainTest, AbseilHashMap) {
  absl::flat_hash_map<std::string, std::unique_ptr<int>> map;
  for (int i = 0; i < 100; ++i) map[absl::StrCat(i)] = std::make_unique<int>(i);
  EXPECT_EQ(map.size(), 100u);
  EXPECT_EQ(*map.at("42"), 42);
}

TEST(ToolchainTest, AbseilFlags) {
  ASSERT_NE(absl::FindCommandLineFlag("toolchain_test_flag"), nullptr);
  EXPECT_EQ(absl::GetFlag(FLAGS_toolchain_test_flag), "unset");
}

TEST(ToolchainTest, BoostContextSwitchesBothWays) {
  namespace ctx = boost::context;
  std::string order;
  ctx::fiber fiber([&order](ctx::fiber&& caller) {
    order += 'b';
    caller = std::move(caller).resume();
    order += 'd';
    return std::move(caller);
  });
  order += 'a';
  fiber = std::move(fiber).resume();
  order += 'c';
  fiber = std::move(fiber).resume();
  EXPECT_EQ(order, "abcd");
}

TEST(ToolchainTest, GoogleMockMatchers) {
  EXPECT_THAT(std::string("a b"), testing::HasSubstr("b"));
}

TEST(ToolchainTest, NlohmannJson) {
  EXPECT_EQ(nlohmann::json::parse(R"({"nr": 209})").at("nr"), 209);
}

TEST(ToolchainTest, Benchmark) { EXPECT_NE(benchmark::CreateDefaultDisplayReporter(), nullptr); }

TEST(ToolchainTest, Libedit) {
  History* const lines = history_init();
  ASSERT_NE(lines, nullptr);
  HistEvent event;
  EXPECT_EQ(history(lines, &event, H_SETSIZE, 10), 0);
  history_end(lines);
}

}  // namespace
}  // namespace kpath
