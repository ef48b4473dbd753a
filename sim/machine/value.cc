// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/value.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace kpath {
namespace {

struct ErrnoEntry {
  int number;
  const char* name;
};

// include/uapi/asm-generic/errno-base.h, errno.h and include/linux/errno.h.
constexpr ErrnoEntry kErrnoNames[] = {
    {1, "EPERM"},
    {2, "ENOENT"},
    {3, "ESRCH"},
    {4, "EINTR"},
    {5, "EIO"},
    {6, "ENXIO"},
    {7, "E2BIG"},
    {8, "ENOEXEC"},
    {9, "EBADF"},
    {10, "ECHILD"},
    {11, "EAGAIN"},
    {12, "ENOMEM"},
    {13, "EACCES"},
    {14, "EFAULT"},
    {15, "ENOTBLK"},
    {16, "EBUSY"},
    {17, "EEXIST"},
    {18, "EXDEV"},
    {19, "ENODEV"},
    {20, "ENOTDIR"},
    {21, "EISDIR"},
    {22, "EINVAL"},
    {23, "ENFILE"},
    {24, "EMFILE"},
    {25, "ENOTTY"},
    {26, "ETXTBSY"},
    {27, "EFBIG"},
    {28, "ENOSPC"},
    {29, "ESPIPE"},
    {30, "EROFS"},
    {31, "EMLINK"},
    {32, "EPIPE"},
    {33, "EDOM"},
    {34, "ERANGE"},
    {35, "EDEADLK"},
    {36, "ENAMETOOLONG"},
    {37, "ENOLCK"},
    {38, "ENOSYS"},
    {39, "ENOTEMPTY"},
    {40, "ELOOP"},
    {61, "ENODATA"},
    {62, "ETIME"},
    {71, "EPROTO"},
    {75, "EOVERFLOW"},
    {84, "EILSEQ"},
    {88, "ENOTSOCK"},
    {95, "EOPNOTSUPP"},
    {97, "EAFNOSUPPORT"},
    {98, "EADDRINUSE"},
    {104, "ECONNRESET"},
    {105, "ENOBUFS"},
    {107, "ENOTCONN"},
    {110, "ETIMEDOUT"},
    {111, "ECONNREFUSED"},
    {114, "EALREADY"},
    {115, "EINPROGRESS"},
    {121, "EREMOTEIO"},
    {125, "ECANCELED"},
    {512, "ERESTARTSYS"},
    {513, "ERESTARTNOINTR"},
    {514, "ERESTARTNOHAND"},
    {515, "ENOIOCTLCMD"},
    {516, "ERESTART_RESTARTBLOCK"},
    {529, "EIOCBQUEUED"},
};

}  // namespace

absl::string_view ErrnoName(int number) {
  const ErrnoEntry* entry =
      std::lower_bound(std::begin(kErrnoNames), std::end(kErrnoNames), number,
                       [](const ErrnoEntry& e, int wanted) { return e.number < wanted; });
  if (entry == std::end(kErrnoNames) || entry->number != number) return "";
  return entry->name;
}

std::string Value::ToString() const {
  switch (kind) {
    case Kind::kNone:
      return "";
    case Kind::kSigned:
      return absl::StrCat(static_cast<int64_t>(bits));
    case Kind::kUnsigned:
      return absl::StrCat(bits);
    case Kind::kBool:
      return bits != 0 ? "true" : "false";
    case Kind::kAddress:
      return bits == 0 ? "NULL" : absl::StrCat("0x", absl::Hex(bits));
    case Kind::kResult: {
      const int64_t result = static_cast<int64_t>(bits);
      if (result < 0 && result >= -4095) {
        const absl::string_view name = ErrnoName(static_cast<int>(-result));
        if (!name.empty()) return absl::StrCat("-", name);
      }
      return absl::StrCat(result);
    }
    case Kind::kText:
      return reinterpret_cast<const char*>(bits);
  }
  return "";
}

}  // namespace kpath
