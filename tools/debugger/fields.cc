// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/fields.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "inspect/print.h"
#include "sim/trace/value_names.h"

namespace kpath::debugger {
namespace {

// How many frames count as in sight, and how many structs inside of a struct.
constexpr size_t kFrames = 3;
constexpr int kStructs = 2;

constexpr const char* kRegisters[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi",    "rbp",
                                      "rsp", "r8",  "r9",  "r10", "r11", "r12",    "r13",
                                      "r14", "r15", "rip", "cs",  "ss",  "eflags", "gs_base"};

class Writer {
 public:
  explicit Writer(const Scope& scope) : scope_(scope), look_(LookOf(scope)) {}

  void Value(absl::string_view name) {
    const absl::StatusOr<Datum> value = Get(name);
    if (value.ok()) Line(name, *value);
  }

  // The fields of the object that `name` points to; of each object once.
  void Object(absl::string_view name) {
    const absl::StatusOr<Datum> pointer = Get(name);
    if (!pointer.ok() || pointer->is_null() || pointer->is_number()) return;
    Datum object;
    std::string why;
    if (!ToStruct(look_, *pointer, &object, &why)) return;
    if (!seen_.insert(object.host).second) return;
    Fields(absl::StrCat(name, "->"), object, kStructs);
  }

  std::string text() && { return std::move(text_); }

 private:
  absl::StatusOr<Datum> Get(absl::string_view name) const {
    const absl::StatusOr<Expression> expression = ParseExpression(name);
    if (!expression.ok()) return expression.status();
    return Evaluate(*expression, scope_);
  }

  void Fields(const std::string& prefix, const Datum& object, int depth) {
    for (const Field& field : object.type->fields) {
      Datum value;
      std::string why;
      if (!GetField(look_, object, field, &value, &why)) continue;
      const std::string name = absl::StrCat(prefix, field.name);
      if (value.is_struct()) {
        if (depth > 1) Fields(absl::StrCat(name, "."), value, depth - 1);
      } else if (value.is_sequence()) {
        absl::StrAppend(&text_, name, ".size\t", CountElements(look_, value), "\n");
      } else {
        Line(name, value);
      }
    }
  }

  void Line(absl::string_view name, const Datum& value) {
    absl::StrAppend(&text_, name, "\t", Print(look_, value), "\n");
  }

  const Scope& scope_;
  const Look look_;
  std::set<const void*> seen_;
  std::string text_;
};

void AddNames(const char* written, std::vector<std::string>* names) {
  for (const absl::string_view name : ValueNames(written)) {
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
      return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
    });
    if (plain && !name.empty()) names->emplace_back(name);
  }
}

bool IsNamePart(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Whether what stands before a name makes it something else than a variable.
bool IsMember(absl::string_view before) {
  before = absl::StripTrailingAsciiWhitespace(before);
  return absl::EndsWith(before, ".") || absl::EndsWith(before, "->") ||
         absl::EndsWith(before, "$") || absl::EndsWith(before, "struct");
}

}  // namespace

std::string FieldsInSight(const Scope& scope) {
  if (scope.context == nullptr) return "";
  Writer writer(scope);
  writer.Value("current->pid");
  for (const char* name : kRegisters) writer.Value(absl::StrCat("$", name));
  if (scope.stacks != nullptr) {
    const std::vector<const Frame*> frames = scope.stacks->Of(scope.context);
    std::vector<std::string> names;
    for (size_t i = 0; i < std::min(frames.size(), kFrames); ++i) {
      if (frames[i]->function == nullptr) continue;
      AddNames(frames[i]->function->arguments, &names);
      for (const Frame::PassedStep& passed : frames[i]->passed) {
        AddNames(passed.step->values, &names);
      }
      if (i == 0) {
        for (const std::string& name : names) writer.Object(name);
      }
    }
  }
  for (const char* name : {"ctx", "ctx->ring", "plug"}) writer.Object(name);
  return std::move(writer).text();
}

absl::StatusOr<std::string> ConstantOf(const Scope& scope, const Datum& value) {
  if (value.is_pointer()) {
    return absl::StrCat("((", TypeName(value), ")0x", absl::Hex(AddressOf(LookOf(scope), value)),
                        ")");
  }
  if (value.is_number()) {
    return value.type->is_signed ? absl::StrCat(static_cast<int64_t>(value.bits))
                                 : absl::StrCat("0x", absl::Hex(value.bits));
  }
  return absl::InvalidArgumentError("neither a number nor a pointer");
}

absl::StatusOr<std::string> MembersOf(const Scope& scope, absl::string_view expression) {
  std::set<std::string> names;
  if (expression.empty()) {
    names = {"ctx", "current", "plug", "regs"};
    std::vector<std::string> values;
    if (scope.stacks != nullptr && scope.context != nullptr) {
      const std::vector<const Frame*> frames = scope.stacks->Of(scope.context);
      const auto chosen = static_cast<size_t>(scope.frame);
      if (chosen < frames.size() && frames[chosen]->function != nullptr) {
        AddNames(frames[chosen]->function->arguments, &values);
        for (const Frame::PassedStep& passed : frames[chosen]->passed) {
          AddNames(passed.step->values, &values);
        }
      }
    }
    names.insert(values.begin(), values.end());
  } else {
    const absl::StatusOr<Expression> parsed = ParseExpression(expression);
    if (!parsed.ok()) return parsed.status();
    const absl::StatusOr<Datum> value = Evaluate(*parsed, scope);
    if (!value.ok()) return value.status();
    Datum object;
    std::string why;
    if (!ToStruct(LookOf(scope), *value, &object, &why)) return absl::NotFoundError(why);
    for (const Field& field : object.type->fields) names.insert(field.name);
  }
  return absl::StrJoin(names, "\n");
}

absl::StatusOr<std::string> LocationOf(const Datum& value) {
  if (value.address == 0) return absl::InvalidArgumentError("it is in no place with an address");
  return absl::StrCat("*(", TypeName(value), value.is_pointer() ? "" : " ", "*)0x",
                      absl::Hex(value.address));
}

absl::StatusOr<std::string> Bind(const Scope& scope, absl::string_view expression) {
  if (const auto parsed = ParseExpression(expression); !parsed.ok()) return parsed.status();
  std::string bound;
  for (size_t at = 0; at < expression.size();) {
    size_t end = at;
    while (end < expression.size() && IsNamePart(expression[end])) ++end;
    if (end == at) {
      bound += expression[at++];
      continue;
    }
    const absl::string_view name = expression.substr(at, end - at);
    const bool variable = !absl::ascii_isdigit(static_cast<unsigned char>(name[0])) &&
                          name != "current" && !IsMember(expression.substr(0, at));
    absl::StatusOr<Datum> value = absl::NotFoundError("");
    if (variable) {
      const absl::StatusOr<Expression> parsed = ParseExpression(name);
      if (parsed.ok()) value = Evaluate(*parsed, scope);
    }
    const bool object = value.ok() && value->is_pointer() && !value->is_null() &&
                        AddressOf(LookOf(scope), *value) != 0;
    absl::StrAppend(&bound, object ? *ConstantOf(scope, *value) : std::string(name));
    at = end;
  }
  return bound;
}

}  // namespace kpath::debugger
