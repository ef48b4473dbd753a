// SPDX-License-Identifier: Apache-2.0
//
// Writes every probe of a run as a line of text: instructions with what they changed, functions
// with arguments and results, named steps with their values.
//
//   #12     0.120 us  0) 100   entry_SYSCALL_64+12   mov    %gs:cpu_current_top_of_stack,%rsp rsp=…
//   #52     0.520 us  0) 100   do_syscall_64(nr=209, regs=0xffff888000107f58) {
//   #61     0.610 us  0) 100     . table lookup: id=0 table_size=4
//   #98     0.980 us  0) 100   } do_syscall_64
#pragma once

#include <functional>
#include <map>

#include "sim/machine/machine.h"

namespace kpath {

class StepsWriter : public ProbeListener {
 public:
  using Sink = std::function<void(absl::string_view)>;
  explicit StepsWriter(Sink sink) : sink_(std::move(sink)) {}

  void OnProbe(const ProbeEvent& event) override;

 private:
  void Line(const ProbeEvent& event, const std::string& text);

  const Sink sink_;
  std::map<const Context*, int> depth_;  // open functions
};

}  // namespace kpath
