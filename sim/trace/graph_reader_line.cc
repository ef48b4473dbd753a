// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/graph_reader_line.h"

#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace kpath {
namespace {

constexpr absl::string_view kMarks = "+!#*@$";

// Deeper than any kernel stack; keeps a damaged file from making millions of unseen callers.
constexpr size_t kMaxDepth = 1000;

// A long piece of input, cut to what fits into an error message.
std::string Quoted(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.size() > 40) return absl::StrCat("'", text.substr(0, 40), "...'");
  return absl::StrCat("'", text, "'");
}

class LineParser {
 public:
  LineParser(absl::string_view text, GraphLine* line, GraphLineError* error)
      : text_(text), rest_(text), line_(line), error_(error) {}

  bool Parse();

 private:
  bool ParseLostEvents();
  void ParseAbsoluteTime();
  void ParseCpu();
  bool ParseSwitch();
  bool ParseColumns();
  bool ParseDuration(absl::string_view field);
  bool ParseFunction();
  bool ParseExit(absl::string_view text);
  bool ParseCall(absl::string_view text);

  // Where `part`, a piece of the line, begins; from 1.
  int ColumnOf(absl::string_view part) const {
    return static_cast<int>(part.data() - text_.data()) + 1;
  }

  bool Fail(absl::string_view at, std::string message) {
    *error_ = {ColumnOf(at), std::move(message)};
    return false;
  }

  const absl::string_view text_;
  absl::string_view rest_;
  GraphLine* const line_;
  GraphLineError* const error_;
};

size_t LeadingDigits(absl::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && absl::ascii_isdigit(text[digits])) ++digits;
  return digits;
}

bool ParseTask(absl::string_view text, GraphTask* task) {
  text = absl::StripAsciiWhitespace(text);
  const size_t dash = text.rfind('-');
  if (dash == absl::string_view::npos || dash == 0) return false;
  if (!absl::SimpleAtoi(text.substr(dash + 1), &task->pid) || task->pid < 0) return false;
  task->comm = text.substr(0, dash);
  return true;
}

// "5.858" -> 5858, "2250704" -> 2250704000.
bool ParseMicroseconds(absl::string_view text, int64_t* ns) {
  const size_t digits = LeadingDigits(text);
  int64_t whole = 0;
  if (digits > 15 || !absl::SimpleAtoi(text.substr(0, digits), &whole)) return false;
  *ns = whole * 1000;
  text.remove_prefix(digits);
  if (text.empty()) return true;
  if (text.front() != '.' || text.size() > 4) return false;
  text.remove_prefix(1);
  if (LeadingDigits(text) != text.size()) return false;
  for (int64_t scale = 100; !text.empty(); scale /= 10, text.remove_prefix(1)) {
    *ns += (text.front() - '0') * scale;
  }
  return true;
}

bool LineParser::Parse() {
  const absl::string_view content = absl::StripAsciiWhitespace(text_);
  if (content.empty() || content.front() == '#' || absl::StartsWith(content, "------")) return true;
  if (absl::StartsWith(content, "CPU:")) return ParseLostEvents();
  ParseAbsoluteTime();
  ParseCpu();
  if (absl::StrContains(rest_, " => ") && !absl::StrContains(rest_, '|')) return ParseSwitch();
  return ParseColumns();
}

// "CPU:3 [LOST 128 EVENTS]", "CPU:3 [LOST EVENTS]"
bool LineParser::ParseLostEvents() {
  absl::string_view content = absl::StripAsciiWhitespace(text_);
  const absl::string_view start = content;
  content.remove_prefix(4);
  const size_t digits = LeadingDigits(content);
  if (!absl::SimpleAtoi(content.substr(0, digits), &line_->cpu) ||
      !absl::StartsWith(content.substr(digits), " [LOST ")) {
    return Fail(start, absl::StrCat("expected 'CPU:N [LOST N EVENTS]', found ", Quoted(start)));
  }
  line_->kind = GraphLine::Kind::kLostEvents;
  return true;
}

// "   95.123456 |  ": seconds since boot.
void LineParser::ParseAbsoluteTime() {
  absl::string_view rest = absl::StripLeadingAsciiWhitespace(rest_);
  const size_t seconds_size = LeadingDigits(rest);
  const absl::string_view seconds_text = rest.substr(0, seconds_size);
  rest.remove_prefix(seconds_size);
  if (!absl::ConsumePrefix(&rest, ".") || LeadingDigits(rest) != 6) return;
  const absl::string_view micros_text = rest.substr(0, 6);
  rest = absl::StripLeadingAsciiWhitespace(rest.substr(6));
  if (!absl::ConsumePrefix(&rest, "|")) return;
  int64_t seconds = 0;
  int64_t micros = 0;
  if (seconds_size > 9 || !absl::SimpleAtoi(seconds_text, &seconds)) return;
  if (!absl::SimpleAtoi(micros_text, &micros)) return;
  line_->time_ns = (seconds * 1000000 + micros) * 1000;
  rest_ = rest;
}

// " 12) "; without this column (ftrace's nofuncgraph-cpu) everything is on CPU 0.
void LineParser::ParseCpu() {
  absl::string_view rest = absl::StripLeadingAsciiWhitespace(rest_);
  const size_t digits = LeadingDigits(rest);
  int cpu = 0;
  if (digits == 0 || digits > 4 || !absl::SimpleAtoi(rest.substr(0, digits), &cpu)) return;
  rest.remove_prefix(digits);
  if (!absl::ConsumePrefix(&rest, ")")) return;
  line_->cpu = cpu;
  rest_ = rest;
}

bool LineParser::ParseSwitch() {
  const size_t arrow = rest_.find(" => ");
  if (!ParseTask(rest_.substr(0, arrow), &line_->previous) ||
      !ParseTask(rest_.substr(arrow + 4), &line_->task)) {
    return Fail(absl::StripLeadingAsciiWhitespace(rest_),
                absl::StrCat("expected 'COMM-PID => COMM-PID', found ", Quoted(rest_)));
  }
  line_->kind = GraphLine::Kind::kSwitch;
  return true;
}

// [task column '|'] duration column '|' function
bool LineParser::ParseColumns() {
  for (;;) {
    const size_t bar = rest_.find('|');
    const absl::string_view field = absl::StripAsciiWhitespace(rest_.substr(0, bar));
    if (bar == absl::string_view::npos) {
      return Fail(
          absl::StripLeadingAsciiWhitespace(rest_),
          absl::StrCat("expected a duration column that ends with '|', found ", Quoted(rest_)));
    }
    const absl::string_view column = rest_.substr(0, bar);
    rest_.remove_prefix(bar + 1);
    if (!line_->has_task_column && ParseTask(field, &line_->task)) {
      line_->has_task_column = true;
      continue;
    }
    if (field == "==========>" || field == "<==========") {
      line_->kind =
          field.front() == '=' ? GraphLine::Kind::kInterruptBegin : GraphLine::Kind::kInterruptEnd;
      return true;
    }
    if (!ParseDuration(field)) {
      return Fail(field.empty() ? column : field,
                  absl::StrCat("expected a duration like '5.858 us' or a task like 'bash-742', "
                               "found ",
                               Quoted(field)));
    }
    return ParseFunction();
  }
}

bool LineParser::ParseDuration(absl::string_view field) {
  if (field.empty()) return true;
  if (absl::StrContains(kMarks, field.front())) {
    field = absl::StripLeadingAsciiWhitespace(field.substr(1));
  }
  return absl::ConsumeSuffix(&field, " us") && ParseMicroseconds(field, &line_->duration_ns);
}

bool LineParser::ParseFunction() {
  const size_t spaces = rest_.find_first_not_of(' ');
  const absl::string_view text = absl::StripAsciiWhitespace(rest_);
  if (text.empty()) return Fail(rest_, "expected a function after the duration column");
  if (absl::StartsWith(text, "/*")) return true;  // a remark stands anywhere
  if (spaces < 2 || spaces % 2 != 0) {
    return Fail(text,
                absl::StrCat("expected 2 spaces after '|' and 2 for each level, found ", spaces));
  }
  line_->depth = spaces / 2 - 1;
  line_->column = ColumnOf(text);
  if (line_->depth > kMaxDepth) {
    return Fail(text,
                absl::StrCat("expected at most ", kMaxDepth, " levels, found ", line_->depth));
  }
  return text.front() == '}' ? ParseExit(text) : ParseCall(text);
}

// "}", "} /* name */"; later kernels write "} /* name ret=0x0 */" and "} /* name [module] */".
bool LineParser::ParseExit(absl::string_view text) {
  line_->kind = GraphLine::Kind::kExit;
  absl::string_view comment = absl::StripAsciiWhitespace(text.substr(1));
  if (comment.empty()) return true;
  if (!absl::ConsumePrefix(&comment, "/* ") || !absl::ConsumeSuffix(&comment, " */")) {
    return Fail(text, absl::StrCat("expected '}' or '} /* NAME */', found ", Quoted(text)));
  }
  line_->name = comment.substr(0, comment.find(' '));
  return true;
}

// "name() {", "name();", "name [module]() {"; later kernels add arguments and results.
bool LineParser::ParseCall(absl::string_view text) {
  const size_t parenthesis = text.find('(');
  absl::string_view body = text;
  const size_t comment = body.find(" /*");
  if (comment != absl::string_view::npos) {
    body = absl::StripTrailingAsciiWhitespace(body.substr(0, comment));
  }
  const bool is_enter = absl::EndsWith(body, ") {");
  const bool is_leaf = absl::EndsWith(body, ");");
  if (parenthesis == absl::string_view::npos || parenthesis == 0 || is_enter == is_leaf) {
    return Fail(text, absl::StrCat("expected 'NAME() {', 'NAME();', '}' or '/* remark */', found ",
                                   Quoted(text)));
  }
  line_->kind = is_enter ? GraphLine::Kind::kEnter : GraphLine::Kind::kLeaf;
  const absl::string_view name = text.substr(0, parenthesis);
  line_->name = name.substr(0, name.find(' '));
  return true;
}

}  // namespace

bool ParseGraphLine(absl::string_view text, GraphLine* line, GraphLineError* error) {
  return LineParser(text, line, error).Parse();
}

}  // namespace kpath
