// SPDX-License-Identifier: Apache-2.0
#include "inspect/expression.h"

#include <ctime>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/test_stopped.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Three reads of which the second is about to be submitted.
struct InSubmit : Stopped {
  InSubmit()
      : Stopped([](AioProgram& p) {
          p.Setup(8);
          p.Submit(p.Reads(3));
          p.Reap(3, 3);
        }) {
    stopped = RunTo("io_submit_one", 2);
  }
  bool stopped = false;
};

std::string ParseErrorOf(const std::string& text) {
  const auto expression = ParseExpression(text);
  return expression.ok() ? "parsed" : std::string(expression.status().message());
}

TEST(Expression, NumbersAreThoseOfC) {
  InSubmit run;
  ASSERT_TRUE(run.stopped);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"10", "10"},
      {"0x1f", "31"},
      {"017", "15"},
      {"'a'", "97 'a'"},
      {"'\\n'", "10 '\\n'"},
      {"1 + 2 * 3", "7"},
      {"(1 + 2) * 3", "9"},
      {"7 / 2", "3"},
      {"-7 / 2", "-3"},
      {"-7 % 2", "-1"},
      {"1 << 4 | 1", "17"},
      {"6 & 3 ^ 1", "3"},
      {"~0", "-1"},
      {"~0u", "4294967295"},
      {"-1 < 0u", "0"},
      {"-1 < 0", "1"},
      {"0xffffffff + 1", "0"},
      {"0xffffffffffffffff", "18446744073709551615"},
      {"2147483647 + 1", "-2147483648"},
      {"2147483648", "2147483648"},
      {"-16 >> 2", "-4"},
      {"1 << 40", "0"},
      {"1l << 40", "1099511627776"},
      {"!0 && !!5", "1"},
      {"0 && 1 / 0", "0"},
      {"1 || 1 / 0", "1"},
      {"1 ? 2 : 3", "2"},
      {"0 ? 2 : 0 ? 4 : 5", "5"},
      {"3 == 3 != 0", "1"},
      {"2 >= 2 && 1 <= 0", "0"},
      {"(char)353", "97 'a'"},
      {"(u8)-1", "255 '\\377'"},
      {"(unsigned long)-1", "18446744073709551615"},
      {"(long)(int)0x80000000", "-2147483648"},
      {"(bool)7", "true"},
      {"-EAGAIN", "-11"},
      {"TASK_UNINTERRUPTIBLE", "2"},
      {"IOCB_DIRECT | IOCB_WRITE", "68"},
  };
  for (const auto& [text, value] : cases) EXPECT_EQ(run.Show(text), value) << text;
  EXPECT_EQ(run.Show("1 / 0"), "error: division by zero");
  EXPECT_EQ(run.Show("1 % 0"), "error: division by zero");
  EXPECT_EQ(run.Show("(long)0x8000000000000000 / -1"), "-9223372036854775808");
}

TEST(Expression, NamesOfTheFrameComeFirst) {
  InSubmit run;
  ASSERT_TRUE(run.stopped);
  // An argument, as a pointer to what lives there.
  EXPECT_THAT(run.Show("ctx"), StartsWith("(struct kioctx *) 0xffff88810"));
  EXPECT_EQ(run.Show("compat"), "false");
  EXPECT_THAT(run.Show("user_iocb"), StartsWith("(struct iocb *) 0x7f"));
  EXPECT_EQ(run.Show("user_iocb->aio_nbytes"), "512");
  EXPECT_EQ(run.Show("user_iocb->aio_lio_opcode"), "IOCB_CMD_PREAD");
  EXPECT_EQ(run.Show("ctx == current->mm->ioctx_table->table[0]"), "1");
  // Frames further out are not searched.
  EXPECT_EQ(run.Show("ctx_id"), "error: no symbol \"ctx_id\" in the current frame or kernel");
  run.frame = 1;
  EXPECT_THAT(run.Show("ctx_id", {.format = 'x'}), StartsWith("0x7f"));
  EXPECT_EQ(run.Show("nr"), "3");
}

TEST(Expression, FieldsOfKernelObjects) {
  InSubmit run;
  ASSERT_TRUE(run.stopped);
  EXPECT_EQ(run.Show("ctx->ring->tail"), "1");
  EXPECT_EQ(run.Show("ctx->ring->head"), "0");
  EXPECT_EQ(run.Show("ctx.ring.tail"), "1");
  EXPECT_EQ(run.Show("(*ctx).ring->tail - ctx->ring->head == 1"), "1");
  EXPECT_EQ(run.Show("ctx->ring->io_events[0].res"), "512");
  EXPECT_EQ(run.Show("ctx->ring->magic == AIO_RING_MAGIC"), "1");
  EXPECT_EQ(run.Show("ctx->ring->io_events.size == ctx->nr_events"), "1");
  EXPECT_EQ(run.Show("ctx->max_reqs"), "8");
  EXPECT_EQ(run.Show("ctx->in_flight"), "0");
  EXPECT_EQ(run.Show("current->comm"), "\"prog\"");
  EXPECT_EQ(run.Show("current->pid"), "1");
  EXPECT_EQ(run.Show("task(1) == current"), "1");
  EXPECT_EQ(run.Show("cpu(0)->current == current"), "1");
  EXPECT_EQ(run.Show("current->state == TASK_RUNNING"), "1");
  EXPECT_EQ(run.Show("current->files->fdt->fd[0]->f_path.dentry->d_name"), "\"file\"");
  EXPECT_EQ(run.Show("ctx->aio_ring_file->private_data"), run.Show("(void *)0"));
  EXPECT_EQ(run.Show("aio_nr"), "8");
  EXPECT_EQ(run.Show("aio_max_nr"), "65536");
  EXPECT_EQ(run.Show("tasks.first->pid"), "1");
  EXPECT_EQ(run.Show("plug"), "(struct blk_plug *) <plug of 0 requests>");
  EXPECT_EQ(run.Show("plug.mq_list.size"), "0");
  EXPECT_EQ(run.Show("ctx->cpu[0].reqs_available + ctx->reqs_available"),
            run.Show("ctx->nr_events - 1 - ctx->completed_events - ctx->in_flight"));
}

TEST(Expression, RegistersAndMemory) {
  InSubmit run;
  ASSERT_TRUE(run.stopped);
  EXPECT_THAT(run.Show("$rip"), StartsWith("0xffffffff8"));
  EXPECT_THAT(run.Show("$rsp"), StartsWith("0xffff8880"));
  EXPECT_EQ(run.Show("$pc == $rip && $sp == $rsp"), "1");
  EXPECT_THAT(run.Show("$eflags"), StartsWith("[ "));
  // What the entry code pushed: the call's number and arguments.
  EXPECT_EQ(run.Show("regs->orig_ax"), "209");
  EXPECT_EQ(run.Show("regs->si"), "0x3");
  EXPECT_EQ(run.Show("regs->di == ctx->user_id"), "1");
  EXPECT_EQ(run.Show("*(struct pt_regs *)((u64)current->stack + THREAD_SIZE - 168) == 0"),
            "error: a struct pt_regs is no number");
  EXPECT_EQ(run.Show("((struct pt_regs *)(current->stack + THREAD_SIZE - 168))->orig_ax"), "209");
  EXPECT_EQ(run.Show("*(long *)(current->stack + THREAD_SIZE - 168 + 0x78)"), "209");
  EXPECT_EQ(run.Show("*(u64 *)(current->stack + THREAD_SIZE - 168 + 0x78)@1"), "{209}");
  // User memory: an iocb, the ring as the process sees it, the list of iocbs.
  EXPECT_EQ(run.Show("(*(struct iocb *)regs->dx).aio_nbytes == 512"), "0");
  EXPECT_EQ(run.Show("*(struct iocb **)regs->dx == user_iocb - 1"), "1");
  EXPECT_EQ(run.Show("((struct iocb **)regs->dx)[1] == user_iocb"), "1");
  EXPECT_EQ(run.Show("((struct aio_ring *)ctx->user_id)->tail"), "1");
  EXPECT_EQ(run.Show("((struct aio_ring *)ctx->user_id)->io_events[0].res"), "512");
  EXPECT_EQ(run.Show("*(u32 *)ctx->user_id@4"), "{0, 127, 0, 1}");
  EXPECT_EQ(run.Show("&ctx->ring->tail == &ctx->ring->head + 1"), "1");
  EXPECT_EQ(run.Show("*&ctx->ring->tail"), "1");
  EXPECT_EQ(run.Show("user_iocb[1].aio_nbytes"), "512");
}

TEST(Expression, AddressesOfObjects) {
  InSubmit run;
  ASSERT_TRUE(run.stopped);
  const std::string ctx = run.Show("(u64)ctx", {.format = 'x'});
  EXPECT_EQ(run.Show("((struct kioctx *)" + ctx + ")->max_reqs"), "8");
  EXPECT_EQ(run.Show("(struct kioctx *)" + ctx + " == ctx"), "1");
  EXPECT_EQ(run.Show("&*ctx == ctx"), "1");
  // A part of an object, by its address.
  const std::string lock = run.Show("(u64)&ctx->ring_lock", {.format = 'x'});
  EXPECT_EQ(run.Show("((struct mutex *)" + lock + ")->name"), "\"&ctx->ring_lock\"");
  EXPECT_EQ(run.Show("*&ctx->max_reqs"), "8");
  EXPECT_EQ(run.Show("*(u64 *)" + ctx),
            "error: at " + ctx +
                " is no unsigned long but an object of the kioctx slab: (struct "
                "kioctx*)" +
                ctx);
  EXPECT_EQ(run.Show("*(struct file *)" + ctx),
            "error: at " + ctx +
                " is no struct file but an object of the kioctx slab: (struct "
                "kioctx*)" +
                ctx);
  EXPECT_EQ(run.Show("*(struct file *)0x1000"), "error: there is no struct file at 0x1000");
}

TEST(Expression, ErrorsOfParsing) {
  EXPECT_EQ(ParseErrorOf(""),
            "column 1: expected a name, a number or \"(\", found end of expression");
  EXPECT_EQ(ParseErrorOf("ctx->"),
            "column 6: expected a member's name after \"->\", found end of expression");
  EXPECT_EQ(ParseErrorOf("ctx.7"), "column 5: expected a member's name after \".\", found \"7\"");
  EXPECT_EQ(ParseErrorOf("(1 + 2"), "column 7: expected \")\", found end of expression");
  EXPECT_EQ(ParseErrorOf("a[1"), "column 4: expected \"]\", found end of expression");
  EXPECT_EQ(ParseErrorOf("1 2"), "column 3: expected an operator or the end, found \"2\"");
  EXPECT_EQ(ParseErrorOf("1 ? 2"), "column 6: expected \":\", found end of expression");
  EXPECT_EQ(ParseErrorOf("a = 1"), "column 3: \"=\" would change the machine; \"==\" compares");
  EXPECT_EQ(ParseErrorOf("(struct foo *)1"), "column 9: no struct foo is known");
  EXPECT_EQ(ParseErrorOf("(struct)1"), "column 8: expected a struct's name, found \")\"");
  EXPECT_EQ(ParseErrorOf("(int x"), "column 6: expected \")\", found \"x\"");
  EXPECT_EQ(ParseErrorOf("f(1)"),
            "column 1: \"f\" cannot be called: there are cpu(N) and task(PID)");
  EXPECT_EQ(ParseErrorOf("1 + #"), "column 5: \"#\" means nothing in an expression");
  EXPECT_EQ(ParseErrorOf("0x"), "column 1: \"0x\" is no number of 64 bits");
  EXPECT_EQ(ParseErrorOf("089"), "column 1: \"089\" is no number of 64 bits");
  EXPECT_EQ(ParseErrorOf("18446744073709551616"),
            "column 1: \"18446744073709551616\" is no number of 64 bits");
  EXPECT_EQ(ParseErrorOf("'ab'"), "column 1: a character is written 'c' or '\\n'");
  EXPECT_EQ(ParseErrorOf(std::string(1000, '(')), "column 201: the expression is too deep");
  EXPECT_EQ(ParseErrorOf(std::string(1000, '-') + "1"), "column 400: the expression is too deep");
}

TEST(Expression, ErrorsOfEvaluation) {
  InSubmit run;
  ASSERT_TRUE(run.stopped);
  EXPECT_EQ(run.Show("foo"), "error: no symbol \"foo\" in the current frame or kernel");
  EXPECT_EQ(run.Show("ctx->foo"), "error: there is no member named foo in struct kioctx");
  EXPECT_EQ(run.Show("ctx->id->x"), "error: an unsigned int has no fields");
  EXPECT_EQ(run.Show("current->mm->mmap.foo"),
            "error: a list has size, first, last and [N], but no \"foo\"");
  EXPECT_EQ(run.Show("ctx->active_reqs[0]"), "error: the list has no [0]: it has 0 elements");
  EXPECT_EQ(run.Show("ctx->active_reqs.first"), "error: the list is empty");
  EXPECT_EQ(run.Show("ctx->id[0]"), "error: an unsigned int is no list");
  EXPECT_EQ(run.Show("*(long *)0x10"), "error: cannot access memory at address 0x10");
  EXPECT_EQ(run.Show("*(int *)0xffffc90000000000"),
            "error: cannot access memory at address 0xffffc90000000000");
  EXPECT_EQ(run.Show("((struct kioctx *)0)->id"), "error: cannot access memory at address 0x0");
  EXPECT_EQ(run.Show("*(void *)$rsp"), "error: a void * cannot be dereferenced: cast it");
  EXPECT_EQ(run.Show("*ctx + 1"), "error: a struct kioctx is no number");
  EXPECT_EQ(run.Show("(int)*ctx"), "error: a struct kioctx is no number");
  EXPECT_EQ(run.Show("(struct kioctx)1"), "error: an int cannot be cast to struct kioctx");
  EXPECT_EQ(run.Show("&1"), "error: cannot take the address of a value that is not in memory");
  EXPECT_EQ(run.Show("1@3"), "error: only a value in memory can be extended with @");
  EXPECT_EQ(run.Show("*(int *)$rsp@0"), "error: behind @ is a count from 1 to 65536");
  EXPECT_EQ(run.Show("$nothing"), "error: $nothing is not set");
  EXPECT_EQ(run.Show("cpu(1)"), "error: there is no cpu 1, only 0 to 0");
  EXPECT_EQ(run.Show("task(77)"), "error: no task has the pid 77");
  run.context = nullptr;
  EXPECT_EQ(run.Show("current"), "error: no task is selected");
  EXPECT_EQ(run.Show("$rip"), "error: no task is selected: there are no registers");
}

TEST(Expression, ValuesAreKeptWhileTheMachineGoesOn) {
  InSubmit run;
  ASSERT_TRUE(run.stopped);
  const auto keep = [&](const std::string& name, const std::string& text) {
    const auto value = run.Get(text);
    ASSERT_TRUE(value.ok()) << text << ": " << value.status();
    run.variables[name] = Detach(LookOf(run.scope()), *value);
  };
  keep("1", "ctx");
  keep("2", "ctx->ring->tail");
  keep("3", "*regs");
  keep("t", "current->comm");
  keep("task", "current");
  keep("star", "*current");
  keep("plug", "plug");
  keep("list", "ctx->ring_pages");
  EXPECT_EQ(run.Show("$1"), run.Show("ctx"));
  ASSERT_TRUE(run.RunTo("io_submit_one"));
  EXPECT_EQ(run.Show("$1->ring->tail"), "2");
  EXPECT_EQ(run.Show("$2"), "1");
  EXPECT_EQ(run.Show("$3.orig_ax"), "209");
  EXPECT_EQ(run.Show("$t"), "\"prog\"");
  EXPECT_EQ(run.Show("$task"), "(struct task_struct *) <task 1 prog>");
  EXPECT_EQ(run.Show("$task->pid"), "1");
  EXPECT_EQ(run.Show("$task == current"), "1");
  EXPECT_EQ(run.Show("$star.comm"), "\"prog\"");
  EXPECT_EQ(run.Show("$plug"), "(struct blk_plug *) <plug of 0 requests>");
  EXPECT_EQ(run.Show("$plug->mq_list"), "error: the struct blk_plug is gone: it had no address");
  EXPECT_EQ(run.Show("$list"), "<gone>");
  EXPECT_EQ(run.Show("$list.size"), "error: the list is gone");
  EXPECT_EQ(run.Show("*$list"), "error: the list is gone");
  EXPECT_EQ(run.Show("$list[0]"), "error: the list is gone");
  ASSERT_TRUE(run.RunTo("free_ioctx"));
  run.system.machine().Run();
  EXPECT_THAT(run.Show("$1->ring->tail"), StartsWith("error: "));
  EXPECT_EQ(run.Show("$2 + 1"), "2");
}

TEST(Expression, TheContextOfTheProcess) {
  Stopped run([](AioProgram& p) {
    user::getpid();
    p.Setup(8);
    user::getpid();
    auto second = p.arena.New<user::io_context_t>();
    user::io_setup(4, second);
    user::getpid();
    user::io_destroy(second.Load());
  });
  ASSERT_TRUE(run.RunTo("__task_pid_nr_ns"));
  EXPECT_EQ(run.Show("ctx"), "error: ctx is NULL: the process has no AIO context");
  EXPECT_EQ(run.Show("ctx->ring->tail"), "error: ctx is NULL: the process has no AIO context");
  ASSERT_TRUE(run.RunTo("__task_pid_nr_ns"));
  EXPECT_EQ(run.Show("ctx->max_reqs"), "8");
  ASSERT_TRUE(run.RunTo("__task_pid_nr_ns"));
  EXPECT_EQ(run.Show("ctx"),
            "error: the process has 2 AIO contexts: see current->mm->ioctx_table->table");
  // The call's first argument tells which.
  ASSERT_TRUE(run.RunTo("__x64_sys_io_destroy"));
  EXPECT_EQ(run.Show("ctx->max_reqs"), "4");
}

TEST(Expression, ConditionsAreTrueOrFalse) {
  InSubmit run;
  ASSERT_TRUE(run.stopped);
  EXPECT_TRUE(*IsTrue(*run.Get("ctx")));
  EXPECT_FALSE(*IsTrue(*run.Get("(void *)0")));
  EXPECT_TRUE(*IsTrue(*run.Get("ctx->ring->tail == 1")));
  EXPECT_FALSE(*IsTrue(*run.Get("ctx->dead")));
  EXPECT_FALSE(IsTrue(*run.Get("*ctx")).ok());
}

// What a watch costs at each probe. The bound is generous: a machine may be busy.
TEST(Expression, EvaluatingIsFast) {
  InSubmit run;
  ASSERT_TRUE(run.stopped);
  const auto expression = ParseExpression("ctx->ring->tail");
  ASSERT_TRUE(expression.ok());
  const Scope scope = run.scope();
  constexpr int kTimes = 100'000;
  const auto begin = std::clock();
  uint64_t sum = 0;
  for (int i = 0; i < kTimes; ++i) sum += Evaluate(*expression, scope)->bits;
  const double us = static_cast<double>(std::clock() - begin) * 1e6 / CLOCKS_PER_SEC / kTimes;
  EXPECT_EQ(sum, kTimes);
  EXPECT_LT(us, 20.0);
  RecordProperty("us_per_evaluation", std::to_string(us));
}

}  // namespace
}  // namespace kpath
