// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/protected.h"

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace kpath {
namespace {

struct Area {
  absl::string_view pattern;  // a '*' at its end stands for anything
  absl::string_view area;
};

constexpr absl::string_view kEntry = "entry code";
constexpr absl::string_view kAio = "fs/aio.c";
constexpr absl::string_view kBlock = "the bio and request path";
constexpr absl::string_view kCompletion = "the completion path";
constexpr absl::string_view kLocks = "lock operations, which the protected areas call too";

constexpr Area kProtected[] = {
    // entry code: arch/x86/entry, system calls by their entry points, interrupts
    {"do_syscall_*", kEntry},
    {"do_int80_syscall_32", kEntry},
    {"do_fast_syscall_32", kEntry},
    {"syscall_trace_enter", kEntry},
    {"syscall_slow_exit_work", kEntry},
    {"syscall_return_slowpath", kEntry},
    {"prepare_exit_to_usermode", kEntry},
    {"exit_to_usermode_loop", kEntry},
    {"enter_from_user_mode", kEntry},
    {"__x64_sys_*", kEntry},
    {"__ia32_sys_*", kEntry},
    {"__x32_compat_sys_*", kEntry},
    {"__ia32_compat_sys_*", kEntry},
    {"do_IRQ", kEntry},
    {"handle_irq", kEntry},
    {"smp_apic_timer_interrupt", kEntry},
    {"smp_call_function_*interrupt", kEntry},

    // fs/aio.c
    {"aio_*", kAio},
    {"do_io_getevents", kAio},
    {"exit_aio", kAio},
    {"free_ioctx*", kAio},
    {"get_reqs_available", kAio},
    {"io_submit_one", kAio},
    {"ioctx_*", kAio},
    {"iocb_put", kAio},
    {"kill_ioctx", kAio},
    {"kiocb_set_cancel_fn", kAio},
    {"lookup_ioctx", kAio},
    {"lookup_kiocb", kAio},
    {"put_aio_ring_file", kAio},
    {"put_reqs_available", kAio},
    {"read_events", kAio},
    {"refill_reqs_available", kAio},
    {"user_refill_reqs_available", kAio},

    // block: plug, bio, request, tags, the drivers' queue functions
    {"__bio_*", kBlock},
    {"__blk_*", kBlock},
    {"__blkdev_direct_IO*", kBlock},
    {"bio_*", kBlock},
    {"blk_*", kBlock},
    {"blkdev_bio_end_io*", kCompletion},
    {"blkdev_direct_IO", kBlock},
    {"blkdev_read_iter", kBlock},
    {"blkdev_write_iter", kBlock},
    {"bt_iter", kBlock},
    {"bvec_*", kBlock},
    {"detach_buf", kCompletion},
    {"disk_map_sector_rcu", kBlock},
    {"dispatch_rq_from_ctx", kBlock},
    {"end_cmd", kCompletion},
    {"elv_*", kBlock},
    {"errno_to_blk_status", kBlock},
    {"flush_busy_ctx", kBlock},
    {"generic_make_request*", kBlock},
    {"hctx_lock", kBlock},
    {"hctx_unlock", kBlock},
    {"ioprio_best", kBlock},
    {"kblockd_*", kBlock},
    {"ll_back_merge_fn", kBlock},
    {"ll_front_merge_fn", kBlock},
    {"null_*", kBlock},
    {"part_*", kBlock},
    {"plug_ctx_cmp", kBlock},
    {"req_no_special_merge", kBlock},
    {"rq_qos_*", kBlock},
    {"should_fail_bio", kBlock},
    {"submit_bio", kBlock},
    {"virtblk_*", kCompletion},
    {"virtio_queue_rq", kBlock},
    {"virtqueue_*", kBlock},
    {"vp_*", kCompletion},
    {"vring_*", kCompletion},
};

constexpr Area kLockOperations[] = {
    {"__mutex_*", kLocks},    {"_raw_read_*", kLocks}, {"_raw_spin_*", kLocks},
    {"_raw_write_*", kLocks}, {"down_read*", kLocks},  {"down_write*", kLocks},
    {"mutex_*", kLocks},      {"up_read", kLocks},     {"up_write", kLocks},
};

bool Matches(absl::string_view pattern, absl::string_view name) {
  const size_t star = pattern.find('*');
  if (star == absl::string_view::npos) return name == pattern;
  const absl::string_view tail = pattern.substr(star + 1);
  return name.size() >= pattern.size() - 1 && absl::StartsWith(name, pattern.substr(0, star)) &&
         absl::EndsWith(name, tail);
}

// True if some name that begins with `prefix` matches `pattern`.
bool Overlaps(absl::string_view pattern, absl::string_view prefix) {
  const size_t star = pattern.find('*');
  const absl::string_view head = pattern.substr(0, star);
  if (absl::StartsWith(head, prefix)) return true;
  return star != absl::string_view::npos && absl::StartsWith(prefix, head);
}

template <size_t kSize>
absl::string_view FindArea(const Area (&areas)[kSize], absl::string_view name) {
  const bool is_prefix = absl::ConsumeSuffix(&name, "*");
  for (const Area& area : areas) {
    if (is_prefix ? Overlaps(area.pattern, name) : Matches(area.pattern, name)) return area.area;
  }
  return "";
}

}  // namespace

bool IsProtected(absl::string_view name) { return !FindArea(kProtected, name).empty(); }

bool IsLockOperation(absl::string_view name) { return !FindArea(kLockOperations, name).empty(); }

absl::string_view ForbiddenArea(absl::string_view name) {
  const absl::string_view area = FindArea(kProtected, name);
  return area.empty() ? FindArea(kLockOperations, name) : area;
}

}  // namespace kpath
