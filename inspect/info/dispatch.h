// SPDX-License-Identifier: Apache-2.0
//
// `info idt`, `info syscalls`: the tables that say what runs for a vector or a number.
//
//   VECTOR     NAME               HANDLER             TYPE  DPL  IST
//   0x00       divide_error       0xffffffff814009c0  intr    0
//   0x02       nmi                0xffffffff81401ec0  intr    0  2
//   0x21-0x7f  irq_entries_start  0xffffffff81400178  intr    0
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "inspect/info/view.h"

namespace kpath {

// The gates of the selected task's CPU. Neighbours with the same name are one line, with the first
// one's handler. All gates of the kernel are interrupt gates: they clear IF. IST: which
// stack of the interrupt stack table they use, if any.
std::string InfoIdt(const View& view);

// What the machine's tables have for each number, by ABI: the calls whose name contains `name`; if
// that is empty, all that have a function of their own, and a line that counts the others.
// Errors (NotFound): No system call has foo in its name
absl::StatusOr<std::string> InfoSyscalls(const View& view, absl::string_view name = "");

}  // namespace kpath
