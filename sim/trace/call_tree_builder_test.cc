// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/call_tree_builder.h"

#include "gtest/gtest.h"

namespace kpath {
namespace {

const CallNode& Root(const Graph& graph, size_t stream) {
  const CallTree& calls = graph.streams[stream].calls;
  return calls.node(calls.first_root());
}

TEST(GraphBuilderTest, NestsCallsAndKeepsTimes) {
  GraphBuilder builder;
  builder.Enter(0, "aio", 7, "do_syscall_64", 1000);
  builder.Enter(0, "aio", 7, "lookup_ioctx", 1200);
  builder.Exit(0, 7, 1300);
  builder.Exit(0, 7, 2000);
  const Graph graph = builder.Take();

  ASSERT_EQ(graph.streams.size(), 1u);
  EXPECT_EQ(graph.streams[0].comm, "aio");
  EXPECT_EQ(graph.streams[0].pid, 7);
  const CallTree& calls = graph.streams[0].calls;
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(Root(graph, 0).start_ns, 1000);
  EXPECT_EQ(Root(graph, 0).duration_ns, 1000);
  EXPECT_TRUE(Root(graph, 0).returned);
  EXPECT_EQ(calls.node(1).parent, 0u);
  EXPECT_EQ(calls.node(1).duration_ns, 100);
  EXPECT_EQ(calls.node(1).order, 2u);
}

TEST(GraphBuilderTest, KeepsTasksApart) {
  GraphBuilder builder;
  builder.Enter(0, "aio", 7, "schedule", 0);
  builder.Enter(0, "kworker/0:1", 9, "process_one_work", 10);
  builder.Exit(0, 9, 20);
  builder.Exit(1, 7, 30);  // it came back on another CPU
  const Graph graph = builder.Take();
  ASSERT_EQ(graph.streams.size(), 2u);
  EXPECT_EQ(Root(graph, 0).duration_ns, 30);
  EXPECT_EQ(Root(graph, 0).first_child, kNoCall);
  EXPECT_EQ(graph.streams[1].comm, "kworker/0:1");
}

TEST(GraphBuilderTest, EveryCpuHasItsOwnIdleTask) {
  GraphBuilder builder;
  builder.Enter(0, "swapper/0", 0, "do_idle", 0);
  builder.Enter(1, "swapper/1", 0, "do_idle", 0);
  EXPECT_EQ(builder.Take().streams.size(), 2u);
}

TEST(GraphBuilderTest, CutsInterruptsOutOfTheInterruptedCall) {
  GraphBuilder builder;
  builder.Enter(0, "aio", 7, "do_syscall_64", 0);
  builder.Enter(0, "aio", 7, "do_IRQ", 10);
  builder.Enter(0, "aio", 7, "handle_irq", 11);
  builder.Enter(0, "aio", 7, "smp_apic_timer_interrupt", 12);  // inside the first one
  for (int i = 0; i < 3; ++i) builder.Exit(0, 7, 20 + i);
  builder.Enter(0, "aio", 7, "lookup_ioctx", 30);
  builder.Exit(0, 7, 31);
  builder.Exit(0, 7, 40);
  const Graph graph = builder.Take();

  ASSERT_EQ(graph.streams.size(), 2u);
  const CallTree& task = graph.streams[0].calls;
  ASSERT_EQ(task.size(), 2u);
  EXPECT_EQ(task.name(1), "lookup_ioctx");
  EXPECT_EQ(graph.streams[1].kind, Stream::Kind::kInterrupt);
  const CallTree& interrupts = graph.streams[1].calls;
  ASSERT_EQ(interrupts.size(), 3u);
  EXPECT_EQ(interrupts.node(1).parent, 0u);       // handle_irq in do_IRQ
  EXPECT_EQ(interrupts.node(2).parent, kNoCall);  // a tree of its own
  EXPECT_EQ(interrupts.node(0).next_sibling, 2u);
}

TEST(GraphBuilderTest, SecondHalfOfAnEntryStaysInside) {
  GraphBuilder builder;
  builder.Enter(0, "aio", 7, "common_interrupt", 0);
  builder.Enter(0, "aio", 7, "do_IRQ", 1);
  const Graph graph = builder.Take();
  EXPECT_EQ(graph.streams[1].calls.node(1).parent, 0u);
}

TEST(GraphBuilderTest, CallsThatDidNotReturnStayOpen) {
  GraphBuilder builder;
  builder.Enter(0, "aio", 7, "schedule", 0);
  const Graph graph = builder.Take();
  EXPECT_FALSE(Root(graph, 0).returned);
  EXPECT_EQ(Root(graph, 0).duration_ns, kUnknownTime);
}

TEST(GraphBuilderTest, ExitWithoutEntryIsPassedOver) {
  GraphBuilder builder;
  builder.Exit(0, 7, 5);
  builder.Enter(0, "aio", 7, "schedule", 10);
  builder.Exit(0, 7, 20);
  builder.Exit(0, 7, 30);
  const Graph graph = builder.Take();
  ASSERT_EQ(graph.streams.size(), 1u);
  EXPECT_EQ(Root(graph, 0).duration_ns, 10);
}

TEST(GraphBuilderTest, IsAsNewAfterTake) {
  GraphBuilder builder;
  builder.Enter(0, "aio", 7, "schedule", 0);
  builder.Take();
  builder.Enter(0, "aio", 7, "do_IRQ", 0);
  const Graph graph = builder.Take();
  ASSERT_EQ(graph.streams.size(), 2u);
  EXPECT_EQ(graph.streams[0].calls.size(), 0u);
  EXPECT_EQ(graph.streams[1].calls.node(0).order, 1u);
}

}  // namespace
}  // namespace kpath
