// SPDX-License-Identifier: Apache-2.0
//
// Classic BPF: the programs that seccomp filters are. v4.19 include/uapi/linux/filter.h,
// bpf_common.h, net/core/filter.c
//
// A program has an accumulator A, an index register X, 16 words of memory, and jumps forward only;
// it looks at the words of one object and returns a word. seccomp allows a part of it (seccomp.h).
//
//   const sock_filter program[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},     // A = data.nr
//                                  {BPF_RET | BPF_A, 0, 0, 0}};
//   if (bpf_check_classic(program, 2) == 0) uint32_t a = bpf_run(program, words, 16);
//
// Departs: it is interpreted as it was handed over; Linux translates it to extended BPF first.
//
// Context: any.
#pragma once

#include <linux/filter.h>  // struct sock_filter, BPF_*: the same on every Linux

#include <cstddef>
#include <cstdint>

namespace kpath {

// v4.19 net/core/filter.c: bpf_check_classic. 0, or -EINVAL: the program could leave its memory,
// its text or its loops; the reason tells the instruction.
int bpf_check_classic(const sock_filter* filter, unsigned flen);

// v4.19 kernel/bpf/core.c: what a program comes to. `words`: the object, `count` words of 32 bits.
// REQUIRES: bpf_check_classic has found nothing, and nothing but BPF_ABS loads of words of the
// object is in it.
uint32_t bpf_run(const sock_filter* filter, const uint32_t* words, size_t count);

}  // namespace kpath
