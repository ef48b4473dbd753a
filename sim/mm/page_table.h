// SPDX-License-Identifier: Apache-2.0
//
// The page table of one process: the kernel's entries, in order of their addresses, and what the
// hardware sees of them (AddressSpace).
//
// An entry that user mode may not use at all (PROT_NONE) is kept here and is absent for the
// hardware. Departs: x86 keeps both in one word; the levels of the table are flattened.
//
// Context: entries change with the mm's page_table_lock held.
//
// Invariants
//   1. The hardware sees an entry exactly when it is here and accessible, with the same page frame
//   and
//      the same write permission.
//   2. Each entry holds one reference on its page.
#pragma once

#include <map>

#include "sim/machine/memory.h"
#include "sim/mm/page.h"

namespace kpath {

// How pages of an area may be used: the bits of a page table entry that come from the area.
struct pgprot_t {
  bool accessible = false;  // false: PAGE_NONE
  bool writable = false;

  friend bool operator==(const pgprot_t&, const pgprot_t&) = default;
};

struct pte_t {
  kptr<struct page> page;
  pgprot_t prot;
  bool dirty = false;  // written since it was set
};

class PageTable {
 public:
  // The entry of the page that `address` is in; nullptr: none. `dirty` is up to date.
  const pte_t* Find(unsigned long address);
  // Sets the entry of a page: there was none, or it is replaced. Counts no references.
  void Set(unsigned long address, const pte_t& entry);
  // Takes the entry away and returns it. REQUIRES: there is one.
  pte_t Clear(unsigned long address);

  // The address of the first page at or above `address` that has an entry; kNone: there is none.
  static constexpr unsigned long kNone = ~0ul;
  unsigned long NextMapped(unsigned long address) const;

  size_t size() const { return entries_.size(); }
  AddressSpace* hardware() { return &hardware_; }

 private:
  std::map<unsigned long, pte_t> entries_;  // by page-aligned address
  AddressSpace hardware_;
};

}  // namespace kpath
