// SPDX-License-Identifier: Apache-2.0
#include "inspect/objects/names.h"

#include "absl/strings/match.h"
#include "fs_aio/aio_abi.h"
#include "sim/block/blk_mq.h"
#include "sim/kernel/fail.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/wait.h"
#include "sim/kernel/workqueue.h"
#include "sim/mm/mman.h"
#include "sim/mm/page.h"
#include "sim/vfs/disk/buffer_head.h"
#include "sim/vfs/eventfd.h"
#include "sim/vfs/fcntl.h"
#include "sim/vfs/fs.h"
#include "sim/vfs/kiocb.h"
#include "sim/vfs/poll.h"

namespace kpath {
namespace {

using Kind = Names::Kind;

// A constant under its name; the flag that a bit's number stands for.
#define N(constant) \
  { static_cast<uint64_t>(constant), #constant }
#define BIT(constant) \
  { uint64_t{1} << (constant), #constant }

constexpr Name kTaskStates[] = {N(TASK_RUNNING),   N(TASK_INTERRUPTIBLE), N(TASK_UNINTERRUPTIBLE),
                                N(__TASK_STOPPED), N(__TASK_TRACED),      N(TASK_DEAD),
                                N(TASK_WAKEKILL),  N(TASK_STOPPED),       N(TASK_TRACED),
                                N(TASK_KILLABLE),  N(TASK_NOLOAD),        N(TASK_IDLE),
                                N(TASK_NORMAL)};
constexpr Name kTaskFlags[] = {N(PF_EXITING), N(PF_SIGNALED), N(PF_WQ_WORKER), N(PF_KTHREAD)};
constexpr Name kThreadFlags[] = {
    BIT(TIF_SYSCALL_TRACE), BIT(TIF_NOTIFY_RESUME), BIT(TIF_SIGPENDING),
    BIT(TIF_NEED_RESCHED),  BIT(TIF_SINGLESTEP),    BIT(TIF_SYSCALL_EMU),
    BIT(TIF_SYSCALL_AUDIT), BIT(TIF_SECCOMP),       BIT(TIF_USER_RETURN_NOTIFY),
    BIT(TIF_UPROBE),        BIT(TIF_PATCH_PENDING), BIT(TIF_NOHZ),
    BIT(TIF_FORCED_TF),     BIT(TIF_BLOCKSTEP),     BIT(TIF_SYSCALL_TRACEPOINT),
    BIT(TIF_FSCHECK)};
constexpr Name kThreadStatus[] = {N(TS_COMPAT), N(TS_I386_REGS_POKED)};

constexpr Name kIocbCommands[] = {N(IOCB_CMD_PREAD),  N(IOCB_CMD_PWRITE), N(IOCB_CMD_FSYNC),
                                  N(IOCB_CMD_FDSYNC), N(IOCB_CMD_POLL),   N(IOCB_CMD_NOOP),
                                  N(IOCB_CMD_PREADV), N(IOCB_CMD_PWRITEV)};
constexpr Name kIocbFlags[] = {N(IOCB_FLAG_RESFD), N(IOCB_FLAG_IOPRIO)};
constexpr Name kKiocbFlags[] = {N(IOCB_EVENTFD), N(IOCB_APPEND), N(IOCB_DIRECT), N(IOCB_HIPRI),
                                N(IOCB_DSYNC),   N(IOCB_SYNC),   N(IOCB_WRITE),  N(IOCB_NOWAIT)};
constexpr Name kRwfFlags[] = {N(RWF_HIPRI), N(RWF_DSYNC), N(RWF_SYNC), N(RWF_NOWAIT),
                              N(RWF_APPEND)};
constexpr Name kPollEvents[] = {N(EPOLLIN),     N(EPOLLPRI),    N(EPOLLOUT),    N(EPOLLERR),
                                N(EPOLLHUP),    N(EPOLLNVAL),   N(EPOLLRDNORM), N(EPOLLRDBAND),
                                N(EPOLLWRNORM), N(EPOLLWRBAND), N(EPOLLMSG),    N(EPOLLRDHUP)};
constexpr Name kWaitFlags[] = {N(WQ_FLAG_EXCLUSIVE), N(WQ_FLAG_WOKEN), N(WQ_FLAG_BOOKMARK)};
constexpr Name kWorkqueueFlags[] = {N(WQ_UNBOUND),       N(WQ_MEM_RECLAIM), N(WQ_HIGHPRI),
                                    N(WQ_CPU_INTENSIVE), N(__WQ_DRAINING),  N(__WQ_ORDERED)};

constexpr Name kFileModes[] = {N(FMODE_READ),       N(FMODE_WRITE),           N(FMODE_LSEEK),
                               N(FMODE_PREAD),      N(FMODE_PWRITE),          N(FMODE_EXEC),
                               N(FMODE_NOCMTIME),   N(FMODE_UNSIGNED_OFFSET), N(FMODE_PATH),
                               N(FMODE_ATOMIC_POS), N(FMODE_WRITER),          N(FMODE_CAN_READ),
                               N(FMODE_CAN_WRITE),  N(FMODE_OPENED),          N(FMODE_CREATED),
                               N(FMODE_NONOTIFY),   N(FMODE_NOWAIT)};
constexpr Name kOpenFlags[] = {N(O_WRONLY),
                               N(O_RDWR),
                               N(O_CREAT),
                               N(O_EXCL),
                               N(O_NOCTTY),
                               N(O_TRUNC),
                               N(O_APPEND),
                               N(O_NONBLOCK),
                               N(O_DSYNC),
                               N(O_ASYNC),
                               N(O_DIRECT),
                               N(O_LARGEFILE),
                               N(O_DIRECTORY),
                               N(O_NOFOLLOW),
                               N(O_NOATIME),
                               N(O_CLOEXEC),
                               {KERNEL_O_SYNC, "__O_SYNC"},
                               N(O_PATH),
                               N(__O_TMPFILE)};
constexpr Name kInodeStates[] = {N(I_DIRTY_SYNC), N(I_DIRTY_DATASYNC), N(I_DIRTY_PAGES), N(I_NEW),
                                 N(I_FREEING),    N(I_CLEAR),          N(I_DIRTY_TIME)};
constexpr Name kEventfdFlags[] = {N(EFD_SEMAPHORE), N(EFD_CLOEXEC), N(EFD_NONBLOCK)};

constexpr Name kPageFlags[] = {N(PG_locked),    N(PG_error),      N(PG_referenced), N(PG_uptodate),
                               N(PG_dirty),     N(PG_lru),        N(PG_active),     N(PG_writeback),
                               N(PG_readahead), N(PG_swapbacked), N(PG_anon)};
constexpr Name kVmFlags[] = {N(VM_READ),       N(VM_WRITE),    N(VM_EXEC),      N(VM_SHARED),
                             N(VM_MAYREAD),    N(VM_MAYWRITE), N(VM_MAYEXEC),   N(VM_MAYSHARE),
                             N(VM_GROWSDOWN),  N(VM_PFNMAP),   N(VM_LOCKED),    N(VM_DONTCOPY),
                             N(VM_DONTEXPAND), N(VM_ACCOUNT),  N(VM_NORESERVE), N(VM_DONTDUMP),
                             N(VM_SOFTDIRTY)};

constexpr Name kBlkStatuses[] = {N(BLK_STS_OK),       N(BLK_STS_NOTSUPP),     N(BLK_STS_TIMEOUT),
                                 N(BLK_STS_NOSPC),    N(BLK_STS_TRANSPORT),   N(BLK_STS_TARGET),
                                 N(BLK_STS_NEXUS),    N(BLK_STS_MEDIUM),      N(BLK_STS_PROTECTION),
                                 N(BLK_STS_RESOURCE), N(BLK_STS_IOERR),       N(BLK_STS_DM_REQUEUE),
                                 N(BLK_STS_AGAIN),    N(BLK_STS_DEV_RESOURCE)};
// The operations first, as numbers of the lower 8 bits.
constexpr Name kOpf[] = {N(REQ_OP_READ),
                         N(REQ_OP_WRITE),
                         N(REQ_OP_FLUSH),
                         N(REQ_OP_DISCARD),
                         N(REQ_OP_WRITE_ZEROES),
                         N(REQ_OP_DRV_IN),
                         N(REQ_OP_DRV_OUT),
                         N(REQ_FAILFAST_DEV),
                         N(REQ_FAILFAST_TRANSPORT),
                         N(REQ_FAILFAST_DRIVER),
                         N(REQ_SYNC),
                         N(REQ_META),
                         N(REQ_PRIO),
                         N(REQ_NOMERGE),
                         N(REQ_IDLE),
                         N(REQ_FUA),
                         N(REQ_PREFLUSH),
                         N(REQ_RAHEAD),
                         N(REQ_BACKGROUND),
                         N(REQ_NOWAIT)};
constexpr Name kBioFlags[] = {BIT(BIO_SEG_VALID), BIT(BIO_CLONED), BIT(BIO_QUIET),
                              BIT(BIO_CHAIN),     BIT(BIO_REFFED), BIT(BIO_QUEUE_ENTERED)};
constexpr Name kRequestFlags[] = {
    N(RQF_SORTED), N(RQF_STARTED), N(RQF_SOFTBARRIER), N(RQF_FLUSH_SEQ),       N(RQF_DONTPREP),
    N(RQF_FAILED), N(RQF_QUIET),   N(RQF_IO_STAT),     N(RQF_SPECIAL_PAYLOAD), N(RQF_TIMED_OUT)};
constexpr Name kBufferStates[] = {N(BH_Uptodate), N(BH_Dirty),         N(BH_Lock),
                                  N(BH_Req),      N(BH_Uptodate_Lock), N(BH_Mapped),
                                  N(BH_New),      N(BH_Async_Read),    N(BH_Async_Write),
                                  N(BH_Boundary), N(BH_Write_EIO),     N(BH_Defer_Completion)};
constexpr Name kRequestStates[] = {N(MQ_RQ_IDLE), N(MQ_RQ_IN_FLIGHT), N(MQ_RQ_COMPLETE)};
constexpr Name kQueueFlags[] = {
    BIT(QUEUE_FLAG_DYING),     BIT(QUEUE_FLAG_NOMERGES),   BIT(QUEUE_FLAG_SAME_COMP),
    BIT(QUEUE_FLAG_FAIL_IO),   BIT(QUEUE_FLAG_NONROT),     BIT(QUEUE_FLAG_IO_STAT),
    BIT(QUEUE_FLAG_NOXMERGES), BIT(QUEUE_FLAG_SAME_FORCE), BIT(QUEUE_FLAG_WC),
    BIT(QUEUE_FLAG_FUA),       BIT(QUEUE_FLAG_QUIESCED)};
constexpr Name kHctxStates[] = {BIT(BLK_MQ_S_STOPPED), BIT(BLK_MQ_S_TAG_ACTIVE),
                                BIT(BLK_MQ_S_SCHED_RESTART)};
constexpr Name kHctxFlags[] = {N(BLK_MQ_F_SHOULD_MERGE), N(BLK_MQ_F_TAG_SHARED),
                               N(BLK_MQ_F_BLOCKING)};
constexpr Name kEflags[] = {{X86_EFLAGS_CF, "CF"}, {X86_EFLAGS_PF, "PF"}, {X86_EFLAGS_AF, "AF"},
                            {X86_EFLAGS_ZF, "ZF"}, {X86_EFLAGS_SF, "SF"}, {X86_EFLAGS_TF, "TF"},
                            {X86_EFLAGS_IF, "IF"}, {X86_EFLAGS_DF, "DF"}, {X86_EFLAGS_OF, "OF"},
                            {X86_EFLAGS_NT, "NT"}, {X86_EFLAGS_RF, "RF"}, {X86_EFLAGS_AC, "AC"}};
// Known to expressions alone.
constexpr Name kOthers[] = {N(AIO_RING_MAGIC), N(PAGE_SIZE),   N(PAGE_SHIFT),
                            N(THREAD_SIZE),    N(REQ_OP_MASK), {0, "NULL"}};
#undef N
#undef BIT

}  // namespace

const Names kErrnoNames = {Kind::kErrno, {}};
const Names kResultNames = {Kind::kUserErrno, {}};
const Names kTaskStateNames = {Kind::kEnum, kTaskStates};
const Names kTaskFlagNames = {Kind::kFlags, kTaskFlags};
const Names kThreadFlagNames = {Kind::kFlags, kThreadFlags};
const Names kThreadStatusNames = {Kind::kFlags, kThreadStatus};
const Names kIocbCommandNames = {Kind::kEnum, kIocbCommands};
const Names kIocbFlagNames = {Kind::kFlags, kIocbFlags};
const Names kKiocbFlagNames = {Kind::kFlags, kKiocbFlags};
const Names kRwfNames = {Kind::kFlags, kRwfFlags};
const Names kPollNames = {Kind::kFlags, kPollEvents};
const Names kWaitFlagNames = {Kind::kFlags, kWaitFlags};
const Names kWorkqueueFlagNames = {Kind::kFlags, kWorkqueueFlags};
const Names kFileModeNames = {Kind::kFlags, kFileModes};
const Names kOpenFlagNames = {Kind::kFlags, kOpenFlags};
const Names kInodeStateNames = {Kind::kFlags, kInodeStates};
const Names kEventfdFlagNames = {Kind::kFlags, kEventfdFlags};
const Names kPageFlagNames = {Kind::kFlags, kPageFlags};
const Names kVmFlagNames = {Kind::kFlags, kVmFlags};
const Names kBlkStatusNames = {Kind::kEnum, kBlkStatuses};
const Names kOpfNames = {Kind::kOperation, kOpf};
const Names kBioFlagNames = {Kind::kFlags, kBioFlags};
const Names kBufferStateNames = {Kind::kFlags, kBufferStates};
const Names kRequestFlagNames = {Kind::kFlags, kRequestFlags};
const Names kRequestStateNames = {Kind::kEnum, kRequestStates};
const Names kQueueFlagNames = {Kind::kFlags, kQueueFlags};
const Names kHctxStateNames = {Kind::kFlags, kHctxStates};
const Names kHctxFlagNames = {Kind::kFlags, kHctxFlags};
const Names kEflagsNames = {Kind::kRegister, kEflags};

absl::optional<int64_t> FindConstant(absl::string_view name) {
  if (absl::StartsWith(name, "E")) {
    for (int number = 1; number <= MAX_ERRNO; ++number) {
      if (ErrnoName(number) == name) return number;
    }
  }
  static constexpr absl::Span<const Name> kAll[] = {
      kTaskStates,     kTaskFlags,    kThreadFlags,   kThreadStatus, kIocbCommands, kIocbFlags,
      kKiocbFlags,     kRwfFlags,     kPollEvents,    kWaitFlags,    kFileModes,    kOpenFlags,
      kInodeStates,    kEventfdFlags, kPageFlags,     kVmFlags,      kBlkStatuses,  kOpf,
      kBioFlags,       kRequestFlags, kRequestStates, kQueueFlags,   kHctxStates,   kHctxFlags,
      kWorkqueueFlags, kOthers};
  for (const absl::Span<const Name> names : kAll) {
    for (const Name& one : names) {
      if (one.name == name) return static_cast<int64_t>(one.value);
    }
  }
  return absl::nullopt;
}

}  // namespace kpath
