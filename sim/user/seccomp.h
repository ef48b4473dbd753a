// SPDX-License-Identifier: Apache-2.0
//
// A program that limits what it may do, from its own side.
//
//   user::prctl(PR_SET_NO_NEW_PRIVS, 1);
//   user::SetFilter(user::FilterOf({{NR_open, SECCOMP_RET_ERRNO | EACCES}}));
//
// The constants are those of the host's <linux/seccomp.h>, which are the same on every Linux.
//
// Context: ring 3.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cstdint>
#include <vector>

#include "sim/user/memory.h"
#include "sim/user/syscall.h"
#include "syscall_table/numbers_64.h"

namespace kpath::user {

inline int64_t prctl(int option, uint64_t arg2 = 0, uint64_t arg3 = 0, uint64_t arg4 = 0,
                     uint64_t arg5 = 0) {
  return Syscall(NR_prctl, option, arg2, arg3, arg4, arg5);
}

// A program of classic BPF.
using Filter = std::vector<sock_filter>;

// Instructions: A = the word at `offset` of seccomp_data; end with `action`; go on with the next
// but `skip` instructions unless A is `value`.
inline sock_filter LoadWord(uint32_t offset) { return {BPF_LD | BPF_W | BPF_ABS, 0, 0, offset}; }
inline sock_filter Return(uint32_t action) { return {BPF_RET | BPF_K, 0, 0, action}; }
inline sock_filter SkipUnless(uint32_t value, uint8_t skip) {
  return {BPF_JMP | BPF_JEQ | BPF_K, 0, skip, value};
}

// A table: what happens to a call by its number. Numbers without a row, and the calls of 32-bit
// code: `otherwise`.
struct FilterRow {
  uint32_t number;
  uint32_t action;  // SECCOMP_RET_*, and data
};
Filter FilterOf(const std::vector<FilterRow>& table, uint32_t otherwise = SECCOMP_RET_ALLOW);

// seccomp(SECCOMP_SET_MODE_FILTER). `flags`: SECCOMP_FILTER_FLAG_*.
int64_t SetFilter(const Filter& filter, unsigned flags = 0);
// seccomp(SECCOMP_SET_MODE_STRICT).
inline int64_t SetStrictMode() { return Syscall(NR_seccomp, SECCOMP_SET_MODE_STRICT, 0, 0); }

}  // namespace kpath::user
