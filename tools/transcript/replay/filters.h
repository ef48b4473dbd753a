// SPDX-License-Identifier: Apache-2.0
//
// Programs of classic BPF, as strace -v prints those that seccomp gets:
//
//   {len=3, filter=[BPF_STMT(BPF_LD|BPF_W|BPF_ABS, 0x4), BPF_JUMP(BPF_JMP|BPF_JEQ|BPF_K, 0x27, 0,
//   0x1), BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW)]}
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "tools/transcript/syntax/value.h"

namespace kpath {

// True if every instruction was printed, and is one: what EncodeFilter needs. Without -v strace
// prints the program's address alone.
bool IsPrintedFilter(const strace::Value& value);

// The instructions, 8 bytes each. REQUIRES: IsPrintedFilter.
std::string EncodeFilter(const strace::Value& value);

}  // namespace kpath
