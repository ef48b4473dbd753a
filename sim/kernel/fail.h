// SPDX-License-Identifier: Apache-2.0
//
// Errors of the simulated kernel. A kernel function that refuses something says so through Fail:
// the errno that the kernel returns, and the reason in words and values.
//
//   if (nr < 0) return Fail(EINVAL, "nr=$0 is negative", nr);
//
// Error is the type of their own that errnos have here: it converts to the negative integer that
// kernel code hands on, and to an error pointer (kptr, slab.h), and prints as "-EINVAL".
//
// The reason is kept in the current task (Reason, task_struct::reason) until the next Fail of that
// task. It costs a few stores: `format` and text arguments must be literals; nothing is formatted
// before somebody reads it. Explain adds to it what its first sentence has no room for:
//
//   Explain("it was iocb $0 of $1, $0 are taken", i, nr);
#pragma once

#include <cerrno>
#include <concepts>
#include <cstdint>
#include <string>

#include "sim/machine/machine.h"
#include "sim/machine/value.h"

namespace kpath {

// include/linux/errno.h: errnos that user mode must never see.
inline constexpr int ERESTARTSYS = 512;
inline constexpr int ERESTARTNOINTR = 513;
inline constexpr int ERESTARTNOHAND = 514;
inline constexpr int ENOIOCTLCMD = 515;
inline constexpr int ERESTART_RESTARTBLOCK = 516;
inline constexpr int EIOCBQUEUED = 529;

inline constexpr int MAX_ERRNO = 4095;

class Error {
 public:
  // `number` is positive: EINVAL.
  constexpr explicit Error(int number) : number_(number) {}
  constexpr int number() const { return number_; }
  template <std::signed_integral T>
  constexpr operator T() const {
    return -static_cast<T>(number_);
  }
  std::string ToString() const { return Value::Result(-number_).ToString(); }
  friend constexpr bool operator==(Error, Error) = default;

 private:
  int number_;
};

inline Value MakeValue(Error error) { return Value::Result(-error.number()); }

// Why a call was refused.
struct Reason {
  static constexpr int kMaxValues = 8;
  static constexpr int kMaxClauses = 14;

  struct Clause {
    const char* format = "";  // $0 … $7 stand for the values
    int values_used = 0;
    Value values[kMaxValues];
  };

  int number = 0;                  // the errno, positive; 0: nothing was refused yet
  const char* function = nullptr;  // innermost modelled function
  int clauses_used = 0;
  Clause clauses[kMaxClauses];  // of Fail, then of each Explain
  Position position;

  // `no free slot: reqs_available=0, 12 in flight`; without the errno. Clauses are separated by
  // `; `.
  std::string Text() const;
  // `EAGAIN: no free slot: reqs_available=0, 12 in flight`.
  std::string ToString() const;
};

// Cold: the code that refuses is kept apart from the code that goes on.
[[gnu::cold]] void RecordReason(int number, const char* format, const Value* values, int count);
[[gnu::cold]] void RecordClause(const char* format, const Value* values, int count);

template <typename... Args>
Error Fail(int number, const char* format, Args... args) {
  static_assert(sizeof...(args) <= Reason::kMaxValues);
  const Value values[sizeof...(args) + 1] = {MakeValue(args)...};
  RecordReason(number, format, values, sizeof...(args));
  return Error(number);
}

// Adds a clause to the reason of the last Fail of this task. Beyond kMaxClauses it is dropped.
template <typename... Args>
void Explain(const char* format, Args... args) {
  static_assert(sizeof...(args) <= Reason::kMaxValues);
  const Value values[sizeof...(args) + 1] = {MakeValue(args)...};
  RecordClause(format, values, sizeof...(args));
}

}  // namespace kpath
