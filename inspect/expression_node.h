// SPDX-License-Identifier: Apache-2.0
//
// For the files that make up expression.h: the tree that an expression is parsed into. A node
// remembers what it found last time, so that it need not look for a name again in the same place.
//
// Context: as expression.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "inspect/expression.h"
#include "inspect/types.h"

namespace kpath {

// One evaluation.
struct Evaluation {
  const Scope& scope;
  const Look look;
  std::string error;

  bool Fail(std::string what) {
    error = std::move(what);
    return false;
  }
};

class ExpressionNode {
 public:
  virtual ~ExpressionNode() = default;
  // False with a reason in evaluation.error.
  virtual bool Evaluate(Evaluation& evaluation, Datum* value) const = 0;
};
using NodePtr = std::unique_ptr<const ExpressionNode>;

// ---- Leaves ----
NodePtr MakeConstantNode(Datum value);
// A name of the frame, the kernel or a constant.
NodePtr MakeNameNode(std::string name);
// $name: a register, a value of the history or a variable.
NodePtr MakeVariableNode(std::string name);
// cpu(0). Null: nothing of this name takes a number.
NodePtr MakeCallNode(absl::string_view name, NodePtr argument);

// ---- The rest ----
NodePtr MakeMemberNode(NodePtr object, std::string name);
NodePtr MakeIndexNode(NodePtr list, NodePtr index);
NodePtr MakeDereferenceNode(NodePtr pointer);
NodePtr MakeAddressNode(NodePtr place);
NodePtr MakeCastNode(const Type& type, int indirection, NodePtr value);
// "!", "~", "-", "+".
NodePtr MakeUnaryNode(std::string sign, NodePtr value);
// "+" … "@", "&&", "||".
NodePtr MakeBinaryNode(std::string sign, NodePtr left, NodePtr right);
NodePtr MakeConditionalNode(NodePtr condition, NodePtr yes, NodePtr no);

// The type that a cast names: "int", "unsigned long", "u64", "struct kioctx", "spinlock_t". Null:
// none is called so. `words`: one or more names; `used` is how many of them are the type's.
const Type* FindTypeName(const std::vector<std::string>& words, size_t* used);

}  // namespace kpath
