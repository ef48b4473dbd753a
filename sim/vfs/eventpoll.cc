// SPDX-License-Identifier: Apache-2.0
//
// The sets and what is in them: epoll_create, epoll_ctl. v4.19 fs/eventpoll.c
#include "sim/vfs/eventpoll.h"

#include <algorithm>
#include <array>

#include "sim/kernel/container_of.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/vfs/anon_inodes.h"
#include "sim/vfs/eventpoll_internal.h"
#include "sim/vfs/file.h"
#include "sim/vfs/read_write.h"

namespace kpath {
namespace {

struct eventpoll_globals {
  eventpoll_globals() { mutex_init(&epmutex); }
  mutex epmutex;
  std::array<int, Machine::kMaxCpus> wakeups = {};  // ep_poll_safewake calls that each CPU is in
};
KernelGlobal<eventpoll_globals> epoll;
KernelGlobal<kmem_cache<epitem>> epi_cache;
KernelGlobal<kmem_cache<eppoll_entry>> pwq_cache;

// The table that ep_insert hands to the file's poll. v4.19 fs/eventpoll.c: struct ep_pqueue
struct ep_pqueue {
  poll_table pt;
  epitem* epi;
};

// Puts the item on the ready list and wakes one that waits. Returns true if those that poll the set
// are to be woken, too. REQUIRES: ep->wq.lock.
bool MakeReady(kptr<eventpoll> ep, epitem* epi) {
  if (!ep_is_linked(epi)) LinkLast(&ep->rdllist, epi);
  if (waitqueue_active(&ep->wq)) wake_up_locked(&ep->wq);
  return waitqueue_active(&ep->poll_wait);
}

// v4.19 fs/eventpoll.c: ep_poll_callback. With the watched queue's lock held.
int ep_poll_callback(wait_queue_entry* wait, unsigned, int, void* key) {
  FUNCTION(key_to_poll(key));
  epitem* epi = container_of(wait, &eppoll_entry::wait)->base;
  kptr<eventpoll> ep = epi->ep;
  const __poll_t pollflags = key_to_poll(key);
  bool pwake = false;
  bool ewake = false;
  unsigned long flags;
  spin_lock_irqsave(&ep->wq.lock, flags);
  const bool disabled = (epi->events & ~EP_PRIVATE_BITS) == 0;  // EPOLLONESHOT
  const bool unwanted = pollflags != 0 && (pollflags & epi->events) == 0;
  if (disabled || unwanted) {
    STEP("of no interest", pollflags, epi->events);
  } else if (ep->scanning) {
    if (!epi->in_ovflist) ep->ovflist.insert(ep->ovflist.begin(), epi);
    epi->in_ovflist = true;
  } else {
    // An exclusive entry counts as woken if the event is one of those it is for.
    const __poll_t which = pollflags & EPOLLINOUT_BITS;
    if (waitqueue_active(&ep->wq)) {
      ewake = which == 0 || (which != EPOLLINOUT_BITS && (epi->events & which) != 0);
    }
    pwake = MakeReady(ep, epi);
  }
  spin_unlock_irqrestore(&ep->wq.lock, flags);
  if (pwake) ep_poll_safewake(&ep->poll_wait);
  if ((epi->events & EPOLLEXCLUSIVE) == 0) ewake = true;
  return fn.Return(ewake ? 1 : 0);
}

// v4.19 fs/eventpoll.c: ep_unregister_pollwait
void ep_unregister_pollwait(epitem* epi) {
  FUNCTION(epi->ffd_fd);
  for (const kptr<eppoll_entry>& pwq : epi->pwqlist) {
    remove_wait_queue(pwq->whead, &pwq->wait);
    kmem_cache_free(*pwq_cache, pwq);
  }
  epi->pwqlist.clear();
}

// v4.19 fs/eventpoll.c: epi_rcu_free
void epi_rcu_free(rcu_head* head) {
  FUNCTION();
  kmem_cache_free(*epi_cache, kptr<epitem>(container_of(head, &epitem::rcu)));
}

// v4.19 fs/eventpoll.c: ep_remove. REQUIRES: ep->mtx.
int ep_remove(kptr<eventpoll> ep, kptr<epitem> epi) {
  FUNCTION(epi->ffd_fd);
  kptr<file> file = epi->ffd_file;
  ep_unregister_pollwait(epi.get());
  spin_lock(&file->f_lock);
  std::erase(file->f_ep_links, epi.get());
  spin_unlock(&file->f_lock);
  ep->rbr.erase({file.address(), epi->ffd_fd});
  spin_lock_irq(&ep->wq.lock);
  if (ep_is_linked(epi.get())) Unlink(epi.get());
  spin_unlock_irq(&ep->wq.lock);
  call_rcu(&epi->rcu, epi_rcu_free);
  return fn.Return(0);
}

// v4.19 fs/eventpoll.c: ep_insert. REQUIRES: ep->mtx.
int ep_insert(kptr<eventpoll> ep, const epoll_event& event, kptr<file> tfile, int fd) {
  FUNCTION(fd, event.events);
  kptr<epitem> epi = kmem_cache_zalloc(*epi_cache, GFP_KERNEL);
  if (!epi) return fn.Return(Fail(ENOMEM, "no memory for an item"));
  epi->ep = ep;
  epi->ffd_file = tfile;
  epi->ffd_fd = fd;
  epi->events = event.events;
  epi->data = event.data;
  ep_pqueue epq = {.pt = {}, .epi = epi.get()};
  init_poll_funcptr(&epq.pt, ep_ptable_queue_proc);
  const __poll_t revents = ep_item_poll(epi.get(), &epq.pt, 1);
  if (epi->nwait < 0) {
    ep_unregister_pollwait(epi.get());
    spin_lock_irq(&ep->wq.lock);
    if (ep_is_linked(epi.get())) Unlink(epi.get());
    spin_unlock_irq(&ep->wq.lock);
    kmem_cache_free(*epi_cache, epi);
    return fn.Return(Fail(ENOMEM, "no memory for an entry on a wait queue"));
  }
  spin_lock(&tfile->f_lock);
  tfile->f_ep_links.push_back(epi.get());
  spin_unlock(&tfile->f_lock);
  ep->rbr[{tfile.address(), fd}] = epi;
  bool pwake = false;
  spin_lock_irq(&ep->wq.lock);
  if (revents != 0 && !ep_is_linked(epi.get())) pwake = MakeReady(ep, epi.get());
  spin_unlock_irq(&ep->wq.lock);
  if (pwake) ep_poll_safewake(&ep->poll_wait);
  return fn.Return(0);
}

// v4.19 fs/eventpoll.c: ep_modify. REQUIRES: ep->mtx.
int ep_modify(kptr<eventpoll> ep, kptr<epitem> epi, const epoll_event& event) {
  FUNCTION(epi->ffd_fd, event.events);
  poll_table pt;
  init_poll_funcptr(&pt, nullptr);
  // First what is asked for, then whether it is so: a wake-up in between sees the new events.
  epi->events = event.events;
  epi->data = event.data;
  if (ep_item_poll(epi.get(), &pt, 1) == 0) return fn.Return(0);
  bool pwake = false;
  spin_lock_irq(&ep->wq.lock);
  if (!ep_is_linked(epi.get())) pwake = MakeReady(ep, epi.get());
  spin_unlock_irq(&ep->wq.lock);
  if (pwake) ep_poll_safewake(&ep->poll_wait);
  return fn.Return(0);
}

// v4.19 fs/eventpoll.c: ep_free
void ep_free(kptr<eventpoll> ep) {
  FUNCTION(ep);
  if (waitqueue_active(&ep->poll_wait)) ep_poll_safewake(&ep->poll_wait);
  // Against files that are being closed: eventpoll_release_file.
  mutex_lock(&epoll->epmutex);
  for (const auto& [key, epi] : ep->rbr) {
    ep_unregister_pollwait(epi.get());
    cond_resched();
  }
  mutex_lock(&ep->mtx);
  while (!ep->rbr.empty()) {
    ep_remove(ep, ep->rbr.begin()->second);
    cond_resched();
  }
  mutex_unlock(&ep->mtx);
  mutex_unlock(&epoll->epmutex);
  kfree(ep);
}

// v4.19 fs/eventpoll.c: ep_eventpoll_release
int ep_eventpoll_release(kptr<inode>, kptr<file> file) {
  FUNCTION(file);
  ep_free(SetOf(file));
  return fn.Return(0);
}

// v4.19 fs/eventpoll.c: ep_alloc. Null: no memory.
kptr<eventpoll> ep_alloc() {
  FUNCTION();
  kptr<eventpoll> ep = kzalloc<eventpoll>(GFP_KERNEL);
  if (!ep) return fn.Return(ep);
  mutex_init(&ep->mtx);
  init_waitqueue_head(&ep->wq);
  init_waitqueue_head(&ep->poll_wait);
  return fn.Return(ep);
}

// v4.19 fs/eventpoll.c: do_epoll_create
int do_epoll_create(int flags) {
  FUNCTION(flags);
  if ((flags & ~O_CLOEXEC) != 0) {
    return fn.Return(Fail(EINVAL, "flags $0 has bits that epoll_create1 does not know", flags));
  }
  kptr<eventpoll> ep = ep_alloc();
  if (!ep) return fn.Return(Fail(ENOMEM, "no memory for a set"));
  const unsigned open_flags = O_RDWR | (static_cast<unsigned>(flags) & O_CLOEXEC);
  const int fd = get_unused_fd_flags(open_flags);
  if (fd < 0) {
    ep_free(ep);
    return fn.Return(fd);
  }
  kptr<file> file = anon_inode_getfile("[eventpoll]", &eventpoll_fops, ep, open_flags);
  if (IS_ERR(file)) {
    put_unused_fd(static_cast<unsigned>(fd));
    ep_free(ep);
    return fn.Return(PTR_ERR(file));
  }
  fd_install(static_cast<unsigned>(fd), file);
  return fn.Return(fd);
}

// v4.19 fs/eventpoll.c: ep_loop_check_proc, ep_call_nested. True if one of the sets that are in the
// set `file` is on the way to it, or is too deep. `path`: the sets on the way.
bool ep_loop_check_proc(kptr<file> file, std::vector<kptr<eventpoll>>* path) {
  FUNCTION(file);
  bool bad = path->size() > EP_MAX_NESTS + 1;
  kptr<eventpoll> ep = SetOf(file);
  mutex_lock_nested(&ep->mtx, static_cast<int>(path->size()));
  for (const auto& [key, epi] : ep->rbr) {
    if (bad) break;
    if (!is_file_epoll(epi->ffd_file)) continue;
    kptr<eventpoll> inner = SetOf(epi->ffd_file);
    bad = std::count(path->begin(), path->end(), inner) != 0;
    if (bad) break;
    path->push_back(inner);
    bad = ep_loop_check_proc(epi->ffd_file, path);
    path->pop_back();
  }
  mutex_unlock(&ep->mtx);
  return fn.Return(bad);
}

// v4.19 fs/eventpoll.c: part of sys_epoll_ctl. What cannot be done with these two files. 0 or the
// errno.
int CheckControl(kptr<file> f, kptr<file> tf, int op, const epoll_event& epds) {
  if (!file_can_poll(tf)) return Fail(EPERM, "the file is always ready: it cannot be polled");
  if (f == tf) return Fail(EINVAL, "a set cannot be in itself");
  if (!is_file_epoll(f)) return Fail(EINVAL, "the file is not an epoll set");
  if (op == EPOLL_CTL_DEL || (epds.events & EPOLLEXCLUSIVE) == 0) return 0;
  if (op == EPOLL_CTL_MOD) return Fail(EINVAL, "EPOLLEXCLUSIVE cannot be changed");
  if (op != EPOLL_CTL_ADD) return 0;
  if (is_file_epoll(tf)) return Fail(EINVAL, "EPOLLEXCLUSIVE is not for sets in sets");
  const uint32_t others = epds.events & ~EPOLLEXCLUSIVE_OK_BITS;
  return others == 0 ? 0 : static_cast<int>(Fail(EINVAL, "EPOLLEXCLUSIVE with $0", others));
}

// v4.19 fs/eventpoll.c: part of sys_epoll_ctl: the operation itself. REQUIRES: ep->mtx.
int Control(kptr<eventpoll> ep, int op, kptr<file> tfile, int fd, epoll_event epds) {
  const auto found = ep->rbr.find({tfile.address(), fd});
  const kptr<epitem> epi = found == ep->rbr.end() ? nullptr : found->second;
  epds.events |= EPOLLERR | EPOLLHUP;
  switch (op) {
    case EPOLL_CTL_ADD:
      if (epi) return Fail(EEXIST, "fd $0 is in the set already", fd);
      return ep_insert(ep, epds, tfile, fd);
    case EPOLL_CTL_DEL:
      if (!epi) return Fail(ENOENT, "fd $0 is not in the set", fd);
      return ep_remove(ep, epi);
    case EPOLL_CTL_MOD:
      if (!epi) return Fail(ENOENT, "fd $0 is not in the set", fd);
      if ((epi->events & EPOLLEXCLUSIVE) != 0) {
        return Fail(EINVAL, "fd $0 was added with EPOLLEXCLUSIVE", fd);
      }
      return ep_modify(ep, epi, epds);
    default:
      return Fail(EINVAL, "op $0 is not known", op);
  }
}

// v4.19 fs/eventpoll.c: the part of sys_epoll_ctl that holds the files.
int do_epoll_ctl(kptr<file> filp, int op, int fd, kptr<file> tfile, const epoll_event& epds) {
  int error = CheckControl(filp, tfile, op, epds);
  if (error != 0) return error;
  kptr<eventpoll> ep = SetOf(filp);
  // Sets in sets: nobody else may change how they are nested.
  const bool nested = op == EPOLL_CTL_ADD && (!filp->f_ep_links.empty() || is_file_epoll(tfile));
  if (nested) {
    mutex_lock(&epoll->epmutex);
    std::vector<kptr<eventpoll>> path = {ep};
    if (is_file_epoll(tfile) && ep_loop_check_proc(tfile, &path)) {
      mutex_unlock(&epoll->epmutex);
      return Fail(ELOOP, "the set would be in itself, or too deep");
    }
  }
  mutex_lock_nested(&ep->mtx, 0);
  kptr<eventpoll> tep = nested && is_file_epoll(tfile) ? SetOf(tfile) : nullptr;
  if (tep) mutex_lock_nested(&tep->mtx, 1);
  error = Control(ep, op, tfile, fd, epds);
  if (tep) mutex_unlock(&tep->mtx);
  mutex_unlock(&ep->mtx);
  if (nested) mutex_unlock(&epoll->epmutex);
  return error;
}

}  // namespace

const file_operations eventpoll_fops = {
    .name = "eventpoll_fops",
    .llseek = noop_llseek,
    .poll = ep_eventpoll_poll,
    .release = ep_eventpoll_release,
};

void LinkLast(ready_list* list, epitem* epi) {
  epi->list = list;
  list->push_back(epi);
}

void Unlink(epitem* epi) {
  std::erase(*epi->list, epi);
  epi->list = nullptr;
}

void ep_poll_safewake(wait_queue_head_t* wq) {
  FUNCTION(wq);
  const unsigned long flags = local_irq_save();
  int& nests = epoll->wakeups[static_cast<size_t>(smp_processor_id())];
  if (nests <= EP_MAX_NESTS) {
    spin_lock_nested(&wq->lock, nests++);
    wake_up_locked_poll(wq, EPOLLIN);
    spin_unlock(&wq->lock);
    --nests;
  }
  local_irq_restore(flags);
}

void ep_ptable_queue_proc(kptr<file>, wait_queue_head_t* whead, poll_table* pt) {
  FUNCTION(whead);
  epitem* epi = container_of(pt, &ep_pqueue::pt)->epi;
  if (epi->nwait < 0) return;
  kptr<eppoll_entry> pwq = kmem_cache_zalloc(*pwq_cache, GFP_KERNEL);
  if (!pwq) {
    epi->nwait = -1;  // ep_insert looks at it
    return;
  }
  init_waitqueue_func_entry(&pwq->wait, ep_poll_callback);
  pwq->whead = whead;
  pwq->base = epi;
  if ((epi->events & EPOLLEXCLUSIVE) != 0) {
    add_wait_queue_exclusive(whead, &pwq->wait);
  } else {
    add_wait_queue(whead, &pwq->wait);
  }
  epi->pwqlist.push_back(pwq);
  ++epi->nwait;
}

// v4.19 fs/eventpoll.c: eventpoll_release_file
void eventpoll_release_file(kptr<file> file) {
  FUNCTION(file);
  mutex_lock(&epoll->epmutex);
  while (!file->f_ep_links.empty()) {
    const kptr<epitem> epi(file->f_ep_links.front());
    kptr<eventpoll> ep = epi->ep;
    mutex_lock_nested(&ep->mtx, 0);
    ep_remove(ep, epi);
    mutex_unlock(&ep->mtx);
  }
  mutex_unlock(&epoll->epmutex);
}

// v4.19 fs/eventpoll.c: sys_epoll_create1, sys_epoll_create
SYSCALL_DEFINE1(epoll_create1, int, flags) { return do_epoll_create(flags); }
SYSCALL_DEFINE1(epoll_create, int, size) {
  if (size <= 0) return Fail(EINVAL, "size=$0 is not positive", size);
  return do_epoll_create(0);
}

// v4.19 fs/eventpoll.c: sys_epoll_ctl
SYSCALL_DEFINE4(epoll_ctl, int, epfd, int, op, int, fd, user_ptr<epoll_event>, event) {
  epoll_event epds = {};
  if (op != EPOLL_CTL_DEL && copy_from_user(&epds, event, sizeof(epds)) != 0) {
    return Error(EFAULT);
  }
  const struct fd f = fdget(static_cast<unsigned>(epfd));
  if (!f.file) return FailBadFd(static_cast<unsigned>(epfd));
  const struct fd tf = fdget(static_cast<unsigned>(fd));
  if (!tf.file) {
    const Error error = FailBadFd(static_cast<unsigned>(fd));
    fdput(f);
    return error;
  }
  const int error = do_epoll_ctl(f.file, op, fd, tf.file, epds);
  fdput(tf);
  fdput(f);
  return error;
}

}  // namespace kpath
