// SPDX-License-Identifier: Apache-2.0
//
// The names that the kernel has for numbers: states, flags, operations. Used by the tables of
// fields and, as constants, by expressions.
//
// Context: any.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "inspect/types.h"

namespace kpath {

extern const Names kErrnoNames;      // -EINVAL
extern const Names kResultNames;     // a size, or an errno
extern const Names kTaskStateNames;  // TASK_RUNNING …
extern const Names kTaskFlagNames;   // PF_*
extern const Names kThreadFlagNames;
extern const Names kThreadStatusNames;
extern const Names kIocbCommandNames;  // IOCB_CMD_*
extern const Names kIocbFlagNames;     // IOCB_FLAG_*: of struct iocb
extern const Names kKiocbFlagNames;    // IOCB_*: of struct kiocb
extern const Names kRwfNames;          // RWF_*
extern const Names kPollNames;         // EPOLLIN …
extern const Names kWaitFlagNames;     // WQ_FLAG_*
extern const Names kFileModeNames;     // FMODE_*
extern const Names kOpenFlagNames;     // O_*
extern const Names kInodeStateNames;   // I_*
extern const Names kPageFlagNames;     // PG_*
extern const Names kVmFlagNames;       // VM_*
extern const Names kBlkStatusNames;    // BLK_STS_*
extern const Names kBioFlagNames;      // BIO_*
extern const Names kBufferStateNames;  // BH_*
extern const Names kRequestFlagNames;  // RQF_*
extern const Names kRequestStateNames;
extern const Names kQueueFlagNames;
extern const Names kHctxStateNames;
extern const Names kHctxFlagNames;
extern const Names kEventfdFlagNames;
extern const Names kWorkqueueFlagNames;
extern const Names kEflagsNames;

// bi_opf and cmd_flags: "REQ_OP_WRITE | REQ_SYNC | REQ_IDLE".
extern const Names kOpfNames;

// The number of a constant: an errno, or any of the names above; none: nothing is called so.
absl::optional<int64_t> FindConstant(absl::string_view name);

}  // namespace kpath
