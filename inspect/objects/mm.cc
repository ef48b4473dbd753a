// SPDX-License-Identifier: Apache-2.0
//
// mm/*.c: address spaces, areas, pages.
#include "absl/strings/str_cat.h"
#include "fs_aio/kioctx.h"
#include "inspect/objects/names.h"
#include "inspect/types_of.h"
#include "sim/mm/mm_types.h"
#include "sim/vfs/fs.h"

namespace kpath {
namespace {

std::string OperationsName(const void* object) {
  return static_cast<const vm_operations_struct*>(object)->name;
}

bool PagesMapped(const Look&, const Datum& object, Datum* value) {
  *value = MakeNumber(TypeOf<unsigned long>(),
                      static_cast<const mm_struct*>(object.host)->page_table.size());
  return true;
}

// Where the kernel sees it.
bool PageAddress(const Look&, const Datum& object, Datum* value) {
  const uint64_t pfn = static_cast<const page*>(object.host)->pfn;
  *value = MakeAddress(TargetTypeOf<void>(), kDirectMapBase + (pfn << kPageShift));
  return true;
}

}  // namespace

template <>
const Type& StructTypeOf<pgprot_t>() {
  using S = pgprot_t;
  static constexpr Field kFields[] = {
      KPATH_FIELD(accessible),
      KPATH_FIELD(writable),
  };
  static constexpr Type kType = StructType<S>("pgprot_t", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<vm_operations_struct>() {
  using S = vm_operations_struct;
  static constexpr Field kFields[] = {
      KPATH_FIELD(name),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct vm_operations_struct", kFields);
    type.identity = OperationsName;
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<vm_area_struct>() {
  using S = vm_area_struct;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(vm_start, HexType<unsigned long>),
      KPATH_FIELD_AS(vm_end, HexType<unsigned long>),
      KPATH_FIELD(vm_mm),
      KPATH_FIELD(vm_page_prot),
      KPATH_FIELD_AS(vm_flags, NamedType<unsigned long, kVmFlagNames>),
      KPATH_FIELD(vm_pgoff),
      KPATH_FIELD(vm_file),
      KPATH_FIELD(vm_ops),
  };
  static constexpr Type kType = StructType<S>("struct vm_area_struct", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<mm_struct>() {
  using S = mm_struct;
  static constexpr Field kFields[] = {
      KPATH_FIELD(mmap),
      KPATH_COMPUTED("nr_ptes", PagesMapped),
      KPATH_FIELD(mmap_sem),
      KPATH_FIELD(page_table_lock),
      KPATH_FIELD(mm_users),
      KPATH_FIELD(mm_count),
      KPATH_FIELD(map_count),
      KPATH_FIELD(total_vm),
      KPATH_FIELD(rss_stat),
      KPATH_FIELD_AS(def_flags, NamedType<unsigned long, kVmFlagNames>),
      KPATH_FIELD_AS(mmap_base, HexType<unsigned long>),
      KPATH_FIELD_AS(start_brk, HexType<unsigned long>),
      KPATH_FIELD_AS(brk, HexType<unsigned long>),
      KPATH_FIELD_AS(start_stack, HexType<unsigned long>),
      KPATH_FIELD(ioctx_lock),
      KPATH_FIELD(ioctx_table),
  };
  static constexpr Type kType = StructType<S>("struct mm_struct", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<page>() {
  using S = page;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(flags, NamedType<unsigned long, kPageFlagNames>),
      KPATH_FIELD(mapping),
      KPATH_FIELD(index),
      KPATH_FIELD(_refcount),
      KPATH_FIELD(_mapcount),
      KPATH_FIELD_AS(pfn, HexType<uint64_t>),
      KPATH_COMPUTED("virtual", PageAddress),
  };
  static constexpr Type kType = StructType<S>("struct page", kFields, true);
  return kType;
}

}  // namespace kpath
