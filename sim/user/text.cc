// SPDX-License-Identifier: Apache-2.0
#include "sim/user/text.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/machine/check.h"

namespace kpath::user {
namespace {

constexpr uint64_t kCodeBytes = 16;

struct TextSegment {
  std::map<uint64_t, Code> code;  // by address
  std::set<uint64_t> restorers = {kRestorer};
};

KernelGlobal<TextSegment> text;

}  // namespace

uint64_t LoadCode(Machine& machine, Code code) {
  std::map<uint64_t, Code>& loaded = text.Get(machine).code;
  uint64_t address = kLoadedCode;
  for (auto it = loaded.begin(); it != loaded.end() && it->first == address; ++it) {
    address += kCodeBytes;
  }
  loaded.emplace(address, std::move(code));
  return address;
}

void LoadCodeAt(Machine& machine, uint64_t address, Code code) {
  text.Get(machine).code[address] = std::move(code);
}

void LoadRestorerAt(Machine& machine, uint64_t address) {
  text.Get(machine).restorers.insert(address);
}

bool IsRestorer(Machine& machine, uint64_t address) {
  return text.Get(machine).restorers.count(address) != 0;
}

Code CodeAt(Machine& machine, uint64_t address) {
  const std::map<uint64_t, Code>& loaded = text.Get(machine).code;
  const auto found = loaded.find(address);
  return found == loaded.end() ? Code() : found->second;
}

void UnloadCode(Machine& machine, uint64_t address) {
  KPATH_CHECK(text.Get(machine).code.erase(address) == 1,
              absl::StrCat("no code at 0x", absl::Hex(address)));
}

}  // namespace kpath::user
