// SPDX-License-Identifier: Apache-2.0
//
// select and pselect6. v4.19 fs/select.c
#include "sim/vfs/select.h"

#include <algorithm>
#include <climits>

#include "sim/kernel/syscalls.h"
#include "sim/kernel/time.h"
#include "sim/kernel/timekeeping.h"
#include "sim/kernel/uaccess.h"
#include "sim/vfs/fdtable.h"
#include "sim/vfs/file.h"
#include "sim/vfs/select_internal.h"

namespace kpath {

// v4.19 include/uapi/linux/time.h: struct timeval
struct timeval {
  int64_t tv_sec;
  int64_t tv_usec;
};

namespace {

constexpr int BITS_PER_LONG = 64;
// Six sets of so many bytes fit on the stack.
constexpr size_t kStackBytesPerSet = 256 / 6;

constexpr __poll_t POLLIN_SET = EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR;
constexpr __poll_t POLLOUT_SET = EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR;
constexpr __poll_t POLLEX_SET = EPOLLPRI;

// What a set of descriptors asks for: for reading, for writing, for exceptions.
constexpr int kSets = 3;
constexpr __poll_t kMaskOfSet[kSets] = {POLLIN_SET, POLLOUT_SET, POLLEX_SET};

// v4.19 fs/select.c: fd_set_bits
struct fd_set_bits {
  using words = std::vector<unsigned long>;
  words in[kSets];
  words res[kSets];

  unsigned long all(size_t word) const { return in[0][word] | in[1][word] | in[2][word]; }
};

// The memory that larger sets need.
struct select_bits {
  static constexpr const char* kSlabName = "select_bits";
};

// v4.19 fs/select.c: FDS_LONGS
size_t FDS_LONGS(int nr) { return (static_cast<size_t>(nr) + BITS_PER_LONG - 1) / BITS_PER_LONG; }

unsigned long OpenFds(const kptr<fdtable>& fdt, size_t word) {
  unsigned long bits = 0;
  for (size_t i = 0; i < BITS_PER_LONG; ++i) {
    const size_t fd = word * BITS_PER_LONG + i;
    if (fd < fdt->open_fds.size() && fdt->open_fds[fd]) bits |= 1ul << i;
  }
  return bits;
}

// v4.19 fs/select.c: max_select_fd. One more than the highest descriptor asked for; -EBADF: one of
// them is not open.
int max_select_fd(int n, const fd_set_bits& fds) {
  FUNCTION(n);
  const kptr<fdtable> fdt = current->files->fdt;
  int max = 0;
  for (size_t word = FDS_LONGS(n); word-- > 0;) {
    unsigned long set = fds.all(word);
    if (word == static_cast<size_t>(n) / BITS_PER_LONG) set &= ~(~0ul << (n % BITS_PER_LONG));
    if (set == 0) continue;
    const unsigned long closed = set & ~OpenFds(fdt, word);
    if (closed != 0) {
      const int fd = static_cast<int>(word) * BITS_PER_LONG + __builtin_ctzl(closed);
      return fn.Return(Fail(EBADF, "fd $0 is not open", fd));
    }
    if (max == 0) max = static_cast<int>(word + 1) * BITS_PER_LONG - __builtin_clzl(set);
  }
  return fn.Return(max);
}

// v4.19 fs/select.c: wait_key_set
void wait_key_set(poll_table* wait, const fd_set_bits& fds, size_t word, unsigned long bit) {
  wait->_key = POLLEX_SET;
  if ((fds.in[0][word] & bit) != 0) wait->_key |= POLLIN_SET;
  if ((fds.in[1][word] & bit) != 0) wait->_key |= POLLOUT_SET;
}

// Asks one file. Returns in how many of the sets it is ready.
int AskOne(int fd, fd_set_bits* fds, poll_table* wait) {
  const auto word = static_cast<size_t>(fd / BITS_PER_LONG);
  const unsigned long bit = 1ul << (fd % BITS_PER_LONG);
  const struct fd f = fdget(static_cast<unsigned>(fd));
  if (!f.file) return 0;  // closed meanwhile
  wait_key_set(wait, *fds, word, bit);
  const __poll_t mask = vfs_poll(f.file, wait);
  fdput(f);
  int count = 0;
  for (int set = 0; set < kSets; ++set) {
    if ((mask & kMaskOfSet[set]) == 0 || (fds->in[set][word] & bit) == 0) continue;
    fds->res[set][word] |= bit;
    ++count;
    wait->_qproc = nullptr;
  }
  return count;
}

// One round of do_select.
int AskAll(int n, fd_set_bits* fds, poll_table* wait) {
  int count = 0;
  for (size_t word = 0; word < FDS_LONGS(n); ++word) {
    const unsigned long all_bits = fds->all(word);
    if (all_bits == 0) continue;
    for (int i = 0; i < BITS_PER_LONG; ++i) {
      const int fd = static_cast<int>(word) * BITS_PER_LONG + i;
      if (fd < n && (all_bits >> i & 1) != 0) count += AskOne(fd, fds, wait);
    }
    cond_resched();
  }
  return count;
}

// v4.19 fs/select.c: do_select. Null `end_time`: no end. How many bits are set in the results; 0
// also after a signal; -EBADF, -ENOMEM.
int do_select(int n, fd_set_bits* fds, const timespec64* end_time) {
  FUNCTION(n);
  rcu_read_lock();
  n = max_select_fd(n, *fds);
  rcu_read_unlock();
  if (n < 0) return fn.Return(n);
  poll_wqueues table;
  poll_initwait(&table);
  poll_table* wait = &table.pt;
  Deadline deadline(end_time);
  if (deadline.timed_out) wait->_qproc = nullptr;
  int retval;
  while (true) {
    retval = AskAll(n, fds, wait);
    wait->_qproc = nullptr;
    if (retval != 0 || deadline.timed_out || signal_pending(current)) break;
    if (table.error != 0) {
      retval = table.error;
      break;
    }
    deadline.Sleep(&table);
  }
  poll_freewait(&table);
  return fn.Return(retval);
}

// v4.19 fs/select.c: get_fd_set, zero_fd_set. A set that is not given is empty. 0 or -EFAULT.
int get_fd_set(int n, user_ptr<unsigned long> ufdset, fd_set_bits::words* fdset) {
  fdset->assign(FDS_LONGS(n), 0);
  if (!ufdset) return 0;
  return copy_from_user(fdset->data(), ufdset, fdset->size() * sizeof(long)) != 0 ? -EFAULT : 0;
}

// v4.19 fs/select.c: set_fd_set. 0 or -EFAULT.
int set_fd_set(user_ptr<unsigned long> ufdset, const fd_set_bits::words& fdset) {
  if (!ufdset) return 0;
  return copy_to_user(ufdset, fdset.data(), fdset.size() * sizeof(long)) != 0 ? -EFAULT : 0;
}

// v4.19 fs/select.c: the part of core_sys_select between getting and freeing the memory.
int select_with_bits(int n, const user_ptr<unsigned long>* sets, const timespec64* end_time) {
  fd_set_bits fds;
  for (int set = 0; set < kSets; ++set) {
    if (get_fd_set(n, sets[set], &fds.in[set]) != 0) return -EFAULT;
    fds.res[set].assign(FDS_LONGS(n), 0);
  }
  const int ret = do_select(n, &fds, end_time);
  if (ret < 0) return ret;
  if (ret == 0 && signal_pending(current)) {
    return Fail(ERESTARTNOHAND, "a signal came while no file was ready");
  }
  for (int set = 0; set < kSets; ++set) {
    if (set_fd_set(sets[set], fds.res[set]) != 0) return -EFAULT;
  }
  return ret;
}

// v4.19 fs/select.c: core_sys_select. `sets`: for reading, for writing, for exceptions; each may be
// null.
int core_sys_select(int n, const user_ptr<unsigned long>* sets, const timespec64* end_time) {
  FUNCTION(n, sets[0], sets[1], sets[2]);
  if (n < 0) return fn.Return(Fail(EINVAL, "n=$0 is negative", n));
  rcu_read_lock();
  n = std::min(n, static_cast<int>(current->files->fdt->max_fds()));
  rcu_read_unlock();
  kptr<select_bits> bits;
  if (FDS_LONGS(n) * sizeof(long) > kStackBytesPerSet) {
    bits = kzalloc<select_bits>(GFP_KERNEL);
    if (!bits) return fn.Return(Fail(ENOMEM, "no memory for six sets of $0 descriptors", n));
  }
  const int ret = select_with_bits(n, sets, end_time);
  if (bits) kfree(bits);
  return fn.Return(ret);
}

// v4.19 fs/select.c: the start of poll_select_copy_remaining. False: there is nothing to store.
bool Remaining(const timespec64& end_time, timespec64* rts) {
  if (end_time.tv_sec == 0 && end_time.tv_nsec == 0) return false;
  ktime_get_ts64(rts);
  *rts = timespec64_sub(end_time, *rts);
  if (rts->tv_sec < 0) *rts = {};
  return true;
}

// The call cannot be made again with the time that is left.
long NotAgain(long ret) {
  if (ret != -ERESTARTNOHAND) return ret;
  return Fail(EINTR, "a signal came, and the time that is left cannot be stored");
}

}  // namespace

long poll_select_copy_remaining(const timespec64& end_time, user_ptr<timespec64> p, long ret) {
  if (!p) return ret;
  FUNCTION(p);
  timespec64 rts;
  if (!Remaining(end_time, &rts) || put_timespec64(rts, p) == 0) return fn.Return(ret);
  return fn.Return(NotAgain(ret));
}

long poll_select_copy_remaining(const timespec64& end_time, user_ptr<timeval> p, long ret) {
  if (!p) return ret;
  FUNCTION(p);
  timespec64 rts;
  if (!Remaining(end_time, &rts)) return fn.Return(ret);
  const timeval rtv = {rts.tv_sec, rts.tv_nsec / NSEC_PER_USEC};
  if (copy_to_user(p, &rtv, sizeof(rtv)) == 0) return fn.Return(ret);
  return fn.Return(NotAgain(ret));
}

// v4.19 fs/select.c: sys_select, kern_select
SYSCALL_DEFINE5(select, int, n, user_ptr<unsigned long>, inp, user_ptr<unsigned long>, outp,
                user_ptr<unsigned long>, exp, user_ptr<timeval>, tvp) {
  constexpr int64_t kUsecPerSec = 1'000'000;
  timespec64 end_time;
  if (tvp) {
    timeval tv;
    if (copy_from_user(&tv, tvp, sizeof(tv)) != 0) return Error(EFAULT);
    const int error = poll_select_set_timeout(&end_time, tv.tv_sec + tv.tv_usec / kUsecPerSec,
                                              tv.tv_usec % kUsecPerSec * NSEC_PER_USEC);
    if (error != 0) return error;
  }
  const user_ptr<unsigned long> sets[kSets] = {inp, outp, exp};
  const int ret = core_sys_select(n, sets, tvp ? &end_time : nullptr);
  return poll_select_copy_remaining(end_time, tvp, ret);
}

// v4.19 fs/select.c: do_pselect
static long do_pselect(int n, const user_ptr<unsigned long>* sets, user_ptr<timespec64> tsp,
                       user_ptr<const uint64_t> sigmask, size_t sigsetsize) {
  FUNCTION(n, tsp, sigmask, sigsetsize);
  timespec64 end_time;
  if (tsp) {
    timespec64 ts;
    if (get_timespec64(&ts, tsp) != 0) return fn.Return<long>(Error(EFAULT));
    const int error = poll_select_set_timeout(&end_time, ts.tv_sec, ts.tv_nsec);
    if (error != 0) return fn.Return(long{error});
  }
  CallSigmask mask;
  const int error = mask.Set(sigmask, sigsetsize);
  if (error != 0) return fn.Return(long{error});
  const int result = core_sys_select(n, sets, tsp ? &end_time : nullptr);
  const long ret = poll_select_copy_remaining(end_time, tsp, result);
  mask.Restore(/*by_signal=*/ret == -ERESTARTNOHAND);
  return fn.Return(ret);
}

// v4.19 fs/select.c: sys_pselect6. `sig` points to { const sigset_t *mask; size_t size; }.
SYSCALL_DEFINE6(pselect6, int, n, user_ptr<unsigned long>, inp, user_ptr<unsigned long>, outp,
                user_ptr<unsigned long>, exp, user_ptr<timespec64>, tsp, user_ptr<uint64_t>, sig) {
  uint64_t up = 0;
  size_t sigsetsize = 0;
  if (sig && (get_user(up, sig) != 0 || get_user(sigsetsize, sig + 1) != 0)) return Error(EFAULT);
  const user_ptr<unsigned long> sets[kSets] = {inp, outp, exp};
  return do_pselect(n, sets, tsp, user_ptr<const uint64_t>(up), sigsetsize);
}

}  // namespace kpath
