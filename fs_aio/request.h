// SPDX-License-Identifier: Apache-2.0
//
// The life of one request: taken (reqs_available.h: aio_get_req), started, completed, put.
// v4.19 fs/aio.c
#pragma once

#include "fs_aio/aio_abi.h"
#include "fs_aio/kioctx.h"

namespace kpath {

// v4.19 fs/aio.c: io_submit_one. Takes the iocb at `user_iocb` and starts it. 0: accepted, the
// request belongs to its completion; else a negative errno, and nothing is left of it but a zero in
// the iocb's aio_key if it came that far. Process context; may block where the file's operation
// does.
int io_submit_one(kptr<kioctx> ctx, user_ptr<iocb> user_iocb, bool compat);

// What starts the operations. 0: accepted, however the operation itself ended or will end; else a
// negative errno, and no file is held. Process context.
//
// v4.19 fs/aio.c: aio_read, aio_write. IOCB_CMD_PREAD and IOCB_CMD_PWRITE; `vectored`:
// IOCB_CMD_PREADV and IOCB_CMD_PWRITEV, whose segments have 32-bit fields if `compat`.
long aio_read(kptr<aio_kiocb> req, const iocb& iocb, bool vectored, bool compat);
long aio_write(kptr<aio_kiocb> req, const iocb& iocb, bool vectored, bool compat);
// v4.19 fs/aio.c: aio_fsync. IOCB_CMD_FSYNC; `datasync`: IOCB_CMD_FDSYNC.
long aio_fsync(kptr<aio_kiocb> req, const iocb& iocb, bool datasync);
// v4.19 fs/aio.c: aio_poll. IOCB_CMD_POLL.
long aio_poll(kptr<aio_kiocb> req, const iocb& iocb);

// v4.19 fs/aio.c: aio_complete. Stores the event in the ring, tells the eventfd and the waiters,
// puts the request. Any context.
void aio_complete(kptr<aio_kiocb> iocb, long res, long res2);

// v4.19 fs/aio.c: iocb_put. Drops a reference of the request; the last one frees it.
void iocb_put(kptr<aio_kiocb> iocb);

// ---- Requests that can be cancelled: kioctx::active_reqs ----

// list_add_tail, and list_del_init, of ki_list; the latter does nothing if it is not in the list.
// REQUIRES: ctx_lock.
void AddActive(kptr<kioctx> ctx, kptr<aio_kiocb> req);
void RemoveActive(kptr<kioctx> ctx, kptr<aio_kiocb> req);
// v4.19 fs/aio.c: aio_remove_iocb. Takes the lock for it. Any context.
void aio_remove_iocb(kptr<aio_kiocb> iocb);

}  // namespace kpath
