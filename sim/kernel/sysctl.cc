// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/sysctl.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sim/kernel/fail.h"

namespace kpath {
namespace {

// v4.19 kernel/sysctl.c: TMPBUFLEN. As many characters as a number may have, and one.
constexpr size_t TMPBUFLEN = 22;
constexpr size_t kPageBytes = 4096;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// What the digit is worth; 16 or more: it is none.
unsigned DigitValue(char c) {
  if (IsDigit(c)) return static_cast<unsigned>(c - '0');
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? static_cast<unsigned>(lower - 'a') + 10 : 16;
}

// v4.19 lib/vsprintf.c: simple_strtoul, base 0. Takes the digits off the front of `*text`; wraps.
unsigned long simple_strtoul(absl::string_view* text) {
  unsigned base = 10;
  if (text->size() >= 1 && (*text)[0] == '0') {
    base = 8;
    if (text->size() >= 3 && ((*text)[1] | 0x20) == 'x' && DigitValue((*text)[2]) < 16) {
      base = 16;
      text->remove_prefix(2);
    }
  }
  unsigned long value = 0;
  while (!text->empty() && DigitValue(text->front()) < base) {
    value = value * base + DigitValue(text->front());
    text->remove_prefix(1);
  }
  return value;
}

// v4.19 kernel/sysctl.c: proc_skip_spaces
void proc_skip_spaces(absl::string_view* text) {
  while (!text->empty() && absl::string_view(" \t\n\v\f\r").find(text->front()) != text->npos) {
    text->remove_prefix(1);
  }
}

// v4.19 kernel/sysctl.c: proc_get_long. Takes a number off the front of `*text`. 0 or -EINVAL.
int proc_get_long(absl::string_view* text, unsigned long* val, bool* neg) {
  FUNCTION();
  if (text->empty()) return fn.Return<int>(Fail(EINVAL, "there is no number"));
  absl::string_view rest = text->substr(0, TMPBUFLEN - 1);
  *neg = rest.front() == '-' && text->size() > 1;
  if (*neg) rest.remove_prefix(1);
  if (rest.empty() || !IsDigit(rest.front())) {
    return fn.Return<int>(Fail(EINVAL, "that is no number"));
  }
  *val = simple_strtoul(&rest);
  const size_t length = std::min(text->size(), TMPBUFLEN - 1) - rest.size();
  if (length == TMPBUFLEN - 1) {
    return fn.Return<int>(Fail(EINVAL, "the number has more than $0 characters", TMPBUFLEN - 2));
  }
  if (length < text->size() && absl::string_view(" \t\n").find((*text)[length]) == text->npos) {
    return fn.Return<int>(Fail(EINVAL, "something else stands right behind the number"));
  }
  text->remove_prefix(length);
  return fn.Return(0);
}

}  // namespace

// v4.19 kernel/sysctl.c: proc_doulongvec_minmax
long proc_doulongvec_minmax_read(const unsigned long* data, std::string* text, long pos) {
  FUNCTION(*data, pos);
  text->clear();
  if (pos != 0) return fn.Return(0l);
  *text = absl::StrCat(*data, "\n");
  return fn.Return(static_cast<long>(text->size()));
}

// v4.19 kernel/sysctl.c: proc_doulongvec_minmax
long proc_doulongvec_minmax_write(unsigned long* data, const std::string& text, long pos) {
  FUNCTION(*data, pos);
  if (pos != 0 || text.empty()) return fn.Return(static_cast<long>(text.size()));
  absl::string_view left = absl::string_view(text).substr(0, kPageBytes - 1);
  proc_skip_spaces(&left);
  unsigned long value = 0;
  bool negative = false;
  if (const int error = proc_get_long(&left, &value, &negative); error != 0) {
    return fn.Return<long>(error);
  }
  if (!negative) *data = value;
  STEP("number taken", value, negative);
  proc_skip_spaces(&left);
  const size_t given = std::min(text.size(), kPageBytes - 1);
  return fn.Return(static_cast<long>(given - left.size()));
}

}  // namespace kpath
