// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/outline_for_test.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace kpath {
namespace {

bool IsNameLetter(char letter) {
  return absl::ascii_isalnum(letter) || letter == '_' || letter == '.';
}

void ReadStream(absl::string_view text, uint32_t* order, CallTree* calls) {
  CallId parent = kNoCall;
  CallId last = kNoCall;
  while (!text.empty()) {
    size_t size = 0;
    while (size < text.size() && IsNameLetter(text[size])) ++size;
    if (size > 0) {
      last = calls->Add(parent, text.substr(0, size));
      calls->node(last).order = ++*order;
      calls->node(last).returned = true;
      text.remove_prefix(size);
      continue;
    }
    switch (text.front()) {
      case '{':
        parent = last;
        break;
      case '}':
        parent = calls->node(parent).parent;
        break;
      case '!':
        calls->node(last).returned = false;
        break;
      case '?':
        calls->node(last).entered = false;
        break;
      default:
        break;
    }
    text.remove_prefix(1);
  }
}

}  // namespace

Graph Outline(absl::string_view text) {
  Graph graph;
  uint32_t order = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipWhitespace())) {
    Stream stream;
    line = absl::StripLeadingAsciiWhitespace(line);
    if (absl::ConsumePrefix(&line, "irq:")) stream.kind = Stream::Kind::kInterrupt;
    ReadStream(line, &order, &stream.calls);
    graph.streams.push_back(std::move(stream));
  }
  return graph;
}

}  // namespace kpath
