// SPDX-License-Identifier: Apache-2.0
//
// One simulated x86-64 processor: registers, the model specific registers that system calls use,
// the interrupt descriptor table, pending interrupts, and the context (task or idle loop) it
// executes.
//
// What a Cpu does by itself is what the hardware does: SYSCALL, SYSENTER, INT n, SYSRET, SWAPGS,
// IRET, pushing an interrupt frame, telling a page that is not present. What the kernel does with
// it is the business of entry/ and sim/kernel; Boot() (entry/boot.h) installs those in a machine.
//
// A Cpu belongs to its machine and is used only by code that runs on it (or while the machine
// stands still).
//
// Invariants
//   1. A pending interrupt is delivered at the first probe at which RFLAGS.IF is set.
//   2. gs_base is the per-CPU base whenever C code of the kernel runs.
//   3. running() is the context whose fiber executes when the machine lets this CPU step.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "sim/machine/memory.h"

namespace kpath {

class Context;
class Cpu;
class Machine;

// The order is that of the instruction encoding.
enum class Reg : uint8_t {
  rax,
  rcx,
  rdx,
  rbx,
  rsp,
  rbp,
  rsi,
  rdi,
  r8,
  r9,
  r10,
  r11,
  r12,
  r13,
  r14,
  r15
};

// RFLAGS.
inline constexpr uint64_t X86_EFLAGS_CF = 1 << 0;
inline constexpr uint64_t X86_EFLAGS_FIXED = 1 << 1;
inline constexpr uint64_t X86_EFLAGS_PF = 1 << 2;
inline constexpr uint64_t X86_EFLAGS_AF = 1 << 4;
inline constexpr uint64_t X86_EFLAGS_ZF = 1 << 6;
inline constexpr uint64_t X86_EFLAGS_SF = 1 << 7;
inline constexpr uint64_t X86_EFLAGS_TF = 1 << 8;
inline constexpr uint64_t X86_EFLAGS_IF = 1 << 9;
inline constexpr uint64_t X86_EFLAGS_DF = 1 << 10;
inline constexpr uint64_t X86_EFLAGS_OF = 1 << 11;
inline constexpr uint64_t X86_EFLAGS_IOPL = 3 << 12;
inline constexpr uint64_t X86_EFLAGS_NT = 1 << 14;
inline constexpr uint64_t X86_EFLAGS_RF = 1 << 16;
inline constexpr uint64_t X86_EFLAGS_AC = 1 << 18;

// Segment selectors. arch/x86/include/asm/segment.h
inline constexpr uint16_t __KERNEL_CS = 0x10;
inline constexpr uint16_t __KERNEL_DS = 0x18;
inline constexpr uint16_t __USER32_CS = 0x23;
inline constexpr uint16_t __USER_DS = 0x2b;
inline constexpr uint16_t __USER_CS = 0x33;

// v4.19 arch/x86/include/asm/msr-index.h
inline constexpr uint32_t MSR_GS_BASE = 0xc0000101;

// DR6: a single step. v4.19 arch/x86/include/uapi/asm/debugreg.h
inline constexpr uint64_t DR_STEP = 0x4000;

// The architecture's vectors. arch/x86/include/asm/traps.h
inline constexpr uint8_t kGeneralProtectionVector = 13;

// Bits 63 to 48 equal bit 47.
constexpr bool IsCanonicalAddress(uint64_t address) {
  return static_cast<uint64_t>(static_cast<int64_t>(address << 16) >> 16) == address;
}

// Everything that a switch from one context to another saves and loads.
struct Registers {
  std::array<uint64_t, 16> general = {};
  uint64_t rip = 0;
  uint64_t rflags = X86_EFLAGS_FIXED;
  uint16_t cs = 0;
  uint16_t ss = 0;

  uint64_t& operator[](Reg reg) { return general[static_cast<int>(reg)]; }
  uint64_t operator[](Reg reg) const { return general[static_cast<int>(reg)]; }

  friend bool operator==(const Registers&, const Registers&) = default;
};

// A gate of the interrupt descriptor table. `handler` is entered with the frame pushed and returns
// when the handler's IRET has been executed.
struct IdtGate {
  void (*handler)(Cpu& cpu) = nullptr;
  const char* name = nullptr;  // the kernel's symbol
  uint8_t dpl = 0;             // the least privileged ring that may raise it with INT n
  uint8_t ist = 0;             // 0, or which interrupt stack table entry to use
};

// Interrupts that wait to be delivered, as in the local APIC's request register.
class PendingVectors {
 public:
  void Add(uint8_t vector) { words_[vector / 64] |= uint64_t{1} << vector % 64; }
  bool any() const { return (words_[0] | words_[1] | words_[2] | words_[3]) != 0; }
  // REQUIRES: any().
  uint8_t TakeHighest() {
    size_t word = words_.size() - 1;
    while (words_[word] == 0) --word;
    const int bit = 63 - std::countl_zero(words_[word]);
    words_[word] &= ~(uint64_t{1} << bit);
    return static_cast<uint8_t>(64 * word + bit);
  }

 private:
  std::array<uint64_t, 4> words_ = {};
};

class Cpu {
 public:
  Cpu(Machine& machine, int id);
  Cpu(const Cpu&) = delete;
  Cpu& operator=(const Cpu&) = delete;

  Machine& machine() const { return machine_; }
  int id() const { return id_; }

  // ---- Registers ----
  Registers regs;
  uint64_t gs_base = 0;         // MSR_GS_BASE: the user's while user code runs
  uint64_t kernel_gs_base = 0;  // MSR_KERNEL_GS_BASE: what SWAPGS exchanges it with
  uint64_t cr2 = 0;             // the address of the last page fault
  uint64_t dr6 = 0;             // why the last debug exception came: DR_STEP

  uint64_t star = 0;                          // MSR_STAR: the segments of SYSCALL and SYSRET
  uint64_t sfmask = 0;                        // MSR_SYSCALL_MASK: flags that SYSCALL clears
  uint64_t lstar = 0;                         // MSR_LSTAR: where SYSCALL goes from 64-bit code
  void (*syscall_entry)(Cpu& cpu) = nullptr;  // the code at lstar
  uint64_t cstar = 0;                         // MSR_CSTAR: where SYSCALL goes from 32-bit code
  void (*syscall_compat_entry)(Cpu& cpu) = nullptr;  // the code at cstar
  uint16_t sysenter_cs = 0;                          // MSR_IA32_SYSENTER_CS
  uint64_t sysenter_esp = 0;                         // MSR_IA32_SYSENTER_ESP
  uint64_t sysenter_eip = 0;                         // MSR_IA32_SYSENTER_EIP
  void (*sysenter_entry)(Cpu& cpu) = nullptr;        // the code at sysenter_eip
  std::array<IdtGate, 256> idt;
  std::array<uint64_t, 8> ist = {};  // the interrupt stack table of the TSS: 1 … 7

  bool irqs_enabled() const { return (regs.rflags & X86_EFLAGS_IF) != 0; }
  // STI and CLI. Enabling delivers what is pending at the next probe.
  void EnableIrqs() {
    regs.rflags |= X86_EFLAGS_IF;
    if (interrupt_pending()) [[unlikely]]
      DeliverAtNextProbe();
  }
  void DisableIrqs() { regs.rflags &= ~X86_EFLAGS_IF; }

  // ---- Memory, as the kernel sees it ----
  // A simulated address that nothing is behind is a bug of the kernel model: it stops the machine.
  // T is uint64_t or uint32_t.
  template <typename T>
  T Read(uint64_t kernel_address) const {
    T value;
    if (memory_.LoadWord(kernel_address, &value)) [[likely]]
      return value;
    return static_cast<T>(ReadSlowly(kernel_address, sizeof(T)));
  }
  template <typename T>
  void Write(uint64_t kernel_address, T value) {
    if (!memory_.StoreWord(kernel_address, value)) [[unlikely]]
      WriteSlowly(kernel_address, value, sizeof(T));
  }
  uint64_t Read64(uint64_t kernel_address) const { return Read<uint64_t>(kernel_address); }
  void Write64(uint64_t kernel_address, uint64_t value) { Write(kernel_address, value); }
  uint32_t Read32(uint64_t kernel_address) const { return Read<uint32_t>(kernel_address); }
  void Write32(uint64_t kernel_address, uint32_t value) { Write(kernel_address, value); }
  // The same, at %gs:offset. Range of offset: what the per-CPU area has (kPerCpu…).
  template <typename T>
  T ReadAtGs(uint32_t offset) const {
    if (gs_base != per_cpu_base_) [[unlikely]]
      return Read<T>(gs_base + offset);
    T value;
    std::memcpy(&value, per_cpu_bytes_ + offset, sizeof(T));
    return value;
  }
  template <typename T>
  void WriteAtGs(uint32_t offset, T value) {
    if (gs_base != per_cpu_base_) [[unlikely]]
      return Write<T>(gs_base + offset, value);
    std::memcpy(per_cpu_bytes_ + offset, &value, sizeof(T));
  }
  // The per-CPU area of this CPU: the base that gs_base has in the kernel.
  uint64_t per_cpu_base() const { return per_cpu_base_; }
  // The top of the per-CPU entry ("trampoline") stack.
  uint64_t entry_stack_top() const { return entry_stack_top_; }

  // The page table in use; nullptr in the idle loop and in kernel threads.
  AddressSpace* address_space = nullptr;

  // ---- What the hardware does ----
  void Push(uint64_t value) {
    regs[Reg::rsp] -= 8;
    Write64(regs[Reg::rsp], value);
  }
  uint64_t Pop() {
    const uint64_t value = Read64(regs[Reg::rsp]);
    regs[Reg::rsp] += 8;
    return value;
  }
  // SYSCALL: saves rip and rflags in rcx and r11, masks the flags, loads the kernel's segments, and
  // runs the code at MSR_LSTAR (from a 32-bit code segment: at MSR_CSTAR) until it has executed
  // SYSRET or IRET. REQUIRES: user mode.
  void Syscall();
  // SYSENTER: loads the kernel's segments, rip and rsp, clears IF, saves nothing; runs the code as
  // Syscall does. REQUIRES: user mode.
  void Sysenter();
  // INT n: as an interrupt without an error code if the gate's DPL allows it, else #GP with the
  // gate's number in the error code and rip at the instruction, which is two bytes long. `rip` is
  // to be behind it. REQUIRES: user mode.
  void SoftwareInterrupt(uint8_t vector);
  // SYSRETQ. Loads rip from rcx, rflags from r11, the user's segments from STAR.
  void SysretQ();
  // SYSRETL. The same to 32-bit code.
  void SysretL();
  void Swapgs() { std::swap(gs_base, kernel_gs_base); }
  // IRETQ: pops rip, cs, rflags, rsp, ss. To user mode at an address that is not canonical it
  // raises #GP instead, in kernel mode and with the frame still on the stack.
  void IretQ();
  // PUSHFQ: without RF.
  void Pushf() { Push(regs.rflags & ~X86_EFLAGS_RF); }
  // POPFQ, in ring 0.
  void Popf();
  // RDMSR: ecx names the register, edx:eax get its value. Modelled: MSR_GS_BASE.
  void Rdmsr();
  // Pushes an interrupt frame (and `error_code` where the vector has one) on the stack that the
  // gate and the privilege change ask for, enters the gate's handler, returns after its IRET.
  void RaiseException(uint8_t vector, bool has_error_code, uint64_t error_code);
  void DeliverInterrupt(uint8_t vector);

  // ---- Interrupts ----
  // Makes the interrupt pending; it is delivered as invariant 1 says.
  void RaiseInterrupt(uint8_t vector);
  bool interrupt_pending() const { return pending_.any(); }
  // Delivers all that is pending, highest vector first, while RFLAGS.IF allows it.
  void DeliverPendingInterrupts();

  // HLT with interrupts on: gives the machine back to the other CPUs until an interrupt comes.
  void Halt();
  bool halted() const { return halted_; }

  // ---- Contexts ----
  Context* running() const { return running_; }
  // Gives the CPU its first context: what it executes when the machine runs.
  void Start(Context& context);
  // Leaves the running context, which is switched back to later, and goes on in `next` on this CPU.
  // Returns when somebody switches back, maybe on another Cpu. REQUIRES: kernel mode.
  void SwitchTo(Context& next);

 private:
  // Any word; where there is none, the machine stops.
  uint64_t ReadSlowly(uint64_t address, size_t size) const;
  void WriteSlowly(uint64_t address, uint64_t value, size_t size);

  void DeliverAtNextProbe();
  void EnterGate(uint8_t vector, bool has_error_code, uint64_t error_code);
  // After the kernel has run for user code.
  void CheckUserMode() const;
  void SetHalted(bool halted);

  Machine& machine_;
  Memory& memory_;  // the machine's
  const int id_;
  uint64_t per_cpu_base_ = 0;
  uint8_t* per_cpu_bytes_ = nullptr;  // what is there
  uint64_t entry_stack_top_ = 0;
  Context* running_ = nullptr;
  PendingVectors pending_;
  bool halted_ = true;  // until Start
};

// Offsets in the per-CPU area of the recorded kernel (SPEC: the absolute operands of %gs:).
struct PerCpuSymbol {
  const char* name;
  uint32_t offset;
};
inline constexpr PerCpuSymbol kPerCpuSp0 = {"cpu_tss_rw+TSS_sp0", 0x5004};
inline constexpr PerCpuSymbol kPerCpuTopOfStack = {"cpu_current_top_of_stack", 0x500c};
inline constexpr PerCpuSymbol kPerCpuRspScratch = {"rsp_scratch", 0x140c8};
inline constexpr PerCpuSymbol kPerCpuIrqCount = {"irq_count", 0x14bd4};
inline constexpr PerCpuSymbol kPerCpuIrqStackPtr = {"irq_stack_ptr", 0x14bd8};
inline constexpr PerCpuSymbol kPerCpuIrqStackTop = {"irq_stack_union+0x3ff8", 0x3ff8};
inline constexpr PerCpuSymbol kPerCpuCurrentTask = {"current_task", 0x14c40};

}  // namespace kpath
