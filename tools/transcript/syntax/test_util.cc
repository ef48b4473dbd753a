// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/syntax/test_util.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace kpath::strace {
namespace {

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

std::string Items(const Value& value) {
  std::string items;
  for (const Value& child : value.children) {
    absl::StrAppend(&items, items.empty() ? "" : " ", Tree(child));
  }
  if (value.abbreviated) absl::StrAppend(&items, items.empty() ? "" : " ", "...");
  if (value.open) absl::StrAppend(&items, items.empty() ? "" : " ", "open");
  return absl::StrCat("(", items, ")");
}

std::string Integer(const Value& value) {
  const char* radix = value.radix == Radix::kHex ? "h" : value.radix == Radix::kOctal ? "o" : "";
  const std::string number = value.negative ? absl::StrCat(static_cast<int64_t>(value.number))
                                            : absl::StrCat(value.number);
  return absl::StrCat("int:", value.overflow ? "overflow" : number, radix);
}

std::string Kind(const Value& value) {
  const char* spaced = value.spaced ? " " : "";
  switch (value.kind) {
    case ValueKind::kOmitted:
      return "omitted";
    case ValueKind::kInteger:
      return Integer(value);
    case ValueKind::kNull:
      return "null";
    case ValueKind::kSymbol:
      return absl::StrCat("sym:", value.text);
    case ValueKind::kVerbatim:
      return absl::StrCat("verbatim:", value.text);
    case ValueKind::kString:
      return absl::StrCat(value.abstract ? "@" : "", "\"", absl::CHexEscape(Bytes(value)), "\"",
                          value.abbreviated ? "..." : "");
    case ValueKind::kFlags:
      return absl::StrCat("flags", spaced, Items(value));
    case ValueKind::kOperation:
      return absl::StrCat("op", spaced, value.text, spaced, Items(value));
    case ValueKind::kCall:
      return absl::StrCat("call:", value.text, Items(value));
    case ValueKind::kStruct:
      return absl::StrCat("struct", Items(value));
    case ValueKind::kArray:
      return absl::StrCat("array", Items(value));
    case ValueKind::kBitSet:
      return absl::StrCat(value.complement ? "~set" : "set", Items(value));
    case ValueKind::kPair:
      return absl::StrCat("pair", Items(value));
    case ValueKind::kWords:
      return absl::StrCat("words", Items(value));
  }
  return "?";
}

}  // namespace

Transcript MustParse(absl::string_view text) {
  absl::StatusOr<Transcript> transcript = ParseTranscript("t.strace", text);
  if (!transcript.ok()) Die(std::string(transcript.status().message()));
  return *std::move(transcript);
}

std::string ErrorOf(absl::string_view text) {
  return std::string(ParseTranscript("t.strace", text).status().message());
}

std::string Tree(const Value& value) {
  std::string text = value.name.empty() ? "" : absl::StrCat(value.name, "=");
  absl::StrAppend(&text, Kind(value));
  if (value.decoration == nullptr) return text;
  const Decoration& decoration = *value.decoration;
  if (decoration.has_descriptor) absl::StrAppend(&text, "<", decoration.descriptor, ">");
  if (decoration.deleted) absl::StrAppend(&text, "deleted");
  if (decoration.has_comment) absl::StrAppend(&text, "/*", decoration.comment, "*/");
  return text;
}

std::string TreeOf(absl::string_view text) {
  const absl::StatusOr<Transcript> transcript =
      ParseTranscript("t.strace", absl::StrCat("f(", text, ") = 0\n"));
  if (!transcript.ok()) return std::string(transcript.status().message());
  const absl::Span<const Value> args = transcript->calls[0].args;
  return args.size() == 1 ? Tree(args[0]) : absl::StrCat(args.size(), " arguments");
}

std::string ReadSource(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Die(absl::StrCat("cannot read ", path));
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

}  // namespace kpath::strace
