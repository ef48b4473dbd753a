// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/ptrace_requests.h"

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "entry/kernel_mode.h"
#include "sim/kernel/sched.h"
#include "sim/mm/mmap.h"
#include "sim/user/memory.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

using strace::Call;
using strace::Value;
using strace::ValueKind;

// The words of struct user_regs_struct, as strace names them.
constexpr absl::string_view kRegisters[] = {
    "r15",    "r14", "r13", "r12",     "rbp",     "rbx", "r11",      "r10", "r9",
    "r8",     "rax", "rcx", "rdx",     "rsi",     "rdi", "orig_rax", "rip", "cs",
    "eflags", "rsp", "ss",  "fs_base", "gs_base", "ds",  "es",       "fs",  "gs"};
constexpr uint64_t kRegsBytes = 27 * sizeof(uint64_t);
static_assert(std::size(kRegisters) * sizeof(uint64_t) == kRegsBytes);

constexpr uint64_t kEnosys = static_cast<uint64_t>(-ENOSYS);
constexpr uint64_t kClone3 = 435;  // newer than v4.19: made as the clone that it stands for
constexpr size_t kSiginfoBytes = 128;
constexpr int kSyscallGood = SIGTRAP | 0x80;

bool Is(const Call& call, absl::string_view request) { return call.args[0].text == request; }

absl::optional<uint64_t> NumberOf(const Value& value) {
  const absl::StatusOr<uint64_t> number = strace::Evaluate(value);
  if (!number.ok()) return absl::nullopt;
  return *number;
}

// What is in the brackets of [0x27].
const Value& Inner(const Value& value) {
  return value.kind == ValueKind::kArray && !value.children.empty() ? value.children[0] : value;
}

const task_struct* TraceeOf(const Call& call) {
  const absl::optional<uint64_t> pid = NumberOf(call.args[1]);
  return pid.has_value() ? FindTask(*current->machine, static_cast<int>(*pid)) : nullptr;
}

int CodeOfStop(const task_struct* tracee) {
  return tracee != nullptr && tracee->last_siginfo != nullptr ? tracee->last_siginfo->si_code : 0;
}

std::string Differs(absl::string_view what, uint64_t recorded, uint64_t simulated) {
  if (recorded == simulated) return "";
  return absl::StrCat(what, " is 0x", absl::Hex(recorded), " in the recording, 0x",
                      absl::Hex(simulated), " in the model");
}

// One register, of those that the model knows.
std::string JudgeRegister(absl::string_view name, const Value& printed, uint64_t simulated,
                          const task_struct* tracee) {
  const absl::optional<uint64_t> recorded = NumberOf(printed);
  if (!recorded.has_value()) return "";
  if (name == "cs" || name == "ss") return Differs(name, *recorded, simulated);
  const int code = CodeOfStop(tracee);
  if (code != SIGTRAP && code != kSyscallGood) return "";
  const bool known =
      (name == "orig_rax" && *recorded != kClone3) || (name == "rax" && *recorded == kEnosys);
  return known ? Differs(name, *recorded, simulated) : "";
}

std::string JudgeRegisters(const Value& printed, uint64_t address, const task_struct* tracee) {
  if (printed.kind != ValueKind::kStruct) return "";
  for (size_t i = 0; i < std::size(kRegisters); ++i) {
    const Value* field = strace::FindField(printed, kRegisters[i]);
    if (field == nullptr) continue;
    const auto simulated = user::Load<uint64_t>(address + i * sizeof(uint64_t));
    std::string wrong = JudgeRegister(kRegisters[i], *field, simulated, tracee);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string JudgeUserWord(const Call& call, uint64_t address, const task_struct* tracee) {
  const uint64_t place = PtraceAddress(call.args[2]).value_or(~0ull) / sizeof(uint64_t);
  if (!Is(call, "PTRACE_PEEKUSER") || place >= std::size(kRegisters)) return "";
  return JudgeRegister(kRegisters[place], Inner(call.args.back()), user::Load<uint64_t>(address),
                       tracee);
}

std::string JudgeSiginfo(const Value& printed, uint64_t address) {
  if (printed.kind != ValueKind::kStruct) return "";
  for (const absl::string_view name : {"si_signo", "si_code"}) {
    const Value* field = strace::FindField(printed, name);
    const absl::optional<uint64_t> recorded = field == nullptr ? absl::nullopt : NumberOf(*field);
    const uint64_t offset =
        name == "si_signo" ? offsetof(siginfo_t, si_signo) : offsetof(siginfo_t, si_code);
    // Who sent another signal may be outside of the model.
    if (!recorded.has_value()) continue;
    if (name == "si_code" && user::Load<int32_t>(address) != SIGTRAP) continue;
    std::string wrong =
        Differs(name, static_cast<uint32_t>(*recorded), user::Load<uint32_t>(address + offset));
    if (!wrong.empty()) return wrong;
  }
  return "";
}

// Of the stop at an event: the number of a child, a status.
std::string JudgeMessage(const Value& printed, uint64_t address, const task_struct* tracee) {
  const absl::optional<uint64_t> recorded = NumberOf(Inner(printed));
  if (!recorded.has_value() || printed.kind != ValueKind::kArray) return "";
  if (CodeOfStop(tracee) >> 8 == 0) return "";
  return Differs("the message", *recorded, user::Load<uint64_t>(address));
}

// PEEKUSER, POKEUSER: a general register. One that says where the tracee's program is, is not set.
bool IsModelledRegister(const Call& call) {
  if (call.args.size() < 3) return false;
  const uint64_t offset = PtraceAddress(call.args[2]).value_or(~0ull);
  if (offset >= kRegsBytes) return false;
  const absl::string_view name = kRegisters[offset / sizeof(uint64_t)];
  const bool is_place = name == "rip" || name == "rsp";
  return Is(call, "PTRACE_PEEKUSER") || !is_place;
}

}  // namespace

bool IsModelledPtrace(const Call& call) {
  constexpr absl::string_view kRequests[] = {
      "PTRACE_TRACEME",    "PTRACE_ATTACH",    "PTRACE_SEIZE",      "PTRACE_DETACH",
      "PTRACE_SETOPTIONS", "PTRACE_CONT",      "PTRACE_SYSCALL",    "PTRACE_SYSEMU",
      "PTRACE_SINGLESTEP", "PTRACE_KILL",      "PTRACE_INTERRUPT",  "PTRACE_LISTEN",
      "PTRACE_POKEUSER",   "PTRACE_POKETEXT",  "PTRACE_POKEDATA",   "PTRACE_SYSEMU_SINGLESTEP",
      "PTRACE_PEEKUSER",   "PTRACE_PEEKTEXT",  "PTRACE_PEEKDATA",   "PTRACE_GETREGS",
      "PTRACE_GETSIGINFO", "PTRACE_GETREGSET", "PTRACE_GETEVENTMSG"};
  if (call.args.empty()) return false;
  const absl::string_view request = call.args[0].text;
  if (std::find(std::begin(kRequests), std::end(kRequests), request) == std::end(kRequests)) {
    return false;
  }
  const bool of_user = request == "PTRACE_PEEKUSER" || request == "PTRACE_POKEUSER";
  if (of_user && !IsModelledRegister(call)) return false;
  if (DataOf(call) == PtraceData::kNumber) return true;
  if (call.args.size() < 3 || !NumberOf(call.args[1]).has_value()) return false;
  if (request == "PTRACE_GETREGSET") {
    const strace::Value& iov = Inner(call.args.back());
    const strace::Value* length = strace::FindField(iov, "iov_len");
    return call.args[2].text == "NT_PRSTATUS" && iov.kind == ValueKind::kStruct &&
           length != nullptr && strace::FindField(iov, "iov_base") != nullptr;
  }
  const bool word = DataOf(call) == PtraceData::kWord;
  return !word || (call.args.size() == 4 && PtraceAddress(call.args[2]).has_value());
}

PtraceData DataOf(const Call& call) {
  if (Is(call, "PTRACE_GETREGS")) return PtraceData::kRegs;
  if (Is(call, "PTRACE_GETREGSET")) return PtraceData::kRegset;
  if (Is(call, "PTRACE_GETSIGINFO")) return PtraceData::kSiginfo;
  if (Is(call, "PTRACE_GETEVENTMSG")) return PtraceData::kMessage;
  for (const absl::string_view word : {"PTRACE_PEEKUSER", "PTRACE_PEEKTEXT", "PTRACE_PEEKDATA"}) {
    if (Is(call, word)) return PtraceData::kWord;
  }
  return PtraceData::kNumber;
}

uint64_t BytesOf(PtraceData data) {
  switch (data) {
    case PtraceData::kRegs:
    case PtraceData::kRegset:
      return kRegsBytes;
    case PtraceData::kSiginfo:
      return kSiginfoBytes;
    default:
      return sizeof(uint64_t);
  }
}

absl::optional<uint64_t> PtraceAddress(const strace::Value& value) {
  // 8*ORIG_RAX
  if (value.text == "*" && value.children.size() == 2) {
    const std::string name = absl::AsciiStrToLower(value.children[1].text);
    const auto* found = std::find(std::begin(kRegisters), std::end(kRegisters), name);
    if (found == std::end(kRegisters)) return absl::nullopt;
    return static_cast<uint64_t>(found - std::begin(kRegisters)) * sizeof(uint64_t);
  }
  return NumberOf(value);
}

bool TraceeHasMemory(const Call& call) {
  bool in_memory = false;
  for (const absl::string_view request :
       {"PTRACE_PEEKTEXT", "PTRACE_PEEKDATA", "PTRACE_POKETEXT", "PTRACE_POKEDATA"}) {
    in_memory = in_memory || Is(call, request);
  }
  if (!in_memory || call.args.size() < 3) return true;
  const task_struct* tracee = TraceeOf(call);
  if (tracee == nullptr || !tracee->mm) return true;
  const uint64_t address = NumberOf(call.args[2]).value_or(0);
  bool there = false;
  InKernelMode([&] {
    const kptr<vm_area_struct> vma = find_vma(tracee->mm, address);
    there = vma && vma->vm_start <= address;
  });
  return there;
}

std::string JudgePtrace(const CallFrame& frame) {
  const Call& call = *frame.call;
  const PtraceData data = DataOf(call);
  if (data == PtraceData::kNumber || frame.segments.empty()) return "";
  const uint64_t address = frame.segments.back().address;
  const task_struct* tracee = TraceeOf(call);
  switch (data) {
    case PtraceData::kRegs:
      return JudgeRegisters(call.args.back(), address, tracee);
    case PtraceData::kRegset:
      return JudgeRegisters(*strace::FindField(Inner(call.args.back()), "iov_base"), address,
                            tracee);
    case PtraceData::kSiginfo:
      return JudgeSiginfo(call.args.back(), address);
    case PtraceData::kMessage:
      return JudgeMessage(call.args.back(), address, tracee);
    default:
      return JudgeUserWord(call, address, tracee);
  }
}

}  // namespace kpath
