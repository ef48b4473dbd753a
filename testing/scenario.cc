// SPDX-License-Identifier: Apache-2.0
#include "testing/scenario.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "sim/trace/graph_reader_file.h"
#include "tools/transcript/replay/replayer.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath::testing {

size_t ExpectLegal(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(path);
  if (text.ok()) return ExpectLegalText(path, *text);
  ADD_FAILURE() << text.status().message() << " (a file among the test's data?)";
  return 0;
}

size_t ExpectLegalText(const std::string& name, absl::string_view text) {
  const absl::StatusOr<strace::Transcript> transcript =
      strace::ParseTranscript(name, std::string(text));
  if (!transcript.ok()) {
    ADD_FAILURE() << transcript.status().message();
    return 0;
  }
  if (transcript->calls.empty()) {
    ADD_FAILURE() << name << ": there is no system call in it";
    return 0;
  }
  const absl::StatusOr<std::unique_ptr<Replayer>> replayer = Replayer::Create(*transcript, {});
  if (!replayer.ok()) {
    ADD_FAILURE() << replayer.status().message();
    return 0;
  }
  const ReplayReport report = (*replayer)->Run();
  for (const IllegalResult& illegal : report.illegal) ADD_FAILURE() << ToString(illegal, name);
  if (!report.kernel_report.empty()) {
    std::string during;
    for (const auto& [line, call] : report.kernel_report_during) {
      absl::StrAppend(&during, name, ":", line, ": ", call, "\n");
    }
    ADD_FAILURE() << during << "the simulated kernel reports:\n" << report.kernel_report;
  }
  return report.legal;
}

}  // namespace kpath::testing
