// SPDX-License-Identifier: Apache-2.0
//
// The structs of the kernel that have a table of their fields: each is defined in the file of its
// area in this folder (aio.cc, block.cc …). To describe one more, add it here and write
//
//   template <> const Type& StructTypeOf<thing>() { … }     // see inspect/types_of.h
//
// A test fails if a kind of slab object is missing here.
#pragma once

// X(struct)
#define KPATH_DESCRIBED_AIO(X) \
  X(kioctx)                    \
  X(kioctx_table)              \
  X(kioctx_cpu)                \
  X(aio_kiocb)                 \
  X(kiocb)                     \
  X(fsync_iocb)                \
  X(poll_iocb)                 \
  X(iocb)                      \
  X(io_event)                  \
  X(aio_ring)

#define KPATH_DESCRIBED_KERNEL(X) \
  X(spinlock_t)                   \
  X(rwlock_t)                     \
  X(mutex)                        \
  X(mutex_waiter)                 \
  X(rw_semaphore)                 \
  X(rwsem_waiter)                 \
  X(wait_queue_head_t)            \
  X(wait_queue_entry)             \
  X(completion)                   \
  X(percpu_ref)                   \
  X(percpu_ref_count)             \
  X(rcu_head)                     \
  X(work_struct)                  \
  X(delayed_work)                 \
  X(rcu_work)                     \
  X(timer_list)                   \
  X(hrtimer)                      \
  X(timespec64)                   \
  X(worker)                       \
  X(worker_pool)                  \
  X(pool_workqueue)               \
  X(workqueue_struct)             \
  X(sbitmap)                      \
  X(sbitmap_queue)                \
  X(sbq_wait_state)

#define KPATH_DESCRIBED_SCHED(X) \
  X(task_struct)                 \
  X(thread_info)                 \
  X(thread_struct)               \
  X(held_lock)                   \
  X(seccomp)                     \
  X(seccomp_filter)              \
  X(audit_context)               \
  X(signal_struct)               \
  X(sighand_struct)              \
  X(k_sigaction)                 \
  X(sigset_t)                    \
  X(sigpending)                  \
  X(sigqueue)

#define KPATH_DESCRIBED_FS(X) \
  X(file)                     \
  X(file_operations)          \
  X(file_ra_state)            \
  X(path)                     \
  X(vfsmount)                 \
  X(dentry)                   \
  X(inode)                    \
  X(super_block)              \
  X(address_space)            \
  X(errseq_t)                 \
  X(files_struct)             \
  X(fdtable)                  \
  X(fs_struct)                \
  X(filename)                 \
  X(eventfd_ctx)              \
  X(pipe_inode_info)          \
  X(pipe_ring)                \
  X(pipe_buffer)              \
  X(pipe_page)                \
  X(eventpoll)                \
  X(epitem)                   \
  X(eppoll_entry)             \
  X(poll_table_page)          \
  X(poll_table_entry)         \
  X(iovec_array)              \
  X(iovec)                    \
  X(buffer_head)              \
  X(dio)                      \
  X(ext2_inode_info)          \
  X(ext2_run)                 \
  X(ext2_sb_info)

#define KPATH_DESCRIBED_MM(X) \
  X(mm_struct)                \
  X(vm_area_struct)           \
  X(vm_operations_struct)     \
  X(page)                     \
  X(pgprot_t)

#define KPATH_DESCRIBED_BLOCK(X) \
  X(blk_plug)                    \
  X(bio)                         \
  X(bio_vec)                     \
  X(bio_list)                    \
  X(bvec_iter)                   \
  X(request)                     \
  X(request_queue)               \
  X(queue_limits)                \
  X(blk_mq_hw_ctx)               \
  X(blk_mq_ctx)                  \
  X(blk_mq_ops)                  \
  X(blk_mq_tags)                 \
  X(blk_mq_tag_set)              \
  X(gendisk)                     \
  X(hd_struct)                   \
  X(disk_stats)                  \
  X(block_device)

#define KPATH_DESCRIBED_ENTRY(X) X(pt_regs)

#define KPATH_DESCRIBED_STRUCTS(X) \
  KPATH_DESCRIBED_AIO(X)           \
  KPATH_DESCRIBED_KERNEL(X)        \
  KPATH_DESCRIBED_SCHED(X)         \
  KPATH_DESCRIBED_FS(X)            \
  KPATH_DESCRIBED_MM(X)            \
  KPATH_DESCRIBED_BLOCK(X)         \
  KPATH_DESCRIBED_ENTRY(X)

namespace kpath {

struct Type;
class Cpu;

template <typename T>
inline constexpr bool kIsDescribed = false;
template <typename T>
const Type& StructTypeOf();

#define KPATH_DESCRIBED(name)                      \
  struct name;                                     \
  template <>                                      \
  inline constexpr bool kIsDescribed<name> = true; \
  template <>                                      \
  const Type& StructTypeOf<name>();
KPATH_DESCRIBED_STRUCTS(KPATH_DESCRIBED)
#undef KPATH_DESCRIBED

// A CPU with its registers: no struct of the kernel, but what `cpu(0)` is.
template <>
inline constexpr bool kIsDescribed<Cpu> = true;
template <>
const Type& StructTypeOf<Cpu>();

}  // namespace kpath
