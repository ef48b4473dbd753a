// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/call_tree.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace kpath {
namespace {

std::vector<std::string> NamesFrom(const CallTree& calls, CallId first, CallId root) {
  std::vector<std::string> names;
  for (CallId id = first; id != kNoCall; id = calls.Next(id, root)) names.push_back(calls.name(id));
  return names;
}

class CallTreeTest : public testing::Test {
 protected:
  CallTreeTest() {
    submit_ = calls_.Add(kNoCall, "io_submit");
    plug_ = calls_.Add(submit_, "blk_start_plug");
    one_ = calls_.Add(submit_, "io_submit_one");
    read_ = calls_.Add(one_, "aio_read");
    destroy_ = calls_.Add(kNoCall, "io_destroy");
  }

  CallTree calls_;
  CallId submit_, plug_, one_, read_, destroy_;
};

TEST_F(CallTreeTest, KeepsChildrenInOrder) {
  EXPECT_EQ(calls_.first_root(), submit_);
  EXPECT_EQ(calls_.node(submit_).next_sibling, destroy_);
  EXPECT_EQ(calls_.node(submit_).first_child, plug_);
  EXPECT_EQ(calls_.node(plug_).next_sibling, one_);
  EXPECT_EQ(calls_.node(submit_).last_child, one_);
  EXPECT_EQ(calls_.node(read_).parent, one_);
  EXPECT_EQ(calls_.node(submit_).parent, kNoCall);
}

TEST_F(CallTreeTest, NextGoesThroughAllTreesInOrderOfEntry) {
  EXPECT_EQ(NamesFrom(calls_, calls_.first_root(), kNoCall),
            (std::vector<std::string>{"io_submit", "blk_start_plug", "io_submit_one", "aio_read",
                                      "io_destroy"}));
}

TEST_F(CallTreeTest, NextStaysWithinTheTreeOfItsRoot) {
  EXPECT_EQ(NamesFrom(calls_, one_, one_), (std::vector<std::string>{"io_submit_one", "aio_read"}));
  EXPECT_EQ(NamesFrom(calls_, plug_, plug_), (std::vector<std::string>{"blk_start_plug"}));
}

TEST_F(CallTreeTest, StoresEachNameOnce) {
  calls_.Add(one_, "aio_read");
  EXPECT_EQ(calls_.names().size(), 5u);
  calls_.Rename(read_, "aio_write");
  EXPECT_EQ(calls_.name(read_), "aio_write");
}

TEST(CallNodeTest, IsSmall) { EXPECT_LE(sizeof(CallNode), 48u); }

TEST(SourceNameTest, DropsWhatCompilersAdd) {
  EXPECT_EQ(SourceName("slob_alloc.constprop.0"), "slob_alloc");
  EXPECT_EQ(SourceName("wakeup_preempt_entity.isra.12"), "wakeup_preempt_entity");
  EXPECT_EQ(SourceName("get_page.part.3"), "get_page");
  EXPECT_EQ(SourceName("do_exit.cold"), "do_exit");
  EXPECT_EQ(SourceName("do_exit.cold.7"), "do_exit");
  EXPECT_EQ(SourceName("f.isra.0.constprop.1"), "f");
}

TEST(SourceNameTest, LeavesOtherNamesAlone) {
  EXPECT_EQ(SourceName("aio_read"), "aio_read");
  EXPECT_EQ(SourceName("update_wall_time64"), "update_wall_time64");
  EXPECT_EQ(SourceName("part"), "part");
  EXPECT_EQ(SourceName(".part.0"), ".part.0");
  EXPECT_EQ(SourceName("f.42"), "f.42");
  EXPECT_EQ(SourceName(""), "");
}

TEST(IsInterruptEntryTest, KnowsTheEntriesOfX86) {
  for (const char* name :
       {"do_IRQ", "do_nmi", "smp_apic_timer_interrupt", "smp_reschedule_interrupt",
        "smp_call_function_single_interrupt", "uv_bau_message_interrupt", "__common_interrupt",
        "__sysvec_apic_timer_interrupt"}) {
    EXPECT_TRUE(IsInterruptEntry(name)) << name;
  }
  for (const char* name :
       {"do_IRQs", "handle_irq", "irq_enter", "__do_page_fault", "do_syscall_64"}) {
    EXPECT_FALSE(IsInterruptEntry(name)) << name;
  }
}

}  // namespace
}  // namespace kpath
