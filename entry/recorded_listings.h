// SPDX-License-Identifier: Apache-2.0
//
// For tests: which listings each recording passes through.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "entry/entry_64.h"
#include "entry/entry_64_compat.h"
#include "entry/idtentry_64.h"
#include "entry/interrupts_64.h"
#include "entry/recorded_run.h"

namespace kpath {

struct RecordedListing {
  std::string recording;    // the name of its .steps file
  const CodeSymbol* start;  // what stands at its first step
  ListingView listing;
};

inline std::ostream& operator<<(std::ostream& out, const RecordedListing& recorded) {
  return out << recorded.recording << " at " << recorded.listing.symbol->name;
}

inline std::vector<RecordedListing> AllRecordedListings() {
  using namespace assembly;  // NOLINT: the names of listings
  std::vector<RecordedListing> all;
  const auto add = [&](const char* recording, const CodeSymbol& start, const auto&... listings) {
    (all.push_back({recording, &start, ListingView(listings)}), ...);
  };
  add("entry_SYSCALL_64", entry_SYSCALL_64, entry_SYSCALL_64_listing);
  add("common_interrupt", common_interrupt, common_interrupt_listing, interrupt_entry_listing,
      interrupt_entry_save_listing, interrupt_entry_stack_listing, irq_stack_push_old_rsp_listing,
      ret_from_intr_listing, retint_user_listing,
      swapgs_restore_regs_and_return_to_usermode_listing, native_iret_listing);
  add("divide_error", divide_error, divide_error_listing, error_entry_listing,
      error_entry_from_usermode_after_swapgs_listing, error_exit_listing, retint_user_listing,
      swapgs_restore_regs_and_return_to_usermode_listing, native_iret_listing);
  add("entry_INT80_compat", entry_INT80_compat, entry_INT80_compat_listing, syscall_32_done_listing,
      swapgs_restore_regs_and_return_to_usermode_listing, native_iret_listing);
  add("entry_SYSENTER_compat", entry_SYSENTER_compat, entry_SYSENTER_compat_listing,
      sysenter_flags_fixed_listing, sysret32_from_system_call_listing);
  add("entry_SYSCALL_compat", entry_SYSCALL_compat, entry_SYSCALL_compat_listing,
      sysret32_from_system_call_listing);
  return all;
}

}  // namespace kpath
