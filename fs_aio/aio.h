// SPDX-License-Identifier: Apache-2.0
//
// Native AIO of the simulated kernel: what the rest of the kernel calls. v4.19 fs/aio.c
//
// The system calls (io_setup, io_destroy, io_submit, io_cancel, io_getevents, io_pgetevents) are
// reached through sys_call_table (syscall_table/). A request's way: io_submit → io_submit_one →
// aio_read/aio_write → the file → aio_complete_rw → aio_complete → the ring → io_getevents or user
// mode.
#pragma once

#include "fs_aio/kioctx.h"

namespace kpath {

// v4.19 fs/aio.c: exit_aio. Ends all contexts of an address space whose last user is gone. Waits
// for the requests in flight. Process context.
void exit_aio(kptr<mm_struct> mm);

// v4.19 fs/aio.c: kiocb_set_cancel_fn. For a driver that has taken a read or write of AIO and can
// end it early: io_cancel and the end of the context call `cancel`, under ctx_lock. Called once a
// request, before it can complete. Context: any.
void kiocb_set_cancel_fn(kiocb* iocb, int (*cancel)(kiocb* iocb));

// v4.19 fs/aio.c: aio_setup. Makes the pseudo filesystem of the rings. Called once a machine, by
// Boot, which also hands exit_aio to sim/process.
void aio_setup();

}  // namespace kpath
