// SPDX-License-Identifier: Apache-2.0
//
// The child process in which a program runs on the host. Inside tools/diff_host.
#pragma once

#include <sys/types.h>

#include <string>

#include "tools/diff_host/program.h"
#include "tools/diff_host/trace.h"

namespace kpath::diff_host {

// Starts it; `trace` is memory that it shares with the caller. Returns its pid, or -errno.
pid_t StartOnHost(const Program& program, const std::string& directory, Trace* trace);

enum class Ended : uint8_t {
  kExited,
  kKilled,   // *signal says by which signal
  kBlocked,  // it sleeps; it has been killed
};

// Waits until it has ended or has slept in the same operation for `patience_ms` milliseconds, and
// ends it then.
Ended WaitOnHost(pid_t child, const Trace& trace, int patience_ms, int* signal);

}  // namespace kpath::diff_host
