// SPDX-License-Identifier: Apache-2.0
//
// The expected texts follow ftrace's format byte by byte.
#include "sim/trace/graph_writer.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

class GraphWriterTest : public testing::Test {
 protected:
  GraphWriter Writer(const GraphWriterOptions& options = {}) {
    return GraphWriter([this](absl::string_view part) { absl::StrAppend(&text_, part); }, options);
  }

  // A leaf call of `duration_ns`, written.
  std::string Leaf(int64_t duration_ns, const GraphWriterOptions& options = {}) {
    text_.clear();
    GraphWriter writer = Writer(options);
    writer.Enter(0, "aio", 7, "f", 500);
    writer.Exit(0, 7, 500 + duration_ns);
    return text_;
  }

  std::string text_;
};

TEST_F(GraphWriterTest, NestsCallsAndCollapsesLeaves) {
  GraphWriter writer = Writer();
  writer.Enter(0, "aio", 7, "do_syscall_64", 0);
  writer.Enter(0, "aio", 7, "__x64_sys_io_destroy", 1000);
  writer.Enter(0, "aio", 7, "lookup_ioctx", 2000);
  writer.Exit(0, 7, 3250);
  writer.Annotate(0, 7, "EINVAL: no context at 0x1234");
  writer.Exit(0, 7, 5000);
  writer.Exit(0, 7, 12500);
  EXPECT_EQ(text_,
            " 0)               |  do_syscall_64() {\n"
            " 0)               |    __x64_sys_io_destroy() {\n"
            " 0)   1.250 us    |      lookup_ioctx();\n"
            " 0)               |      /* EINVAL: no context at 0x1234 */\n"
            " 0)   4.000 us    |    } /* __x64_sys_io_destroy */\n"
            " 0) + 12.500 us   |  } /* do_syscall_64 */\n");
}

TEST_F(GraphWriterTest, DurationsFillTheirColumn) {
  GraphWriterOptions options;
  options.overhead_marks = false;
  EXPECT_EQ(Leaf(0, options), " 0)   0.000 us    |  f();\n");
  EXPECT_EQ(Leaf(5858, options), " 0)   5.858 us    |  f();\n");
  EXPECT_EQ(Leaf(46799, options), " 0)   46.799 us   |  f();\n");
  EXPECT_EQ(Leaf(126226, options), " 0)   126.226 us  |  f();\n");
  EXPECT_EQ(Leaf(1153091, options), " 0)   1153.091 us |  f();\n");
  EXPECT_EQ(Leaf(18263419, options), " 0)   18263.41 us |  f();\n");
  EXPECT_EQ(Leaf(182634190, options), " 0)   182634.1 us |  f();\n");
  EXPECT_EQ(Leaf(2250704999, options), " 0)   2250704 us  |  f();\n");
  EXPECT_EQ(Leaf(22507049990, options), " 0)   22507049 us |  f();\n");
  EXPECT_EQ(Leaf(225070499900, options), " 0)   225070499 us |  f();\n");
}

TEST_F(GraphWriterTest, MarksLongDurations) {
  struct Case {
    int64_t limit_ns;
    char below;
    char above;
  };
  for (const Case& limit :
       {Case{10000, ' ', '+'}, Case{100000, '+', '!'}, Case{1000000, '!', '#'},
        Case{10000000, '#', '*'}, Case{100000000, '*', '@'}, Case{1000000000, '@', '$'}}) {
    EXPECT_EQ(Leaf(limit.limit_ns)[4], limit.below) << limit.limit_ns;
    EXPECT_EQ(Leaf(limit.limit_ns + 1)[4], limit.above) << limit.limit_ns;
  }
}

TEST_F(GraphWriterTest, MarksTheSwitchToAnotherTask) {
  GraphWriter writer = Writer();
  writer.Enter(0, "aio", 742, "schedule", 0);
  writer.Enter(0, "kworker/0:1", 5, "process_one_work", 1000);
  writer.Exit(0, 5, 2000);
  writer.Exit(0, 742, 3000);
  EXPECT_EQ(text_,
            " 0)               |  schedule() {\n"
            " ------------------------------------------\n"
            " 0)    aio-742     =>   kworker-5   \n"
            " ------------------------------------------\n"
            "\n"
            " 0)   1.000 us    |  process_one_work();\n"
            " ------------------------------------------\n"
            " 0)   kworker-5    =>    aio-742    \n"
            " ------------------------------------------\n"
            "\n"
            " 0)   3.000 us    |  } /* schedule */\n");
}

TEST_F(GraphWriterTest, WritesTheTaskColumn) {
  GraphWriterOptions options;
  options.task_column = true;
  GraphWriter writer = Writer(options);
  writer.Header();
  writer.Enter(0, "sh", 4802, "d_free", 0);
  writer.Exit(0, 4802, 1000);
  EXPECT_EQ(text_,
            "# tracer: function_graph\n"
            "#\n"
            "# CPU  TASK/PID         DURATION                  FUNCTION CALLS\n"
            "# |     |    |           |   |                     |   |   |   |\n"
            " 0)    sh-4802     |   1.000 us    |  d_free();\n");
}

TEST_F(GraphWriterTest, WritesTheHeader) {
  Writer().Header();
  EXPECT_EQ(text_,
            "# tracer: function_graph\n"
            "#\n"
            "# CPU  DURATION                  FUNCTION CALLS\n"
            "# |     |   |                     |   |   |   |\n");
}

TEST_F(GraphWriterTest, MarksInterrupts) {
  GraphWriter writer = Writer();
  writer.Enter(0, "aio", 7, "do_syscall_64", 0);
  writer.Enter(0, "aio", 7, "do_IRQ", 1000);
  writer.Enter(0, "aio", 7, "handle_irq", 2000);
  writer.Exit(0, 7, 3000);
  writer.Exit(0, 7, 4000);
  writer.Enter(0, "aio", 7, "do_nmi", 5000);
  writer.Exit(0, 7, 6000);
  EXPECT_EQ(text_,
            " 0)               |  do_syscall_64() {\n"
            " 0)   ==========> |\n"
            " 0)               |    do_IRQ() {\n"
            " 0)   1.000 us    |      handle_irq();\n"
            " 0)   3.000 us    |    } /* do_IRQ */\n"
            " 0)   <========== |\n"
            " 0)   ==========> |\n"
            " 0)   1.000 us    |    do_nmi();\n"
            " 0)   <========== |\n");
}

TEST_F(GraphWriterTest, CpuColumnIsAsWideAsTheLastCpu) {
  GraphWriterOptions options;
  options.cpus = 12;
  EXPECT_TRUE(absl::StartsWith(Leaf(1000, options), "  0)   1.000 us"));
  options.cpus = 10;
  EXPECT_TRUE(absl::StartsWith(Leaf(1000, options), " 0)   1.000 us"));
}

TEST_F(GraphWriterTest, ClosesWithBareBracesOnRequest) {
  GraphWriterOptions options;
  options.closing_names = false;
  GraphWriter writer = Writer(options);
  writer.Enter(0, "aio", 7, "f", 0);
  writer.Annotate(0, 7, "x");
  writer.Exit(0, 7, 1000);
  EXPECT_EQ(text_,
            " 0)               |  f() {\n"
            " 0)               |    /* x */\n"
            " 0)   1.000 us    |  }\n");
}

TEST_F(GraphWriterTest, FinishWritesWhatIsHeldBack) {
  GraphWriter writer = Writer();
  writer.Enter(0, "aio", 7, "schedule", 0);
  EXPECT_EQ(text_, "");
  writer.Finish();
  EXPECT_EQ(text_, " 0)               |  schedule() {\n");
  writer.Finish();
  EXPECT_EQ(text_, " 0)               |  schedule() {\n");
}

TEST_F(GraphWriterTest, CpusDoNotSplitEachOthersLeaves) {
  GraphWriterOptions options;
  options.cpus = 2;
  GraphWriter writer = Writer(options);
  writer.Enter(0, "a", 1, "f", 0);
  writer.Enter(1, "b", 2, "g", 0);
  writer.Exit(0, 1, 1000);
  writer.Exit(1, 2, 2000);
  EXPECT_EQ(text_,
            " 0)   1.000 us    |  f();\n"
            " 1)   2.000 us    |  g();\n");
}

TEST_F(GraphWriterTest, TaskThatMovesToAnotherCpuClosesItsCallThere) {
  GraphWriterOptions options;
  options.cpus = 2;
  GraphWriter writer = Writer(options);
  writer.Enter(0, "a", 1, "f", 0);
  writer.Exit(1, 1, 1000);
  EXPECT_EQ(text_,
            " 0)               |  f() {\n"
            " 1)   1.000 us    |  } /* f */\n");
}

TEST_F(GraphWriterTest, TaskWithoutANameIsWrittenAsFtraceDoes) {
  GraphWriterOptions options;
  options.task_column = true;
  GraphWriter writer = Writer(options);
  writer.Annotate(0, 7, "x");
  EXPECT_EQ(text_, " 0)    <...>-7     |               |  /* x */\n");
}

TEST_F(GraphWriterTest, ExitWithoutEntryIsPassedOver) {
  GraphWriter writer = Writer();
  writer.Exit(0, 7, 10);
  writer.Enter(0, "aio", 7, "f", 1000);
  writer.Exit(0, 7, 2000);
  EXPECT_EQ(text_, " 0)   1.000 us    |  f();\n");
}

}  // namespace
}  // namespace kpath
