// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/graph_reader.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

// "a{b c{d}} e", with '?' behind a call whose entry was not seen and '!' behind one that did not
// return.
std::string Outline(const CallTree& calls, CallId first) {
  std::string text;
  for (CallId id = first; id != kNoCall; id = calls.node(id).next_sibling) {
    const CallNode& node = calls.node(id);
    absl::StrAppend(&text, text.empty() ? "" : " ", calls.name(id), node.entered ? "" : "?",
                    node.returned ? "" : "!");
    if (node.first_child != kNoCall) {
      absl::StrAppend(&text, "{", Outline(calls, node.first_child), "}");
    }
  }
  return text;
}

std::string Outline(const Graph& graph, size_t stream) {
  return Outline(graph.streams[stream].calls, graph.streams[stream].calls.first_root());
}

Graph Read(absl::string_view text) {
  absl::StatusOr<Graph> graph = ReadGraph(text, "t.graph");
  EXPECT_TRUE(graph.ok()) << graph.status().message();
  return graph.ok() ? *std::move(graph) : Graph();
}

std::string ErrorOf(absl::string_view text) {
  const absl::StatusOr<Graph> graph = ReadGraph(text, "t.graph");
  return graph.ok() ? "no error" : std::string(graph.status().message());
}

TEST(GraphReaderTest, ReadsCallsTimesAndLines) {
  const Graph graph = Read(
      "# a comment\n"
      " 0)               |  do_syscall_64() {\n"
      " 0)   2.073 us    |    lookup_ioctx();\n"
      "\n"
      " 0)               |    /* a remark */\n"
      " 0) + 18263.41 us |  } /* do_syscall_64 */\n"
      " 0)   2250704 us  |  f.isra.0();\n");
  ASSERT_EQ(graph.streams.size(), 1u);
  EXPECT_EQ(Outline(graph, 0), "do_syscall_64{lookup_ioctx} f.isra.0");
  const CallTree& calls = graph.streams[0].calls;
  EXPECT_EQ(calls.node(0).duration_ns, 18263410);
  EXPECT_EQ(calls.node(1).duration_ns, 2073);
  EXPECT_EQ(calls.node(2).duration_ns, 2250704000);
  EXPECT_EQ(calls.node(1).order, 3u);
  EXPECT_EQ(calls.node(1).start_ns, kUnknownTime);
}

TEST(GraphReaderTest, ReadsWithoutFinalLineFeedAndWithCarriageReturns) {
  EXPECT_EQ(Outline(Read(" 0)   1.000 us    |  f();"), 0), "f");
  EXPECT_EQ(Outline(Read(" 0)   1.000 us    |  f();\r\n"), 0), "f");
}

TEST(GraphReaderTest, ReadsAnEmptyText) { EXPECT_TRUE(Read("").streams.empty()); }

TEST(GraphReaderTest, ReadsBareClosingBraces) {
  EXPECT_EQ(Outline(Read(" 0)               |  f() {\n"
                         " 0)   1.000 us    |    g();\n"
                         " 0)   3.000 us    |  }\n"),
                    0),
            "f{g}");
}

TEST(GraphReaderTest, ReadsTheFormsOfLaterKernels) {
  EXPECT_EQ(Outline(Read(" 0)               |  f [xfs](a=1, b=(2)) {\n"
                         " 0)   1.000 us    |    g(); /* = 0x0 */\n"
                         " 0)   3.000 us    |  } /* f [xfs] ret=0 */\n"),
                    0),
            "f{g}");
}

TEST(GraphReaderTest, ReadsAbsoluteTimesAndAMissingCpuColumn) {
  const Graph graph = Read("   95.123456 |   1.000 us    |  f();\n");
  EXPECT_EQ(graph.streams[0].calls.node(0).start_ns, 95123456000);
}

TEST(GraphReaderTest, SplitsTasksBySwitchMarks) {
  const Graph graph = Read(
      " 0)               |  schedule() {\n"
      " 0)   1.000 us    |    update_rq_clock();\n"
      " ------------------------------------------\n"
      " 0)   aio-1-742    =>   kworker-5   \n"
      " ------------------------------------------\n"
      "\n"
      " 0)   1.000 us    |    finish_task_switch();\n"
      " 0)   1.000 us    |  } /* schedule */\n"
      " ------------------------------------------\n"
      " 0)   kworker-5    =>   aio-1-742   \n"
      " ------------------------------------------\n"
      "\n"
      " 0)   1.000 us    |    finish_task_switch();\n"
      " 0)   9.000 us    |  } /* schedule */\n");
  ASSERT_EQ(graph.streams.size(), 2u);
  EXPECT_EQ(graph.streams[0].comm, "aio-1");
  EXPECT_EQ(graph.streams[0].pid, 742);
  EXPECT_EQ(Outline(graph, 0), "schedule{update_rq_clock finish_task_switch}");
  EXPECT_EQ(graph.streams[1].comm, "kworker");
  EXPECT_EQ(Outline(graph, 1), "schedule?{finish_task_switch}");
}

TEST(GraphReaderTest, SplitsTasksByTheirColumn) {
  const Graph graph = Read(
      " 0)    a-1         |               |  f() {\n"
      " 0)    b-2         |   1.000 us    |  g();\n"
      " 1)    a-1         |   2.000 us    |    h();\n"
      " 1)    a-1         |   4.000 us    |  } /* f */\n");
  ASSERT_EQ(graph.streams.size(), 2u);
  EXPECT_EQ(Outline(graph, 0), "f{h}");
  EXPECT_EQ(graph.streams[0].calls.node(1).cpu, 1);
  EXPECT_EQ(Outline(graph, 1), "g");
}

TEST(GraphReaderTest, HeaderOfTheTracerMeansThatSwitchesAreMarked) {
  const std::string text =
      " 0)               |  schedule() {\n"
      " 0)   1.000 us    |    finish_task_switch();\n"
      " 0)   1.000 us    |  } /* schedule */\n";
  EXPECT_EQ(Read(text).streams.size(), 2u);
  EXPECT_EQ(Read(absl::StrCat("# tracer: function_graph\n", text)).streams.size(), 1u);
}

TEST(GraphReaderTest, CutsOutInterrupts) {
  const Graph graph = Read(
      " 0)               |  f() {\n"
      " 0)   ==========> |\n"
      " 0)               |    some_entry() {\n"
      " 0)               |      smp_apic_timer_interrupt() {\n"
      " 0)   1.000 us    |        g();\n"
      " 0)   1.000 us    |      }\n"
      " 0)   1.000 us    |    }\n"
      " 0)   <========== |\n"
      " 0)   1.000 us    |    h();\n"
      " 0)               |    do_IRQ() {\n"
      " 0)   1.000 us    |      handle_irq();\n"
      " 0)   1.000 us    |    }\n"
      " 0)   9.000 us    |  }\n");
  ASSERT_EQ(graph.streams.size(), 2u);
  EXPECT_EQ(Outline(graph, 0), "f{h}");
  EXPECT_EQ(graph.streams[1].kind, Stream::Kind::kInterrupt);
  EXPECT_EQ(Outline(graph, 1), "some_entry{smp_apic_timer_interrupt{g}} do_IRQ{handle_irq}");
}

TEST(GraphReaderTest, StartsAgainAfterLostEvents) {
  const Graph graph = Read(
      " 0)               |  f() {\n"
      "CPU:0 [LOST 12 EVENTS]\n"
      " 0)   1.000 us    |      g();\n"
      " 0)   1.000 us    |    } /* h */\n");
  ASSERT_EQ(graph.streams.size(), 2u);
  EXPECT_EQ(Outline(graph, 0), "f!");
  EXPECT_EQ(Outline(graph, 1), "?!{h?{g}}");
}

TEST(GraphReaderTest, LostEventsEndTheOpenCallsOfMarkedTasksOnThatCpu) {
  const Graph graph = Read(
      " 0)    a-1         |               |  f() {\n"
      " 1)    b-2         |               |  f() {\n"
      "CPU:0 [LOST 1 EVENTS]\n"
      " 0)    a-1         |   1.000 us    |  g();\n"
      " 1)    b-2         |   1.000 us    |    g();\n");
  ASSERT_EQ(graph.streams.size(), 2u);
  EXPECT_EQ(Outline(graph, 0), "f! g");
  EXPECT_EQ(Outline(graph, 1), "f!{g}");
}

// --- Tasks without marks -----------------------------------------------------------------------

TEST(UnmarkedTasksTest, ResumesTheTaskWhoseOpenCallsAreClosed) {
  const Graph graph = Read(
      " 0)               |  a() {\n"
      " 0)               |    schedule() {\n"
      " 0)   1.000 us    |      finish_task_switch();\n"  // as deep as the task that leaves
      " 0)   1.000 us    |    } /* io_schedule */\n"
      " 0)   1.000 us    |  } /* b */\n"
      " 0)               |  c() {\n"
      " 0)               |    schedule() {\n"
      " 0)   1.000 us    |      finish_task_switch();\n"
      " 0)   1.000 us    |    } /* schedule */\n"
      " 0)   1.000 us    |  } /* a */\n");
  ASSERT_EQ(graph.streams.size(), 2u);
  EXPECT_EQ(Outline(graph, 0), "a{schedule{finish_task_switch}}");
  EXPECT_EQ(Outline(graph, 1), "b?{io_schedule?{finish_task_switch}} c!{schedule!}");
}

// The second task was left later and its time would fit, but it waits in another function.
TEST(UnmarkedTasksTest, NamesDecideBeforeDurations) {
  const Graph graph = Read(
      " 0)               |  schedule() {\n"  // the first leaves at 0 us
      " 0)   100.000 us  |  finish_task_switch();\n"
      " 0)               |  schedule_idle() {\n"  // the second leaves at 100 us
      " 0)   1.000 us    |  finish_task_switch();\n"
      " 0)               |  schedule() {\n"  // the third leaves at 101 us
      " 0)   1.000 us    |    finish_task_switch();\n"
      " 0)   2.000 us    |  } /* schedule */\n");
  ASSERT_EQ(graph.streams.size(), 3u);
  EXPECT_EQ(Outline(graph, 0), "schedule{finish_task_switch}");
  EXPECT_EQ(Outline(graph, 1), "finish_task_switch schedule_idle!");
}

// Two tasks wait in schedule(): how long the one that comes was in it tells which it is.
TEST(UnmarkedTasksTest, OfEqualTasksTheDurationDecides) {
  const std::string text =
      " 0)               |  schedule() {\n"  // the first leaves at 0 us
      " 0)   10.000 us   |  finish_task_switch();\n"
      " 0)   90.000 us   |  second();\n"
      " 0)               |  schedule() {\n"  // the second leaves at 100 us
      " 0)   1.000 us    |  finish_task_switch();\n"
      " 0)               |  third() {\n"
      " 0)   50.000 us   |  } /* third */\n"
      " 0)               |  schedule_idle() {\n"  // the third leaves at 151 us
      " 0)   1.000 us    |    finish_task_switch();\n";
  const Graph first = Read(absl::StrCat(text, " 0)   155.000 us  |  } /* schedule */\n"));
  EXPECT_EQ(Outline(first, 0), "schedule{finish_task_switch}");
  const Graph second = Read(absl::StrCat(text, " 0)   55.000 us   |  } /* schedule */\n"));
  EXPECT_EQ(Outline(second, 0), "schedule!");
  EXPECT_EQ(Outline(second, 1), "finish_task_switch second schedule{finish_task_switch}");
}

TEST(UnmarkedTasksTest, NewProcessBeginsWithScheduleTail) {
  const Graph graph = Read(
      " 0)               |  a() {\n"
      " 0)               |    schedule() {\n"
      " 0)               |  schedule_tail() {\n"
      " 0)   1.000 us    |    finish_task_switch();\n"
      " 0)   2.000 us    |  } /* schedule_tail */\n"
      " 0)               |  schedule() {\n"
      " 0)   1.000 us    |      finish_task_switch();\n"
      " 0)   8.000 us    |    } /* schedule */\n"
      " 0)   9.000 us    |  } /* a */\n");
  ASSERT_EQ(graph.streams.size(), 2u);
  EXPECT_EQ(Outline(graph, 0), "a{schedule{finish_task_switch}}");
  EXPECT_EQ(Outline(graph, 1), "schedule_tail{finish_task_switch} schedule!");
}

// --- Errors ------------------------------------------------------------------------------------

TEST(GraphReaderErrorTest, NamesLineColumnAndExpectation) {
  EXPECT_EQ(ErrorOf("hello\n"),
            "t.graph:1:1: expected a duration column that ends with '|', found 'hello'");
  EXPECT_EQ(ErrorOf(" 0)   1.000 us    |  f();\n 0)   1.000 ms    |  f();\n"),
            "t.graph:2:7: expected a duration like '5.858 us' or a task like 'bash-742', found "
            "'1.000 ms'");
  EXPECT_EQ(ErrorOf(" 0)   1.000 us    |  f() ;\n"),
            "t.graph:1:22: expected 'NAME() {', 'NAME();', '}' or '/* remark */', found 'f() ;'");
  EXPECT_EQ(ErrorOf(" 0)   1.000 us    |  } f\n"),
            "t.graph:1:22: expected '}' or '} /* NAME */', found '} f'");
  EXPECT_EQ(ErrorOf(" 0)   1.000 us    |\n"),
            "t.graph:1:20: expected a function after the duration column");
  EXPECT_EQ(ErrorOf(" 0)   1.000 us    |   f();\n"),
            "t.graph:1:23: expected 2 spaces after '|' and 2 for each level, found 3");
  EXPECT_EQ(ErrorOf(" 0)  a-1  =>  b\n"),
            "t.graph:1:6: expected 'COMM-PID => COMM-PID', found 'a-1  =>  b'");
  EXPECT_EQ(ErrorOf("CPU:x [LOST]\n"),
            "t.graph:1:1: expected 'CPU:N [LOST N EVENTS]', found 'CPU:x [LOST]'");
}

TEST(GraphReaderErrorTest, WrongIndentation) {
  EXPECT_EQ(ErrorOf(" 0)               |  f() {\n 0)   1.000 us    |      g();\n"),
            "t.graph:2:26: indented by 4 spaces, expected 2 (inside f())");
  EXPECT_EQ(ErrorOf(" 0)   1.000 us    |  f();\n 0)   1.000 us    |    g();\n"),
            "t.graph:2:24: indented by 2 spaces, expected 0 (outside of all calls)");
  EXPECT_EQ(ErrorOf(" 0)   1.000 us    |  f();\n 0)   1.000 us    |  }\n"),
            "t.graph:2:22: '}' closes nothing, expected a call");
}

TEST(GraphReaderErrorTest, WrongClosingName) {
  EXPECT_EQ(ErrorOf(" 0)               |  f() {\n 0)   1.000 us    |  } /* g */\n"),
            "t.graph:2:22: '} /* g */' closes another function, expected f, entered in line 1");
}

TEST(GraphReaderErrorTest, HugeIndentationIsRefused) {
  const std::string line = absl::StrCat(" 0)   1.000 us    |", std::string(40000, ' '), "f();\n");
  EXPECT_EQ(ErrorOf(line), "t.graph:1:40020: expected at most 1000 levels, found 19999");
}

TEST(GraphReaderErrorTest, ControlCharactersAreNotPrinted) {
  EXPECT_EQ(ErrorOf("a\x1b[31mb\n"),
            "t.graph:1:1: expected a duration column that ends with '|', found 'a?[31mb'");
}

TEST(GraphReaderErrorTest, MissingFile) {
  const absl::StatusOr<Graph> graph = LoadGraph("no/such.graph");
  ASSERT_FALSE(graph.ok());
  EXPECT_EQ(graph.status().message(), "no/such.graph: cannot read: No such file or directory");
}

}  // namespace
}  // namespace kpath
