// SPDX-License-Identifier: Apache-2.0
//
// Checks the sources of the whole project. Its BUILD rule runs it outside the sandbox: the link
// to WORKSPACE among its data leads to the project's root.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/tidy/exceptions.h"
#include "tests/tidy/rules.h"

namespace kpath::tidy {
namespace {

namespace fs = std::filesystem;

fs::path ProjectRoot() { return fs::canonical("WORKSPACE").parent_path(); }

// The sources under `root`, relative to it, in alphabetical order. Bazel's links and .git are left
// out.
std::vector<std::string> SourcesUnder(const fs::path& root) {
  std::vector<std::string> sources;
  auto entry = fs::recursive_directory_iterator(root);
  for (; entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->is_symlink() || entry->path().filename() == ".git") {
      entry.disable_recursion_pending();
      continue;
    }
    const std::string path = fs::relative(entry->path(), root).string();
    if (entry->is_regular_file() && IsSource(path)) sources.push_back(path);
  }
  std::sort(sources.begin(), sources.end());
  return sources;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(TidyTest, FindsTheProject) {
  const std::vector<std::string> sources = SourcesUnder(ProjectRoot());
  for (const char* known : {"WORKSPACE", "kpath", "bazel/kpath.bzl", "tests/tidy/tidy_test.cc"}) {
    EXPECT_TRUE(std::binary_search(sources.begin(), sources.end(), known)) << known;
  }
}

TEST(TidyTest, SourcesAreTidy) {
  const fs::path root = ProjectRoot();
  std::vector<Finding> findings;
  for (const std::string& path : SourcesUnder(root)) {
    const std::vector<Finding> found = CheckSource(path, ReadFile(root / path));
    findings.insert(findings.end(), found.begin(), found.end());
  }
  std::string report;
  for (const Finding& finding : Apply(Exceptions(), findings)) {
    absl::StrAppend(&report, ToString(finding), "\n");
  }
  if (!report.empty()) FAIL() << "\n" << report;
}

}  // namespace
}  // namespace kpath::tidy
