// SPDX-License-Identifier: Apache-2.0
//
// Large transcripts are read quickly: 10 MB in well under a second, and in a time that grows with
// their size alone. Processor time is measured, so a busy machine does not matter.
#include <gtest/gtest.h>

#include <ctime>
#include <string>

#include "absl/base/config.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tools/transcript/syntax/test_util.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath::strace {
namespace {

// Optimised it takes a fifth of a second.
#if defined(__OPTIMIZE__) && !defined(ABSL_HAVE_ADDRESS_SANITIZER)
constexpr double kMostSeconds = 1;
#else
constexpr double kMostSeconds = 20;
#endif

constexpr size_t kMegabyte = 1 << 20;

// Repeats `lines` up to `size` bytes.
std::string Repeat(absl::string_view lines, size_t size = kMegabyte) {
  std::string text;
  text.reserve(size + lines.size());
  while (text.size() < size) absl::StrAppend(&text, lines);
  return text;
}

// Seconds to parse `text`, which must be good.
double SecondsToParse(const std::string& text) {
  const std::clock_t start = std::clock();
  const absl::StatusOr<Transcript> transcript = ParseTranscript("t.strace", text);
  const std::clock_t end = std::clock();
  EXPECT_EQ(transcript.status(), absl::OkStatus());
  return static_cast<double>(end - start) / CLOCKS_PER_SEC;
}

TEST(PerformanceTest, RecordingsOfTenMegabytes) {
  const std::string fio = ReadSource("tests/transcripts/fio-randrw-qd16.strace");
  EXPECT_LT(SecondsToParse(Repeat(fio, 10 * kMegabyte)), kMostSeconds);
}

TEST(PerformanceTest, InterruptedCalls) {
  EXPECT_LT(SecondsToParse(Repeat("7 read(3,  <unfinished ...>\n"
                                  "7 <... read resumed>\"abc\", 3) = 3\n")),
            kMostSeconds);
}

TEST(PerformanceTest, ManyProcesses) {
  std::string text;
  for (int pid = 1; text.size() < kMegabyte / 2; ++pid) {
    absl::StrAppend(&text, pid, " f( <unfinished ...>\n");
  }
  for (int pid = 1; text.size() < kMegabyte; ++pid) {
    absl::StrAppend(&text, pid, " <... f resumed>) = 0\n");
  }
  EXPECT_LT(SecondsToParse(text), kMostSeconds);
}

TEST(PerformanceTest, LongArray) {
  EXPECT_LT(SecondsToParse(absl::StrCat("f([", Repeat("1, "), "2]) = 0\n")), kMostSeconds);
}

TEST(PerformanceTest, LongChainOfFlags) {
  EXPECT_LT(SecondsToParse(absl::StrCat("f(", Repeat("A|"), "B) = 0\n")), kMostSeconds);
}

TEST(PerformanceTest, LongString) {
  EXPECT_LT(SecondsToParse(absl::StrCat("f(\"", Repeat("\\1a"), "\") = 0\n")), kMostSeconds);
}

TEST(PerformanceTest, EmptyLines) { EXPECT_LT(SecondsToParse(Repeat("\n")), kMostSeconds); }

}  // namespace
}  // namespace kpath::strace
