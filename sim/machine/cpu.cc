// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/cpu.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "sim/machine/check.h"
#include "sim/machine/context.h"
#include "sim/machine/machine.h"

namespace kpath {
namespace {

// 128 KiB, room for all offsets of the recorded kernel's per-CPU area (kPerCpu…).
constexpr int kPerCpuAreaOrder = 5;
// Each CPU's cpu_entry_area is 0x3b000 bytes in v4.19; its entry stack's top is at 0x2200.
constexpr uint64_t kCpuEntryAreaSize = 0x3b000;
constexpr uint64_t kEntryStackPage = 0x2000;
constexpr uint64_t kEntryStackTop = 0x2200;

}  // namespace

Cpu::Cpu(Machine& machine, int id) : machine_(machine), memory_(machine.memory), id_(id) {
  const uint64_t per_cpu_area = memory_.AllocatePages(kPerCpuAreaOrder);
  per_cpu_base_ = kDirectMapBase + (per_cpu_area << kPageShift);
  per_cpu_bytes_ = memory_.PageBytes(per_cpu_area);
  const uint64_t entry_area = kCpuEntryAreaBase + static_cast<uint64_t>(id) * kCpuEntryAreaSize;
  memory_.MapKernel(entry_area + kEntryStackPage, memory_.AllocatePages(0));
  entry_stack_top_ = entry_area + kEntryStackTop;
}

// A word may go on in the next page, which may be elsewhere on the host. What is not there reads as
// ones.
uint64_t Cpu::ReadSlowly(uint64_t address, size_t size) const {
  const uint8_t* bytes = memory_.KernelBytes(address);
  if (bytes == nullptr) {
    machine_.Panic(absl::StrCat("BUG: unable to handle kernel paging request at 0x",
                                absl::Hex(address), " (read)"));
  }
  const size_t here = std::min<size_t>(size, kPageSize - (address & ~kPageMask));
  uint64_t value = 0;
  std::memcpy(&value, bytes, here);
  for (size_t i = here; i < size; ++i) {
    const uint8_t* byte = memory_.KernelBytes(address + i);
    value |= uint64_t{byte == nullptr ? uint8_t{0xff} : *byte} << (8 * i);
  }
  return value;
}

void Cpu::WriteSlowly(uint64_t address, uint64_t value, size_t size) {
  uint8_t* bytes = memory_.KernelBytes(address);
  if (bytes == nullptr) {
    machine_.Panic(absl::StrCat("BUG: unable to handle kernel paging request at 0x",
                                absl::Hex(address), " (write)"));
  }
  const size_t here = std::min<size_t>(size, kPageSize - (address & ~kPageMask));
  std::memcpy(bytes, &value, here);
  for (size_t i = here; i < size; ++i) {
    uint8_t* byte = memory_.KernelBytes(address + i);
    if (byte != nullptr) *byte = static_cast<uint8_t>(value >> (8 * i));
  }
}

void Cpu::DeliverAtNextProbe() { machine_.UpdateDeadline(); }

void Cpu::CheckUserMode() const {
  // Maybe on another CPU: the task may have slept.
  KPATH_CHECK((current_context->cpu->regs.cs & 3) == 3,
              "the kernel came back without SYSRET or IRET");
}

// AMD64 Architecture Programmer's Manual, volume 3: SYSCALL.
void Cpu::Syscall() {
  KPATH_CHECK((regs.cs & 3) == 3, "SYSCALL is executed by user code");
  const bool from_64_bit_code = regs.cs == __USER_CS;
  regs[Reg::rcx] = regs.rip;
  regs[Reg::r11] = regs.rflags & ~X86_EFLAGS_RF;
  regs.rflags &= ~sfmask & ~X86_EFLAGS_RF;
  regs.cs = (star >> 32) & 0xfffc;
  regs.ss = regs.cs + 8;
  regs.rip = from_64_bit_code ? lstar : cstar;
  from_64_bit_code ? syscall_entry(*this) : syscall_compat_entry(*this);
  CheckUserMode();
}

// Intel SDM volume 2: SYSENTER.
void Cpu::Sysenter() {
  KPATH_CHECK((regs.cs & 3) == 3, "SYSENTER is executed by user code");
  regs.rflags &= ~(X86_EFLAGS_IF | X86_EFLAGS_RF);
  regs.cs = sysenter_cs & 0xfffc;
  regs.ss = regs.cs + 8;
  regs[Reg::rsp] = sysenter_esp;
  regs.rip = sysenter_eip;
  sysenter_entry(*this);
  CheckUserMode();
}

// Intel SDM volume 3, 6.12.1.1 and 6.13: the privilege that INT n needs, and the error code of its
// #GP: the gate's number, and that it is one of the IDT's.
void Cpu::SoftwareInterrupt(uint8_t vector) {
  KPATH_CHECK((regs.cs & 3) == 3, "INT n is executed by user code");
  if (idt[vector].dpl == 3) {
    EnterGate(vector, false, 0);
  } else {
    regs.rip -= 2;
    EnterGate(kGeneralProtectionVector, true, vector * 8u + 2);
  }
  CheckUserMode();
}

// AMD64 Architecture Programmer's Manual, volume 3: SYSRET with a 64-bit operand.
void Cpu::SysretQ() {
  regs.rip = regs[Reg::rcx];
  regs.rflags = (regs[Reg::r11] & ~(X86_EFLAGS_RF | uint64_t{1} << 17)) | X86_EFLAGS_FIXED;
  const uint16_t base = static_cast<uint16_t>(star >> 48);
  regs.cs = (base + 16) | 3;
  regs.ss = (base + 8) | 3;
}

// The same with a 32-bit operand: the code segment is that of 32-bit code.
void Cpu::SysretL() {
  regs.rip = static_cast<uint32_t>(regs[Reg::rcx]);
  regs.rflags = (static_cast<uint32_t>(regs[Reg::r11]) & ~(X86_EFLAGS_RF | uint64_t{1} << 17)) |
                X86_EFLAGS_FIXED;
  const uint16_t base = static_cast<uint16_t>(star >> 48);
  regs.cs = base | 3;
  regs.ss = (base + 8) | 3;
}

void Cpu::Popf() {
  regs.rflags = (Pop() & ~X86_EFLAGS_RF) | X86_EFLAGS_FIXED;
  if (irqs_enabled() && pending_.any()) machine_.UpdateDeadline();
}

void Cpu::Rdmsr() {
  const uint32_t msr = static_cast<uint32_t>(regs[Reg::rcx]);
  KPATH_CHECK(msr == MSR_GS_BASE, absl::StrCat("RDMSR of 0x", absl::Hex(msr)));
  regs[Reg::rax] = static_cast<uint32_t>(gs_base);
  regs[Reg::rdx] = gs_base >> 32;
}

void Cpu::IretQ() {
  const uint64_t frame = regs[Reg::rsp];
  if ((Read64(frame + 8) & 3) == 3 && !IsCanonicalAddress(Read64(frame))) {
    regs.rip -= 2;  // a fault: back to the instruction itself
    EnterGate(kGeneralProtectionVector, true, 0);
    return;
  }
  const uint64_t rip = Pop();
  const uint16_t cs = static_cast<uint16_t>(Pop());
  const uint64_t rflags = Pop();
  const uint64_t rsp = Pop();
  const uint16_t ss = static_cast<uint16_t>(Pop());
  regs.rip = rip;
  regs.cs = cs;
  regs.rflags = rflags;
  regs[Reg::rsp] = rsp;
  regs.ss = ss;
  if (irqs_enabled() && pending_.any()) machine_.UpdateDeadline();
}

// Intel SDM volume 3, 6.12 and 6.14: the stack is the one that the gate names, else sp0 on a
// privilege change, else the present one, aligned down to 16 bytes; all gates of the kernel are
// interrupt gates, so IF is cleared.
void Cpu::EnterGate(uint8_t vector, bool has_error_code, uint64_t error_code) {
  const IdtGate& gate = idt[vector];
  if (gate.handler == nullptr) {
    machine_.Panic(absl::StrCat("BUG: no handler for vector ", vector));
  }
  const Registers interrupted = regs;
  if (gate.ist != 0) {
    regs[Reg::rsp] = ist[gate.ist];
  } else if ((regs.cs & 3) == 3) {
    regs[Reg::rsp] = Read64(per_cpu_base_ + kPerCpuSp0.offset);
  }
  regs[Reg::rsp] &= ~uint64_t{15};
  Push(interrupted.ss);
  Push(interrupted[Reg::rsp]);
  Push(interrupted.rflags);
  Push(interrupted.cs);
  Push(interrupted.rip);
  if (has_error_code) Push(error_code);
  regs.rflags &= ~(X86_EFLAGS_IF | X86_EFLAGS_TF | X86_EFLAGS_NT | X86_EFLAGS_RF);
  regs.cs = __KERNEL_CS;
  regs.ss = 0;
  gate.handler(*this);
}

void Cpu::RaiseException(uint8_t vector, bool has_error_code, uint64_t error_code) {
  EnterGate(vector, has_error_code, error_code);
}

void Cpu::DeliverInterrupt(uint8_t vector) { EnterGate(vector, false, 0); }

void Cpu::RaiseInterrupt(uint8_t vector) {
  pending_.Add(vector);
  if (running_ != nullptr) SetHalted(false);
  machine_.UpdateDeadline();
}

void Cpu::DeliverPendingInterrupts() {
  while (irqs_enabled() && pending_.any()) {
    DeliverInterrupt(pending_.TakeHighest());
    // The task may have been moved on its way back to user mode; the rest is for who runs here now.
    if (current_context->cpu != this) return;
  }
}

void Cpu::Halt() {
  regs.rflags |= X86_EFLAGS_IF;
  if (!pending_.any()) {
    SetHalted(true);
    machine_.LetOthersStep();
  }
  DeliverPendingInterrupts();
}

void Cpu::SetHalted(bool halted) {
  if (halted_ == halted) return;
  halted_ = halted;
  machine_.runnable_cpus_ += halted ? -1 : 1;
}

void Cpu::Start(Context& context) {
  KPATH_CHECK(running_ == nullptr, "a CPU is started once");
  running_ = &context;
  context.cpu = this;
  regs = context.saved_regs;
  gs_base = per_cpu_base_;
  kernel_gs_base = context.saved_kernel_gs_base;
  SetHalted(false);
}

void Cpu::SwitchTo(Context& next) {
  Context& previous = *running_;
  KPATH_CHECK(&previous == current_context, "only the running context can switch away");
  previous.saved_regs = regs;
  previous.saved_kernel_gs_base = kernel_gs_base;
  regs = next.saved_regs;
  kernel_gs_base = next.saved_kernel_gs_base;
  next.cpu = this;
  running_ = &next;
  machine_.LetOthersStep();
}

}  // namespace kpath
