// SPDX-License-Identifier: Apache-2.0
#include "entry/fault.h"

#include <csignal>

#include "absl/strings/str_cat.h"
#include "sim/kernel/extable.h"
#include "sim/kernel/report.h"
#include "sim/mm/memory.h"
#include "sim/mm/mmap.h"

namespace kpath {

KernelGlobal<FaultHooks> fault_hooks;

namespace {

bool user_mode(const pt_regs* regs) { return (regs->cs & 3) == 3; }

// v4.19 arch/x86/mm/fault.c: show_fault_oops and what follows it
[[noreturn]] void Oops(const pt_regs* regs, unsigned long error_code, unsigned long address) {
  Report(absl::StrCat("BUG: unable to handle kernel ",
                      address < PAGE_SIZE ? "NULL pointer dereference" : "paging request", " at 0x",
                      absl::Hex(address, absl::kZeroPad16)),
         {absl::StrCat("Oops: ", absl::Hex(error_code, absl::kZeroPad4)),
          absl::StrCat("RIP: 0x", absl::Hex(regs->ip))});
}

// v4.19 arch/x86/mm/fault.c: no_context. The kernel's own fault.
void no_context(pt_regs* regs, unsigned long error_code, unsigned long address, int signal,
                int si_code) {
  FUNCTION(Value::Address(regs->ip), error_code, Value::Address(address), signal, si_code);
  if (fixup_exception(regs, X86_TRAP_PF) != 0) return;
  Oops(regs, error_code, address);
}

// v4.19 arch/x86/mm/fault.c: force_sig_info_fault
void force_sig_info_fault(int signo, int code, unsigned long address) {
  FUNCTION(signo, code, Value::Address(address));
  if (fault_hooks->force_sig_fault == nullptr) {
    Report(absl::StrCat(current->comm, "[", current->pid, "]: bad access of user code at 0x",
                        absl::Hex(address), ", and no signals are installed"));
  }
  fault_hooks->force_sig_fault(signo, code, address);
}

// v4.19 arch/x86/mm/fault.c: fault_in_kernel_space
bool fault_in_kernel_space(unsigned long address) { return address >= TASK_SIZE_MAX; }

// v4.19 arch/x86/mm/fault.c: __bad_area_nosemaphore
void __bad_area_nosemaphore(pt_regs* regs, unsigned long error_code, unsigned long address,
                            int si_code) {
  FUNCTION(Value::Address(regs->ip), error_code, Value::Address(address), si_code);
  if ((error_code & X86_PF_USER) == 0) {
    no_context(regs, error_code, address, SIGSEGV, si_code);
    return;
  }
  local_irq_enable();
  // User mode is not to learn what is mapped in the kernel.
  if (fault_in_kernel_space(address)) error_code |= X86_PF_PROT;
  current->thread.cr2 = address;
  current->thread.trap_nr = X86_TRAP_PF;
  current->thread.error_code = error_code;
  force_sig_info_fault(SIGSEGV, si_code, address);
}

// v4.19 arch/x86/mm/fault.c: bad_area_nosemaphore
void bad_area_nosemaphore(pt_regs* regs, unsigned long error_code, unsigned long address) {
  FUNCTION(Value::Address(regs->ip), error_code, Value::Address(address));
  __bad_area_nosemaphore(regs, error_code, address, SEGV_MAPERR);
}

// v4.19 arch/x86/mm/fault.c: __bad_area
void __bad_area(pt_regs* regs, unsigned long error_code, unsigned long address, int si_code) {
  FUNCTION(Value::Address(regs->ip), error_code, Value::Address(address), si_code);
  up_read(&current->mm->mmap_sem);
  __bad_area_nosemaphore(regs, error_code, address, si_code);
}

// v4.19 arch/x86/mm/fault.c: bad_area. Nothing is mapped there.
void bad_area(pt_regs* regs, unsigned long error_code, unsigned long address) {
  FUNCTION(Value::Address(regs->ip), error_code, Value::Address(address));
  Fail(EFAULT, "$0 is not mapped", Value::Address(address));
  __bad_area(regs, error_code, address, SEGV_MAPERR);
}

// v4.19 arch/x86/mm/fault.c: bad_area_access_error. Something is, and this access is not allowed.
void bad_area_access_error(pt_regs* regs, unsigned long error_code, unsigned long address,
                           kptr<vm_area_struct> vma) {
  FUNCTION(Value::Address(regs->ip), error_code, Value::Address(address), vma);
  const bool none = (vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC)) == 0;
  Fail(EFAULT, none ? "$0 is mapped PROT_NONE" : "$0 is mapped read-only", Value::Address(address));
  __bad_area(regs, error_code, address, SEGV_ACCERR);
}

// v4.19 arch/x86/mm/fault.c: do_sigbus. The area is there and has no page.
void do_sigbus(pt_regs* regs, unsigned long error_code, unsigned long address) {
  FUNCTION(Value::Address(regs->ip), error_code, Value::Address(address));
  if ((error_code & X86_PF_USER) == 0) {
    no_context(regs, error_code, address, SIGBUS, BUS_ADRERR);
    return;
  }
  current->thread.cr2 = address;
  current->thread.trap_nr = X86_TRAP_PF;
  current->thread.error_code = error_code;
  force_sig_info_fault(SIGBUS, BUS_ADRERR, address);
}

// v4.19 arch/x86/mm/fault.c: mm_fault_error
void mm_fault_error(pt_regs* regs, unsigned long error_code, unsigned long address,
                    vm_fault_t fault) {
  FUNCTION(Value::Address(regs->ip), error_code, Value::Address(address), fault);
  const bool from_user = (error_code & X86_PF_USER) != 0;
  if (fatal_signal_pending(current) && !from_user) {
    no_context(regs, error_code, address, 0, 0);
  } else if ((fault & VM_FAULT_OOM) != 0) {
    // Departs: pagefault_out_of_memory kills a process and lets this one try again; here it only
    // tries.
    if (!from_user) no_context(regs, error_code, address, SIGSEGV, SEGV_MAPERR);
  } else if ((fault & VM_FAULT_SIGBUS) != 0) {
    do_sigbus(regs, error_code, address);
  } else {
    bad_area_nosemaphore(regs, error_code, address);
  }
}

// v4.19 arch/x86/mm/fault.c: access_error. True if the area does not allow the access.
bool access_error(unsigned long error_code, kptr<vm_area_struct> vma) {
  if ((error_code & X86_PF_WRITE) != 0) return (vma->vm_flags & VM_WRITE) == 0;
  return (vma->vm_flags & (VM_READ | VM_EXEC | VM_WRITE)) == 0;
}

// v4.19 include/linux/uaccess.h: faulthandler_disabled
bool faulthandler_disabled() { return current->preempt_count != 0; }

// Takes mmap_sem for reading. False: kernel code that has no fixup faulted while somebody holds it,
// maybe itself.
bool LockMmap(const pt_regs* regs, unsigned long error_code, kptr<mm_struct> mm) {
  if (down_read_trylock(&mm->mmap_sem) != 0) {
    might_sleep();
    return true;
  }
  if ((error_code & X86_PF_USER) == 0 && search_exception_tables(regs->ip) == nullptr) return false;
  down_read(&mm->mmap_sem);
  return true;
}

// The area that `address` is in, a stack grown down to it if need be; null: none.
kptr<vm_area_struct> FindArea(const pt_regs* regs, unsigned long error_code,
                              unsigned long address) {
  const kptr<vm_area_struct> vma = find_vma(current->mm, address);
  if (!vma) return nullptr;
  if (vma->vm_start <= address) return vma;
  if ((vma->vm_flags & VM_GROWSDOWN) == 0) return nullptr;
  // User code may touch no more than this far below its stack pointer (ENTER pushes 32 words).
  constexpr unsigned long kBelowStack = 65536 + 32 * sizeof(unsigned long);
  if ((error_code & X86_PF_USER) != 0 && address + kBelowStack < regs->sp) return nullptr;
  return expand_stack(vma, address) == 0 ? vma : nullptr;
}

// v4.19 arch/x86/mm/fault.c: __do_page_fault
void __do_page_fault(pt_regs* regs, unsigned long error_code, unsigned long address) {
  FUNCTION(Value::Address(regs->ip), error_code, Value::Address(address));
  const kptr<mm_struct> mm = current->mm;
  // Departs: all that the kernel maps for itself is in every page table at once (no vmalloc_fault).
  if (fault_in_kernel_space(address) || faulthandler_disabled() || !mm) {
    Fail(EFAULT,
         mm ? "$0 is not present, and bringing it in might sleep"
            : "$0 is a user address, and this task has no user memory",
         Value::Address(address));
    bad_area_nosemaphore(regs, error_code, address);
    return;
  }
  unsigned flags = 0;
  if (user_mode(regs)) {
    local_irq_enable();
    error_code |= X86_PF_USER;
    flags |= FAULT_FLAG_USER;
  } else if ((regs->flags & X86_EFLAGS_IF) != 0) {
    local_irq_enable();
  }
  if ((error_code & X86_PF_WRITE) != 0) flags |= FAULT_FLAG_WRITE;
  if ((error_code & X86_PF_INSTR) != 0) flags |= FAULT_FLAG_INSTRUCTION;

  if (!LockMmap(regs, error_code, mm)) {
    bad_area_nosemaphore(regs, error_code, address);
    return;
  }
  const kptr<vm_area_struct> vma = FindArea(regs, error_code, address);
  if (!vma) {
    bad_area(regs, error_code, address);
    return;
  }
  if (access_error(error_code, vma)) {
    bad_area_access_error(regs, error_code, address, vma);
    return;
  }
  const vm_fault_t fault = handle_mm_fault(vma, address, flags);
  up_read(&mm->mmap_sem);
  if ((fault & VM_FAULT_ERROR) != 0) mm_fault_error(regs, error_code, address, fault);
}

}  // namespace

void do_page_fault(pt_regs* regs, unsigned long error_code) {
  FUNCTION(Value::Address(regs->ip), error_code);
  __do_page_fault(regs, error_code, current->cpu->cr2);
}

void InstallPageFaultGate(Cpu& cpu) {
  cpu.idt[X86_TRAP_PF] = {.handler = [](Cpu& at) { RunExceptionHandler(at, do_page_fault); },
                          .name = "page_fault"};
}

}  // namespace kpath
