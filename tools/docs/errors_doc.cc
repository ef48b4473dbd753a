// SPDX-License-Identifier: Apache-2.0
#include "tools/docs/errors_doc.h"

#include "absl/strings/str_cat.h"
#include "tools/docs/condition.h"

namespace kpath {
namespace {

constexpr char kHead[] = R"(<!-- Generated: bazel-4 run //tools/docs:errors_doc > docs/errors.md -->

# The errors of native AIO

Each row was provoked on a simulated machine: the results are what its kernel returned, the reason
is what it said. The order is that of the kernel's checks: of two mistakes the one further up is
told.

- **Kernel**: what the function in `sys_call_table` returned.
- **libaio**: what the function of libaio of that name returns: the negative errno; `errno` is not
  touched.
- **syscall(2)**: what `syscall(2)` of the C library returns: -1 and `errno`.

io_submit returns an error only for its first iocb. If some were taken before, it returns their
number, and the error is lost until the program submits the rest again.
)";

constexpr char kEvents[] = R"(
## Results that come as an event

These requests are taken: io_submit counts them, and `io_event::res` tells what became of them.

| Operation | Condition | `res` |
|---|---|---|
)";

void AppendTable(const std::string& title, const std::vector<Condition>& conditions,
                 std::string* doc) {
  absl::StrAppend(doc, "\n## ", title, "\n\n",
                  "| Call | Condition | Kernel | libaio | syscall(2) | Reason |\n",
                  "|---|---|---|---|---|---|\n");
  for (const Condition& condition : conditions) {
    const Outcome o = Provoke(condition);
    absl::StrAppend(doc, "| ", condition.call, " | ", condition.condition, " | ", o.kernel, " | ",
                    o.libaio, " | ", o.syscall2, " | ", o.reason, " |\n");
  }
}

}  // namespace

std::string ErrorsDoc() {
  std::string doc = kHead;
  AppendTable("Contexts and cancelling", SetupConditions(), &doc);
  AppendTable("Submitting", SubmitConditions(), &doc);
  AppendTable("Waiting for events", GeteventsConditions(), &doc);
  doc += kEvents;
  for (const EventCondition& condition : EventConditions()) {
    absl::StrAppend(&doc, "| ", condition.operation, " | ", condition.condition, " | ",
                    EventResult(condition), " |\n");
  }
  return doc;
}

}  // namespace kpath
