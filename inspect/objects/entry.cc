// SPDX-License-Identifier: Apache-2.0
//
// arch/x86: saved registers, and CPUs.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "inspect/objects/names.h"
#include "inspect/printer.h"
#include "inspect/types_of.h"
#include "sim/kernel/sched.h"
#include "sim/machine/pt_regs.h"

namespace kpath {
namespace {

constexpr int kWordsBelow = 4;

// The words of the stack below and above the frame, each with its address, as far as they are on
// the same stack.
std::string StackWord(const Look& look, uint64_t address, const std::string& what) {
  uint64_t word = 0;
  if (!ReadMemory(look, address, sizeof word, &word)) return "";
  return absl::StrFormat("0x%016x: %-8s 0x%x", address, what, word);
}

// In lines, the frame is what it is: words of the kernel stack.
std::string ShowRegisters(const Printer& printer, const Datum& object, const PrintLevel& level) {
  std::vector<std::string> parts = printer.Fields(object, level);
  const uint64_t address = object.address;
  if (level.indent < 0 || address < kDirectMapBase) return Braces(parts, level);
  const uint64_t stack = address & ~(THREAD_SIZE - 1);
  std::vector<std::string> lines;
  for (int i = kWordsBelow; i > 0; --i) {
    const uint64_t below = address - static_cast<uint64_t>(i) * sizeof(uint64_t);
    if (below >= stack) lines.push_back(StackWord(printer.look(), below, ""));
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    lines.push_back(absl::StrFormat("0x%016x: %s", address + i * sizeof(uint64_t), parts[i]));
  }
  const uint64_t end = address + sizeof(pt_regs);
  lines.push_back(end == stack + THREAD_SIZE
                      ? absl::StrFormat("0x%016x: <top of the kernel stack>", end)
                      : StackWord(printer.look(), end, ""));
  return Braces(lines, level);
}

const Cpu& CpuAt(const Datum& object) { return *static_cast<const Cpu*>(object.host); }

bool CpuNumber(const Look&, const Datum& object, Datum* value) {
  *value = MakeNumber(TypeOf<int>(), static_cast<uint64_t>(CpuAt(object).id()));
  return true;
}
bool CpuCurrent(const Look&, const Datum& object, Datum* value) {
  *value = MakePointer(StructTypeOf<task_struct>(),
                       static_cast<const task_struct*>(CpuAt(object).running()));
  return true;
}
bool CpuHalted(const Look&, const Datum& object, Datum* value) {
  *value = MakeNumber(TypeOf<bool>(), CpuAt(object).halted() ? 1 : 0);
  return true;
}
bool CpuPending(const Look&, const Datum& object, Datum* value) {
  *value = MakeNumber(TypeOf<bool>(), CpuAt(object).interrupt_pending() ? 1 : 0);
  return true;
}
template <Reg kReg>
bool CpuRegister(const Look&, const Datum& object, Datum* value) {
  *value = MakeNumber(HexType<unsigned long>(), CpuAt(object).regs[kReg]);
  return true;
}
template <uint64_t Registers::*kRegister>
bool CpuRegister(const Look&, const Datum& object, Datum* value) {
  *value = MakeNumber(HexType<unsigned long>(), CpuAt(object).regs.*kRegister);
  return true;
}
bool CpuFlags(const Look&, const Datum& object, Datum* value) {
  *value = MakeNumber(NamedType<unsigned long, kEflagsNames>(), CpuAt(object).regs.rflags);
  return true;
}

}  // namespace

template <>
const Type& StructTypeOf<pt_regs>() {
  using S = pt_regs;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(r15, HexType<unsigned long>),
      KPATH_FIELD_AS(r14, HexType<unsigned long>),
      KPATH_FIELD_AS(r13, HexType<unsigned long>),
      KPATH_FIELD_AS(r12, HexType<unsigned long>),
      KPATH_FIELD_AS(bp, HexType<unsigned long>),
      KPATH_FIELD_AS(bx, HexType<unsigned long>),
      KPATH_FIELD_AS(r11, HexType<unsigned long>),
      KPATH_FIELD_AS(r10, HexType<unsigned long>),
      KPATH_FIELD_AS(r9, HexType<unsigned long>),
      KPATH_FIELD_AS(r8, HexType<unsigned long>),
      KPATH_FIELD_AS(ax, HexType<unsigned long>),
      KPATH_FIELD_AS(cx, HexType<unsigned long>),
      KPATH_FIELD_AS(dx, HexType<unsigned long>),
      KPATH_FIELD_AS(si, HexType<unsigned long>),
      KPATH_FIELD_AS(di, HexType<unsigned long>),
      KPATH_FIELD_AS(orig_ax, TypeOf<long>),
      KPATH_FIELD_AS(ip, HexType<unsigned long>),
      KPATH_FIELD_AS(cs, HexType<unsigned long>),
      KPATH_FIELD_AS(flags, NamedType<unsigned long, kEflagsNames>),
      KPATH_FIELD_AS(sp, HexType<unsigned long>),
      KPATH_FIELD_AS(ss, HexType<unsigned long>),
  };
  static constexpr Type kType = [] {
    Type type = MemoryStructType<S>("struct pt_regs", kFields);
    type.show = ShowRegisters;
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<Cpu>() {
  using S = Cpu;
  static constexpr Field kFields[] = {
      KPATH_COMPUTED("id", CpuNumber),
      KPATH_COMPUTED("current", CpuCurrent),
      KPATH_COMPUTED("halted", CpuHalted),
      KPATH_COMPUTED("interrupt_pending", CpuPending),
      KPATH_COMPUTED("rax", CpuRegister<Reg::rax>),
      KPATH_COMPUTED("rbx", CpuRegister<Reg::rbx>),
      KPATH_COMPUTED("rcx", CpuRegister<Reg::rcx>),
      KPATH_COMPUTED("rdx", CpuRegister<Reg::rdx>),
      KPATH_COMPUTED("rsi", CpuRegister<Reg::rsi>),
      KPATH_COMPUTED("rdi", CpuRegister<Reg::rdi>),
      KPATH_COMPUTED("rbp", CpuRegister<Reg::rbp>),
      KPATH_COMPUTED("rsp", CpuRegister<Reg::rsp>),
      KPATH_COMPUTED("r8", CpuRegister<Reg::r8>),
      KPATH_COMPUTED("r9", CpuRegister<Reg::r9>),
      KPATH_COMPUTED("r10", CpuRegister<Reg::r10>),
      KPATH_COMPUTED("r11", CpuRegister<Reg::r11>),
      KPATH_COMPUTED("r12", CpuRegister<Reg::r12>),
      KPATH_COMPUTED("r13", CpuRegister<Reg::r13>),
      KPATH_COMPUTED("r14", CpuRegister<Reg::r14>),
      KPATH_COMPUTED("r15", CpuRegister<Reg::r15>),
      KPATH_COMPUTED("rip", CpuRegister<&Registers::rip>),
      KPATH_COMPUTED("rflags", CpuFlags),
      KPATH_FIELD_AS(gs_base, HexType<uint64_t>),
      KPATH_FIELD_AS(kernel_gs_base, HexType<uint64_t>),
      KPATH_FIELD_AS(cr2, HexType<uint64_t>),
      KPATH_FIELD_AS(dr6, HexType<uint64_t>),
      KPATH_FIELD_AS(star, HexType<uint64_t>),
      KPATH_FIELD_AS(lstar, HexType<uint64_t>),
      KPATH_FIELD_AS(cstar, HexType<uint64_t>),
      KPATH_FIELD_AS(sfmask, HexType<uint64_t>),
  };
  static constexpr Type kType = [] {
    Type type;
    type.kind = Type::Kind::kStruct;
    type.name = "struct cpu";
    type.fields = kFields;
    type.host_size = sizeof(S);
    type.identity = [](const void* object) {
      return absl::StrCat("cpu ", static_cast<const Cpu*>(object)->id());
    };
    type.number = [](const void* object) {
      return static_cast<uint64_t>(static_cast<const Cpu*>(object)->id());
    };
    type.find = [](Machine& machine, uint64_t id) -> const void* {
      return id < static_cast<uint64_t>(machine.cpus()) ? &machine.cpu(static_cast<int>(id))
                                                        : nullptr;
    };
    return type;
  }();
  return kType;
}

}  // namespace kpath
