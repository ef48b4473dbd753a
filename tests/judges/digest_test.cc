// SPDX-License-Identifier: Apache-2.0
//
// The same input gives the same bytes: the function graph of a transcript, twice in one process,
// and against the digest that is written here, which holds for every compiler and optimisation
// level. When the model changes, the digests change with it: the failure shows the new ones.
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/trace/graph_reader_file.h"
#include "sim/trace/graph_writer.h"
#include "tools/transcript/replay/replayer.h"

namespace kpath {
namespace {

// FNV-1a, 64 bits.
uint64_t Digest(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash;
}

std::string GraphOf(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(path);
  EXPECT_TRUE(text.ok()) << text.status();
  const auto transcript = strace::ParseTranscript(path, *text);
  EXPECT_TRUE(transcript.ok()) << transcript.status();
  std::string graph;
  GraphWriter writer([&graph](absl::string_view part) { absl::StrAppend(&graph, part); }, {});
  ReplayOptions options;
  options.calls = &writer;
  auto replayer = Replayer::Create(*transcript, options);
  EXPECT_TRUE(replayer.ok()) << replayer.status();
  const ReplayReport report = (*replayer)->Run();
  writer.Finish();
  return absl::StrCat(graph, report.legal, " legal, at ",
                      (*replayer)->machine().position().ToString());
}

struct Case {
  const char* path;
  uint64_t digest;
};

class Determinism : public testing::TestWithParam<Case> {};

TEST_P(Determinism, TheSameBytesEverywhere) {
  const std::string once = GraphOf(GetParam().path);
  EXPECT_EQ(once, GraphOf(GetParam().path));
  EXPECT_EQ(Digest(once), GetParam().digest)
      << "the digest is now 0x" << absl::StrCat(absl::Hex(Digest(once)));
}

INSTANTIATE_TEST_SUITE_P(
    Runs, Determinism,
    testing::Values(Case{"examples/first-read.strace", 0x7c6434cdc60b75a0},
                    Case{"tests/transcripts/libaio-harness-5.strace", 0xc1b1e791227fb6f4},
                    Case{"tests/transcripts/ltp-io_submit03.strace", 0xde29628c87e0a21f}));

}  // namespace
}  // namespace kpath
