// SPDX-License-Identifier: Apache-2.0
//
// The objects of native AIO. v4.19 fs/aio.c: struct kioctx, kioctx_table, aio_kiocb
//
// A kioctx is what io_setup makes: a ring of io_events shared with the process, and the right to
// have a number of requests in flight. Its handle (user_id) is the address at which the ring is
// mapped.
//
// Who may call what: the system calls and ioctx_alloc, kill_ioctx, exit_aio in process context;
// aio_complete in any; free_ioctx in a workqueue; free_ioctx_users and free_ioctx_reqs wherever the
// last reference is dropped, often in RCU's softirq, so they must not sleep.
//
// Locks: mm->ioctx_lock (the table, the step to dead), ring_lock (reading events; all of
// ioctx_alloc), completion_lock (tail, completed_events, storing events), ctx_lock (active_reqs),
// wait.lock. ring_lock is taken before mm->mmap_sem, mmap_sem before ioctx_lock.
//
// Invariants
//   1. Slots: reqs_available (global and per CPU) + requests in flight + completed_events
//      = nr_events - 1. A request has its slot in the ring before it is accepted, so aio_complete
//      never finds the ring full.
//   2. users counts 1 until kill_ioctx, 1 until the end of io_setup, 1 per system call inside.
//   3. reqs counts 1 until free_ioctx_users and 1 per request; zero means that no aio_complete can
//      come any more.
//   4. Only aio_complete moves `tail`; the ring's tail in user memory is a copy.
//   5. dead goes from 0 to 1 once, under mm->ioctx_lock.
#pragma once

#include <cstdint>
#include <vector>

#include "fs_aio/aio_abi.h"
#include "sim/kernel/mutex.h"
#include "sim/kernel/percpu.h"
#include "sim/kernel/percpu_ref.h"
#include "sim/kernel/rcu.h"
#include "sim/kernel/slab.h"
#include "sim/kernel/spinlock.h"
#include "sim/kernel/uaccess.h"
#include "sim/kernel/wait.h"
#include "sim/kernel/workqueue.h"
#include "sim/mm/mm_types.h"
#include "sim/mm/page.h"
#include "sim/vfs/fs.h"

namespace kpath {

struct eventfd_ctx;
struct completion;

// What waits for the death of several contexts: exit_aio, io_destroy.
struct ctx_rq_wait {
  completion* comp = nullptr;
  int count = 0;
};

struct kioctx_cpu {
  static constexpr const char* kSlabName = "kioctx_cpu";
  unsigned reqs_available = 0;
};

// The pages whose list fits in the kioctx itself.
inline constexpr long AIO_RING_PAGES = 8;
struct ring_pages_array {
  static constexpr const char* kSlabName = "kmalloc";
};

struct aio_kiocb;

struct kioctx {
  static constexpr const char* kSlabName = "kioctx";

  percpu_ref users;
  bool dead = false;
  percpu_ref reqs;
  uint64_t user_id = 0;

  percpu_ptr<kioctx_cpu> cpu;
  // How many slots move between a CPU and the global counter at a time.
  unsigned req_batch = 0;
  // What was asked for; what aio_nr counts.
  unsigned max_reqs = 0;
  // The size of the ring, in events.
  unsigned nr_events = 0;

  uint64_t mmap_base = 0;
  uint64_t mmap_size = 0;
  std::vector<kptr<page>> ring_pages;
  // What Linux allocates for the list of more than AIO_RING_PAGES pages; the list itself is above.
  kptr<struct ring_pages_array> ring_pages_array;

  rcu_work free_rwork;
  // Signalled when all requests of the context have ended; may be null.
  ctx_rq_wait* rq_wait = nullptr;

  // Slots that no CPU holds.
  unsigned reqs_available = 0;

  spinlock_t ctx_lock{"ctx_lock"};
  std::vector<kptr<aio_kiocb>> active_reqs;  // cancellable requests, oldest first

  struct mutex ring_lock;
  wait_queue_head_t wait;

  unsigned tail = 0;
  unsigned completed_events = 0;
  spinlock_t completion_lock{"completion_lock"};

  kptr<file> aio_ring_file;
  unsigned id = 0;  // index in the table
};

struct kioctx_table {
  static constexpr const char* kSlabName = "kioctx_table";
  std::vector<kptr<kioctx>> table;
  const kioctx* fetched = nullptr;  // not Linux's: the last one of PrefetchContext (ioctx.cc)
};

// v4.19 fs/aio.c: struct fsync_iocb
struct fsync_iocb {
  work_struct work;
  kptr<struct file> file;
  bool datasync = false;
};

// v4.19 fs/aio.c: struct poll_iocb
struct poll_iocb {
  kptr<struct file> file;
  wait_queue_head_t* head = nullptr;  // of the file, which is held: the one queue that it waits on
  __poll_t events = 0;                // asked for, EPOLLERR and EPOLLHUP among them
  bool woken = false;                 // the queue was woken, for these events or for others
  bool cancelled = false;
  wait_queue_entry wait;
  work_struct work;
};

// One request. v4.19 fs/aio.c: struct aio_kiocb, here with the union's parts side by side.
struct aio_kiocb {
  static constexpr const char* kSlabName = "aio_kiocb";

  kiocb rw;
  fsync_iocb fsync;
  poll_iocb poll;
  kptr<kioctx> ki_ctx;
  uint64_t ki_user_iocb = 0;  // user address of the iocb, returned in io_event::obj
  uint64_t ki_user_data = 0;
  int (*ki_cancel)(kiocb* iocb) = nullptr;  // of requests in active_reqs
  bool ki_listed = false;                   // in active_reqs: `ki_list` is not empty
  int ki_refcnt = 0;                        // 0: the first iocb_put frees it
  kptr<eventfd_ctx> ki_eventfd;
};

extern KernelGlobal<kmem_cache<kioctx>> kioctx_cachep;
extern KernelGlobal<kmem_cache<aio_kiocb>> kiocb_cachep;

// fs.aio-nr and fs.aio-max-nr.
struct aio_globals {
  spinlock_t aio_nr_lock{"aio_nr_lock"};
  unsigned long aio_nr = 0;
  unsigned long aio_max_nr = 0x10000;
};
extern KernelGlobal<aio_globals> aio;

}  // namespace kpath
