// SPDX-License-Identifier: Apache-2.0
//
// Any bytes: the parser does not crash; an error is one line with a position; and a transcript
// that is understood is still understood, in the same way, when it is printed and read again.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tools/transcript/syntax/evaluate.h"
#include "tools/transcript/syntax/print.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath::strace {
namespace {

void Require(bool holds, absl::string_view what, absl::string_view detail) {
  if (holds) return;
  std::fprintf(stderr, "%s\n%s\n", std::string(what).c_str(), std::string(detail).c_str());
  std::abort();
}

void UseValue(const Value& value) {
  Evaluate(value).IgnoreError();
  EvaluateSignalSet(value).IgnoreError();
  EvaluateWaitStatus(value).IgnoreError();
  Bytes(value);
  PrintValue(value);
  for (const Value& child : value.children) UseValue(child);
}

void UseCalls(const Transcript& transcript) {
  for (const Call& call : transcript.calls) {
    PrintCall(call);
    for (const Value& arg : call.args) UseValue(arg);
    for (const Value& remark : call.result.remarks) UseValue(remark);
  }
}

bool SameDecoration(const Decoration* one, const Decoration* other) {
  if (one == nullptr || other == nullptr) return one == other;
  return one->descriptor == other->descriptor && one->comment == other->comment &&
         one->has_descriptor == other->has_descriptor && one->has_comment == other->has_comment &&
         one->deleted == other->deleted;
}

// True if all but the positions is equal.
bool Same(absl::Span<const Value> some, absl::Span<const Value> others);

bool Same(const Value& one, const Value& other) {
  return one.kind == other.kind && one.radix == other.radix && one.negative == other.negative &&
         one.overflow == other.overflow && one.abbreviated == other.abbreviated &&
         one.complement == other.complement && one.abstract == other.abstract &&
         one.open == other.open && one.spaced == other.spaced && one.name == other.name &&
         one.text == other.text && one.number == other.number &&
         SameDecoration(one.decoration, other.decoration) && Same(one.children, other.children);
}

bool Same(absl::Span<const Value> some, absl::Span<const Value> others) {
  if (some.size() != others.size()) return false;
  for (size_t i = 0; i < some.size(); ++i) {
    if (!Same(some[i], others[i])) return false;
  }
  return true;
}

bool Same(const Result& one, const Result& other) {
  return one.known == other.known && Same(one.value, other.value) && one.error == other.error &&
         one.message == other.message && Same(one.remarks, other.remarks) &&
         one.unavailable == other.unavailable && one.duration == other.duration &&
         one.duration_ns == other.duration_ns;
}

bool Same(const Call& one, const Call& other) {
  return one.pid == other.pid && one.name == other.name && Same(one.args, other.args) &&
         one.args_unfinished == other.args_unfinished && one.returned == other.returned &&
         Same(one.result, other.result) && one.first_line == other.first_line &&
         one.last_line == other.last_line;
}

void CheckText(absl::string_view text) {
  const absl::StatusOr<Transcript> first = ParseTranscript("t", text);
  if (!first.ok()) {
    const absl::string_view message = first.status().message();
    Require(absl::StartsWith(message, "t:"), "an error without position", message);
    Require(absl::StrContains(message, ", expected "), "an error without advice", message);
    Require(!absl::StrContains(message, '\n'), "an error of two lines", message);
    return;
  }
  UseCalls(*first);
  const std::string printed = PrintTranscript(*first);
  const absl::StatusOr<Transcript> second = ParseTranscript("t", printed);
  Require(second.ok(), printed, second.status().message());
  Require(second->lines.size() == first->lines.size(), "another number of lines", printed);
  Require(second->calls.size() == first->calls.size(), "another number of calls", printed);
  for (size_t i = 0; i < first->calls.size(); ++i) {
    Require(Same(first->calls[i], second->calls[i]), "another call", PrintCall(second->calls[i]));
  }
  const std::string again = PrintTranscript(*second);
  Require(again == printed, printed, again);
}

}  // namespace
}  // namespace kpath::strace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kpath::strace::CheckText(absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
