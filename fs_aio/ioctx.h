// SPDX-License-Identifier: Apache-2.0
//
// The life of a kioctx: made by ioctx_alloc, found by lookup_ioctx, ended by kill_ioctx, freed when
// the last system call has left it, then the last request has ended, then a grace period has
// passed. v4.19 fs/aio.c
#pragma once

#include "fs_aio/kioctx.h"

namespace kpath {

// v4.19 fs/aio.c: ioctx_alloc. A new context with its ring and its place in the table of the
// current process, and a reference on users for the caller; or an error pointer (EINVAL, EAGAIN,
// ENOMEM, EINTR). Process context.
kptr<kioctx> ioctx_alloc(unsigned nr_events);

// v4.19 fs/aio.c: lookup_ioctx. The live context with this handle in the current process, with a
// reference on users that the caller drops; or null, and the Reason says EINVAL. Process context.
kptr<kioctx> lookup_ioctx(uint64_t ctx_id);

// v4.19 fs/aio.c: kill_ioctx. Makes the context dead and drops its first reference. `wait` may be
// null; its count is lowered when the context's last request has ended. Returns -EINVAL if the
// context is dead already. Process context.
int kill_ioctx(kptr<mm_struct> mm, kptr<kioctx> ctx, ctx_rq_wait* wait);

// v4.19 fs/aio.c: ioctx_add_table. Gives the context the lowest free place of the process's table,
// which grows by a factor of four. 0 or -ENOMEM. Process context.
int ioctx_add_table(kptr<kioctx> ctx, kptr<mm_struct> mm);

// v4.19 fs/aio.c: aio_nr_sub. Gives a context's share of fs.aio-max-nr back.
void aio_nr_sub(unsigned nr);

// v4.19 fs/aio.c: free_ioctx_users, free_ioctx_reqs. Called when the reference count of that name
// has come to zero, in whichever context that is; must not sleep.
void free_ioctx_users(percpu_ref* ref);
void free_ioctx_reqs(percpu_ref* ref);

}  // namespace kpath
