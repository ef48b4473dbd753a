// SPDX-License-Identifier: Apache-2.0
#include "fs_aio/ring.h"

#include <algorithm>
#include <cstring>

#include "fs_aio/aio.h"
#include "sim/mm/filemap.h"
#include "sim/mm/migrate.h"
#include "sim/mm/mman.h"
#include "sim/mm/mmap.h"
#include "sim/mm/truncate.h"
#include "sim/vfs/fcntl.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/libfs.h"

namespace kpath {
namespace {

// v4.19 include/uapi/linux/magic.h: AIO_RING_MAGIC of the file system, 0xa10a10a1 as well.
constexpr uint32_t kAioFsMagic = AIO_RING_MAGIC;

struct aio_fs {
  kptr<vfsmount> aio_mnt;
};
KernelGlobal<aio_fs> aio_filesystem;

// v4.19 fs/aio.c: aio_ring_mremap. The process has moved its mapping of the ring: the handle moves
// with it.
int aio_ring_mremap(kptr<vm_area_struct> vma) {
  FUNCTION(vma);
  kptr<file> file = vma->vm_file;
  kptr<mm_struct> mm = vma->vm_mm;
  int res = Fail(EINVAL, "the ring belongs to no context of this process that lives");
  spin_lock(&mm->ioctx_lock);
  rcu_read_lock();
  kptr<kioctx_table> table = mm->ioctx_table;
  for (const kptr<kioctx>& ctx : table->table) {
    if (!ctx || ctx->aio_ring_file != file) continue;
    if (!ctx->dead) {
      ctx->user_id = ctx->mmap_base = vma->vm_start;
      res = 0;
    }
    break;
  }
  rcu_read_unlock();
  spin_unlock(&mm->ioctx_lock);
  return fn.Return(res);
}

constexpr vm_operations_struct aio_ring_vm_ops = {
    .name = "aio_ring_vm_ops",
    .mremap = aio_ring_mremap,
    .fault = filemap_fault,
    .map_pages = filemap_map_pages,
    .page_mkwrite = filemap_page_mkwrite,
};

// v4.19 fs/aio.c: aio_ring_mmap
int aio_ring_mmap(kptr<file> file, kptr<vm_area_struct> vma) {
  FUNCTION(file, vma);
  vma->vm_flags |= VM_DONTEXPAND;
  vma->vm_ops = &aio_ring_vm_ops;
  return fn.Return(0);
}

constexpr file_operations aio_ring_fops = {.name = "aio_ring_fops", .mmap = aio_ring_mmap};

// v4.19 fs/aio.c: part of aio_migratepage, with ring_lock held: moves a page of the ring while
// nobody reads events, and copies it while nobody stores one.
int migrate_ring_page(kptr<kioctx> ctx, kptr<page> newpage, kptr<page> old, migrate_mode mode) {
  const pgoff_t idx = old->index;
  if (idx >= ctx->ring_pages.size()) {
    return Fail(EINVAL, "page $0 is none of the ring's $1", idx, ctx->ring_pages.size());
  }
  if (ctx->ring_pages[idx] != old) {
    return Fail(EAGAIN, "page $0 of the ring has been moved already", idx);
  }
  get_page(newpage);
  const int rc = migrate_page_move_mapping(old->mapping, newpage, old, mode, 1);
  if (rc != MIGRATEPAGE_SUCCESS) {
    put_page(newpage);
    return rc;
  }
  unsigned long flags;
  spin_lock_irqsave(&ctx->completion_lock, flags);
  migrate_page_copy(newpage, old);
  ctx->ring_pages[idx] = newpage;
  STEP("ring page moved", idx, newpage);
  spin_unlock_irqrestore(&ctx->completion_lock, flags);
  put_page(old);
  return MIGRATEPAGE_SUCCESS;
}

// v4.19 fs/aio.c: aio_migratepage
int aio_migratepage(address_space* mapping, kptr<page> newpage, kptr<page> old, int mode) {
  FUNCTION(mapping->host, newpage, old, mode);
  if (mode == MIGRATE_SYNC_NO_COPY) {
    return fn.Return<int>(Fail(EINVAL, "a ring must be copied under completion_lock"));
  }
  spin_lock(&mapping->private_lock);  // the context cannot go away
  int rc;
  if (!mapping->private_data.has_value()) {
    rc = Fail(EINVAL, "the ring's context is gone");
  } else if (const auto ctx = std::any_cast<kptr<kioctx>>(mapping->private_data);
             mutex_trylock(&ctx->ring_lock) == 0) {
    // Who reads events holds it, and may be waiting in a page fault for this very page.
    rc = Fail(EAGAIN, "somebody reads events of this ring");
  } else {
    rc = migrate_ring_page(ctx, newpage, old, static_cast<migrate_mode>(mode));
    mutex_unlock(&ctx->ring_lock);
  }
  spin_unlock(&mapping->private_lock);
  return fn.Return(rc);
}

constexpr address_space_operations aio_ctx_aops = {
    .set_page_dirty = __set_page_dirty_no_writeback,
    .migratepage = aio_migratepage,
};

// v4.19 fs/aio.c: aio_private_file
kptr<file> aio_private_file(kptr<kioctx> ctx, long nr_pages) {
  FUNCTION(ctx, nr_pages);
  kptr<vfsmount> mnt = aio_filesystem->aio_mnt;
  kptr<inode> inode = alloc_anon_inode(mnt->mnt_sb);
  if (IS_ERR(inode)) return fn.Return(kptr<file>(PTR_ERR(inode)));
  inode->i_mapping->a_ops = &aio_ctx_aops;
  inode->i_mapping->private_data = ctx;
  i_size_write(inode, static_cast<loff_t>(PAGE_SIZE) * nr_pages);
  kptr<file> file = alloc_file_pseudo(inode, mnt, "[aio]", O_RDWR, &aio_ring_fops);
  if (IS_ERR(file)) iput(inode);
  return fn.Return(file);
}

// v4.19 fs/aio.c: put_aio_ring_file. Truncating takes the pages out of every process that maps
// them.
void put_aio_ring_file(kptr<kioctx> ctx) {
  FUNCTION(ctx);
  kptr<file> file = ctx->aio_ring_file;
  if (!file) return;
  truncate_setsize(file_inode(file), 0);
  address_space* mapping = file->f_mapping;
  spin_lock(&mapping->private_lock);
  mapping->private_data.reset();
  ctx->aio_ring_file = nullptr;
  spin_unlock(&mapping->private_lock);
  fput(file);
}

// v4.19 fs/aio.c: part of aio_setup_ring: the pages, zeroed, in the file's page cache and held by
// the context.
int make_ring_pages(kptr<kioctx> ctx, kptr<file> file, long nr_pages) {
  for (long i = 0; i < nr_pages; ++i) {
    kptr<page> page =
        find_or_create_page(file->f_mapping, static_cast<pgoff_t>(i), GFP_HIGHUSER | __GFP_ZERO);
    if (!page) return Fail(ENOMEM, "no memory for page $0 of $1 of the ring", i, nr_pages);
    SetPageUptodate(page);
    unlock_page(page);
    ctx->ring_pages.push_back(page);
  }
  return 0;
}

// v4.19 fs/aio.c: part of aio_setup_ring: maps the file where the kernel likes.
int map_ring(kptr<kioctx> ctx, kptr<file> file) {
  kptr<mm_struct> mm = current->mm;
  ctx->mmap_size = ctx->ring_pages.size() * PAGE_SIZE;
  if (down_write_killable(&mm->mmap_sem) != 0) {
    ctx->mmap_size = 0;
    return Fail(EINTR, "killed while waiting for the address space");
  }
  unsigned long unused;
  ctx->mmap_base = do_mmap_pgoff(file, 0, ctx->mmap_size, PROT_READ | PROT_WRITE, MAP_SHARED, 0,
                                 &unused, nullptr);
  up_write(&mm->mmap_sem);
  if (!IS_ERR_VALUE(ctx->mmap_base)) return 0;
  ctx->mmap_size = 0;
  return Fail(ENOMEM, "the ring of $0 pages cannot be mapped: $1", ctx->ring_pages.size(),
              AddressValue(ctx->mmap_base));
}

// v4.19 fs/aio.c: part of aio_setup_ring
void write_header(kptr<kioctx> ctx) {
  kmap_ptr mapped = kmap_atomic(ctx->ring_pages[0]);
  *mapped.as<aio_ring>() = {
      .id = ~0u,  // until ioctx_add_table knows it
      .nr = ctx->nr_events,
      .head = 0,
      .tail = 0,
      .magic = AIO_RING_MAGIC,
      .compat_features = AIO_RING_COMPAT_FEATURES,
      .incompat_features = AIO_RING_INCOMPAT_FEATURES,
      .header_length = sizeof(aio_ring),
  };
  kunmap_atomic(mapped);
}

}  // namespace

// v4.19 fs/aio.c: aio_setup_ring
int aio_setup_ring(kptr<kioctx> ctx, unsigned nr_events) {
  FUNCTION(ctx, nr_events);
  // One event stays unused, so that a full ring differs from an empty one; one is to spare.
  const uint64_t size = sizeof(aio_ring) + sizeof(io_event) * (uint64_t{nr_events} + 2);
  const long nr_pages = static_cast<long>((size + PAGE_SIZE - 1) / PAGE_SIZE);

  kptr<file> file = aio_private_file(ctx, nr_pages);
  if (IS_ERR(file)) {
    return fn.Return<int>(Fail(ENOMEM, "no memory for the file of the ring"));
  }
  ctx->aio_ring_file = file;
  // All of the pages is used.
  nr_events = static_cast<unsigned>((PAGE_SIZE * nr_pages - sizeof(aio_ring)) / sizeof(io_event));
  if (nr_pages > AIO_RING_PAGES) {
    ctx->ring_pages_array = kzalloc<ring_pages_array>(GFP_KERNEL);
    if (!ctx->ring_pages_array) {
      put_aio_ring_file(ctx);
      return fn.Return<int>(Fail(ENOMEM, "no memory for the list of $0 ring pages", nr_pages));
    }
  }
  int err = make_ring_pages(ctx, file, nr_pages);
  if (err == 0) err = map_ring(ctx, file);
  if (err != 0) {
    aio_free_ring(ctx);
    return fn.Return(err);
  }
  ctx->user_id = ctx->mmap_base;
  ctx->nr_events = nr_events;
  STEP("ring made", nr_pages, nr_events, Value::Address(ctx->mmap_base));
  write_header(ctx);
  return fn.Return(0);
}

// v4.19 fs/aio.c: aio_free_ring
void aio_free_ring(kptr<kioctx> ctx) {
  FUNCTION(ctx);
  put_aio_ring_file(ctx);
  for (const kptr<page>& page : ctx->ring_pages) put_page(page);
  ctx->ring_pages.clear();
  if (ctx->ring_pages_array) {
    kfree(ctx->ring_pages_array);
    ctx->ring_pages_array = nullptr;
  }
}

io_event ReadRingEvent(kptr<kioctx> ctx, unsigned index) {
  const RingSlot slot = SlotOf(index);
  kmap_ptr mapped = kmap_atomic(ctx->ring_pages[slot.page]);
  const io_event event = *mapped.as<io_event>(slot.offset);
  kunmap_atomic(mapped);
  return event;
}

aio_ring ReadRingHeader(kptr<kioctx> ctx) {
  kmap_ptr mapped = kmap_atomic(ctx->ring_pages[0]);
  const aio_ring ring = *mapped.as<aio_ring>();
  kunmap_atomic(mapped);
  return ring;
}

// v4.19 fs/aio.c: aio_setup
void aio_setup() {
  aio_filesystem->aio_mnt = mount_pseudo("aio", kAioFsMagic);
  aio_filesystem->aio_mnt->mnt_sb->s_iflags |= SB_I_NOEXEC;
}

}  // namespace kpath
