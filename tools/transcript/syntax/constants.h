// SPDX-License-Identifier: Apache-2.0
//
// The names that strace prints for numbers, for x86-64.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace kpath::strace {

// What a name stands for: O_*, PROT_*, MAP_*, AT_*, SEEK_*, IOCB_*, RWF_*, EFD_*, CLONE_*, POLL*,
// EPOLL*, CLOCK_*, SIG*, SA_*, F_*, S_IF* and some more. Negative ones (AT_FDCWD) as two's
// complement. nullopt: the table does not have it.
absl::optional<uint64_t> FindConstant(absl::string_view name);

// "EBADF" -> 9. Knows the kernel's own ones too: "ERESTARTSYS" -> 512.
absl::optional<int> ErrorNumber(absl::string_view name);

// 9 -> "EBADF"; empty if there is no such error.
absl::string_view ErrorName(int number);

// 9 -> "Bad file descriptor"; empty if there is no such error.
absl::string_view ErrorMessage(int number);

// "SIGCHLD" -> 17, "SIGRT_1" -> 33.
absl::optional<int> SignalNumber(absl::string_view name);

// The same without SIG, as in sets: "CHLD" -> 17.
absl::optional<int> BareSignalNumber(absl::string_view name);

// 17 -> "SIGCHLD"; empty if `number` is not in 1 to 64.
std::string SignalName(int number);

}  // namespace kpath::strace
