// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/slab.h"

#include <algorithm>
#include <cstring>

#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "sim/kernel/report.h"
#include "sim/kernel/sched.h"

namespace kpath {
namespace {

// Objects live outside of the simulated pages; their addresses are above those of the direct map.
constexpr uint64_t kSlabAddressBase = 0xffff888100000000;
constexpr uint8_t kPoisonFree = 0x6b;  // include/linux/poison.h: POISON_FREE

struct slab_globals {
  std::vector<kmem_cache_base*> caches;
  uint64_t next_address = kSlabAddressBase;
};

KernelGlobal<slab_globals> slab;

const char* Here() { return current_function == nullptr ? "?" : current_function->info().name; }

std::string DescribeAllocation(const SlabHeader& header) {
  return absl::StrCat("Allocated by task ", header.allocated_by, " in ", header.allocated_in,
                      " at ", header.allocated_at.ToString());
}

std::string DescribeFree(const SlabHeader& header) {
  return absl::StrCat("Freed by task ", header.freed_by, " in ", header.freed_in, " at ",
                      header.freed_at.ToString());
}

std::string DescribeObject(const SlabHeader& header) {
  return absl::StrCat("The object at 0x", absl::Hex(header.address), " belongs to the cache ",
                      header.cache->name(), " of size ", header.cache->object_size());
}

[[noreturn]] ABSL_ATTRIBUTE_NOINLINE void ReportDoubleFree(const SlabHeader& header) {
  Report(absl::StrCat("BUG: KASAN: double-free or invalid-free in ", Here()),
         {DescribeObject(header), DescribeAllocation(header), DescribeFree(header)});
}

bool AllocationFails() { return current->machine->Choose(ChoiceKind::kFailAlloc, 2) != 0; }

}  // namespace

void ReportUseAfterFree(const SlabHeader& header) {
  Report(absl::StrCat("BUG: KASAN: use-after-free in ", Here()),
         {DescribeObject(header), DescribeAllocation(header), DescribeFree(header)});
}

void ReportNullDereference(int64_t pointer) {
  Report(absl::StrCat("BUG: unable to handle kernel ",
                      pointer == 0 ? "NULL pointer dereference" : "paging request", " at 0x",
                      absl::Hex(static_cast<uint64_t>(pointer), absl::kZeroPad16)),
         {absl::StrCat("in ", Here())});
}

// slab_caches.h. No object that was made begins like that.
bool IsBeingMade(const SlabHeader& header) {
  const auto* bytes = static_cast<const uint8_t*>(ObjectOf(const_cast<SlabHeader*>(&header)));
  const size_t looked_at = std::min(sizeof(uint64_t), header.cache->object_size());
  return std::all_of(bytes, bytes + looked_at, [](uint8_t byte) { return byte == kPoisonFree; });
}

SlabMemory::SlabMemory(size_t object_size)
    : bytes_(new (std::align_val_t(kLine)) uint8_t[kBefore + kSlabHeaderBytes + object_size]) {}

kmem_cache_base::kmem_cache_base(const char* name, size_t object_size)
    : name_(name), object_size_(object_size) {
  slab->caches.push_back(this);
}

kmem_cache_base::~kmem_cache_base() = default;

void kmem_cache_base::DestroyLiveObjects() {
  for (const SlabMemory& memory : memory_) {
    SlabHeader* header = memory.header();
    if (header->live && !IsBeingMade(*header)) Destroy(ObjectOf(header));
    header->~SlabHeader();
  }
}

std::vector<const SlabHeader*> kmem_cache_base::LiveObjects() const {
  std::vector<const SlabHeader*> live;
  for (const SlabMemory& memory : memory_) {
    if (memory.header()->live) live.push_back(memory.header());
  }
  return live;
}

SlabHeader* kmem_cache_base::Take() {
  SlabHeader* header;
  if (!free_.empty()) {
    header = free_.back();
    free_.pop_back();
  } else {
    memory_.emplace_back(object_size_);
    header = new (memory_.back().header()) SlabHeader{.cache = this};
    std::memset(ObjectOf(header), kPoisonFree, object_size_);
    header->address = slab->next_address;
    slab->next_address += (object_size_ + 15) / 16 * 16;
  }
  header->live = true;
  header->allocated_in = Here();
  header->allocated_at = current->machine->position();
  header->allocated_by = current->pid;
  ++live_;
  return header;
}

void kmem_cache_base::Give(SlabHeader* header, uint32_t generation) {
  if (header->generation != generation) ReportDoubleFree(*header);
  void* object = ObjectOf(header);
  std::memset(object, kPoisonFree, Destroy(object));
  header->live = false;
  ++header->generation;
  header->freed_in = Here();
  header->freed_at = current->machine->position();
  header->freed_by = current->pid;
  free_.push_back(header);
  --live_;
}

SlabHeader* kmem_cache_alloc(kmem_cache_base& cache, gfp_t flags) {
  FUNCTION(cache.name());
  if (flags == GFP_KERNEL) might_sleep();
  if (AllocationFails()) return nullptr;
  return cache.Take();
}

SlabHeader* __kmalloc(kmem_cache_base& cache, gfp_t flags) {
  FUNCTION(cache.name());
  if (flags == GFP_KERNEL) might_sleep();
  if (AllocationFails()) return nullptr;
  return cache.Take();
}

void kmem_cache_free(SlabHeader* header, uint32_t generation) {
  FUNCTION(header->cache->name());
  header->cache->Give(header, generation);
}

void kfree(SlabHeader* header, uint32_t generation) {
  FUNCTION();
  if (header != nullptr) header->cache->Give(header, generation);
}

SlabHeader* TakeSlabObject(kmem_cache_base& cache) { return cache.Take(); }

void GiveSlabObject(SlabHeader* header, uint32_t generation) {
  header->cache->Give(header, generation);
}

// slab_caches.h
const std::vector<kmem_cache_base*>& AllCaches(Machine& machine) {
  return slab.Get(machine).caches;
}

std::string DescribeLeaks(const std::vector<std::string>& ignore) {
  std::string text;
  for (const kmem_cache_base* cache : slab->caches) {
    if (std::count(ignore.begin(), ignore.end(), cache->name()) != 0) continue;
    for (const SlabHeader* header : cache->LiveObjects()) {
      absl::StrAppend(&text, "BUG ", cache->name(), ": object 0x", absl::Hex(header->address),
                      " remains at shutdown. ", DescribeAllocation(*header), "\n");
    }
  }
  return text;
}

}  // namespace kpath
