// SPDX-License-Identifier: Apache-2.0
#include "tests/judges/replay_text.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/trace/call_tree_builder.h"
#include "sim/trace/graph_reader_file.h"
#include "sim/trace/graph_writer.h"

namespace kpath {

std::string ReadOrFail(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(path);
  EXPECT_TRUE(text.ok()) << text.status();
  return *text;
}

namespace {

ReplayReport Run(const std::string& name, const std::string& text, CallEvents* calls) {
  const auto transcript = strace::ParseTranscript(name, text);
  EXPECT_TRUE(transcript.ok()) << transcript.status();
  ReplayOptions options;
  options.calls = calls;
  auto replayer = Replayer::Create(*transcript, options);
  EXPECT_TRUE(replayer.ok()) << replayer.status();
  return (*replayer)->Run();
}

}  // namespace

ReplayReport ReplayText(const std::string& name, const std::string& text) {
  return Run(name, text, nullptr);
}

Replayed ReplayWithGraph(const std::string& name, const std::string& text) {
  Replayed replayed;
  GraphWriter writer(
      [&replayed](absl::string_view part) { absl::StrAppend(&replayed.graph, part); }, {});
  replayed.report = Run(name, text, &writer);
  writer.Finish();
  return replayed;
}

Graph GraphOfScenario(const std::string& path) {
  GraphBuilder builder;
  EXPECT_TRUE(Run(path, ReadOrFail(path), &builder).AllLegal());
  return builder.Take();
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
