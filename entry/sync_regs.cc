// SPDX-License-Identifier: Apache-2.0
#include "entry/sync_regs.h"

#include <vector>

#include "sim/machine/check.h"
#include "sim/machine/context.h"
#include "sim/machine/pt_regs.h"

namespace kpath {
namespace {

constexpr uint64_t kFrameWords = 5;  // ip, cs, flags, sp, ss

// Copies words, also between places that overlap.
void CopyWords(Cpu& cpu, uint64_t to, uint64_t from, uint64_t count) {
  std::vector<uint64_t> words(count);
  for (uint64_t i = 0; i < count; ++i) words[i] = cpu.Read64(from + 8 * i);
  for (uint64_t i = 0; i < count; ++i) cpu.Write64(to + 8 * i, words[i]);
}

}  // namespace

uint64_t sync_regs(uint64_t eregs) {
  Cpu& cpu = *current_context->cpu;
  const uint64_t regs = cpu.Read64(cpu.gs_base + kPerCpuTopOfStack.offset) - sizeof(pt_regs);
  if (regs != eregs) CopyWords(cpu, regs, eregs, sizeof(pt_regs) / 8);
  return regs;
}

uint64_t fixup_bad_iret(uint64_t s) {
  Cpu& cpu = *current_context->cpu;
  constexpr uint64_t kReturnAddress = 8;
  const uint64_t new_stack =
      cpu.Read64(cpu.gs_base + kPerCpuSp0.offset) - sizeof(pt_regs) - kReturnAddress;
  const uint64_t iret_frame = cpu.Read64(s + kReturnAddress + offsetof(pt_regs, sp));
  // The frame first: the registers may be copied over it.
  CopyWords(cpu, new_stack + kReturnAddress + offsetof(pt_regs, ip), iret_frame, kFrameWords);
  CopyWords(cpu, new_stack, s, (kReturnAddress + offsetof(pt_regs, ip)) / 8);
  KPATH_CHECK((cpu.Read64(new_stack + kReturnAddress + offsetof(pt_regs, cs)) & 3) == 3,
              "an IRET to kernel mode has failed");
  return new_stack;
}

}  // namespace kpath
