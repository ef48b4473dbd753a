// SPDX-License-Identifier: Apache-2.0
//
// For tests: the built program as a user calls it, and outputs that are stored.
//
//   const Ran ran = Shell("$kpath run examples/first-read.strace");
//   EXPECT_EQ(ran.status, 0);
//   EXPECT_EQ(FirstDifference(stored, ran.out), "");
//
// A test that keeps stored outputs calls Main with what makes them anew.
#pragma once

#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace kpath {

inline std::string TempPath(const std::string& name) {
  return absl::StrCat(testing::TempDir(), "/", name);
}

// All of a file, whatever its bytes are; empty if it cannot be read.
inline std::string Slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Makes a file in the test's own folder; returns its path.
inline std::string Make(const std::string& name, const std::string& text) {
  const std::string path = TempPath(name);
  std::ofstream(path) << text;
  return path;
}

struct Ran {
  int status = -1;  // -1: it was ended by a signal
  std::string out;
  std::string err;
};

// Runs a line of shell in which $kpath is the program.
inline Ran Shell(const std::string& line) {
  const std::string out = TempPath("stdout"), err = TempPath("stderr");
  const int status = std::system(
      absl::StrCat("kpath=tools/kpath/kpath; { ", line, "\n} >", out, " 2>", err).c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, Slurp(out), Slurp(err)};
}

// The first line in which the two differ, with both sides; empty if they are equal.
inline std::string FirstDifference(const std::string& stored, const std::string& now) {
  const std::vector<std::string> a = absl::StrSplit(stored, '\n'), b = absl::StrSplit(now, '\n');
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const std::string was = i < a.size() ? a[i] : "(end)", is = i < b.size() ? b[i] : "(end)";
    if (was != is) return absl::StrCat("line ", i + 1, "\n  was: ", was, "\n  is:  ", is);
  }
  return "";
}

// main() of a test with stored outputs. With --update, `update` writes them in the user's own tree
// at `root`, not in Bazel's, and returns the exit status. `label` is the test's.
inline int Main(int argc, char** argv, const char* label,
                const std::function<int(const std::string& root)>& update) {
  testing::InitGoogleTest(&argc, argv);
  if (argc < 2 || std::strcmp(argv[1], "--update") != 0) return RUN_ALL_TESTS();
  const char* root = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (root != nullptr) return update(root);
  std::fprintf(stderr, "use: bazel-4 run %s -- --update\n", label);
  return 2;
}

}  // namespace kpath
