// SPDX-License-Identifier: Apache-2.0
#include "inspect/expression_node.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "inspect/expression_number.h"
#include "inspect/objects/roots.h"
#include "inspect/types_of.h"

namespace kpath {
namespace {

constexpr uint64_t kMaxArray = 1 << 16;

// The size of what a pointer steps over; 0: it cannot.
uint64_t Stride(const Datum& pointer) {
  if (pointer.indirection > 1) return sizeof(uint64_t);
  return pointer.type->kind == Type::Kind::kVoid ? 1 : pointer.type->bytes;
}

bool Truth(Evaluation& evaluation, const Datum& datum, bool* truth) {
  if (datum.is_pointer()) {
    *truth = !datum.is_null();
    return true;
  }
  CNumber number;
  if (!ToCNumber(datum, &number, &evaluation.error)) return false;
  *truth = number.bits != 0;
  return true;
}

Datum FromTruth(bool truth) { return MakeNumber(TypeOf<int>(), truth ? 1 : 0); }

class Constant final : public ExpressionNode {
 public:
  explicit Constant(Datum value) : value_(std::move(value)) {}
  bool Evaluate(Evaluation&, Datum* value) const override {
    *value = value_;
    return true;
  }

 private:
  const Datum value_;
};

class Call final : public ExpressionNode {
 public:
  Call(const NumberedRoot* root, NodePtr argument) : root_(root), argument_(std::move(argument)) {}
  bool Evaluate(Evaluation& evaluation, Datum* value) const override {
    CNumber number;
    return argument_->Evaluate(evaluation, value) &&
           ToCNumber(*value, &number, &evaluation.error) &&
           root_->get(evaluation.look, number.bits, value, &evaluation.error);
  }

 private:
  const NumberedRoot* const root_;
  const NodePtr argument_;
};

class Member final : public ExpressionNode {
 public:
  Member(NodePtr object, std::string name) : object_(std::move(object)), name_(std::move(name)) {}
  bool Evaluate(Evaluation& evaluation, Datum* value) const override {
    Datum base;
    if (!object_->Evaluate(evaluation, &base)) return false;
    const Look& look = evaluation.look;
    if (base.type == type_ && base.count == 0) {
      Datum object;
      return ToStruct(look, base, &object, &evaluation.error) &&
             GetField(look, object, *field_, value, &evaluation.error);
    }
    if (base.count == 0 && base.type->kind == Type::Kind::kStruct) {
      field_ = FindField(*base.type, name_);
      type_ = field_ != nullptr ? base.type : nullptr;
    }
    return GetMember(look, base, name_, value, &evaluation.error);
  }

 private:
  const NodePtr object_;
  const std::string name_;
  // Where the name was found last.
  mutable const Type* type_ = nullptr;
  mutable const Field* field_ = nullptr;
};

bool StepPointer(Evaluation& evaluation, const Datum& pointer, uint64_t steps, Datum* value) {
  const uint64_t stride = Stride(pointer);
  if (steps == 0) {
    *value = pointer;
    return true;
  }
  if (stride == 0) {
    return evaluation.Fail(
        absl::StrCat("a ", pointer.type->name, " is no element of an array in memory"));
  }
  const uint64_t address = AddressOf(evaluation.look, pointer);
  *value = MakeAddress(*pointer.type, address + steps * stride, pointer.indirection);
  return true;
}

class Index final : public ExpressionNode {
 public:
  Index(NodePtr list, NodePtr index) : list_(std::move(list)), index_(std::move(index)) {}
  bool Evaluate(Evaluation& evaluation, Datum* value) const override {
    Datum list, index;
    CNumber number;
    if (!list_->Evaluate(evaluation, &list) || !index_->Evaluate(evaluation, &index) ||
        !ToCNumber(index, &number, &evaluation.error)) {
      return false;
    }
    const Look& look = evaluation.look;
    if (!list.is_sequence()) {
      if (!list.is_pointer()) {
        return evaluation.Fail(absl::StrCat(AType(list), " is no list"));
      }
      Datum element;
      return StepPointer(evaluation, list, number.bits, &element) &&
             Dereference(look, element, value, &evaluation.error);
    }
    if (list.count == 0 && list.host == nullptr) return evaluation.Fail("the list is gone");
    const size_t count = CountElements(look, list);
    const bool by_key = list.count == 0 && list.type->sequence->find != nullptr;
    const size_t at = by_key ? list.type->sequence->find(look, list, number.bits)
                             : std::min<uint64_t>(number.bits, count);
    if (at >= count) {
      return evaluation.Fail(absl::StrCat("the list has no [", static_cast<int64_t>(number.bits),
                                          "]: it has ", count,
                                          count == 1 ? " element" : " elements"));
    }
    *value = GetElement(look, list, at);
    return true;
  }

 private:
  const NodePtr list_;
  const NodePtr index_;
};

class DereferenceNode final : public ExpressionNode {
 public:
  explicit DereferenceNode(NodePtr pointer) : pointer_(std::move(pointer)) {}
  bool Evaluate(Evaluation& evaluation, Datum* value) const override {
    Datum pointer;
    if (!pointer_->Evaluate(evaluation, &pointer)) return false;
    // As gdb does with a plain number: a long is at it.
    if (pointer.is_number()) {
      CNumber number;
      if (!ToCNumber(pointer, &number, &evaluation.error)) return false;
      pointer = MakeAddress(TypeOf<long>(), number.bits);
    } else if (pointer.is_sequence()) {
      if (CountElements(evaluation.look, pointer) == 0) {
        return evaluation.Fail(pointer.host == nullptr ? "the list is gone" : "the list is empty");
      }
      *value = GetElement(evaluation.look, pointer, 0);
      return true;
    }
    return Dereference(evaluation.look, pointer, value, &evaluation.error);
  }

 private:
  const NodePtr pointer_;
};

class AddressNode final : public ExpressionNode {
 public:
  explicit AddressNode(NodePtr place) : place_(std::move(place)) {}
  bool Evaluate(Evaluation& evaluation, Datum* value) const override {
    Datum place;
    if (!place_->Evaluate(evaluation, &place)) return false;
    if (place.is_struct() && place.copy == nullptr && place.host != nullptr) {
      *value = MakePointer(*place.type, place.host, place.address);
      return true;
    }
    if (place.address == 0 || (place.is_sequence() && place.count == 0)) {
      return evaluation.Fail("cannot take the address of a value that is not in memory");
    }
    *value = MakeAddress(*place.type, place.address, static_cast<uint8_t>(place.indirection + 1));
    return true;
  }

 private:
  const NodePtr place_;
};

class Cast final : public ExpressionNode {
 public:
  Cast(const Type& type, int indirection, NodePtr value)
      : type_(type), indirection_(static_cast<uint8_t>(indirection)), value_(std::move(value)) {}
  bool Evaluate(Evaluation& evaluation, Datum* value) const override {
    Datum from;
    if (!value_->Evaluate(evaluation, &from)) return false;
    if (from.is_pointer() && indirection_ == from.indirection && from.type == &type_) {
      *value = std::move(from);
      return true;
    }
    if (indirection_ == 0 && type_.kind == Type::Kind::kStruct && from.is_struct() &&
        from.type == &type_) {
      *value = std::move(from);
      return true;
    }
    if (indirection_ == 0 && type_.load == nullptr) {
      return evaluation.Fail(absl::StrCat(AType(from), " cannot be cast to ", type_.name));
    }
    if (from.is_pointer()) from.bits = AddressOf(evaluation.look, from);
    CNumber number;
    if (!ToCNumber(from, &number, &evaluation.error)) return false;
    *value = indirection_ == 0 ? Convert(type_, number.bits)
                               : MakeAddress(type_, number.bits, indirection_);
    return true;
  }

 private:
  const Type& type_;
  const uint8_t indirection_;
  const NodePtr value_;
};

class Unary final : public ExpressionNode {
 public:
  Unary(char sign, NodePtr value) : sign_(sign), value_(std::move(value)) {}
  bool Evaluate(Evaluation& evaluation, Datum* value) const override {
    Datum from;
    if (!value_->Evaluate(evaluation, &from)) return false;
    if (sign_ == '!') {
      bool truth = false;
      if (!Truth(evaluation, from, &truth)) return false;
      *value = FromTruth(!truth);
      return true;
    }
    CNumber number;
    if (!ToCNumber(from, &number, &evaluation.error)) return false;
    *value = ToDatum(sign_ == '-' ? Negate(number) : sign_ == '~' ? Complement(number) : number);
    return true;
  }

 private:
  const char sign_;
  const NodePtr value_;
};

// && and ||: the right side is evaluated only if it matters.
class Logical final : public ExpressionNode {
 public:
  Logical(bool is_and, NodePtr left, NodePtr right)
      : is_and_(is_and), left_(std::move(left)), right_(std::move(right)) {}
  bool Evaluate(Evaluation& evaluation, Datum* value) const override {
    bool truth = false;
    if (!left_->Evaluate(evaluation, value) || !Truth(evaluation, *value, &truth)) return false;
    if (truth == is_and_) {
      if (!right_->Evaluate(evaluation, value) || !Truth(evaluation, *value, &truth)) return false;
    }
    *value = FromTruth(truth);
    return true;
  }

 private:
  const bool is_and_;
  const NodePtr left_;
  const NodePtr right_;
};

class Conditional final : public ExpressionNode {
 public:
  Conditional(NodePtr condition, NodePtr yes, NodePtr no)
      : condition_(std::move(condition)), yes_(std::move(yes)), no_(std::move(no)) {}
  bool Evaluate(Evaluation& evaluation, Datum* value) const override {
    bool truth = false;
    if (!condition_->Evaluate(evaluation, value) || !Truth(evaluation, *value, &truth)) {
      return false;
    }
    return (truth ? yes_ : no_)->Evaluate(evaluation, value);
  }

 private:
  const NodePtr condition_;
  const NodePtr yes_;
  const NodePtr no_;
};

// place@n.
class Array final : public ExpressionNode {
 public:
  Array(NodePtr place, NodePtr count) : place_(std::move(place)), count_(std::move(count)) {}
  bool Evaluate(Evaluation& evaluation, Datum* value) const override {
    Datum count;
    CNumber number;
    if (!place_->Evaluate(evaluation, value) || !count_->Evaluate(evaluation, &count) ||
        !ToCNumber(count, &number, &evaluation.error)) {
      return false;
    }
    if (value->address == 0 || value->is_sequence() || value->is_pointer() ||
        value->type->bytes == 0) {
      return evaluation.Fail("only a value in memory can be extended with @");
    }
    if (number.bits == 0 || number.bits > kMaxArray) {
      return evaluation.Fail(absl::StrCat("behind @ is a count from 1 to ", kMaxArray));
    }
    *value = MakeNumber(*value->type, 0, value->address);
    value->count = static_cast<uint32_t>(number.bits);
    return true;
  }

 private:
  const NodePtr place_;
  const NodePtr count_;
};

class Binary final : public ExpressionNode {
 public:
  Binary(Operator op, NodePtr left, NodePtr right)
      : op_(op), left_(std::move(left)), right_(std::move(right)) {}
  bool Evaluate(Evaluation& evaluation, Datum* value) const override {
    Datum left, right;
    if (!left_->Evaluate(evaluation, &left) || !right_->Evaluate(evaluation, &right)) return false;
    if (left.is_pointer() || right.is_pointer()) {
      bool done = false;
      if (!WithPointers(evaluation, &left, &right, value, &done)) return false;
      if (done) return true;
    }
    CNumber a, b, result;
    if (!ToCNumber(left, &a, &evaluation.error) || !ToCNumber(right, &b, &evaluation.error) ||
        !Calculate(op_, a, b, &result, &evaluation.error)) {
      return false;
    }
    *value = ToDatum(result);
    return true;
  }

 private:
  bool is_equality() const { return op_ == Operator::kEqual || op_ == Operator::kUnequal; }

  // What is different where pointers are; *done: *value is the result.
  bool WithPointers(Evaluation& evaluation, Datum* left, Datum* right, Datum* value,
                    bool* done) const {
    const bool both = left->is_pointer() && right->is_pointer();
    *done = true;
    if (is_equality() &&
        (both || left->is_null() || right->is_null() || IsZero(*left) || IsZero(*right))) {
      if (both && left->host != nullptr && right->host != nullptr) {
        *value = FromTruth((left->host == right->host) == (op_ == Operator::kEqual));
        return true;
      }
      if ((left->is_null() || IsZero(*left)) && (right->is_null() || IsZero(*right))) {
        *value = FromTruth(op_ == Operator::kEqual);
        return true;
      }
    }
    if (op_ == Operator::kAdd && !both) {
      return Move(evaluation, left->is_pointer() ? *left : *right,
                  left->is_pointer() ? *right : *left, false, value);
    }
    if (op_ == Operator::kSubtract && !right->is_pointer()) {
      return Move(evaluation, *left, *right, true, value);
    }
    // Those that have an address which nobody has looked for yet.
    for (Datum* one : {left, right}) {
      if (!one->is_pointer() || one->bits != 0 || one->host == nullptr) continue;
      one->bits = AddressOf(evaluation.look, *one);
      if (one->bits == 0 && is_equality()) {
        // One without an address is equal to nothing but itself.
        *value = FromTruth(op_ == Operator::kUnequal);
        return true;
      }
    }
    *done = false;
    if (op_ == Operator::kSubtract && both && left->type == right->type && Stride(*left) != 0) {
      *done = true;
      const auto bytes = static_cast<int64_t>(left->bits - right->bits);
      *value = MakeNumber(TypeOf<long>(),
                          static_cast<uint64_t>(bytes / static_cast<int64_t>(Stride(*left))));
    }
    return true;
  }

  static bool IsZero(const Datum& datum) { return datum.is_number() && datum.bits == 0; }

  static bool Move(Evaluation& evaluation, const Datum& pointer, const Datum& by, bool back,
                   Datum* value) {
    CNumber number;
    if (!ToCNumber(by, &number, &evaluation.error)) return false;
    return StepPointer(evaluation, pointer, back ? uint64_t{0} - number.bits : number.bits, value);
  }

  const Operator op_;
  const NodePtr left_;
  const NodePtr right_;
};

}  // namespace

NodePtr MakeConstantNode(Datum value) { return std::make_unique<Constant>(std::move(value)); }
NodePtr MakeCallNode(absl::string_view name, NodePtr argument) {
  const NumberedRoot* root = FindNumberedRoot(name);
  return root == nullptr ? nullptr : std::make_unique<Call>(root, std::move(argument));
}
NodePtr MakeMemberNode(NodePtr object, std::string name) {
  return std::make_unique<Member>(std::move(object), std::move(name));
}
NodePtr MakeIndexNode(NodePtr list, NodePtr index) {
  return std::make_unique<Index>(std::move(list), std::move(index));
}
NodePtr MakeDereferenceNode(NodePtr pointer) {
  return std::make_unique<DereferenceNode>(std::move(pointer));
}
NodePtr MakeAddressNode(NodePtr place) { return std::make_unique<AddressNode>(std::move(place)); }
NodePtr MakeCastNode(const Type& type, int indirection, NodePtr value) {
  return std::make_unique<Cast>(type, indirection, std::move(value));
}
NodePtr MakeUnaryNode(std::string sign, NodePtr value) {
  return std::make_unique<Unary>(sign[0], std::move(value));
}
NodePtr MakeBinaryNode(std::string sign, NodePtr left, NodePtr right) {
  if (sign == "&&" || sign == "||") {
    return std::make_unique<Logical>(sign == "&&", std::move(left), std::move(right));
  }
  if (sign == "@") return std::make_unique<Array>(std::move(left), std::move(right));
  return std::make_unique<Binary>(*FindOperator(sign), std::move(left), std::move(right));
}
NodePtr MakeConditionalNode(NodePtr condition, NodePtr yes, NodePtr no) {
  return std::make_unique<Conditional>(std::move(condition), std::move(yes), std::move(no));
}

}  // namespace kpath
