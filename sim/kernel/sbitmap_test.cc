// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/sbitmap.h"

#include <vector>

#include "gtest/gtest.h"
#include "sim/kernel/list.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

TEST(Sbitmap, BitsAreGivenOutOnceAndFoundAgain) {
  sbitmap sb;
  sbitmap_init_node(&sb, 10, -1);
  std::vector<bool> taken(10);
  for (int i = 0; i < 10; ++i) {
    const int bit = sbitmap_get(&sb, 7);
    ASSERT_GE(bit, 0);
    EXPECT_FALSE(taken[static_cast<size_t>(bit)]);
    taken[static_cast<size_t>(bit)] = true;
  }
  EXPECT_EQ(sbitmap_get(&sb, 0), -1);
  sbitmap_clear_bit(&sb, 3);
  EXPECT_EQ(sbitmap_weight(&sb), 9u);
  EXPECT_EQ(sbitmap_get(&sb, 9), 3);
}

TEST(Sbitmap, FreedBitsWakeSoManyWaitersAsABatchHas) {
  TestKernel kernel;
  sbitmap_queue tags;
  int woken = 0;
  kernel.Spawn("user", [&] {
    sbitmap_queue_init_node(&tags, 16);
    EXPECT_EQ(tags.wake_batch, 2u);
    for (int i = 0; i < 16; ++i) EXPECT_GE(__sbitmap_queue_get(&tags), 0);
    int index = 0;
    sbq_wait_state* ws = sbq_wait_ptr(&tags, &index);
    for (int i = 0; i < 3; ++i) {
      kernel.Spawn("waiter", [&, ws] {
        wait_queue_entry wait;
        init_wait_entry(&wait, 0);
        prepare_to_wait_exclusive(&ws->wait, &wait, TASK_UNINTERRUPTIBLE);
        schedule();
        ++woken;
        finish_wait(&ws->wait, &wait);
      });
    }
    while (ws->wait.head.size() < 3) {
      set_tsk_thread_flag(current, TIF_NEED_RESCHED);
      cond_resched();
    }
    const auto offer = [] {
      for (int i = 0; i < 8; ++i) {
        set_tsk_thread_flag(current, TIF_NEED_RESCHED);
        cond_resched();
      }
    };
    sbitmap_queue_clear(&tags, 0, 0);
    offer();
    EXPECT_EQ(woken, 0);
    sbitmap_queue_clear(&tags, 1, 0);
    offer();
    EXPECT_EQ(woken, 2);
    sbitmap_queue_clear(&tags, 2, 0);
    sbitmap_queue_clear(&tags, 3, 0);
    offer();
    EXPECT_EQ(woken, 3);
  });
  EXPECT_EQ(kernel.Run(), "");
}

struct item {
  int key = 0;
  list_head links;
};

int CompareItems(void* calls, list_head* a, list_head* b) {
  ++*static_cast<int*>(calls);
  return list_entry(a, &item::links)->key < list_entry(b, &item::links)->key ? 0 : 1;
}

TEST(ListSort, SortsAndLinksBothWays) {
  for (int n = 0; n < 20; ++n) {
    std::vector<item> items(static_cast<size_t>(n));
    list_head head;
    for (int i = 0; i < n; ++i) {
      items[static_cast<size_t>(i)].key = i * 7 % 11;
      list_add_tail(&items[static_cast<size_t>(i)].links, &head);
    }
    int calls = 0;
    list_sort(&calls, &head, CompareItems);
    int count = 0, last = -1;
    for (list_head* at = head.next; at != &head; at = at->next, ++count) {
      EXPECT_EQ(at->next->prev, at);
      EXPECT_GE(list_entry(at, &item::links)->key, last);
      last = list_entry(at, &item::links)->key;
    }
    EXPECT_EQ(count, n);
    if (n <= 2) {
      EXPECT_EQ(calls, n / 2);
    }
  }
}

}  // namespace
}  // namespace kpath
