// SPDX-License-Identifier: Apache-2.0

#include "tests/tidy/rules.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tests/tidy/code_text.h"
#include "tests/tidy/functions.h"

namespace kpath::tidy {
namespace {

// A file as the rules see it.
struct Source {
  absl::string_view path;
  std::vector<absl::string_view> lines;
  std::string code;                           // without comments and literals; C++ only
  std::vector<absl::string_view> code_lines;  // of `code`
};

class Findings {
 public:
  explicit Findings(const Source& source) : source_(source) {}

  void Add(int line, absl::string_view rule, absl::string_view what, absl::string_view text) {
    findings_.push_back(
        {std::string(source_.path), line, std::string(rule), std::string(what), std::string(text)});
  }
  std::vector<Finding> Take() { return std::move(findings_); }

 private:
  const Source& source_;
  std::vector<Finding> findings_;
};

bool IsCpp(absl::string_view path) {
  return absl::EndsWith(path, ".cc") || absl::EndsWith(path, ".h");
}

absl::string_view BaseName(absl::string_view path) { return path.substr(path.rfind('/') + 1); }

int Columns(absl::string_view line) {
  return static_cast<int>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // not inside a UTF-8 character
  }));
}

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// The position of `word` in `line` where no longer word contains it, or npos.
size_t FindWord(absl::string_view line, absl::string_view word) {
  for (size_t at = line.find(word); at != absl::string_view::npos; at = line.find(word, at + 1)) {
    const size_t end = at + word.size();
    const bool begins = at == 0 || !IsWordCharacter(line[at - 1]);
    const bool ends = end == line.size() || !IsWordCharacter(line[end]);
    if (begins && ends) return at;
  }
  return absl::string_view::npos;
}

bool HasWord(absl::string_view line, absl::string_view word) {
  return FindWord(line, word) != absl::string_view::npos;
}

// `word` as the name of a function that is called: followed by a parenthesis, and not the member
// of an object, as in `choices.rand()`.
bool HasCall(absl::string_view line, absl::string_view word) {
  const size_t at = FindWord(line, word);
  if (at == absl::string_view::npos) return false;
  const absl::string_view before = line.substr(0, at);
  if (absl::EndsWith(before, ".") || absl::EndsWith(before, "->")) return false;
  return absl::StartsWith(absl::StripLeadingAsciiWhitespace(line.substr(at + word.size())), "(");
}

void CheckLicense(const Source& source, Findings& findings) {
  constexpr absl::string_view kLicense = " SPDX-License-Identifier: Apache-2.0";
  for (size_t i = 0; i < std::min<size_t>(2, source.lines.size()); ++i) {
    if (absl::EndsWith(source.lines[i], kLicense)) return;
  }
  findings.Add(1, "license", "", absl::StrCat("no first line `//", kLicense, "`"));
}

void CheckPragmaOnce(const Source& source, Findings& findings) {
  if (!absl::EndsWith(source.path, ".h")) return;
  if (absl::StrContains(source.code, "#pragma once")) return;
  findings.Add(1, "pragma_once", "", "a header without `#pragma once`");
}

void CheckLineLength(const Source& source, Findings& findings) {
  for (size_t i = 0; i < source.lines.size(); ++i) {
    const int columns = Columns(source.lines[i]);
    if (columns <= kMaxColumns) continue;
    findings.Add(static_cast<int>(i) + 1, "line_length", "",
                 absl::StrCat(columns, " columns, at most ", kMaxColumns, " expected"));
  }
}

void CheckFileLength(const Source& source, Findings& findings) {
  const int lines = static_cast<int>(source.lines.size());
  if (lines <= kMaxFileLines) return;
  findings.Add(lines, "file_length", "",
               absl::StrCat(lines, " lines, at most ", kMaxFileLines, " expected"));
}

void CheckFunctionLength(const Source& source, Findings& findings) {
  for (const Function& function : FindFunctions(source.code)) {
    if (function.lines <= kMaxFunctionLines) continue;
    findings.Add(function.first_line, "function_length", function.name,
                 absl::StrCat(function.name, " has ", function.lines, " lines, at most ",
                              kMaxFunctionLines, " expected"));
  }
}

// A condition on being under test: `if (testing)`, `if (!config.is_testing)`.
void CheckTestingBranch(const Source& source, Findings& findings) {
  for (size_t i = 0; i < source.code_lines.size(); ++i) {
    const std::string line = absl::AsciiStrToLower(source.code_lines[i]);
    if (!HasWord(line, "if") && !HasWord(line, "while") && !absl::StrContains(line, "?")) continue;
    for (absl::string_view word : {"testing", "testing_", "is_testing", "istesting", "in_test",
                                   "intest", "is_test", "istest", "under_test", "undertest"}) {
      const size_t at = FindWord(line, word);
      if (at == absl::string_view::npos) continue;
      if (absl::StartsWith(line.substr(at + word.size()), "::"))
        continue;  // GoogleTest's namespace
      findings.Add(static_cast<int>(i) + 1, "testing_branch", word,
                   "code must not ask whether it is under test; inject the difference instead");
    }
  }
}

void CheckStringView(const Source& source, Findings& findings) {
  for (size_t i = 0; i < source.code_lines.size(); ++i) {
    if (!HasWord(source.code_lines[i], "std::string_view")) continue;
    findings.Add(static_cast<int>(i) + 1, "string_view", "std::string_view",
                 "std::string_view, absl::string_view expected");
  }
}

// A run must be the same on every host and at every time.
void CheckHostState(const Source& source, Findings& findings) {
  for (size_t i = 0; i < source.code_lines.size(); ++i) {
    const absl::string_view line = source.code_lines[i];
    const auto add = [&findings, i](absl::string_view what) {
      findings.Add(static_cast<int>(i) + 1, "host_state", what,
                   absl::StrCat(what, " reads the host's clock or random numbers"));
    };
    // Not random(): a seeded engine is often named so.
    for (absl::string_view call :
         {"rand", "srand", "drand48", "rand_r", "getrandom", "gettimeofday", "time", "clock",
          "clock_gettime", "absl::Now", "absl::GetCurrentTimeNanos"}) {
      if (HasCall(line, call)) add(call);
    }
    for (absl::string_view word : {"random_device", "rdtsc", "__rdtsc", "absl::BitGen",
                                   "system_clock", "steady_clock", "high_resolution_clock"}) {
      if (HasWord(line, word)) add(word);
    }
  }
}

std::vector<absl::string_view> Lines(absl::string_view text) {
  return absl::StrSplit(absl::StripSuffix(text, "\n"), '\n');
}

}  // namespace

std::string ToString(const Finding& finding) {
  return absl::StrCat(finding.path, ":", finding.line, ": [", finding.rule, "] ", finding.text);
}

bool IsSource(absl::string_view path) {
  const absl::string_view name = BaseName(path);
  for (absl::string_view ending : {".cc", ".h", ".bzl", ".sh", ".py", ".BUILD", ".tbl"}) {
    if (absl::EndsWith(name, ending)) return true;
  }
  for (absl::string_view whole :
       {"BUILD", "WORKSPACE", ".bazelrc", ".gitignore", ".clang-format", ".clang-tidy", "kpath"}) {
    if (name == whole) return true;
  }
  return path == ".ci/run";
}

std::vector<Finding> CheckSource(absl::string_view path, absl::string_view text) {
  Source source;
  source.path = path;
  source.lines = Lines(text);
  Findings findings(source);
  CheckLicense(source, findings);
  CheckFileLength(source, findings);
  if (!IsCpp(path)) return findings.Take();

  source.code = BlankCommentsAndLiterals(text);
  source.code_lines = Lines(source.code);
  CheckPragmaOnce(source, findings);
  CheckLineLength(source, findings);
  CheckFunctionLength(source, findings);
  CheckTestingBranch(source, findings);
  CheckStringView(source, findings);
  CheckHostState(source, findings);
  return findings.Take();
}

}  // namespace kpath::tidy
