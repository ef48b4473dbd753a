// SPDX-License-Identifier: Apache-2.0
#include "sim/user/compat.h"

#include <sys/mman.h>

#include <utility>

#include "sim/machine/check.h"
#include "sim/machine/machine.h"
#include "sim/user/calls.h"
#include "sim/user/control.h"
#include "sim/user/memory.h"
#include "sim/user/text.h"

namespace kpath::user {
namespace {

constexpr uint64_t kStackSize = 4096;
constexpr uint64_t kInstructionLength = 2;

int64_t Result() {
  return static_cast<int32_t>(static_cast<uint32_t>(current_context->cpu->regs[Reg::rax]));
}

void LoadArguments(uint32_t number, const Arguments32& arguments) {
  Registers& regs = current_context->cpu->regs;
  regs[Reg::rax] = number;
  regs[Reg::rbx] = arguments[0];
  regs[Reg::rcx] = arguments[1];
  regs[Reg::rdx] = arguments[2];
  regs[Reg::rsi] = arguments[3];
  regs[Reg::rdi] = arguments[4];
  regs[Reg::rbp] = arguments[5];
}

// The INT 0x80 at `instruction` until the kernel comes back behind it: it comes back AT it to have
// the call made again.
void Int80At(uint64_t instruction) {
  do {
    current_context->cpu->regs.rip = instruction + kInstructionLength;
    current_context->cpu->SoftwareInterrupt(0x80);
    ComeBackTo(instruction, instruction + kInstructionLength);
  } while (current_context->cpu->regs.rip == instruction);
}

// What 32-bit code and 64-bit code do not have in common, kept while the former runs.
class In32BitCode {
 public:
  explicit In32BitCode(uint32_t esp)
      : rsp_(current_context->cpu->regs[Reg::rsp]),
        cs_(current_context->cpu->regs.cs),
        rbx_(current_context->cpu->regs[Reg::rbx]),
        rbp_(current_context->cpu->regs[Reg::rbp]) {
    current_context->cpu->regs.cs = __USER32_CS;
    current_context->cpu->regs[Reg::rsp] = esp;
  }
  void Leave() {
    Registers& regs = current_context->cpu->regs;
    regs[Reg::rsp] = rsp_;
    regs.cs = cs_;
    regs[Reg::rbx] = rbx_;
    regs[Reg::rbp] = rbp_;
  }

 private:
  const uint64_t rsp_;
  const uint16_t cs_;
  const uint64_t rbx_, rbp_;
};

// Behind the fast instruction: either the call is done, or it is to be made again by INT 0x80.
int64_t LandAndReturn(In32BitCode& code) {
  ComeBackTo(kVdsoInt80, kInt80LandingPad);
  if (current_context->cpu->regs.rip == kVdsoInt80) Int80At(kVdsoInt80);
  const int64_t result = Result();
  code.Leave();
  return result;
}

// What __kernel_vsyscall pushes; returns the stack pointer then.
uint32_t PushForVdso(const Stack32& stack, const Arguments32& arguments) {
  const uint32_t esp = stack.top() - 12;
  Store<uint32_t>(esp + 8, arguments[1]);
  Store<uint32_t>(esp + 4, arguments[2]);
  Store<uint32_t>(esp, arguments[5]);
  return esp;
}

}  // namespace

int64_t Int80(uint32_t number, const Arguments32& arguments) {
  current_context->cpu->regs.rip = kVdsoInt80;
  const uint64_t rbx = current_context->cpu->regs[Reg::rbx];
  const uint64_t rbp = current_context->cpu->regs[Reg::rbp];
  LoadArguments(number, arguments);
  STEP("ring 3: INT 0x80", number, arguments[0], arguments[1], arguments[2]);
  ComeBackTo(kVdsoInt80);
  LoadArguments(number, arguments);
  Int80At(kVdsoInt80);
  current_context->cpu->regs[Reg::rbx] = rbx;
  current_context->cpu->regs[Reg::rbp] = rbp;
  return Result();
}

int64_t Int80(const Stack32& stack, uint32_t number, const Arguments32& arguments) {
  current_context->cpu->regs.rip = kVdsoInt80;
  STEP("ring 3: INT 0x80", number, arguments[0], arguments[1], arguments[2]);
  ComeBackTo(kVdsoInt80);
  In32BitCode code(stack.top());
  LoadArguments(number, arguments);
  Int80At(kVdsoInt80);
  const int64_t result = Result();
  code.Leave();
  return result;
}

Stack32::Stack32() {
  const int64_t page =
      mmap(0, kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  KPATH_CHECK(page > 0, "no memory below 4 GiB");
  top_ = static_cast<uint32_t>(page) + kStackSize;
}

namespace {

// struct compat_sigaction
struct Action32 {
  uint32_t handler, flags, restorer, mask[2];
};

constexpr uint32_t kSaRestorer = 0x04000000;
constexpr uint32_t kRtSigaction32 = 174;
constexpr uint64_t kRtSigactionX32 = 0x40000000 + 512;

uint64_t LoadHandler(std::function<void(const Signal32&)> handler, Reg signo, Reg info, Reg uc) {
  return LoadCode(*current_context->machine, [handler = std::move(handler), signo, info, uc] {
    const std::function<void(const Signal32&)> running = handler;
    const Registers& regs = current_context->cpu->regs;
    running({.signo = static_cast<int>(regs[signo]),
             .info = static_cast<uint32_t>(regs[info]),
             .ucontext = static_cast<uint32_t>(regs[uc])});
  });
}

// Where a pointer of 32 bits reaches.
uint32_t PutLow(const Action32& action) {
  const uint32_t address = Stack32().top() - 64;
  Store<Action32>(address, action);
  return address;
}

}  // namespace

int64_t Sigaction32(int sig, std::function<void(const Signal32&)> handler, uint32_t flags) {
  const uint64_t code = LoadHandler(std::move(handler), Reg::rax, Reg::rdx, Reg::rcx);
  const uint32_t act = PutLow({static_cast<uint32_t>(code), flags, 0, {0, 0}});
  return Int80(kRtSigaction32, {static_cast<uint32_t>(sig), act, 0, 8});
}

int64_t SigactionX32(int sig, std::function<void(const Signal32&)> handler, uint32_t flags) {
  const uint64_t code = LoadHandler(std::move(handler), Reg::rdi, Reg::rsi, Reg::rdx);
  const uint32_t act =
      PutLow({static_cast<uint32_t>(code), flags | kSaRestorer, kRestorerX32, {0, 0}});
  return Syscall(kRtSigactionX32, sig, act, 0, 8);
}

int64_t Sysenter(const Stack32& stack, uint32_t number, const Arguments32& arguments) {
  current_context->cpu->regs.rip = kVdsoSysenter;
  STEP("ring 3: SYSENTER", number, arguments[0], arguments[1], arguments[2]);
  ComeBackTo(kVdsoSysenter);
  const uint32_t esp = PushForVdso(stack, arguments);
  In32BitCode code(esp);
  LoadArguments(number, arguments);
  current_context->cpu->regs[Reg::rbp] = esp;
  current_context->cpu->regs.rip = kVdsoSysenter + kInstructionLength;
  current_context->cpu->Sysenter();
  return LandAndReturn(code);
}

int64_t SysenterAt(uint32_t esp, uint32_t number) {
  current_context->cpu->regs.rip = kVdsoSysenter;
  STEP("ring 3: SYSENTER", number);
  ComeBackTo(kVdsoSysenter);
  In32BitCode code(esp);
  LoadArguments(number, {});
  current_context->cpu->regs[Reg::rbp] = esp;
  current_context->cpu->regs.rip = kVdsoSysenter + kInstructionLength;
  current_context->cpu->Sysenter();
  return LandAndReturn(code);
}

int64_t Syscall32(const Stack32& stack, uint32_t number, const Arguments32& arguments) {
  current_context->cpu->regs.rip = kVdsoSysenter;
  STEP("ring 3: 32-bit SYSCALL", number, arguments[0], arguments[1], arguments[2]);
  ComeBackTo(kVdsoSysenter);
  const uint32_t esp = PushForVdso(stack, arguments);
  In32BitCode code(esp);
  LoadArguments(number, arguments);
  current_context->cpu->regs[Reg::rbp] = arguments[1];
  current_context->cpu->regs.rip = kVdsoSysenter + kInstructionLength;
  current_context->cpu->Syscall();
  return LandAndReturn(code);
}

}  // namespace kpath::user
