// SPDX-License-Identifier: Apache-2.0
//
// The lock of a page, and waiting for it. v4.19 mm/filemap.c
#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "sim/kernel/report.h"
#include "sim/kernel/wait.h"
#include "sim/mm/filemap.h"
#include "sim/mm/vmstat.h"
#include "sim/mm/writeback.h"

namespace kpath {
namespace {

// v4.19 mm/filemap.c: page_wait_table
constexpr unsigned PAGE_WAIT_TABLE_SIZE = 256;

struct filemap_globals {
  wait_queue_head_t page_wait_table[PAGE_WAIT_TABLE_SIZE];
};

KernelGlobal<filemap_globals> filemap;

// v4.19 mm/filemap.c: page_waitqueue. Pages share the queues; a wake-up wakes all who wait on one.
wait_queue_head_t* page_waitqueue(kptr<page> page) {
  return &filemap->page_wait_table[page->pfn % PAGE_WAIT_TABLE_SIZE];
}

// v4.19 mm/filemap.c: wait_on_page_bit_common. Sleeps in `state` until done() is true. 0 or -EINTR.
template <typename Done>
int wait_on_page_bit_common(kptr<page> page, unsigned state, Done done) {
  wait_queue_head_t* queue = page_waitqueue(page);
  wait_queue_entry entry;
  init_wait_entry(&entry, 0);
  int ret = 0;
  while (true) {
    prepare_to_wait(queue, &entry, state);
    if (done()) break;
    if (signal_pending_state(state, current)) {
      ret = Fail(EINTR, "the task is being killed while it waits for page $0", page->index);
      break;
    }
    io_schedule();
  }
  finish_wait(queue, &entry);
  return ret;
}

[[noreturn]] ABSL_ATTRIBUTE_NOINLINE void ReportNotLocked(kptr<page> page) {
  Report("kernel BUG at mm/filemap.c: unlock_page",
         {absl::StrCat("page:0x", absl::Hex(page.address()),
                       " dumped because: VM_BUG_ON_PAGE(!PageLocked(page))")});
}

// v4.19 mm/filemap.c: wake_up_page
void wake_up_page(kptr<page> page) {
  wait_queue_head_t* queue = page_waitqueue(page);
  if (waitqueue_active(queue)) wake_up_all(queue);
}

}  // namespace

void pagecache_init() {
  FUNCTION();
  for (wait_queue_head_t& queue : filemap->page_wait_table) {
    init_waitqueue_head(&queue);
  }
}

bool trylock_page(kptr<page> page) {
  if (PageLocked(page)) return false;
  page->flags |= PG_locked;
  return true;
}

void lock_page(kptr<page> page) {
  might_sleep();
  if (!trylock_page(page)) __lock_page(page);
}

void __lock_page(kptr<page> page) {
  FUNCTION(page);
  wait_on_page_bit_common(page, TASK_UNINTERRUPTIBLE, [page] { return trylock_page(page); });
}

int __lock_page_killable(kptr<page> page) {
  FUNCTION(page);
  return fn.Return(
      wait_on_page_bit_common(page, TASK_KILLABLE, [page] { return trylock_page(page); }));
}

void unlock_page(kptr<page> page) {
  FUNCTION(page);
  if (!PageLocked(page)) [[unlikely]]
    ReportNotLocked(page);
  page->flags &= ~static_cast<unsigned long>(PG_locked);
  wake_up_page(page);
}

// v4.19 mm/filemap.c: wait_on_page_bit
void wait_on_page_locked(kptr<page> page) {
  might_sleep();
  if (!PageLocked(page)) return;
  FUNCTION(page);
  wait_on_page_bit_common(page, TASK_UNINTERRUPTIBLE, [page] { return !PageLocked(page); });
}

// v4.19 mm/filemap.c: wait_on_page_bit_killable
int wait_on_page_locked_killable(kptr<page> page) {
  if (!PageLocked(page)) return 0;
  FUNCTION(page);
  return fn.Return(
      wait_on_page_bit_common(page, TASK_KILLABLE, [page] { return !PageLocked(page); }));
}

// ---- Writeback ----

// v4.19 include/linux/pagemap.h: wait_on_page_writeback
void wait_on_page_writeback(kptr<page> page) {
  might_sleep();
  if (!PageWriteback(page)) return;
  FUNCTION(page);
  wait_on_page_bit_common(page, TASK_UNINTERRUPTIBLE, [page] { return !PageWriteback(page); });
}

// v4.19 mm/page-writeback.c: __test_set_page_writeback
void set_page_writeback(kptr<page> page) {
  FUNCTION(page);
  if (PageWriteback(page)) return;
  page->flags |= PG_writeback;
  __inc_node_page_state(page, NR_WRITEBACK);
}

// v4.19 mm/filemap.c: end_page_writeback
void end_page_writeback(kptr<page> page) {
  FUNCTION(page);
  if (!PageWriteback(page)) {
    Report("kernel BUG at mm/filemap.c: end_page_writeback",
           {absl::StrCat("page:0x", absl::Hex(page.address()), " is not being written back")});
  }
  page->flags &= ~static_cast<unsigned long>(PG_writeback);  // test_clear_page_writeback
  __dec_node_page_state(page, NR_WRITEBACK);
  wake_up_page(page);
}

// v4.19 mm/filemap.c: page_endio
void page_endio(kptr<page> page, bool is_write, int err) {
  FUNCTION(page, is_write, err);
  if (!is_write) {
    if (err == 0) {
      SetPageUptodate(page);
    } else {
      ClearPageUptodate(page);
      SetPageError(page);
    }
    unlock_page(page);
    return;
  }
  if (err != 0) {
    SetPageError(page);
    address_space* mapping = page_mapping(page);
    if (mapping != nullptr) mapping_set_error(mapping, err);
  }
  end_page_writeback(page);
}

}  // namespace kpath
