// SPDX-License-Identifier: Apache-2.0
#include "tests/judges/replay_text.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/trace/graph_reader_file.h"

namespace kpath {

std::string ReadOrFail(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(path);
  EXPECT_TRUE(text.ok()) << text.status();
  return *text;
}

ReplayReport ReplayText(const std::string& name, const std::string& text) {
  const auto transcript = strace::ParseTranscript(name, text);
  EXPECT_TRUE(transcript.ok()) << transcript.status();
  auto replayer = Replayer::Create(*transcript, {});
  EXPECT_TRUE(replayer.ok()) << replayer.status();
  return (*replayer)->Run();
}

std::string Refusal(const std::string& name, const std::string& text) {
  const auto transcript = strace::ParseTranscript(name, text);
  if (!transcript.ok()) return std::string(transcript.status().message());
  return std::string(Replayer::Create(*transcript, {}).status().message());
}

std::string Describe(const ReplayReport& report) {
  std::string text = report.kernel_report;
  for (const IllegalResult& i : report.illegal) {
    absl::StrAppend(&text, "\n", i.line, ": ", i.call, "\n  recorded ", i.recorded, ", simulated ",
                    i.simulated, ": ", i.reason);
  }
  return text;
}

}  // namespace kpath
