// SPDX-License-Identifier: Apache-2.0
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tools/transcript/syntax/constants.h"

namespace kpath::strace {
namespace {

// The signals 1 to 31, without "SIG".
constexpr absl::string_view kSignals[] = {
    "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1", "SEGV",
    "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN", "TTOU",
    "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS"};

constexpr int kFirstRealTime = 32;  // SIGRTMIN; strace calls the others SIGRT_1 to SIGRT_32
constexpr int kLastSignal = 64;

}  // namespace

absl::optional<int> SignalNumber(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, "SIG")) return absl::nullopt;
  return BareSignalNumber(name);
}

absl::optional<int> BareSignalNumber(absl::string_view name) {
  for (size_t i = 0; i < std::size(kSignals); ++i) {
    if (kSignals[i] == name) return i + 1;
  }
  if (name == "RTMIN") return kFirstRealTime;
  int above = 0;
  if (!absl::ConsumePrefix(&name, "RT_") || !absl::SimpleAtoi(name, &above)) return absl::nullopt;
  if (above < 1 || above > kLastSignal - kFirstRealTime) return absl::nullopt;
  return kFirstRealTime + above;
}

std::string SignalName(int number) {
  if (number < 1 || number > kLastSignal) return std::string();
  if (number == kFirstRealTime) return "SIGRTMIN";
  if (number > kFirstRealTime) return absl::StrCat("SIGRT_", number - kFirstRealTime);
  return absl::StrCat("SIG", kSignals[number - 1]);
}

}  // namespace kpath::strace
