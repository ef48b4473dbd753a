// SPDX-License-Identifier: Apache-2.0
//
// CallGraphIs: a golden file that is there, one that is not, one that differs, and writing it.
// testing/testdata/io_submit.graph is written by
//
//   KPATH_UPDATE_GOLDENS=1 bazel-4 run //testing:golden_test
#include "testing/golden.h"

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sim/trace/graph_reader.h"
#include "sim/trace/graph_reader_file.h"
#include "testing/kpath.h"

namespace kpath::testing {
namespace {

constexpr char kGolden[] = "testing/testdata/io_submit.graph";

// What the test is called with is put back.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    const char* const old = std::getenv(name);
    had_ = old != nullptr;
    if (had_) old_ = old;
    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  }
  ~Environment() { had_ ? setenv(name_, old_.c_str(), 1) : unsetenv(name_); }

 private:
  const char* const name_;
  bool had_;
  std::string old_;
};

std::string Explain(const CallGraphIsMatcher& matcher, const Trace& trace) {
  ::testing::StringMatchResultListener listener;
  ::testing::Matcher<const Trace&>(matcher).MatchAndExplain(trace, &listener);
  return listener.str();
}

// io_submit of a read from a descriptor that is not open.
RecordedCall RefusedSubmit() {
  RecordedCall call;
  Machine machine;
  machine.Run([&] {
    user::Arena arena;
    const auto ctx = arena.New<user::io_context_t>();
    user::io_setup(8, ctx);
    const auto iocbs = arena.Put(arena.Put(user::PreadIocb(9, arena.Bytes(512), 512, 0)));
    const user::io_context_t id = ctx.Load();
    call = Call([&] { return user::io_submit(id, 1, iocbs); });
  });
  return call;
}

std::string WithoutLineOf(const std::string& name, const std::string& text) {
  const size_t at = text.find(name);
  const size_t begin = text.rfind('\n', at) + 1, end = text.find('\n', at) + 1;
  return text.substr(0, begin) + text.substr(end);
}

TEST(CallGraphIs, TheGoldenOne) { EXPECT_THAT(RefusedSubmit(), CallGraphIs(kGolden)); }

TEST(CallGraphIs, ShowsADifferenceSideBySide) {
  const Environment no_update("KPATH_UPDATE_GOLDENS", nullptr);
  const Environment target("TEST_TARGET", "//testing:golden_test");
  Trace other = RefusedSubmit();
  other.call_graph = absl::StrReplaceAll(WithoutLineOf("put_reqs_available", other.call_graph),
                                         {{"__fget();", "__fget_light();"}});
  EXPECT_THAT(other, Not(CallGraphIs(kGolden)));
  const std::string text = Explain(CallGraphIs(kGolden), other);
  EXPECT_THAT(text, ::testing::StartsWith("which is another one; if that is meant, to write it: "
                                          "KPATH_UPDATE_GOLDENS=1 bazel run "
                                          "//testing:golden_test\n"));
  EXPECT_THAT(text, ::testing::ContainsRegex("__fget\\(\\); +\\|.*__fget_light\\(\\);\n"));
  EXPECT_THAT(text, ::testing::ContainsRegex("put_reqs_available\\(\\); +<\n"));
  EXPECT_THAT(text, HasSubstr(" equal\n"));
}

TEST(CallGraphIs, TellsThatThereIsNoFile) {
  const Environment no_update("KPATH_UPDATE_GOLDENS", nullptr);
  const Environment target("TEST_TARGET", "//my:test");
  EXPECT_EQ(Explain(CallGraphIs("no/such.graph"), Trace()),
            "but there is none to compare with: no/such.graph: cannot read: No such file or "
            "directory (a file among the test's data?); to write it: KPATH_UPDATE_GOLDENS=1 bazel "
            "run //my:test");
}

TEST(CallGraphIs, WritesIntoTheSourceTree) {
  const std::string folder = ::testing::TempDir();
  const Environment update("KPATH_UPDATE_GOLDENS", "1");
  const Environment workspace("BUILD_WORKSPACE_DIRECTORY", folder.c_str());
  const RecordedCall call = RefusedSubmit();
  EXPECT_THAT(call, CallGraphIs("new.graph"));
  const absl::StatusOr<std::string> written = ReadTextFile(absl::StrCat(folder, "/new.graph"));
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(*written, call.call_graph);
  EXPECT_THAT(Explain(CallGraphIs("no_such_folder/new.graph"), call),
              ::testing::MatchesRegex("which cannot be written to .*: No such file or directory"));
}

TEST(CallGraphIs, DescribesItself) {
  std::ostringstream text, negation;
  CallGraphIs("a.graph").DescribeTo(&text);
  CallGraphIs("a.graph").DescribeNegationTo(&negation);
  EXPECT_EQ(text.str(), "has the call graph of a.graph");
  EXPECT_EQ(negation.str(), "has another call graph than that of a.graph");
}

// The file is one that `kpath compare` reads.
TEST(CallGraphIs, IsWrittenAsAFunctionGraph) {
  const RecordedCall call = RefusedSubmit();
  const absl::StatusOr<Graph> graph = ReadGraph(call.call_graph, "golden");
  ASSERT_TRUE(graph.ok()) << graph.status();
  ASSERT_EQ(graph->streams.size(), 1);
  const CallTree& calls = graph->streams[0].calls;
  EXPECT_EQ(calls.name(calls.first_root()), "do_syscall_64");
  int submits = 0;
  for (CallId id = calls.first_root(); id != kNoCall; id = calls.Next(id, kNoCall)) {
    submits += calls.name(id) == "io_submit_one";
  }
  EXPECT_EQ(submits, 1);
}

}  // namespace
}  // namespace kpath::testing
