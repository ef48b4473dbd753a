// SPDX-License-Identifier: Apache-2.0
//
// Ways into the kernel that are not system calls: instructions that raise an exception.
//
//   user::DivideByZero();                        // #DE: SIGFPE
//   user::Int3();                                // #BP: SIGTRAP
//   user::Int(0x21);                             // #GP: user code may not raise that vector
//   user::Raise(user::kAlignmentCheck);          // #AC, whatever instruction it is that does
//
// An exception is a fault or a trap. After a fault the kernel comes back AT the instruction: if a
// signal handler has run and changed nothing, the instruction is done again and faults again. After
// a trap (Int, Int3, Into) it comes back BEHIND it. All of these return only if the program is
// still alive and the kernel has let it go on.
//
// Context: ring 3, on the fiber of the task whose program this is; each is a probe.
#pragma once

#include <cstdint>

namespace kpath::user {

// Intel SDM volume 3, 6.15.
enum Vector : uint8_t {
  kDivideError = 0,
  kDebug = 1,
  kBreakpoint = 3,
  kOverflow = 4,
  kBoundRange = 5,
  kInvalidOpcode = 6,
  kDeviceNotAvailable = 7,
  kCoprocessorSegmentOverrun = 9,
  kInvalidTss = 10,
  kSegmentNotPresent = 11,
  kStackSegment = 12,
  kGeneralProtection = 13,
  kMathFault = 16,
  kAlignmentCheck = 17,
  kSimdException = 19,
};

// DIV by zero: #DE.
void DivideByZero();
// UD2: #UD.
void UndefinedInstruction();
// IN or OUT without I/O privilege: #GP.
void AccessPort();
// INT3 (one byte) and INT1: #BP and #DB, traps.
void Int3();
void Int1();
// INTO with the overflow flag set, in 32-bit code: #OF, a trap.
void Into();
// BOUND, in 32-bit code, out of its bounds: #BR.
void Bound();
// INT n, two bytes: the gate's handler if user code may use it (3, 4, 0x80), else #GP.
// Range of n: 0 … 255.
void Int(uint8_t n);

// Any exception of the list above, as a fault of the instruction at TrapInstruction(vector).
// `error_code` counts where the vector has one: 10 … 13 and 17. One time only: where the kernel
// comes back to the instruction, it has become one that does nothing.
void Raise(Vector vector, uint64_t error_code = 0);

}  // namespace kpath::user
