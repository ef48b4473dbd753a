// SPDX-License-Identifier: Apache-2.0
//
// What names stand for: values of the frame, roots, constants, registers, variables.
#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "inspect/expression_node.h"
#include "inspect/objects/by_number.h"
#include "inspect/objects/names.h"
#include "inspect/objects/roots.h"
#include "inspect/types_of.h"
#include "sim/machine/pt_regs.h"
#include "sim/trace/value_names.h"

namespace kpath {
namespace {

// What the user addresses point to that functions of this path are given, by the names that they
// have there.
struct Hint {
  absl::string_view name;
  const Type& (*type)();
};
constexpr Hint kHints[] = {
    {"user_iocb", &StructTypeOf<iocb>},
    {"event", &StructTypeOf<io_event>},
    {"events", &StructTypeOf<io_event>},
    {"regs", &StructTypeOf<pt_regs>},
};

const Type& TargetOf(absl::string_view name) {
  for (const Hint& hint : kHints) {
    if (hint.name == name) return hint.type();
  }
  return TargetTypeOf<void>();
}

// The place of a name among those that FUNCTION or STEP were given, found once for each of them.
class NameIndex {
 public:
  explicit NameIndex(absl::string_view name) : name_(name) {}

  // -1: it is not among them.
  int In(const char* names) const {
    if (names == last_names_) return last_index_;
    const auto [entry, is_new] = indices_.try_emplace(names, -1);
    if (is_new) {
      const std::vector<absl::string_view> split = ValueNames(names);
      const auto found = std::find(split.begin(), split.end(), name_);
      if (found != split.end()) entry->second = static_cast<int>(found - split.begin());
    }
    last_names_ = names;
    last_index_ = entry->second;
    return last_index_;
  }

 private:
  const absl::string_view name_;
  mutable absl::flat_hash_map<const char*, int> indices_;
  mutable const char* last_names_ = nullptr;
  mutable int last_index_ = -1;
};

const Value* ValueAt(const Values& values, int index) {
  return index >= 0 && static_cast<size_t>(index) < values.size() ? &values[index] : nullptr;
}

class NameNode final : public ExpressionNode {
 public:
  explicit NameNode(std::string name)
      : name_(std::move(name)),
        index_(name_),
        root_(FindRoot(name_)),
        constant_(FindConstant(name_)),
        target_(TargetOf(name_)),
        by_number_(MayBeByNumber(name_)) {}

  bool Evaluate(Evaluation& evaluation, Datum* value) const override {
    const Scope& scope = evaluation.scope;
    if (scope.stacks != nullptr && scope.context != nullptr) {
      const auto frames = scope.stacks->Of(scope.context);
      if (scope.frame >= 0 && static_cast<size_t>(scope.frame) < frames.size()) {
        const Value* found = FindInFrame(*frames[static_cast<size_t>(scope.frame)]);
        if (found != nullptr) return Convert(evaluation, *found, value);
      }
    }
    if (root_ != nullptr) return root_->get(evaluation.look, value, &evaluation.error);
    if (constant_.has_value()) {
      *value = *constant_ >= INT32_MIN && *constant_ <= INT32_MAX
                   ? MakeNumber(TypeOf<int>(), static_cast<uint64_t>(*constant_))
                   : MakeNumber(TypeOf<long>(), static_cast<uint64_t>(*constant_));
      return true;
    }
    return evaluation.Fail(
        absl::StrCat("no symbol \"", name_, "\" in the current frame or kernel"));
  }

 private:
  // As Frame::Find.
  const Value* FindInFrame(const Frame& frame) const {
    if (frame.function == nullptr) return nullptr;
    if (frame.step != nullptr) {
      for (const Frame::PassedStep& one : frame.passed) {
        if (one.step != frame.step) continue;
        if (const Value* found = ValueAt(one.values, index_.In(one.step->values))) return found;
      }
    }
    if (const Value* found = ValueAt(frame.arguments, index_.In(frame.function->arguments))) {
      return found;
    }
    for (auto one = frame.passed.rbegin(); one != frame.passed.rend(); ++one) {
      if (const Value* found = ValueAt(one->values, index_.In(one->step->values))) return found;
    }
    return nullptr;
  }

  bool Convert(Evaluation& evaluation, const Value& from, Datum* value) const {
    switch (from.kind) {
      case Value::Kind::kNone:
        return evaluation.Fail(absl::StrCat(name_, " has no value yet"));
      case Value::Kind::kSigned:
        if (by_number_ && FindByNumber(evaluation.look, name_, from.bits, value)) return true;
        *value = MakeNumber(TypeOf<long>(), from.bits);
        return true;
      case Value::Kind::kUnsigned:
        if (by_number_ && FindByNumber(evaluation.look, name_, from.bits, value)) return true;
        *value = MakeNumber(TypeOf<unsigned long>(), from.bits);
        return true;
      case Value::Kind::kBool:
        *value = MakeNumber(TypeOf<bool>(), from.bits);
        return true;
      case Value::Kind::kResult:
        *value = MakeNumber(NamedType<long, kResultNames>(), from.bits);
        return true;
      case Value::Kind::kText:
        *value = MakeText(reinterpret_cast<const char*>(from.bits));
        return true;
      case Value::Kind::kAddress:
        break;
    }
    *value = ObjectAt(evaluation.look, from.bits);
    return true;
  }

  // What lives at an address: remembered until the object there is freed.
  Datum ObjectAt(const Look& look, uint64_t address) const {
    if (address < kUserAddressEnd || &target_ != &TargetTypeOf<void>()) {
      return MakeAddress(target_, address);
    }
    const bool same = address == address_ && &look.machine == machine_ && header_->live &&
                      header_->generation == generation_ && header_->address == address;
    if (!same) {
      const Datum object = PointerToObject(look, address);
      if (object.type == nullptr || object.type->kind == Type::Kind::kVoid) {
        return MakeAddress(target_, address);
      }
      machine_ = &look.machine;
      address_ = address;
      object_ = object;
      header_ = HeaderOf(object.host);
      generation_ = header_->generation;
    }
    return object_;
  }

  const std::string name_;
  const NameIndex index_;
  const Root* const root_;
  const absl::optional<int64_t> constant_;
  const Type& target_;
  const bool by_number_;

  mutable const Machine* machine_ = nullptr;
  mutable uint64_t address_ = 0;
  mutable const SlabHeader* header_ = nullptr;
  mutable uint32_t generation_ = 0;
  mutable Datum object_;
};

// ---- Registers ----
constexpr struct {
  absl::string_view name;
  Reg reg;
} kRegisters[] = {
    {"rax", Reg::rax}, {"rbx", Reg::rbx}, {"rcx", Reg::rcx}, {"rdx", Reg::rdx}, {"rsi", Reg::rsi},
    {"rdi", Reg::rdi}, {"rbp", Reg::rbp}, {"fp", Reg::rbp},  {"rsp", Reg::rsp}, {"sp", Reg::rsp},
    {"r8", Reg::r8},   {"r9", Reg::r9},   {"r10", Reg::r10}, {"r11", Reg::r11}, {"r12", Reg::r12},
    {"r13", Reg::r13}, {"r14", Reg::r14}, {"r15", Reg::r15},
};

enum class Special : uint8_t { kNone, kRip, kFlags, kCs, kSs, kGsBase, kKernelGsBase, kCr2 };
constexpr struct {
  absl::string_view name;
  Special special;
} kSpecials[] = {
    {"rip", Special::kRip},        {"pc", Special::kRip},
    {"eflags", Special::kFlags},   {"rflags", Special::kFlags},
    {"cs", Special::kCs},          {"ss", Special::kSs},
    {"gs_base", Special::kGsBase}, {"kernel_gs_base", Special::kKernelGsBase},
    {"cr2", Special::kCr2},
};

class VariableNode final : public ExpressionNode {
 public:
  explicit VariableNode(std::string name) : name_(std::move(name)) {
    for (const auto& one : kRegisters) {
      if (one.name == name_) reg_ = static_cast<int>(one.reg);
    }
    for (const auto& one : kSpecials) {
      if (one.name == name_) special_ = one.special;
    }
  }

  bool Evaluate(Evaluation& evaluation, Datum* value) const override {
    if (reg_ >= 0 || special_ != Special::kNone) return Register(evaluation, value);
    const auto* variables = evaluation.scope.variables;
    if (variables != nullptr) {
      const auto found = variables->find(name_);
      if (found != variables->end()) {
        *value = found->second;
        return Resolve(evaluation.look, value, &evaluation.error);
      }
    }
    return evaluation.Fail(absl::StrCat("$", name_, " is not set"));
  }

 private:
  // Those of the CPU while the context runs, else those that it was left with.
  bool Register(Evaluation& evaluation, Datum* value) const {
    const Context* context = evaluation.scope.context;
    if (context == nullptr) return evaluation.Fail("no task is selected: there are no registers");
    const Cpu* cpu = context->cpu;
    const bool runs = cpu != nullptr && cpu->running() == context;
    const Registers& regs = runs ? cpu->regs : context->saved_regs;
    if (reg_ >= 0) {
      *value = MakeNumber(HexType<unsigned long>(), regs[static_cast<Reg>(reg_)]);
      return true;
    }
    switch (special_) {
      case Special::kRip:
        *value = MakeNumber(HexType<unsigned long>(), regs.rip);
        return true;
      case Special::kFlags:
        *value = MakeNumber(NamedType<unsigned long, kEflagsNames>(), regs.rflags);
        return true;
      case Special::kCs:
        *value = MakeNumber(HexType<unsigned long>(), regs.cs);
        return true;
      case Special::kSs:
        *value = MakeNumber(HexType<unsigned long>(), regs.ss);
        return true;
      default:
        break;
    }
    if (!runs) return evaluation.Fail(absl::StrCat("$", name_, " is that of a task that runs"));
    *value = MakeNumber(HexType<unsigned long>(), special_ == Special::kGsBase ? cpu->gs_base
                                                  : special_ == Special::kKernelGsBase
                                                      ? cpu->kernel_gs_base
                                                      : cpu->cr2);
    return true;
  }

  const std::string name_;
  int reg_ = -1;
  Special special_ = Special::kNone;
};

// ---- Types ----
constexpr struct {
  absl::string_view name;
  const Type& (*type)();
} kTypeNames[] = {
    {"char", &TypeOf<char>},
    {"signed char", &TypeOf<signed char>},
    {"unsigned char", &TypeOf<unsigned char>},
    {"short", &TypeOf<short>},
    {"unsigned short", &TypeOf<unsigned short>},
    {"int", &TypeOf<int>},
    {"signed", &TypeOf<int>},
    {"unsigned", &TypeOf<unsigned>},
    {"unsigned int", &TypeOf<unsigned>},
    {"long", &TypeOf<long>},
    {"long int", &TypeOf<long>},
    {"long long", &TypeOf<long>},
    {"unsigned long", &TypeOf<unsigned long>},
    {"unsigned long int", &TypeOf<unsigned long>},
    {"unsigned long long", &TypeOf<unsigned long>},
    {"bool", &TypeOf<bool>},
    {"_Bool", &TypeOf<bool>},
    {"void", &TargetTypeOf<void>},
    {"u8", &TypeOf<unsigned char>},
    {"u16", &TypeOf<unsigned short>},
    {"u32", &TypeOf<unsigned>},
    {"u64", &TypeOf<unsigned long>},
    {"s8", &TypeOf<signed char>},
    {"s16", &TypeOf<short>},
    {"s32", &TypeOf<int>},
    {"s64", &TypeOf<long>},
    {"uint8_t", &TypeOf<unsigned char>},
    {"uint16_t", &TypeOf<unsigned short>},
    {"uint32_t", &TypeOf<unsigned>},
    {"uint64_t", &TypeOf<unsigned long>},
    {"int8_t", &TypeOf<signed char>},
    {"int16_t", &TypeOf<short>},
    {"int32_t", &TypeOf<int>},
    {"int64_t", &TypeOf<long>},
    {"size_t", &TypeOf<unsigned long>},
    {"ssize_t", &TypeOf<long>},
    {"loff_t", &TypeOf<long>},
    {"sector_t", &TypeOf<unsigned long>},
    {"pid_t", &TypeOf<int>},
};

const Type* FindPlainType(absl::string_view name) {
  for (const auto& one : kTypeNames) {
    if (one.name == name) return &one.type();
  }
  const Type* type = FindStruct(name);
  // Those with a typedef; the others want their "struct".
  return type != nullptr && absl::string_view(type->name) == name ? type : nullptr;
}

}  // namespace

NodePtr MakeNameNode(std::string name) { return std::make_unique<NameNode>(std::move(name)); }
NodePtr MakeVariableNode(std::string name) {
  return std::make_unique<VariableNode>(std::move(name));
}

const Type* FindTypeName(const std::vector<std::string>& words, size_t* used) {
  if (words.empty()) return nullptr;
  if (words[0] == "struct") {
    *used = 2;
    return words.size() < 2 ? nullptr : FindStruct(words[1]);
  }
  // The longest name that the words begin with.
  const Type* best = nullptr;
  std::string name;
  for (size_t i = 0; i < words.size(); ++i) {
    absl::StrAppend(&name, i == 0 ? "" : " ", words[i]);
    if (const Type* type = FindPlainType(name); type != nullptr) {
      best = type;
      *used = i + 1;
    }
  }
  return best;
}

}  // namespace kpath
