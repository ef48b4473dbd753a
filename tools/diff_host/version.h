// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>

namespace kpath::diff_host {

// Of a Linux kernel: {6, 18, 44}.
struct KernelVersion {
  int major = 0;
  int minor = 0;
  int patch = 0;

  friend auto operator<=>(const KernelVersion&, const KernelVersion&) = default;
};

}  // namespace kpath::diff_host
