// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/syntax/leader.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace kpath::strace {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1000000000;
constexpr size_t kAddressDigits = 16;      // -i
constexpr size_t kEpochSecondsDigits = 9;  // as many digits mean -ttt, fewer mean -r

size_t CountDigits(absl::string_view text) {
  size_t count = 0;
  while (count < text.size() && absl::ascii_isdigit(text[count])) ++count;
  return count;
}

bool IsAddress(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isxdigit(c) || c == '?'; });
}

// Reads the two digits in front of `text`; false if they are something else or above `most`.
bool ParseTwoDigits(absl::string_view text, int64_t most, int64_t* number) {
  return CountDigits(text.substr(0, 2)) == 2 && absl::SimpleAtoi(text.substr(0, 2), number) &&
         *number <= most;
}

// Walks over one line's leader. Each Parse function returns false after an error.
class LeaderParser {
 public:
  LeaderParser(absl::string_view line, uint32_t number, Leader* leader, FirstError* error)
      : line_(line), rest_(line), number_(number), leader_(*leader), error_(*error) {}

  bool Parse(size_t* size) {
    SkipBlanks();
    if (!ParsePid() || !ParseTime() || !ParseSince() || !ParseBrackets()) return false;
    *size = line_.size() - rest_.size();
    return true;
  }

 private:
  bool ParsePid() {
    if (absl::ConsumePrefix(&rest_, "[pid")) {
      SkipBlanks();
      leader_.pid_style = PidStyle::kBracket;
      if (!ParsePidNumber() || !ParseCommand()) return false;
      if (!absl::ConsumePrefix(&rest_, "]")) return Fail("bad process column, expected ']'");
      return ExpectBlank();
    }
    const size_t digits = CountDigits(rest_);
    const bool alone = digits == rest_.size() || rest_[digits] == ' ' || rest_[digits] == '\t' ||
                       rest_[digits] == '<';
    if (digits == 0 || !alone) return true;
    leader_.pid_style = PidStyle::kColumn;
    return ParsePidNumber() && ParseCommand() && ExpectBlank();
  }

  bool ParsePidNumber() {
    const size_t digits = CountDigits(rest_);
    if (digits == 0 || !absl::SimpleAtoi(rest_.substr(0, digits), &leader_.pid) ||
        leader_.pid == 0 || leader_.pid > INT32_MAX) {
      return Fail("bad process id, expected a number from 1 to 2147483647");
    }
    rest_.remove_prefix(digits);
    return true;
  }

  // 1630<sh>
  bool ParseCommand() {
    if (rest_.empty() || rest_[0] != '<') return true;
    // The command itself may contain anything but, as strace escapes it, a bare '>'.
    const size_t end = rest_.find('>');
    if (end == absl::string_view::npos) return Fail("bad process column, expected '>'");
    leader_.command = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool ParseTime() {
    const size_t digits = CountDigits(rest_);
    if (digits == 0) return true;
    const absl::string_view time = rest_.substr(0, rest_.find_first_of(" \t"));
    const bool of_day = rest_.size() > digits && rest_[digits] == ':';
    const bool good = of_day ? ParseTimeOfDay(time) : ParseSeconds(time, &leader_.time_ns);
    if (!good) return Fail("bad time, expected 10:20:30, 10:20:30.123456 or 12.345678");
    leader_.time_style = of_day                          ? TimeStyle::kTimeOfDay
                         : digits >= kEpochSecondsDigits ? TimeStyle::kSinceEpoch
                                                         : TimeStyle::kSinceLastLine;
    leader_.time = time;
    rest_.remove_prefix(time.size());
    return ExpectBlank();
  }

  // 10:20:30 or 10:20:30.123456
  bool ParseTimeOfDay(absl::string_view time) {
    int64_t hours = 0;
    int64_t minutes = 0;
    if (time.size() < 8 || time[2] != ':' || time[5] != ':') return false;
    if (!ParseTwoDigits(time, 23, &hours) || !ParseTwoDigits(time.substr(3), 59, &minutes)) {
      return false;
    }
    // 60 is a leap second.
    int64_t seconds = 0;
    if (!ParseTwoDigits(time.substr(6), 60, &seconds)) return false;
    if (!ParseSeconds(time.substr(6), &leader_.time_ns)) return false;
    leader_.time_ns += (hours * 60 + minutes) * 60 * kNanosecondsPerSecond;
    return true;
  }

  // (+     0.000012)
  bool ParseSince() {
    if (!absl::ConsumePrefix(&rest_, "(+")) return true;
    SkipBlanks();
    const size_t end = rest_.find(')');
    int64_t nanoseconds = 0;
    if (end == absl::string_view::npos || !ParseSeconds(rest_.substr(0, end), &nanoseconds)) {
      return Fail("bad relative time, expected (+ 0.123456)");
    }
    leader_.since = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return ExpectBlank();
  }

  // [  59] [00007f115baa2ad7]
  bool ParseBrackets() {
    while (!rest_.empty() && rest_[0] == '[') {
      const size_t end = rest_.find(']');
      if (end == absl::string_view::npos) return Fail("bad column, expected ']'");
      const absl::string_view inside = absl::StripLeadingAsciiWhitespace(rest_.substr(1, end - 1));
      const bool address = inside.size() == kAddressDigits && IsAddress(inside);
      if (!address && (inside.empty() || CountDigits(inside) != inside.size())) {
        return Fail("bad column, expected a number [  59] or an address [00007f115baa2ad7]");
      }
      (address ? leader_.address : leader_.number) = inside;
      rest_.remove_prefix(end + 1);
      if (!ExpectBlank()) return false;
    }
    return true;
  }

  void SkipBlanks() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
  }

  bool ExpectBlank() {
    if (!rest_.empty() && rest_[0] != ' ' && rest_[0] != '\t') {
      return Fail("unexpected character, expected a blank behind the column");
    }
    SkipBlanks();
    return true;
  }

  bool Fail(std::string message) {
    const uint32_t column = line_.size() - rest_.size() + 1;
    return error_.Fail({number_, column}, std::move(message));
  }

  const absl::string_view line_;
  absl::string_view rest_;
  const uint32_t number_;
  Leader& leader_;
  FirstError& error_;
};

}  // namespace

bool ParseLeader(absl::string_view line, uint32_t number, Leader* leader, size_t* size,
                 FirstError* error) {
  return LeaderParser(line, number, leader, error).Parse(size);
}

bool ParseSeconds(absl::string_view text, int64_t* nanoseconds) {
  constexpr int64_t kMostSeconds = INT64_MAX / kNanosecondsPerSecond - 1;
  const size_t digits = CountDigits(text);
  int64_t seconds = 0;
  if (digits == 0 || !absl::SimpleAtoi(text.substr(0, digits), &seconds)) return false;
  if (seconds > kMostSeconds) return false;
  *nanoseconds = seconds * kNanosecondsPerSecond;
  if (digits == text.size()) return true;
  const absl::string_view decimals = text.substr(digits + 1);
  if (text[digits] != '.' || decimals.empty() || decimals.size() > 9) return false;
  if (CountDigits(decimals) != decimals.size()) return false;
  int64_t unit = kNanosecondsPerSecond;
  for (const char digit : decimals) {
    unit /= 10;
    *nanoseconds += (digit - '0') * unit;
  }
  return true;
}

}  // namespace kpath::strace
