// SPDX-License-Identifier: Apache-2.0
#include "testing/golden.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "sim/trace/graph_reader_file.h"
#include "testing/side_by_side.h"

namespace kpath::testing {
namespace {

std::string Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool IsUpdating() { return Environment("KPATH_UPDATE_GOLDENS") == "1"; }

// Under `bazel run` the test's working directory holds links to the sources; the tree itself is
// where Bazel was called.
std::string PlaceToWrite(const std::string& path) {
  const std::string workspace = Environment("BUILD_WORKSPACE_DIRECTORY");
  return workspace.empty() ? path : absl::StrCat(workspace, "/", path);
}

// How the file is written by a person.
std::string HowToUpdate() {
  const std::string target = Environment("TEST_TARGET");
  if (target.empty()) return "KPATH_UPDATE_GOLDENS=1 in the environment of this test writes it";
  return absl::StrCat("to write it: KPATH_UPDATE_GOLDENS=1 bazel run ", target);
}

bool Write(const std::string& path, const std::string& text, std::ostream* os) {
  const std::string place = PlaceToWrite(path);
  std::ofstream file(place, std::ios::binary);
  file << text;
  file.close();
  if (os != nullptr && file.good()) *os << "which was written to " << place;
  if (os != nullptr && !file.good()) {
    *os << "which cannot be written to " << place << ": " << std::strerror(errno);
  }
  return file.good();
}

}  // namespace

bool CallGraphIsMatcher::MatchAndExplain(const Trace& trace, std::ostream* os) const {
  if (IsUpdating()) return Write(path_, trace.call_graph, os);
  const absl::StatusOr<std::string> golden = ReadTextFile(path_);
  if (!golden.ok()) {
    if (os != nullptr) {
      *os << "but there is none to compare with: " << golden.status().message() << " (a file among "
          << "the test's data?); " << HowToUpdate();
    }
    return false;
  }
  if (*golden == trace.call_graph) return true;
  if (os != nullptr) {
    *os << "which is another one; if that is meant, " << HowToUpdate() << "\n"
        << SideBySide("golden", *golden, "now", trace.call_graph);
  }
  return false;
}

void CallGraphIsMatcher::DescribeTo(std::ostream* os) const {
  *os << "has the call graph of " << path_;
}

void CallGraphIsMatcher::DescribeNegationTo(std::ostream* os) const {
  *os << "has another call graph than that of " << path_;
}

}  // namespace kpath::testing
