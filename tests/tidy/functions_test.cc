// SPDX-License-Identifier: Apache-2.0

#include "tests/tidy/functions.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace kpath::tidy {
namespace {

// "name@first_line+lines ..." of the functions in `code`.
std::string Found(absl::string_view code) {
  std::vector<std::string> words;
  for (const Function& function : FindFunctions(code)) {
    words.push_back(absl::StrCat(function.name, "@", function.first_line, "+", function.lines));
  }
  return absl::StrJoin(words, " ");
}

TEST(FindFunctionsTest, FindsPlainFunctions) {
  EXPECT_EQ(Found("int f() { return 1; }\n\nint g(int a,\n      int b) {\n  return a;\n}\n"),
            "f@1+1 g@3+4");
}

TEST(FindFunctionsTest, FindsMembersInClassesAndNamespaces) {
  EXPECT_EQ(
      Found("namespace a {\nclass B : public C {\n public:\n  int f() const {\n    return 1;\n"
            "  }\n};\nint B::g() { return 2; }\n}\n"),
      "f@4+3 B::g@8+1");
}

TEST(FindFunctionsTest, CountsInnerBlocksAndLambdas) {
  EXPECT_EQ(
      Found("void f() {\n  if (a) {\n    b = [] {\n      c();\n    };\n  }\n}\nvoid g() {}\n"),
      "f@1+7 g@8+1");
}

TEST(FindFunctionsTest, FindsConstructorsWithInitializers) {
  EXPECT_EQ(Found("B::B(int a) : a_(a), b_{1} {\n  c();\n}\nvoid g() {}\n"), "B::B@1+3 g@4+1");
}

TEST(FindFunctionsTest, FindsOperatorsAndDefaultArguments) {
  EXPECT_EQ(Found("bool operator==(A a, A b) { return true; }\nvoid f(int a = 1) {}\n"),
            "operator==@1+1 f@2+1");
}

TEST(FindFunctionsTest, FindsTests) {
  EXPECT_EQ(Found("TEST(Ring, Wraps) {\n  f();\n}\n"), "TEST@1+3");
}

TEST(FindFunctionsTest, FindsFunctionsThatReturnAStruct) {
  EXPECT_EQ(Found("struct timespec f() {\n}\n"), "f@1+2");
}

TEST(FindFunctionsTest, PassesOverTypesTablesAndDeclarations) {
  EXPECT_EQ(
      Found("struct A {\n  int a = 1;\n  int b{2};\n};\nconst int t[] = {\n  f(1),\n  g({2}),\n"
            "};\nenum class E { kA };\nvoid f();\nclass CAPABILITY(\"x\") M {\n};\n"),
      "");
}

TEST(FindFunctionsTest, SeesThroughTemplates) {
  EXPECT_EQ(Found("template <typename T = A<int>>\nclass B {\n  void f() {\n  }\n};\n"
                  "template <int n = 1>\nvoid g() {\n}\n"),
            "f@3+2 g@6+3");
}

TEST(FindFunctionsTest, PassesOverLambdasInVariables) {
  EXPECT_EQ(Found("const auto f = [](int a) {\n  if (a) {\n  }\n  for (;;) {\n  }\n};\n"), "");
}

TEST(FindFunctionsTest, PassesOverDirectives) {
  EXPECT_EQ(Found("#define OPEN() {\n#define BOTH(a) \\\n  f(a) {\nint g() { return 1; }\n"),
            "g@4+1");
}

}  // namespace
}  // namespace kpath::tidy
