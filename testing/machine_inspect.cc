// SPDX-License-Identifier: Apache-2.0
//
// What machine.h shows of a machine that stands: the debugger's views of it.
#include <functional>
#include <map>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "inspect/expression.h"
#include "inspect/info/aio.h"
#include "inspect/info/backtrace.h"
#include "inspect/info/block.h"
#include "inspect/info/dispatch.h"
#include "inspect/info/files.h"
#include "inspect/info/memory.h"
#include "inspect/info/registers.h"
#include "inspect/info/tasks.h"
#include "inspect/print.h"
#include "testing/machine.h"
#include "testing/machine_impl.h"

namespace kpath::testing {
namespace {

using Text = absl::StatusOr<std::string>;

const std::map<std::string, std::function<Text(const View& view)>>& Topics() {
  static const auto* const topics = new std::map<std::string, std::function<Text(const View&)>>{
      {"backtrace", Backtrace},
      {"cpus", InfoCpus},
      {"files", [](const View& view) { return InfoFiles(view); }},
      {"idt", InfoIdt},
      {"kioctx", InfoKioctx},
      {"locks", InfoLocks},
      {"memory", InfoMemory},
      {"plug", InfoPlug},
      {"registers", [](const View& view) { return InfoRegisters(view); }},
      {"requests", InfoRequests},
      {"ring", [](const View& view) { return InfoRing(view); }},
      {"syscalls", [](const View& view) { return InfoSyscalls(view); }},
      {"tasks", InfoTasks},
  };
  return *topics;
}

}  // namespace

std::string Machine::Print(absl::string_view expression, char format) const {
  const absl::StatusOr<Expression> parsed = ParseExpression(expression);
  const Scope scope = {.machine = impl_->machine(),
                       .context = impl_->stopper.context(),
                       .stacks = &impl_->stacks,
                       .frame = 0,
                       .variables = nullptr};
  const absl::StatusOr<Datum> value = parsed.ok() ? Evaluate(*parsed, scope) : parsed.status();
  if (value.ok() && IsPrintFormat(format)) {
    return ::kpath::Print(LookOf(scope), *value, {.format = format});
  }
  ADD_FAILURE() << "Print(\"" << expression << "\") at " << Where() << ": "
                << (value.ok() ? absl::StrCat("there is no format ", std::string(1, format))
                               : value.status().message());
  return "";
}

std::string Machine::Info(absl::string_view what) const {
  const auto topic = Topics().find(std::string(what));
  if (topic == Topics().end()) {
    ADD_FAILURE() << "Info(\"" << what << "\"): there is: "
                  << absl::StrJoin(Topics(), ", ", [](std::string* out, const auto& entry) {
                       *out += entry.first;
                     });
    return "";
  }
  const Text text = topic->second({.machine = impl_->machine(),
                                   .context = impl_->stopper.context(),
                                   .stacks = &impl_->stacks,
                                   .frame = 0,
                                   .width = 0});
  if (text.ok()) return *text;
  ADD_FAILURE() << "Info(\"" << what << "\"): " << text.status().message();
  return "";
}

}  // namespace kpath::testing
