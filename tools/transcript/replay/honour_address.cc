// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/honour_address.h"

#include "sim/kernel/sched.h"
#include "sim/mm/mmap.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {

void HonourAddress(const CallFrame& frame) {
  const strace::Call& call = *frame.call;
  if (!call.returned || !call.result.known || !call.result.error.empty()) return;
  if (frame.signature->result == ResultKind::kAddress) {
    SetNextUnmappedArea(current->mm, call.result.value.number);
  } else if (call.name == "io_setup" && call.args[1].kind == strace::ValueKind::kArray &&
             !call.args[1].children.empty()) {
    SetNextUnmappedArea(current->mm, strace::Evaluate(call.args[1].children[0]).value_or(0));
  }
}

}  // namespace kpath
