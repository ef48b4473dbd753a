// SPDX-License-Identifier: Apache-2.0
//
// The words that listings are written in: register names, operands and mnemonics, so that C++ reads
// like the AT&T assembly of arch/x86/entry/*.S.
//
//   movq    %rsp, PER_CPU_VAR(rsp_scratch)       movq(rsp, PER_CPU_VAR(rsp_scratch))
//   pushq   $__USER_DS                           pushq(Imm(__USER_DS))
//   movq    RCX(%rsp), %rcx                      movq(RCX(rsp), rcx)
//   pushq   6*8(%rdi)                            pushq(at(6 * 8, rdi))
//   xorl    %edx, %edx                           xorl(edx, edx)
//
// An instruction that does not exist is an error of compilation in a constexpr listing: the
// compiler names the function ThisInstructionCannotHaveThatOperand. Elsewhere it ends the process.
#pragma once

#include "entry/instruction.h"

namespace kpath::assembly {

// ---- Operands ----

constexpr Operand Register(Reg reg, int bits) {
  return {.kind = Operand::Kind::kRegister, .reg = reg, .bits = static_cast<uint8_t>(bits)};
}
inline constexpr Operand rax = Register(Reg::rax, 64), rcx = Register(Reg::rcx, 64),
                         rdx = Register(Reg::rdx, 64), rbx = Register(Reg::rbx, 64),
                         rsp = Register(Reg::rsp, 64), rbp = Register(Reg::rbp, 64),
                         rsi = Register(Reg::rsi, 64), rdi = Register(Reg::rdi, 64),
                         r8 = Register(Reg::r8, 64), r9 = Register(Reg::r9, 64),
                         r10 = Register(Reg::r10, 64), r11 = Register(Reg::r11, 64),
                         r12 = Register(Reg::r12, 64), r13 = Register(Reg::r13, 64),
                         r14 = Register(Reg::r14, 64), r15 = Register(Reg::r15, 64);
inline constexpr Operand eax = Register(Reg::rax, 32), ecx = Register(Reg::rcx, 32),
                         edx = Register(Reg::rdx, 32), ebx = Register(Reg::rbx, 32),
                         esp = Register(Reg::rsp, 32), ebp = Register(Reg::rbp, 32),
                         esi = Register(Reg::rsi, 32), edi = Register(Reg::rdi, 32),
                         r8d = Register(Reg::r8, 32), r9d = Register(Reg::r9, 32),
                         r10d = Register(Reg::r10, 32), r11d = Register(Reg::r11, 32),
                         r12d = Register(Reg::r12, 32), r13d = Register(Reg::r13, 32),
                         r14d = Register(Reg::r14, 32), r15d = Register(Reg::r15, 32);

// $value. Sign-extended to the operand size, as the encodings do.
constexpr Operand Imm(int32_t value) { return {.kind = Operand::Kind::kImmediate, .value = value}; }

// displacement(%base) and (%base).
constexpr Operand at(int32_t displacement, const Operand& base) {
  return {.kind = Operand::Kind::kMemory, .reg = base.reg, .value = displacement};
}
constexpr Operand at(const Operand& base) { return at(0, base); }

// A variable of the present CPU: %gs:variable.
constexpr Operand PER_CPU_VAR(const PerCpuSymbol& variable) {
  return {.kind = Operand::Kind::kPerCpu, .variable = &variable};
}
inline constexpr const PerCpuSymbol& rsp_scratch = kPerCpuRspScratch;
inline constexpr const PerCpuSymbol& cpu_current_top_of_stack = kPerCpuTopOfStack;
inline constexpr const PerCpuSymbol& cpu_tss_rw_sp0 = kPerCpuSp0;
inline constexpr const PerCpuSymbol& irq_count = kPerCpuIrqCount;
inline constexpr const PerCpuSymbol& irq_stack_ptr = kPerCpuIrqStackPtr;
inline constexpr const PerCpuSymbol& irq_stack_top = kPerCpuIrqStackTop;

// The slots of pt_regs, as offsets from where it begins: RCX(rsp). arch/x86/entry/calling.h
struct PtRegsSlot {
  int32_t offset;
  constexpr Operand operator()(const Operand& base) const { return at(offset, base); }
};
inline constexpr PtRegsSlot R15{0 * 8}, R14{1 * 8}, R13{2 * 8}, R12{3 * 8}, RBP{4 * 8}, RBX{5 * 8},
    R11{6 * 8}, R10{7 * 8}, R9{8 * 8}, R8{9 * 8}, RAX{10 * 8}, RCX{11 * 8}, RDX{12 * 8},
    RSI{13 * 8}, RDI{14 * 8}, ORIG_RAX{15 * 8}, RIP{16 * 8}, CS{17 * 8}, EFLAGS{18 * 8},
    RSP{19 * 8}, SS{20 * 8};

// ---- Mnemonics ----

void ThisInstructionCannotHaveThatOperand();

constexpr bool IsMemory(const Operand& operand) {
  return operand.kind == Operand::Kind::kMemory || operand.kind == Operand::Kind::kPerCpu;
}
constexpr bool IsReadable(const Operand& operand, int bits) {
  if (operand.kind == Operand::Kind::kRegister) return operand.bits == bits;
  return IsMemory(operand) || operand.kind == Operand::Kind::kImmediate;
}
constexpr bool IsWritable(const Operand& operand, int bits) {
  return IsReadable(operand, bits) && operand.kind != Operand::Kind::kImmediate;
}

struct NoOperandMnemonic {
  Opcode opcode;
  constexpr Instruction operator()() const { return {.opcode = opcode}; }
};
inline constexpr NoOperandMnemonic swapgs{Opcode::kSwapgs}, sysretq{Opcode::kSysret},
    sysretl{Opcode::kSysretl}, iretq{Opcode::kIret}, ret{Opcode::kRet}, cld{Opcode::kCld},
    cli{Opcode::kCli}, pushfq{Opcode::kPushf}, popfq{Opcode::kPopf}, rdmsr{Opcode::kRdmsr};

struct OneOperandMnemonic {
  Opcode opcode;
  int bits;
  bool writes;
  constexpr Instruction operator()(const Operand& operand) const {
    if (writes ? !IsWritable(operand, bits) : !IsReadable(operand, bits)) {
      ThisInstructionCannotHaveThatOperand();
    }
    const auto size = static_cast<uint8_t>(bits);
    if (writes) return {.opcode = opcode, .bits = size, .destination = operand};
    return {.opcode = opcode, .bits = size, .source = operand};
  }
};
inline constexpr OneOperandMnemonic pushq{Opcode::kPush, 64, false}, popq{Opcode::kPop, 64, true},
    incl{Opcode::kInc, 32, true}, decl{Opcode::kDec, 32, true};

// At most one of the operands may be in memory, and only the source immediate.
struct TwoOperandMnemonic {
  Opcode opcode;
  int bits;
  constexpr Instruction operator()(const Operand& source, const Operand& destination) const {
    if (!IsReadable(source, bits) || !IsWritable(destination, bits) ||
        (IsMemory(source) && IsMemory(destination))) {
      ThisInstructionCannotHaveThatOperand();
    }
    return {opcode, static_cast<uint8_t>(bits), source, destination};
  }
};
inline constexpr TwoOperandMnemonic movq{Opcode::kMov, 64}, movl{Opcode::kMov, 32},
    addq{Opcode::kAdd, 64}, xorl{Opcode::kXor, 32}, orl{Opcode::kOr, 32}, cmpq{Opcode::kCmp, 64},
    testq{Opcode::kTest, 64}, testl{Opcode::kTest, 32};

// A constant with a byte in memory; no byte registers are modelled.
struct TestByteMnemonic {
  constexpr Instruction operator()(const Operand& constant, const Operand& memory) const {
    if (constant.kind != Operand::Kind::kImmediate || constant.value < 0 || constant.value > 127 ||
        !IsMemory(memory)) {
      ThisInstructionCannotHaveThatOperand();
    }
    return {Opcode::kTest, 8, constant, memory};
  }
};
inline constexpr TestByteMnemonic testb;

// leaq displacement(%base), %reg and leaq symbol(%rip), %reg.
struct LeaMnemonic {
  constexpr Instruction operator()(const Operand& address, const Operand& destination) const {
    if (address.kind != Operand::Kind::kMemory || destination.kind != Operand::Kind::kRegister ||
        destination.bits != 64) {
      ThisInstructionCannotHaveThatOperand();
    }
    return {Opcode::kLea, 64, address, destination};
  }
  constexpr Instruction operator()(const CodeSymbol& code, const Operand& destination) const {
    if (destination.kind != Operand::Kind::kRegister || destination.bits != 64) {
      ThisInstructionCannotHaveThatOperand();
    }
    return {Opcode::kLea, 64, {.kind = Operand::Kind::kCode, .code = &code}, destination};
  }
};
inline constexpr LeaMnemonic leaq;

struct ShiftMnemonic {
  Opcode opcode;
  constexpr Instruction operator()(const Operand& count, const Operand& destination) const {
    if (count.kind != Operand::Kind::kImmediate || count.value < 1 || count.value > 63 ||
        destination.kind != Operand::Kind::kRegister || destination.bits != 64) {
      ThisInstructionCannotHaveThatOperand();
    }
    return {opcode, 64, count, destination};
  }
};
inline constexpr ShiftMnemonic shlq{Opcode::kShl}, sarq{Opcode::kSar};

struct TransferMnemonic {
  Opcode opcode;
  constexpr Instruction operator()(const CodeSymbol& target) const {
    return {.opcode = opcode, .source = {.kind = Operand::Kind::kCode, .code = &target}};
  }
};
inline constexpr TransferMnemonic call{Opcode::kCall}, jmp{Opcode::kJmp}, je{Opcode::kJe},
    jne{Opcode::kJne}, js{Opcode::kJs};

}  // namespace kpath::assembly
