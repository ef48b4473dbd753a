// SPDX-License-Identifier: Apache-2.0
//
// The buffers of a page: made, locked, dirty, freed. v4.19 fs/buffer.c
#include "sim/block/blk_plug.h"
#include "sim/kernel/wait.h"
#include "sim/machine/check.h"
#include "sim/vfs/disk/buffer_head.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

// v4.19 kernel/sched/wait_bit.c: bit_wait_table. Who waits for a bit, by the place of the word.
constexpr unsigned kWaitTableSize = 64;

struct buffer_globals {
  kmem_cache<buffer_head> bh_cachep;
  wait_queue_head_t bit_wait_table[kWaitTableSize];
};
KernelGlobal<buffer_globals> buffers;

wait_queue_head_t* bit_waitqueue(kptr<buffer_head> bh) {
  return &buffers->bit_wait_table[bh.address() / 64 % kWaitTableSize];
}

// v4.19 include/linux/wait_bit.h: wait_on_bit_io, wait_on_bit_lock_io. Sleeps until `done`.
template <typename Done>
void WaitForBit(kptr<buffer_head> bh, Done done) {
  wait_queue_head_t* queue = bit_waitqueue(bh);
  wait_queue_entry entry;
  init_wait_entry(&entry, 0);
  while (true) {
    prepare_to_wait(queue, &entry, TASK_UNINTERRUPTIBLE);
    if (done()) break;
    io_schedule();
  }
  finish_wait(queue, &entry);
}

// v4.19 fs/buffer.c: __lock_buffer
void __lock_buffer(kptr<buffer_head> bh) {
  FUNCTION(bh);
  WaitForBit(bh, [bh] { return trylock_buffer(bh); });
}

// v4.19 fs/buffer.c: __wait_on_buffer
void __wait_on_buffer(kptr<buffer_head> bh) {
  FUNCTION(bh);
  WaitForBit(bh, [bh] { return !buffer_locked(*bh); });
}

// v4.19 fs/buffer.c: alloc_buffer_head, with __GFP_NOFAIL
kptr<buffer_head> alloc_buffer_head() {
  FUNCTION();
  while (true) {
    const kptr<buffer_head> bh = kmem_cache_zalloc(buffers->bh_cachep, GFP_KERNEL);
    if (bh) return fn.Return(bh);
    cond_resched();
  }
}

// v4.19 fs/buffer.c: free_buffer_head
void free_buffer_head(kptr<buffer_head> bh) {
  FUNCTION(bh);
  kmem_cache_free(buffers->bh_cachep, bh);
}

// v4.19 fs/buffer.c: set_bh_page
void set_bh_page(kptr<buffer_head> bh, kptr<page> page, unsigned offset) {
  FUNCTION(bh, page, offset);
  bh->b_page = page;
  bh->b_data = offset;
}

// v4.19 fs/buffer.c: alloc_page_buffers. A list, not a ring yet. Returns the first.
kptr<buffer_head> alloc_page_buffers(kptr<page> page, unsigned size) {
  FUNCTION(page, size);
  kptr<buffer_head> head;
  for (unsigned offset = PAGE_SIZE; offset != 0;) {
    offset -= size;
    const kptr<buffer_head> bh = alloc_buffer_head();
    bh->b_this_page = head;
    bh->b_blocknr = ~sector_t{0};
    bh->b_size = size;
    set_bh_page(bh, page, offset);
    head = bh;
  }
  return fn.Return(head);
}

// v4.19 fs/buffer.c: create_empty_buffers
void create_empty_buffers(kptr<page> page, unsigned blocksize, unsigned b_state) {
  FUNCTION(page, blocksize, b_state);
  const kptr<buffer_head> head = alloc_page_buffers(page, blocksize);
  kptr<buffer_head> bh = head;
  while (true) {
    bh->b_state |= b_state;
    if (!bh->b_this_page) break;
    bh = bh->b_this_page;
  }
  bh->b_this_page = head;
  address_space* mapping = page->mapping;
  spin_lock(&mapping->private_lock);
  unsigned of_the_page = 0;
  if (PageUptodate(page)) of_the_page |= BH_Uptodate;
  if (PageDirty(page)) of_the_page |= BH_Dirty;
  // attach_page_buffers
  get_page(page);
  page->flags |= PG_private;
  page->private_ = head;
  ForEachBuffer(page, [of_the_page](kptr<buffer_head> each) { set_buffer(each, of_the_page); });
  spin_unlock(&mapping->private_lock);
}

// v4.19 fs/buffer.c: buffer_busy
bool buffer_busy(const buffer_head& bh) {
  return bh.b_count != 0 || (bh.b_state & (BH_Dirty | BH_Lock)) != 0;
}

// v4.19 fs/buffer.c: drop_buffers. Takes the ring off the page, unless a buffer is busy.
bool drop_buffers(kptr<page> page, kptr<buffer_head>* buffers_to_free) {
  FUNCTION(page);
  bool busy = false;
  ForEachBuffer(page, [&busy](kptr<buffer_head> bh) { busy = busy || buffer_busy(*bh); });
  if (busy) return fn.Return(false);
  *buffers_to_free = page->private_;
  // __clear_page_buffers
  page->flags &= ~static_cast<unsigned long>(PG_private);
  page->private_ = nullptr;
  put_page(page);
  return fn.Return(true);
}

// v4.19 fs/buffer.c: discard_buffer
void discard_buffer(kptr<buffer_head> bh) {
  lock_buffer(bh);
  clear_buffer(bh, BH_Dirty | BH_Mapped | BH_Req | BH_New);
  bh->b_bdev = nullptr;
  unlock_buffer(bh);
}

// v4.19 fs/buffer.c: __set_page_dirty
void __set_page_dirty(kptr<page> page, address_space* mapping) {
  FUNCTION(page);
  unsigned long flags;
  spin_lock_irqsave(&mapping->i_pages_lock, flags);
  if (page->mapping != nullptr) account_page_dirtied(page, mapping);
  spin_unlock_irqrestore(&mapping->i_pages_lock, flags);
}

}  // namespace

void buffer_init() {
  FUNCTION();
  for (wait_queue_head_t& queue : buffers->bit_wait_table) init_waitqueue_head(&queue);
  vfs_hooks->plugged = [](void (*body)(void* data), void* data) {
    blk_plug plug;
    blk_start_plug(&plug);
    body(data);
    blk_finish_plug(&plug);
  };
}

kptr<buffer_head> page_buffers(kptr<page> page) {
  KPATH_CHECK(PagePrivate(page), "a page without buffers is asked for them");
  return page->private_;
}

bool trylock_buffer(kptr<buffer_head> bh) {
  if (buffer_locked(*bh)) return false;
  bh->b_state |= BH_Lock;
  return true;
}

void lock_buffer(kptr<buffer_head> bh) {
  might_sleep();
  if (!trylock_buffer(bh)) __lock_buffer(bh);
}

void unlock_buffer(kptr<buffer_head> bh) {
  FUNCTION(bh);
  wait_queue_head_t* queue = bit_waitqueue(bh);
  bh->b_state &= ~BH_Lock;
  if (waitqueue_active(queue)) wake_up_all(queue);  // wake_up_bit
}

void wait_on_buffer(kptr<buffer_head> bh) {
  might_sleep();
  if (buffer_locked(*bh)) __wait_on_buffer(bh);
}

kptr<buffer_head> create_page_buffers(kptr<page> page, kptr<inode> inode, unsigned b_state) {
  FUNCTION(page, inode, b_state);
  if (!page_has_buffers(page)) create_empty_buffers(page, 1u << inode->i_blkbits, b_state);
  return fn.Return(page_buffers(page));
}

bool try_to_free_buffers(kptr<page> page) {
  FUNCTION(page);
  if (PageWriteback(page)) return fn.Return(false);
  address_space* mapping = page->mapping;
  kptr<buffer_head> head;
  bool ret;
  if (mapping == nullptr) {
    ret = drop_buffers(page, &head);
  } else {
    spin_lock(&mapping->private_lock);
    ret = drop_buffers(page, &head);
    // Clean blocks, of a page that counts as dirty: they were written one by one.
    if (ret) cancel_dirty_page(page);
    spin_unlock(&mapping->private_lock);
  }
  for (kptr<buffer_head> bh = head; bh;) {
    const kptr<buffer_head> next = bh->b_this_page;
    free_buffer_head(bh);
    bh = next == head ? kptr<buffer_head>() : next;
  }
  return fn.Return(ret);
}

void block_invalidatepage(kptr<page> page, unsigned offset, unsigned length) {
  FUNCTION(page, offset, length);
  if (!page_has_buffers(page)) return;
  const unsigned stop = offset + length;
  ForEachBuffer(page, [offset, stop](kptr<buffer_head> bh) {
    const bool inside = bh->b_data >= offset && bh->b_data + bh->b_size <= stop;
    if (inside) discard_buffer(bh);
  });
  if (length == PAGE_SIZE) try_to_release_page(page);
}

int __set_page_dirty_buffers(kptr<page> page) {
  FUNCTION(page);
  address_space* mapping = page_mapping(page);
  if (mapping == nullptr) return fn.Return(TestSetPageDirty(page) ? 0 : 1);
  spin_lock(&mapping->private_lock);
  if (page_has_buffers(page)) {
    ForEachBuffer(page, [](kptr<buffer_head> bh) { set_buffer(bh, BH_Dirty); });
  }
  const bool newly_dirty = !TestSetPageDirty(page);
  spin_unlock(&mapping->private_lock);
  if (newly_dirty) {
    __set_page_dirty(page, mapping);
    __mark_inode_dirty(mapping->host, I_DIRTY_PAGES);
  }
  return fn.Return(newly_dirty ? 1 : 0);
}

void mark_buffer_dirty(kptr<buffer_head> bh) {
  FUNCTION(bh);
  if (buffer_dirty(*bh)) return;
  bh->b_state |= BH_Dirty;
  const kptr<page> page = bh->b_page;
  if (TestSetPageDirty(page)) return;
  address_space* mapping = page_mapping(page);
  if (mapping == nullptr) return;
  __set_page_dirty(page, mapping);
  __mark_inode_dirty(mapping->host, I_DIRTY_PAGES);
}

// v4.19 fs/buffer.c: clean_bdev_aliases, of one block
void clean_bdev_bh_alias(const buffer_head& bh) {
  const kptr<inode> bd_inode = bh.b_bdev->bd_inode;
  FUNCTION(bh.b_blocknr);
  const loff_t pos = static_cast<loff_t>(bh.b_blocknr * bh.b_size);
  const pgoff_t index = static_cast<pgoff_t>(pos) >> PAGE_SHIFT;
  const kptr<page> page = find_get_page(bd_inode->i_mapping, index);
  if (!page) return;
  if (page_has_buffers(page)) {
    lock_page(page);  // so that nobody takes them off
    if (page_has_buffers(page)) {
      ForEachBuffer(page, [&](kptr<buffer_head> alias) {
        if (!buffer_mapped(*alias)) return;
        const auto at = static_cast<loff_t>(alias->b_blocknr * alias->b_size);
        if (at < pos || at >= pos + static_cast<loff_t>(bh.b_size)) return;
        clear_buffer(alias, BH_Dirty);
        wait_on_buffer(alias);
        clear_buffer(alias, BH_Req);
      });
    }
    unlock_page(page);
  }
  put_page(page);
}

}  // namespace kpath
