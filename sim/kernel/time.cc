// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/time.h"

#include "sim/kernel/fail.h"
#include "sim/kernel/uaccess.h"

namespace kpath {

int get_timespec64(timespec64* ts, user_ptr<const timespec64> uts) {
  FUNCTION(uts);
  if (copy_from_user(ts, uts, sizeof(*ts)) != 0) return fn.Return<int>(Error(EFAULT));
  return fn.Return(0);
}

int put_timespec64(const timespec64& ts, user_ptr<timespec64> uts) {
  FUNCTION(uts);
  if (copy_to_user(uts, &ts, sizeof(ts)) != 0) return fn.Return<int>(Error(EFAULT));
  return fn.Return(0);
}

}  // namespace kpath
