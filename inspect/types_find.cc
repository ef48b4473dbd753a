// SPDX-License-Identifier: Apache-2.0
#include "inspect/types_find.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "inspect/types_of.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/slab_caches.h"
#include "sim/mm/mm_types.h"

namespace kpath {
namespace {

// v4.19 include/asm-generic/memory_model.h: where the array of struct page is mapped; 64 bytes
// each.
constexpr uint64_t kVmemmapBase = 0xffffea0000000000;
constexpr uint64_t kVmemmapEnd = 0xffffeb0000000000;
// Slab objects have addresses above those of the direct map's pages.
constexpr uint64_t kSlabAddressBase = 0xffff888100000000;
constexpr uint64_t kSlabAddressEnd = 0xffffc88000000000;

const Type* TypeOfCache(const kmem_cache_base& cache) {
  for (const auto& get : AllStructs()) {
    const Type& type = get();
    if (type.slab_name == nullptr || type.host_size != cache.object_size()) continue;
    if (absl::string_view(type.slab_name) == cache.name()) return &type;
  }
  return nullptr;
}

bool MayBeSlab(uint64_t address) {
  return (address >= kSlabAddressBase && address < kSlabAddressEnd) ||
         (address >= kVmemmapBase && address < kVmemmapEnd);
}

// The live object that `address` is in, and its cache.
const SlabHeader* FindHeader(const Look& look, uint64_t address) {
  if (!MayBeSlab(address)) return nullptr;
  for (const kmem_cache_base* cache : AllCaches(look.machine)) {
    for (const SlabHeader* header : cache->LiveObjects()) {
      if (address >= header->address && address - header->address < cache->object_size()) {
        return header;
      }
    }
  }
  return nullptr;
}

// Whether what is stored as `part` can be read as `wanted`.
bool IsSame(const Type& part, const Type& wanted) {
  if (&part == &wanted) return true;
  return part.kind == Type::Kind::kInteger && wanted.kind == Type::Kind::kInteger &&
         part.bytes == wanted.bytes;
}

const void* ObjectIn(const SlabHeader* header) {
  return reinterpret_cast<const uint8_t*>(header) + kSlabHeaderBytes;
}

const uint8_t* UserBytes(const Look& look, uint64_t address) {
  if (look.task == nullptr || !look.task->mm.alive()) return nullptr;
  const PageTableEntry* entry = look.task->mm.get()->page_table.hardware()->Find(address);
  if (entry == nullptr) return nullptr;
  return look.machine.memory.PageBytes(entry->pfn) + (address & ~kPageMask);
}

// The bytes at an address, up to the end of their page; null: nothing is there.
const uint8_t* BytesAt(const Look& look, uint64_t address) {
  return address < kUserAddressEnd ? UserBytes(look, address)
                                   : look.machine.memory.KernelBytes(address);
}

}  // namespace

Datum PointerToObject(const Look& look, uint64_t address) {
  Datum pointer;
  const SlabHeader* header = FindHeader(look, address);
  if (header == nullptr) return pointer;
  // An object that is being made is known by its bytes alone, as one of a type without a table is;
  // of that, FindInside may know better.
  const Type* type = IsBeingMade(*header) ? nullptr : TypeOfCache(*header->cache);
  static constexpr Type kVoid;
  return MakePointer(type != nullptr && address == header->address ? *type : kVoid,
                     ObjectIn(header), header->address);
}

const void* FindInside(const Look& look, const Datum& object, uint64_t address,
                       const Type& wanted) {
  const uint64_t offset = address - object.bits;
  const void* at = static_cast<const uint8_t*>(object.host) + offset;
  const SlabHeader* header = HeaderOf(object.host);
  if (IsBeingMade(*header)) return nullptr;
  // One that knows its header itself, wherever it lies in the object: a bio.
  if (wanted.alive != nullptr && wanted.header != nullptr) {
    if (offset + wanted.host_size > header->cache->object_size()) return nullptr;
    return wanted.alive(at) && wanted.header(at) == header ? at : nullptr;
  }
  // One that is the first member of what the cache has.
  if (offset == 0 && wanted.slab_name != nullptr &&
      absl::string_view(wanted.slab_name) == header->cache->name()) {
    return at;
  }
  const Type* type = TypeOfCache(*header->cache);
  if (type == nullptr) return nullptr;
  const void* base = object.host;
  for (int depth = 0; depth < 8; ++depth) {
    const Type* next = nullptr;
    const void* next_base = nullptr;
    for (const Field& field : type->fields) {
      if (field.at == nullptr) continue;
      const Type& part = field.type();
      const void* slot = field.at(base);
      if (at == slot && IsSame(part, wanted)) return at;
      const auto* end = static_cast<const uint8_t*>(slot) + part.host_size;
      if (part.kind != Type::Kind::kStruct || at < slot || at >= end) continue;
      next = &part;
      next_base = slot;
    }
    if (next == nullptr) return nullptr;
    type = next;
    base = next_base;
  }
  static_cast<void>(look);
  return nullptr;
}

uint64_t SlabAddressOf(const Look& look, const void* host) {
  const auto* byte = static_cast<const uint8_t*>(host);
  for (const kmem_cache_base* cache : AllCaches(look.machine)) {
    for (const SlabHeader* header : cache->LiveObjects()) {
      const auto* begin = static_cast<const uint8_t*>(ObjectIn(header));
      if (byte >= begin && byte < begin + cache->object_size()) {
        return header->address + static_cast<uint64_t>(byte - begin);
      }
    }
  }
  return 0;
}

bool ReadMemory(const Look& look, uint64_t address, size_t size, void* bytes) {
  auto* to = static_cast<uint8_t*>(bytes);
  while (size > 0) {
    const uint8_t* from = BytesAt(look, address);
    if (from == nullptr) return false;
    const size_t part = std::min<size_t>(size, kPageSize - (address & ~kPageMask));
    std::memcpy(to, from, part);
    to += part;
    address += part;
    size -= part;
  }
  return true;
}

std::string CannotAccess(uint64_t address) {
  return absl::StrCat("cannot access memory at address 0x", absl::Hex(address));
}

bool ReadObject(const Look& look, const Datum& pointer, Datum* value, std::string* why) {
  const Type& type = *pointer.type;
  const uint64_t address = pointer.bits;
  const size_t size = pointer.indirection > 1 ? sizeof(uint64_t) : type.bytes;
  if (const SlabHeader* header = FindHeader(look, address); header != nullptr) {
    *why = absl::StrCat("at 0x", absl::Hex(address), " is no ", type.name, " but an object of the ",
                        header->cache->name(), " slab");
    const Type* known = TypeOfCache(*header->cache);
    if (known != nullptr) {
      absl::StrAppend(why, ": (", known->name, "*)0x", absl::Hex(header->address));
    }
    return false;
  }
  if (size == 0) {
    *why = absl::StrCat("there is no ", type.name, " at 0x", absl::Hex(address));
    return false;
  }
  auto copy = std::make_shared<std::string>(size, '\0');
  if (!ReadMemory(look, address, size, copy->data())) {
    *why = CannotAccess(address);
    return false;
  }
  if (pointer.indirection > 1) {
    uint64_t bits;
    std::memcpy(&bits, copy->data(), sizeof bits);
    *value = MakeAddress(type, bits, static_cast<uint8_t>(pointer.indirection - 1));
    value->address = address;
    return true;
  }
  Load(type, copy->data(), address, value);
  if (value->host != nullptr) value->copy = std::move(copy);
  return true;
}

}  // namespace kpath
