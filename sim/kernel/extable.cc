// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/extable.h"

#include <array>

#include "sim/kernel/sched.h"
#include "sim/machine/machine.h"

namespace kpath {

// Addresses of kpath's own, within the kernel's text.
constexpr exception_table_entry kExtableGetUser1 = {0xffffffff81390003, 0xffffffff81390100,
                                                    "__get_user_1"};
constexpr exception_table_entry kExtableGetUser2 = {0xffffffff81390023, 0xffffffff81390100,
                                                    "__get_user_2"};
constexpr exception_table_entry kExtableGetUser4 = {0xffffffff81390043, 0xffffffff81390100,
                                                    "__get_user_4"};
constexpr exception_table_entry kExtableGetUser8 = {0xffffffff81390063, 0xffffffff81390100,
                                                    "__get_user_8"};
constexpr exception_table_entry kExtablePutUser1 = {0xffffffff81390203, 0xffffffff81390300,
                                                    "__put_user_1"};
constexpr exception_table_entry kExtablePutUser2 = {0xffffffff81390223, 0xffffffff81390300,
                                                    "__put_user_2"};
constexpr exception_table_entry kExtablePutUser4 = {0xffffffff81390243, 0xffffffff81390300,
                                                    "__put_user_4"};
constexpr exception_table_entry kExtablePutUser8 = {0xffffffff81390263, 0xffffffff81390300,
                                                    "__put_user_8"};
constexpr exception_table_entry kExtableCopyFromUser = {0xffffffff81390410, 0xffffffff81390480,
                                                        "copy_user_enhanced_fast_string"};
constexpr exception_table_entry kExtableCopyToUser = {0xffffffff81390420, 0xffffffff81390480,
                                                      "copy_user_enhanced_fast_string"};
constexpr exception_table_entry kExtableClearUser = {0xffffffff81390510, 0xffffffff81390580,
                                                     "__clear_user"};
constexpr exception_table_entry kExtableStrncpyFromUser = {0xffffffff81390610, 0xffffffff81390680,
                                                           "strncpy_from_user"};

namespace {

constexpr std::array kExceptionTable = {
    &kExtableGetUser1,     &kExtableGetUser2,   &kExtableGetUser4,  &kExtableGetUser8,
    &kExtablePutUser1,     &kExtablePutUser2,   &kExtablePutUser4,  &kExtablePutUser8,
    &kExtableCopyFromUser, &kExtableCopyToUser, &kExtableClearUser, &kExtableStrncpyFromUser,
};

// The general registers in the order in which the entry code pushes them.
constexpr Reg kPushOrder[] = {Reg::rdi, Reg::rsi, Reg::rdx, Reg::rcx, Reg::rax,
                              Reg::r8,  Reg::r9,  Reg::r10, Reg::r11, Reg::rbx,
                              Reg::rbp, Reg::r12, Reg::r13, Reg::r14, Reg::r15};

// Error code, RIP, CS, RFLAGS, RSP, SS.
constexpr int kFrameWords = 6;

// v4.19 arch/x86/kernel/traps.c: sync_regs. A handler that may sleep cannot stay on the CPU's
// stack.
void MoveFrameToTaskStack(Cpu& cpu) {
  const uint64_t from = cpu.regs[Reg::rsp];
  const uint64_t to = task_top_of_stack(current) - 8 * kFrameWords;
  for (int word = 0; word < kFrameWords; ++word) {
    cpu.Write64(to + 8 * word, cpu.Read64(from + 8 * word));
  }
  cpu.regs[Reg::rsp] = to;
}

}  // namespace

const exception_table_entry* search_exception_tables(unsigned long addr) {
  FUNCTION(Value::Address(addr));
  for (const exception_table_entry* entry : kExceptionTable) {
    if (entry->insn == addr) {
      fn.Return(entry->symbol);
      return entry;
    }
  }
  return nullptr;
}

bool ex_handler_default(const exception_table_entry* fixup, pt_regs* regs, int trapnr) {
  FUNCTION(fixup->symbol, trapnr);
  regs->ip = fixup->fixup;
  return fn.Return(true);
}

int fixup_exception(pt_regs* regs, int trapnr) {
  FUNCTION(Value::Address(regs->ip), trapnr);
  const exception_table_entry* entry = search_exception_tables(regs->ip);
  if (entry == nullptr) return fn.Return(0);
  return fn.Return(ex_handler_default(entry, regs, trapnr) ? 1 : 0);
}

void RunExceptionHandler(Cpu& entry_cpu, void (*handler)(pt_regs*, unsigned long)) {
  const bool from_user = (entry_cpu.Read64(entry_cpu.regs[Reg::rsp] + 2 * 8) & 3) == 3;
  if (from_user) {
    entry_cpu.Swapgs();
    MoveFrameToTaskStack(entry_cpu);
  }
  for (const Reg reg : kPushOrder) entry_cpu.Push(entry_cpu.regs[reg]);
  pt_regs* regs = PtRegsAt(entry_cpu, entry_cpu.regs[Reg::rsp]);
  const unsigned long error_code = regs->orig_ax;
  regs->orig_ax = static_cast<unsigned long>(-1);
  handler(regs, error_code);

  Cpu& cpu = *current->cpu;  // the handler may have slept
  cpu.DisableIrqs();
  for (int i = static_cast<int>(std::size(kPushOrder)) - 1; i >= 0; --i) {
    cpu.regs[kPushOrder[i]] = cpu.Pop();
  }
  cpu.Pop();  // orig_ax
  if (from_user) cpu.Swapgs();
  cpu.IretQ();
}

}  // namespace kpath
