// SPDX-License-Identifier: Apache-2.0
//
// Below /proc/sys: fs/aio-nr and aio-max-nr, read through the model; vm/compact_memory, which moves
// pages when it is written to.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "entry/kernel_mode.h"
#include "fs_aio/kioctx.h"
#include "fs_aio/sysctl.h"
#include "tools/transcript/replay/world.h"

namespace kpath {
namespace {

constexpr absl::string_view kCompactMemory = "vm.compact_memory";

}  // namespace

// True if the call is a write that makes the kernel move pages.
bool World::CompactsMemory(const strace::Call& call) const {
  if (call.name != "write" || !Succeeded(call)) return false;
  const auto found = sysctls_.find(static_cast<int>(NumberOf(PrintedArgument(call, 0), -1)));
  return found != sysctls_.end() && found->second.name == kCompactMemory;
}

// An open of one of them has returned `fd`.
void World::AdoptSysctl(const strace::Call& call, int fd) {
  sysctls_.erase(fd);
  const size_t index = call.name == "openat" ? 1 : 0;
  const bool opens = call.name == "openat" || call.name == "open";
  if (!opens || call.args.size() <= index) return;
  const std::string path = strace::Bytes(call.args[index]);
  absl::string_view name = path;
  if (name == "/proc/sys/vm/compact_memory") sysctls_[fd] = {std::string(kCompactMemory), 0};
  if (!absl::ConsumePrefix(&name, "/proc/sys/fs/aio-")) return;
  if (name == "nr" || name == "max-nr") sysctls_[fd] = {absl::StrCat("fs.aio-", name), 0};
}

// Answers a read with what the model's file holds. False: `call` reads another file.
bool World::PrepareSysctl(const strace::Call& call) {
  const auto fd = static_cast<int>(NumberOf(PrintedArgument(call, 0), -1));
  const auto found = sysctls_.find(fd);
  if (found == sysctls_.end() || found->second.name == kCompactMemory) return false;
  if (FileBehind(fd).kind != FileKind::kOutside) {
    sysctls_.erase(found);  // closed, and another file since
    return false;
  }
  Sysctl& sysctl = found->second;
  const strace::Value* shown = PrintedArgument(call, 1);
  const bool first_look = sysctls_seen_.insert(sysctl.name).second && !sysctls_given_;
  unsigned long recorded = 0;
  const bool number =
      shown != nullptr &&
      absl::SimpleAtoi(absl::StripAsciiWhitespace(strace::Bytes(*shown)), &recorded);
  std::string text;
  InKernelMode([&] {
    if (first_look && number && sysctl.name == "fs.aio-max-nr") aio->aio_max_nr = recorded;
    // Contexts of programs that were not recorded.
    if (first_look && number && sysctl.name == "fs.aio-nr") {
      aio->aio_nr = std::max(aio->aio_nr, recorded);
    }
    ReadAioSysctl(sysctl.name, &text);
  });
  const auto count = static_cast<size_t>(NumberOf(PrintedArgument(call, 2)));
  const std::string rest = text.substr(std::min(sysctl.offset, text.size()), count);
  sysctl.offset += rest.size();
  source_->SetNext(static_cast<int64_t>(rest.size()), rest);
  return true;
}

}  // namespace kpath
