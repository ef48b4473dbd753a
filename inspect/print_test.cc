// SPDX-License-Identifier: Apache-2.0
#include "inspect/print.h"

#include <fcntl.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/print_number.h"
#include "inspect/test_stopped.h"
#include "inspect/types_of.h"

namespace kpath {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Print, NumbersInTheFormatsOfGdb) {
  const auto format = [](int64_t number, char how) {
    return FormatNumber(TypeOf<int>(), static_cast<uint64_t>(number), how);
  };
  EXPECT_EQ(format(31, 0), "31");
  EXPECT_EQ(format(31, 'x'), "0x1f");
  EXPECT_EQ(format(-1, 'x'), "0xffffffff");
  EXPECT_EQ(format(-1, 'u'), "4294967295");
  EXPECT_EQ(format(-1, 'd'), "-1");
  EXPECT_EQ(format(8, 'o'), "010");
  EXPECT_EQ(format(5, 't'), "101");
  EXPECT_EQ(format(0, 't'), "0");
  EXPECT_EQ(format(65, 'c'), "65 'A'");
  EXPECT_EQ(format(16, 'a'), "0x10");
  EXPECT_EQ(FormatNumber(TypeOf<unsigned char>(), 65, 0), "65 'A'");
  EXPECT_EQ(FormatNumber(TypeOf<unsigned>(), 0xffffffff, 'd'), "-1");
  EXPECT_EQ(FormatNumber(TypeOf<bool>(), 1, 0), "true");
  EXPECT_EQ(FormatNumber(TypeOf<bool>(), 1, 'd'), "1");
  for (const char c : std::string("xotducas")) EXPECT_TRUE(IsPrintFormat(c));
  EXPECT_TRUE(IsPrintFormat(0));
  EXPECT_FALSE(IsPrintFormat('q'));
}

std::string FirstReads(Stopped& run) { return run.Show("*ctx"); }

TEST(Print, AContext) {
  Stopped run([](AioProgram& p) {
    p.Setup(8);
    p.Submit(p.Reads(2));
    p.Reap(2, 2);
  });
  ASSERT_TRUE(run.RunTo("io_submit_one", 2));
  const std::string text = FirstReads(run);
  EXPECT_THAT(text, StartsWith("{users = {count = 2, percpu}, dead = false, reqs = {count = 2, "
                               "percpu}, user_id = 0x7f"));
  EXPECT_THAT(text, HasSubstr("max_reqs = 8, nr_events = "));
  EXPECT_THAT(text, HasSubstr("tail = 1, completed_events = 1"));
  EXPECT_THAT(text, HasSubstr("ctx_lock = {locked = false, owner_cpu = -1, owner = 0x0, name = "));
  EXPECT_THAT(text, HasSubstr("active_reqs = {}"));
  EXPECT_THAT(text, HasSubstr("cpu = {{reqs_available = "));
  const std::string pretty = run.Show("*ctx", {.pretty = true});
  EXPECT_THAT(pretty, StartsWith("{\n  users = {count = 2, percpu},\n  dead = false,\n"));
  EXPECT_THAT(pretty, HasSubstr("\n  ctx_lock = {\n    locked = false,\n"));
  EXPECT_EQ(pretty.substr(pretty.size() - 2), "\n}");
  EXPECT_THAT(run.Show("*ctx", {.depth = 1}), HasSubstr("ctx_lock = {...}"));
  EXPECT_THAT(run.Show("ctx->max_reqs", {.format = 'x'}), "0x8");
  EXPECT_THAT(run.Show("*ctx", {.format = 'x'}), HasSubstr("max_reqs = 0x8, "));
  // Lines no longer than asked for, broken between fields.
  const std::string folded = run.Show("*ctx", {.width = 60});
  size_t begin = 0;
  for (size_t end = folded.find('\n'); end != std::string::npos; end = folded.find('\n', begin)) {
    EXPECT_LE(end - begin, 60u) << folded.substr(begin, end - begin);
    begin = end + 1;
  }
  EXPECT_GT(begin, 0u);
}

TEST(Print, TheRingAsARing) {
  Stopped run([](AioProgram& p) {
    p.Setup(8);
    p.Submit(p.Reads(3));
    p.Reap(1, 1);
    user::getpid();
    p.Reap(2, 2);
    user::getpid();
  });
  ASSERT_TRUE(run.RunTo("__task_pid_nr_ns"));
  const std::string ring = run.Show("*ctx->ring");
  EXPECT_THAT(ring, StartsWith("{id = 0, nr = 127, head = 1, tail = 3, magic = 0xa10a10a1, "
                               "compat_features = 1, incompat_features = 0, header_length = 32, "
                               "io_events = {[1] = {data = 0x"));
  EXPECT_THAT(ring, HasSubstr("res = 512, res2 = 0}, [2] = {"));
  EXPECT_THAT(ring, Not(HasSubstr("[0] = ")));
  EXPECT_THAT(run.Show("*ctx->ring", {.pretty = true}),
              ContainsRegex("\n  io_events = \\{\n    \\[1\\] = \\{data = 0x.*\\},\n    \\[2\\]"));
  // The same, as the process has it mapped.
  EXPECT_EQ(run.Show("*(struct aio_ring *)ctx->user_id"), ring);
  ASSERT_TRUE(run.RunTo("__task_pid_nr_ns"));
  EXPECT_THAT(run.Show("*ctx->ring"), HasSubstr("io_events = {<none is unread>}}"));
}

TEST(Print, ARingOfSeveralPages) {
  Stopped run([](AioProgram& p) {
    p.Setup(300);
    p.Submit(p.Reads(200));
    user::getpid();
  });
  ASSERT_TRUE(run.RunTo("__task_pid_nr_ns"));
  EXPECT_EQ(run.Show("ctx->nr_pages > 2"), "1");
  // Beyond the first page, whose neighbour in memory need not be the ring's.
  EXPECT_EQ(run.Show("ctx->ring->io_events[199].res"), "512");
  EXPECT_EQ(run.Show("ctx->ring->io_events[199].obj != ctx->ring->io_events[198].obj"), "1");
  EXPECT_EQ(run.Show("((struct aio_ring *)ctx->user_id)->io_events[199].obj == "
                     "ctx->ring->io_events[199].obj"),
            "1");
  EXPECT_EQ(run.Show("ctx->ring->io_events[200].obj"), "0x0");
}

TEST(Print, RegistersAndTheStackAroundThem) {
  Stopped run([](AioProgram& p) { p.Setup(8); });
  ASSERT_TRUE(run.RunTo("__x64_sys_io_setup"));
  EXPECT_THAT(run.Show("*regs"), HasSubstr("orig_ax = 206, ip = 0x"));
  EXPECT_THAT(run.Show("*regs"), HasSubstr("cs = 0x33, flags = [ "));
  EXPECT_THAT(run.Show("regs"), StartsWith("(struct pt_regs *) 0xffff8880"));
  const std::string lines = run.Show("*regs", {.pretty = true});
  EXPECT_THAT(lines, ContainsRegex("\n  0xffff8880[0-9a-f]*f58: r15 = 0x"));
  EXPECT_THAT(lines, ContainsRegex("\n  0xffff8880[0-9a-f]*fd0: orig_ax = 206,"));
  EXPECT_THAT(lines, ContainsRegex("000: <top of the kernel stack>\n\\}$"));
}

SystemOptions WithDevice() {
  SystemOptions options;
  DeviceOptions disk;
  disk.path = "/dev/vda";
  options.devices.push_back(disk);
  return options;
}

void ReadTheDevice(AioProgram& p) {
  p.Setup(8);
  const auto fd = static_cast<int>(user::open("/dev/vda", O_RDWR | O_DIRECT, 0));
  // Two that are neighbours, one that is not.
  std::vector<user::iocb> list;
  for (const int64_t at : {4096, 4608, 65536}) {
    list.push_back(user::PreadIocb(fd, p.buffer, 512, at));
  }
  p.Submit(list);
  user::io_getevents(p.ctx, 3, 3, p.events, {});
}

TEST(Print, ThePlugAsItsRequests) {
  Stopped run(ReadTheDevice, WithDevice());
  // Each read has a plug of its own, inside of that of io_submit.
  ASSERT_TRUE(run.RunTo("blk_finish_plug", 4));
  EXPECT_EQ(run.Show("plug.mq_list.size"), "2");
  EXPECT_EQ(run.Show("*plug"),
            "{mq_list = {<request tag 0 of vda: REQ_OP_READ 8+2, 2 bios>, "
            "<request tag 1 of vda: REQ_OP_READ 128+1, 1 bio>}}");
  EXPECT_EQ(run.Show("*plug", {.pretty = true}),
            "{\n  mq_list = {\n    <request tag 0 of vda: REQ_OP_READ 8+2, 2 bios>,\n"
            "    <request tag 1 of vda: REQ_OP_READ 128+1, 1 bio>\n  }\n}");
  EXPECT_EQ(run.Show("plug"), "(struct blk_plug *) <plug of 2 requests>");
  EXPECT_EQ(run.Show("current->files->fdt->open_fds"), "{0, 1}");
  EXPECT_THAT(run.Show("disks[0]->queue->queue_hw_ctx[0]->tags->bitmap_tags.ws"),
              ContainsRegex("^\\{\\{wait_cnt = 8, .*\\} <repeats 8 times>\\}$"));
  EXPECT_EQ(run.Show("plug.mq_list.first->__sector"), "8");
  EXPECT_EQ(run.Show("plug.mq_list[1]->__data_len"), "512");
  EXPECT_EQ(run.Show("plug.mq_list[0]->bios.size"), "2");
  EXPECT_EQ(run.Show("plug.mq_list[0]->bio->bi_iter.bi_sector"), "8");
  EXPECT_EQ(run.Show("plug.mq_list[0]->bio->bi_next == plug.mq_list[0]->biotail"), "1");
  EXPECT_EQ(run.Show("plug.mq_list[0]->bio->bi_io_vec[0].bv_len"), "512");
  EXPECT_EQ(run.Show("plug.mq_list[0]->rq_disk->disk_name"), "\"vda\"");
  EXPECT_EQ(run.Show("plug.mq_list[0]->state"), "MQ_RQ_IDLE");
  EXPECT_EQ(run.Show("disks.first->queue->queue_hw_ctx[0]->tags->rqs.size"), "2");
  EXPECT_EQ(run.Show("disks.first->queue->queue_hw_ctx[0]->tags->rqs[1]->__sector"), "128");
  // A bio by its address, inside of what Linux calls a blkdev_dio.
  const std::string bio = run.Show("(u64)plug.mq_list[0]->bio", {.format = 'x'});
  EXPECT_THAT(bio, StartsWith("0xffff8881"));
  EXPECT_EQ(run.Show("((struct bio *)" + bio + ")->bi_opf"), "REQ_OP_READ");
  EXPECT_EQ(run.Show("(struct bio *)" + bio + " == plug.mq_list[0]->bio"), "1");
  // What functions of the block layer are given is shown by its number, and found by it.
  ASSERT_TRUE(run.RunTo("blk_mq_start_request"));
  EXPECT_EQ(run.Show("rq"), "(struct request *) <request tag 0 of vda: REQ_OP_READ 8+2, 2 bios>");
  EXPECT_EQ(run.Show("rq->__data_len"), "1024");
}

TEST(Print, PointersSayWhatTheyAre) {
  Stopped run([](AioProgram& p) {
    p.Setup(8);
    p.Submit(p.Reads(1));
    user::io_destroy(p.ctx);
  });
  ASSERT_TRUE(run.RunTo("aio_complete"));
  EXPECT_EQ(run.Show("(struct kioctx *)0"), "(struct kioctx *) 0x0");
  EXPECT_EQ(run.Show("current"), "(struct task_struct *) <task 1 prog>");
  EXPECT_EQ(run.Show("cpu(0)"), "(struct cpu *) <cpu 0>");
  EXPECT_EQ(run.Show("current->files->fdt->fd[0]->f_op->name").substr(0, 1), "\"");
  EXPECT_THAT(run.Show("ctx->aio_ring_file->f_op"), HasSubstr("aio_ring_fops>"));
  // A kptr whose object is gone.
  const Datum error = MakeKptr(kptr<file>(Error(EBADF)));
  EXPECT_EQ(Print(LookOf(run.scope()), error), "(struct file *) ERR_PTR(-EBADF)");
  kptr<kioctx> ctx;
  {
    const auto value = run.Get("ctx");
    ASSERT_TRUE(value.ok());
    ctx = kptr<kioctx>(const_cast<kioctx*>(static_cast<const kioctx*>(value->host)));
  }
  ASSERT_TRUE(run.RunTo("free_ioctx"));
  run.system.machine().Run();
  const Datum freed = MakeKptr(ctx);
  EXPECT_THAT(Print(LookOf(run.scope()), freed),
              ContainsRegex("^\\(struct kioctx \\*\\) 0xffff8881[0-9a-f]* <freed>$"));
  Datum object;
  std::string why;
  EXPECT_FALSE(Dereference(LookOf(run.scope()), freed, &object, &why));
  EXPECT_THAT(why, HasSubstr("has been freed"));
}

TEST(Print, TextsInMemory) {
  Stopped run([](AioProgram& p) {
    const uint64_t text = p.arena.Bytes(16, 1);
    for (int i = 0; i < 5; ++i) user::Store<char>(text + static_cast<uint64_t>(i), "hello"[i]);
    user::Store<char>(text + 5, 0);
    user::write(p.fd, text, 5);
  });
  ASSERT_TRUE(run.RunTo("__x64_sys_write", 2));
  EXPECT_EQ(run.Show("(char *)regs->si", {.format = 's'}), "\"hello\"");
  EXPECT_EQ(run.Show("regs->si", {.format = 's'}), "\"hello\"");
  EXPECT_EQ(run.Show("*(char *)regs->si@5"), "{104 'h', 101 'e', 108 'l', 108 'l', 111 'o'}");
  EXPECT_EQ(run.Show("(char *)16", {.format = 's'}), "<cannot access memory at address 0x10>");
}

}  // namespace
}  // namespace kpath
