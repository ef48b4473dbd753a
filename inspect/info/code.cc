// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/code.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "entry/c_symbols.h"
#include "entry/disassemble.h"
#include "entry/entry_64.h"
#include "entry/entry_64_compat.h"
#include "entry/idtentry_64.h"
#include "entry/interrupts_64.h"

namespace kpath {
namespace {

CodeListing MakeCodeListing(const CodeSymbol& symbol, absl::Span<const Instruction> lines) {
  CodeListing listing = {.symbol = &symbol, .lines = lines, .addresses = {symbol.address}};
  for (const Instruction& line : lines) {
    const uint64_t address = listing.addresses.back();
    listing.addresses.push_back(address + static_cast<uint64_t>(EncodedLength(line, address)));
  }
  return listing;
}

template <size_t N>
void Add(std::vector<CodeListing>& all, const Listing<N>& listing) {
  all.push_back(MakeCodeListing(*listing.symbol, listing.lines));
}

// The stubs are alike: what each has is made here as interrupts_64.cc makes it.
void AddStubs(std::vector<CodeListing>& all) {
  static const auto stub_lines = [] {
    std::array<Lines<2>, NR_EXTERNAL_STUBS> lines = {};
    for (int i = 0; i < NR_EXTERNAL_STUBS; ++i) {
      lines[i] = {assembly::pushq(assembly::Imm(~(FIRST_EXTERNAL_VECTOR + i) + 0x80)),
                  assembly::jmp(assembly::common_interrupt)};
    }
    return lines;
  }();
  for (int i = 0; i < NR_EXTERNAL_STUBS; ++i) {
    all.push_back(MakeCodeListing(InterruptStub(FIRST_EXTERNAL_VECTOR + i), stub_lines[i]));
  }
}

std::vector<CodeListing> MakeAllCode() {
  using namespace assembly;  // NOLINT: the names of listings
  std::vector<CodeListing> all;
  const auto add = [&](const auto&... listings) { (Add(all, listings), ...); };
  add(entry_SYSCALL_64_listing, swapgs_restore_regs_and_return_to_usermode_listing,
      native_iret_listing);
  add(entry_SYSENTER_compat_listing, sysenter_flags_fixed_listing, sysenter_fix_flags_listing,
      entry_SYSCALL_compat_listing, sysret32_from_system_call_listing, entry_INT80_compat_listing,
      syscall_32_done_listing);
  add(interrupt_entry_listing, interrupt_entry_save_listing, interrupt_entry_stack_listing,
      irq_stack_push_old_rsp_listing, common_interrupt_listing, ret_from_intr_listing,
      retint_user_listing, retint_kernel_listing);
  add(error_entry_listing, error_entry_from_usermode_after_swapgs_listing, error_entry_done_listing,
      error_kernelspace_listing, bstep_iret_listing, error_bad_iret_listing, error_exit_listing,
      paranoid_entry_listing, paranoid_entry_done_listing, paranoid_exit_listing,
      paranoid_exit_no_swapgs_listing);
#define KPATH_ADD(symbol, vector, function) add(symbol##_listing);
  KPATH_APIC_INTERRUPTS(KPATH_ADD)
#undef KPATH_ADD
// Only those that check where they come from go on at symbol_from_user.
#define KPATH_ADD(symbol, function, macro)                                     \
  add(symbol##_listing);                                                       \
  if (std::count(symbol##_listing.lines.begin(), symbol##_listing.lines.end(), \
                 jne(symbol##_from_user)) != 0) {                              \
    add(symbol##_from_user_listing);                                           \
  }
  KPATH_IDTENTRIES(KPATH_ADD)
#undef KPATH_ADD
  AddStubs(all);
  std::sort(all.begin(), all.end(), [](const CodeListing& a, const CodeListing& b) {
    return a.symbol->address < b.symbol->address;
  });
  return all;
}

constexpr CodeSymbol kCFunctions[] = {
#define KPATH_SYMBOL(symbol, symbol_address) assembly::symbol,
    KPATH_ALL_C_FUNCTIONS(KPATH_SYMBOL)
#undef KPATH_SYMBOL
};

// Stubs have the name of the first of them, and count from there.
std::string NameOf(const CodeSymbol& symbol, uint64_t offset) {
  const bool counted =
      symbol.recorded_symbol != nullptr && absl::string_view(symbol.recorded_symbol) == symbol.name;
  return Locate(symbol, static_cast<uint32_t>(offset + (counted ? symbol.recorded_offset : 0)));
}

// The listing that `address` is in; null: none.
const CodeListing* ListingWith(uint64_t address) {
  const auto& all = AllCode();
  auto after = std::upper_bound(
      all.begin(), all.end(), address,
      [](uint64_t a, const CodeListing& listing) { return a < listing.symbol->address; });
  if (after == all.begin()) return nullptr;
  --after;
  return address < after->addresses.back() ? &*after : nullptr;
}

}  // namespace

std::string CodeLine::Where() const {
  return NameOf(*listing->symbol, address() - listing->symbol->address);
}

const std::vector<CodeListing>& AllCode() {
  static const auto& all = *new std::vector<CodeListing>(MakeAllCode());
  return all;
}

absl::optional<CodeLine> CodeAt(uint64_t address) {
  const CodeListing* listing = ListingWith(address);
  if (listing == nullptr) return absl::nullopt;
  const auto& addresses = listing->addresses;
  const auto found = std::find(addresses.begin(), addresses.end() - 1, address);
  if (found == addresses.end() - 1) return absl::nullopt;
  return CodeLine{listing, static_cast<size_t>(found - addresses.begin())};
}

absl::optional<uint64_t> FindSymbol(absl::string_view name) {
  for (const CodeListing& listing : AllCode()) {
    if (name == listing.symbol->name) return listing.symbol->address;
  }
  for (const CodeSymbol& symbol : kCFunctions) {
    if (name == symbol.name) return symbol.address;
  }
  return absl::nullopt;
}

std::string NameCode(uint64_t address) {
  if (const CodeListing* listing = ListingWith(address); listing != nullptr) {
    return NameOf(*listing->symbol, address - listing->symbol->address);
  }
  for (const CodeSymbol& symbol : kCFunctions) {
    if (symbol.address == address) return symbol.name;
  }
  return "";
}

}  // namespace kpath
