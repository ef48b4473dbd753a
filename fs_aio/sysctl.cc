// SPDX-License-Identifier: Apache-2.0
#include "fs_aio/sysctl.h"

#include "fs_aio/kioctx.h"
#include "sim/kernel/fail.h"
#include "sim/kernel/sysctl.h"

namespace kpath {

long ReadAioSysctl(absl::string_view name, std::string* text) {
  if (name == "fs.aio-nr") return proc_doulongvec_minmax_read(&aio->aio_nr, text, 0);
  if (name == "fs.aio-max-nr") return proc_doulongvec_minmax_read(&aio->aio_max_nr, text, 0);
  return Fail(ENOENT, "native AIO has no such sysctl");
}

long WriteAioSysctl(absl::string_view name, const std::string& text) {
  if (name == "fs.aio-max-nr") return proc_doulongvec_minmax_write(&aio->aio_max_nr, text, 0);
  if (name == "fs.aio-nr") return Fail(EACCES, "fs.aio-nr has the mode 0444");
  return Fail(ENOENT, "native AIO has no such sysctl");
}

}  // namespace kpath
