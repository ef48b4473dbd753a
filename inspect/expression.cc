// SPDX-License-Identifier: Apache-2.0
//
// The parser, by precedence as in gdb: ?: || && | ^ & == < << @ + * unary postfix.
#include "inspect/expression.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "inspect/expression_node.h"
#include "inspect/expression_number.h"
#include "inspect/expression_token.h"
#include "inspect/types_of.h"
#include "sim/kernel/sched.h"

namespace kpath {
namespace {

constexpr int kMaxDepth = 400;

// Signs of one precedence, from the loosest on.
const std::vector<std::vector<absl::string_view>>& Precedences() {
  static const auto* const kAll = new std::vector<std::vector<absl::string_view>>{
      {"||"},       {"&&"}, {"|"},      {"^"},          {"&"}, {"==", "!="}, {"<", ">", "<=", ">="},
      {"<<", ">>"}, {"@"},  {"+", "-"}, {"*", "/", "%"}};
  return *kAll;
}

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  absl::StatusOr<NodePtr> ParseAll() {
    auto node = ParseConditional();
    if (!node.ok()) return node;
    if (Is("=")) return Error("\"=\" would change the machine; \"==\" compares");
    if (token().kind != Token::Kind::kEnd) {
      return Error(absl::StrCat("expected an operator or the end, found ", Found()));
    }
    return node;
  }

 private:
  const Token& token(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  bool Is(absl::string_view sign, size_t ahead = 0) const {
    return token(ahead).kind == Token::Kind::kSign && token(ahead).text == sign;
  }
  bool Take(absl::string_view sign) {
    if (!Is(sign)) return false;
    ++at_;
    return true;
  }
  std::string Found() const {
    return token().kind == Token::Kind::kEnd ? token().text
                                             : absl::StrCat("\"", token().text, "\"");
  }
  absl::Status Error(absl::string_view what) const { return ExpressionError(token().column, what); }
  absl::Status Expect(absl::string_view sign) {
    if (Take(sign)) return absl::OkStatus();
    return Error(absl::StrCat("expected \"", sign, "\", found ", Found()));
  }

  absl::StatusOr<NodePtr> ParseConditional() {
    if (++depth_ > kMaxDepth) return Error("the expression is too deep");
    auto node = ParseConditionalInside();
    --depth_;
    return node;
  }

  absl::StatusOr<NodePtr> ParseConditionalInside() {
    auto condition = ParseBinary(0);
    if (!condition.ok() || !Take("?")) return condition;
    auto yes = ParseConditional();
    if (!yes.ok()) return yes;
    if (absl::Status status = Expect(":"); !status.ok()) return status;
    auto no = ParseConditional();
    if (!no.ok()) return no;
    return MakeConditionalNode(*std::move(condition), *std::move(yes), *std::move(no));
  }

  absl::StatusOr<NodePtr> ParseBinary(size_t precedence) {
    if (precedence == Precedences().size()) return ParseUnary();
    auto left = ParseBinary(precedence + 1);
    while (left.ok()) {
      const std::string sign = token().kind == Token::Kind::kSign ? token().text : "";
      bool is_here = false;
      for (const absl::string_view one : Precedences()[precedence]) is_here |= one == sign;
      if (!is_here) break;
      ++at_;
      auto right = ParseBinary(precedence + 1);
      if (!right.ok()) return right;
      left = MakeBinaryNode(sign, *std::move(left), *std::move(right));
    }
    return left;
  }

  absl::StatusOr<NodePtr> ParseUnary() {
    if (++depth_ > kMaxDepth) return Error("the expression is too deep");
    auto node = ParseUnaryInside();
    --depth_;
    return node;
  }

  absl::StatusOr<NodePtr> ParseUnaryInside() {
    for (const absl::string_view sign : {"!", "~", "-", "+", "*", "&"}) {
      if (!Take(sign)) continue;
      auto value = ParseUnary();
      if (!value.ok()) return value;
      if (sign == "*") return MakeDereferenceNode(*std::move(value));
      if (sign == "&") return MakeAddressNode(*std::move(value));
      return MakeUnaryNode(std::string(sign), *std::move(value));
    }
    if (Is("(") && token(1).kind == Token::Kind::kName) {
      std::vector<std::string> words;
      for (size_t i = 1; token(i).kind == Token::Kind::kName; ++i) words.push_back(token(i).text);
      size_t used = 0;
      const Type* type = FindTypeName(words, &used);
      if (type != nullptr) return ParseCast(*type, used);
      if (words[0] == "struct") {
        at_ += 2;
        return Error(words.size() < 2 ? absl::StrCat("expected a struct's name, found ", Found())
                                      : absl::StrCat("no struct ", words[1], " is known"));
      }
    }
    return ParsePostfix();
  }

  absl::StatusOr<NodePtr> ParseCast(const Type& type, size_t words) {
    at_ += 1 + words;
    int indirection = 0;
    while (Take("*")) ++indirection;
    if (absl::Status status = Expect(")"); !status.ok()) return status;
    auto value = ParseUnary();
    if (!value.ok()) return value;
    return MakeCastNode(type, indirection, *std::move(value));
  }

  absl::StatusOr<NodePtr> ParsePostfix() {
    auto node = ParsePrimary();
    while (node.ok()) {
      if (Is(".") || Is("->")) {
        const std::string sign = token().text;
        ++at_;
        if (token().kind != Token::Kind::kName) {
          return Error(
              absl::StrCat("expected a member's name after \"", sign, "\", found ", Found()));
        }
        node = MakeMemberNode(*std::move(node), token().text);
        ++at_;
      } else if (Take("[")) {
        auto index = ParseConditional();
        if (!index.ok()) return index;
        if (absl::Status status = Expect("]"); !status.ok()) return status;
        node = MakeIndexNode(*std::move(node), *std::move(index));
      } else {
        break;
      }
    }
    return node;
  }

  absl::StatusOr<NodePtr> ParsePrimary() {
    const Token here = token();
    switch (here.kind) {
      case Token::Kind::kNumber:
        ++at_;
        return MakeConstantNode(ToDatum({here.number, here.is_long, here.is_unsigned}));
      case Token::Kind::kChar:
        ++at_;
        return MakeConstantNode(MakeNumber(TypeOf<char>(), here.number));
      case Token::Kind::kVariable:
        ++at_;
        return MakeVariableNode(here.text);
      case Token::Kind::kName:
        return ParseName();
      case Token::Kind::kSign:
      case Token::Kind::kEnd:
        break;
    }
    if (Take("(")) {
      auto node = ParseConditional();
      if (!node.ok()) return node;
      if (absl::Status status = Expect(")"); !status.ok()) return status;
      return node;
    }
    return Error(absl::StrCat("expected a name, a number or \"(\", found ", Found()));
  }

  absl::StatusOr<NodePtr> ParseName() {
    const Token name = token();
    ++at_;
    if (!Is("(")) return MakeNameNode(name.text);
    ++at_;
    auto argument = ParseConditional();
    if (!argument.ok()) return argument;
    if (absl::Status status = Expect(")"); !status.ok()) return status;
    NodePtr call = MakeCallNode(name.text, *std::move(argument));
    if (call == nullptr) {
      return ExpressionError(name.column, absl::StrCat("\"", name.text,
                                                       "\" cannot be called: there are cpu(N) "
                                                       "and task(PID)"));
    }
    return call;
  }

  const std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Look LookOf(const Scope& scope) {
  return Look{scope.machine, static_cast<const task_struct*>(scope.context)};
}

absl::StatusOr<Expression> ParseExpression(absl::string_view text) {
  auto tokens = SplitExpression(text);
  if (!tokens.ok()) return tokens.status();
  auto root = Parser(*std::move(tokens)).ParseAll();
  if (!root.ok()) return root.status();
  Expression expression;
  expression.text_ = std::string(text);
  expression.root_ = *std::move(root);
  return expression;
}

absl::StatusOr<Datum> Evaluate(const Expression& expression, const Scope& scope) {
  EnterMachine enter(scope.machine);
  Evaluation evaluation{scope, LookOf(scope), ""};
  Datum value;
  if (expression.root_->Evaluate(evaluation, &value) &&
      Resolve(evaluation.look, &value, &evaluation.error)) {
    return value;
  }
  return absl::StartsWith(evaluation.error, "no symbol")
             ? absl::NotFoundError(evaluation.error)
             : absl::FailedPreconditionError(evaluation.error);
}

absl::StatusOr<bool> IsTrue(const Datum& datum) {
  if (datum.is_pointer()) return !datum.is_null();
  CNumber number;
  std::string why;
  if (!ToCNumber(datum, &number, &why)) return absl::FailedPreconditionError(why);
  return number.bits != 0;
}

}  // namespace kpath
