// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/filters.h"

#include <algorithm>
#include <cstdint>

#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

using strace::Value;
using strace::ValueKind;

bool IsInstruction(const Value& value) {
  if (value.kind != ValueKind::kCall) return false;
  const bool jump = value.text == "BPF_JUMP" && value.children.size() == 4;
  const bool statement = value.text == "BPF_STMT" && value.children.size() == 2;
  if (!jump && !statement) return false;
  return std::all_of(value.children.begin(), value.children.end(),
                     [](const Value& child) { return strace::Evaluate(child).ok(); });
}

void AppendNumber(uint64_t number, int bytes, std::string* out) {
  for (int i = 0; i < bytes; ++i) out->push_back(static_cast<char>(number >> 8 * i));
}

}  // namespace

bool IsPrintedFilter(const Value& value) {
  if (value.kind != ValueKind::kStruct) return false;
  const Value* filter = strace::FindField(value, "filter");
  return filter != nullptr && filter->kind == ValueKind::kArray && !filter->abbreviated &&
         std::all_of(filter->children.begin(), filter->children.end(), IsInstruction);
}

std::string EncodeFilter(const Value& value) {
  std::string program;
  for (const Value& instruction : strace::FindField(value, "filter")->children) {
    const auto operand = [&](size_t i) {
      return i < instruction.children.size() ? *strace::Evaluate(instruction.children[i]) : 0;
    };
    AppendNumber(operand(0), 2, &program);  // code
    AppendNumber(operand(2), 1, &program);  // jt
    AppendNumber(operand(3), 1, &program);  // jf
    AppendNumber(operand(1), 4, &program);  // k
  }
  return program;
}

}  // namespace kpath
