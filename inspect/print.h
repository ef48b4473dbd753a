// SPDX-License-Identifier: Apache-2.0
//
// Values as gdb prints them.
//
//   Print(look, datum, {})                    (struct kioctx *) 0xffff888100002040
//   Print(look, *datum, {})                   {users = {count = 1, percpu}, dead = false, …}
//   Print(look, *datum, {.pretty = true})     … a field in a line
//   Print(look, number, {.format = 'x'})      0x1f
//
// Names for numbers are those of the kernel: TASK_RUNNING, (IOCB_DIRECT | IOCB_WRITE), -EAGAIN. The
// ring of a context prints its unread events, a list of requests the requests' sectors, a pt_regs
// in lines the kernel stack around it.
//
// Context: as inspect/types.h.
#pragma once

#include <string>

#include "inspect/types.h"

namespace kpath {

struct PrintOptions {
  // As in gdb's print/F: x, o, t, d, u, c, a, s (a text in memory, or at a pointer); 0: as the type
  // asks for.
  char format = 0;
  bool pretty = false;  // a field in a line
  int depth = 8;        // structs inside of structs; deeper ones are {...}
  int elements = 64;    // of a list; more are ...
  int width = 0;        // columns: longer lines are broken between fields; 0: never. Not if pretty
};

std::string Print(const Look& look, const Datum& datum, const PrintOptions& options = {});

// True if `format` is one of those above, or 0.
bool IsPrintFormat(char format);

}  // namespace kpath
