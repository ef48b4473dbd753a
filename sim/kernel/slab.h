// SPDX-License-Identifier: Apache-2.0
//
// The slab allocator: kernel objects with a checked lifetime.
//
//   struct kioctx {
//     static constexpr const char* kSlabName = "kioctx";
//     ...
//   };
//   KernelGlobal<kmem_cache<kioctx>> kioctx_cachep;
//
//   kptr<kioctx> ctx = kmem_cache_zalloc(*kioctx_cachep, GFP_KERNEL);  // null: out of memory
//   ctx->max_reqs = 8;
//   kmem_cache_free(*kioctx_cachep, ctx);
//   ctx->max_reqs;  // stops the machine: BUG: KASAN: use-after-free in …
//
// kptr<T> is the pointer to a kernel object: it knows which allocation it was made from, and each
// use checks that this allocation still lives. It can be null and can carry an errno (IS_ERR,
// PTR_ERR). An object also has a simulated kernel address, for printing and for what the kernel
// sorts by address; it depends on nothing but the order of allocations.
//
// Context: any; GFP_KERNEL may sleep in the kernel, so it is refused where sleeping is.
//
// Invariants
//   1. Every live object belongs to one cache and is counted in live().
//   2. An object's generation changes when it is freed; a kptr with another generation is stale.
//   3. Each allocation asks Choose(kFailAlloc) once, before anything else changes.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "sim/kernel/fail.h"
#include "sim/machine/machine.h"

namespace kpath {

enum gfp_t : uint32_t { GFP_ATOMIC = 0, GFP_KERNEL = 1 };

// What the allocator keeps before each object. The generation, which every use of the object looks
// at, comes last: it shares a cache line of the host with the object's first bytes.
struct SlabHeader {
  class kmem_cache_base* cache = nullptr;
  uint64_t address = 0;                // simulated
  const char* allocated_in = nullptr;  // modelled function
  const char* freed_in = nullptr;
  Position allocated_at = {};
  Position freed_at = {};
  int allocated_by = 0;  // pid
  int freed_by = 0;
  bool live = false;
  uint32_t generation = 0;
};

// What is wrong, told in the style of KASAN and SLUB; each stops the machine.
[[noreturn, gnu::cold]] void ReportUseAfterFree(const SlabHeader& header);
[[noreturn, gnu::cold]] void ReportNullDereference(int64_t pointer);

template <typename T>
class kptr {
 public:
  constexpr kptr() = default;
  constexpr kptr(std::nullptr_t) {}
  // An error pointer: ERR_PTR(-number).
  constexpr kptr(Error error) : tag_(static_cast<uint64_t>(error.number())) {}
  // `object` is alive and was made by a kmem_cache.
  explicit kptr(T* object);

  T* operator->() const { return Check(); }
  T& operator*() const { return *Check(); }
  explicit operator bool() const { return object_ != nullptr || tag_ != 0; }
  // The object without the check; null for null and for error pointers.
  T* get() const { return object_; }
  int error() const { return object_ == nullptr ? static_cast<int>(tag_) : 0; }
  uint32_t generation() const { return static_cast<uint32_t>(tag_); }
  // The simulated kernel address; the errno, negative, of an error pointer; 0 for null.
  uint64_t address() const;
  // True if this pointer's allocation still lives.
  bool alive() const;

  friend bool operator==(const kptr& a, const kptr& b) {
    return a.object_ == b.object_ && a.tag_ == b.tag_;
  }

 private:
  T* Check() const;

  T* object_ = nullptr;
  // Of an object its generation, without one the errno. As wide as a register: it is passed whole.
  uint64_t tag_ = 0;
};

template <typename T>
bool IS_ERR(const kptr<T>& pointer) {
  return pointer.error() != 0;
}
template <typename T>
bool IS_ERR_OR_NULL(const kptr<T>& pointer) {
  return pointer.get() == nullptr;
}
template <typename T>
Error PTR_ERR(const kptr<T>& pointer) {
  return Error(pointer.error());
}
template <typename T>
Value MakeValue(const kptr<T>& pointer) {
  return IS_ERR(pointer) ? Value::Result(-pointer.error()) : Value::Address(pointer.address());
}

inline constexpr size_t kSlabHeaderBytes = (sizeof(SlabHeader) + 15) / 16 * 16;

// Memory of the host for a header and an object. The generation and the object's first bytes are in
// one cache line: of the header, its last kHeaderBytesInLine are in that line.
class SlabMemory {
 public:
  static constexpr size_t kLine = 64;
  static constexpr size_t kHeaderBytesInLine = 16;

  explicit SlabMemory(size_t object_size);
  SlabHeader* header() const { return reinterpret_cast<SlabHeader*>(bytes_.get() + kBefore); }

 private:
  static constexpr size_t kBefore =
      (kLine - (kSlabHeaderBytes - kHeaderBytesInLine) % kLine) % kLine;
  struct Free {
    void operator()(uint8_t* bytes) const { operator delete[](bytes, std::align_val_t(kLine)); }
  };

  std::unique_ptr<uint8_t[], Free> bytes_;
};

// Has the host fetch the object, all of its cache lines at once, before they are used one by one.
// The pointer is neither used nor checked; it may be null.
template <typename T>
void Prefetch(const kptr<T>& pointer) {
  const uintptr_t begin =
      reinterpret_cast<uintptr_t>(pointer.get()) - SlabMemory::kHeaderBytesInLine;
  constexpr size_t kBytes = SlabMemory::kHeaderBytesInLine + sizeof(T);
  for (size_t i = 0; i < kBytes; i += SlabMemory::kLine) {
    __builtin_prefetch(reinterpret_cast<const void*>(begin + i));
  }
}

class kmem_cache_base {
 public:
  kmem_cache_base(const char* name, size_t object_size);
  virtual ~kmem_cache_base();
  kmem_cache_base(const kmem_cache_base&) = delete;
  kmem_cache_base& operator=(const kmem_cache_base&) = delete;

  const char* name() const { return name_; }
  size_t object_size() const { return object_size_; }
  // Objects allocated and not freed.
  int live() const { return live_; }
  // Those objects, in the order of their addresses.
  std::vector<const SlabHeader*> LiveObjects() const;

 protected:
  friend SlabHeader* kmem_cache_alloc(kmem_cache_base& cache, gfp_t flags);
  friend SlabHeader* __kmalloc(kmem_cache_base& cache, gfp_t flags);
  friend void kmem_cache_free(SlabHeader* header, uint32_t generation);
  friend void kfree(SlabHeader* header, uint32_t generation);
  friend SlabHeader* TakeSlabObject(kmem_cache_base& cache);
  friend void GiveSlabObject(SlabHeader* header, uint32_t generation);

  // Returns how many of the object's bytes may have been written to since it was made.
  virtual size_t Destroy(void* object) = 0;
  void DestroyLiveObjects();
  SlabHeader* Take();
  void Give(SlabHeader* header, uint32_t generation);

 private:
  const char* const name_;
  const size_t object_size_;
  int live_ = 0;
  std::vector<SlabMemory> memory_;  // a header and an object each
  std::vector<SlabHeader*> free_;   // last freed first
};

inline SlabHeader* HeaderOf(const void* object) {
  return reinterpret_cast<SlabHeader*>(const_cast<uint8_t*>(static_cast<const uint8_t*>(object)) -
                                       kSlabHeaderBytes);
}
inline void* ObjectOf(SlabHeader* header) {
  return reinterpret_cast<uint8_t*>(header) + kSlabHeaderBytes;
}

// v4.19 mm/slob.c: kmem_cache_alloc. Null where memory is exhausted.
SlabHeader* kmem_cache_alloc(kmem_cache_base& cache, gfp_t flags);
// v4.19 mm/slob.c: __kmalloc.
SlabHeader* __kmalloc(kmem_cache_base& cache, gfp_t flags);
// v4.19 mm/slob.c: kmem_cache_free, kfree. `generation` is that of the pointer that is freed; a
// null header is allowed for kfree only.
void kmem_cache_free(SlabHeader* header, uint32_t generation);
void kfree(SlabHeader* header, uint32_t generation);

// For allocators with probes of their own (percpu.h): objects that the slab knows, and that is all.
SlabHeader* TakeSlabObject(kmem_cache_base& cache);
void GiveSlabObject(SlabHeader* header, uint32_t generation);

// A T that is a table for many, made for few, may have `size_t BytesWritten() const`: its bytes
// from there on are poison since before it was made, so that it costs no more than what is used of
// it.
template <typename T>
class kmem_cache final : public kmem_cache_base {
 public:
  kmem_cache() : kmem_cache_base(T::kSlabName, sizeof(T)) {}
  ~kmem_cache() override { DestroyLiveObjects(); }

 private:
  size_t Destroy(void* object) override {
    T* const destroyed = static_cast<T*>(object);
    size_t written = sizeof(T);
    if constexpr (requires { destroyed->BytesWritten(); }) written = destroyed->BytesWritten();
    destroyed->~T();
    return written;
  }
};

// All members start as zero or as their initialisers say, so this is the only form.
template <typename T, typename... Args>
kptr<T> kmem_cache_zalloc(kmem_cache<T>& cache, gfp_t flags, Args&&... args) {
  SlabHeader* header = kmem_cache_alloc(cache, flags);
  if (header == nullptr) return nullptr;
  return kptr<T>(new (ObjectOf(header)) T{std::forward<Args>(args)...});
}

template <typename T>
void kmem_cache_free(kmem_cache<T>&, const kptr<T>& pointer) {
  kmem_cache_free(HeaderOf(pointer.get()), pointer.generation());
}

// kzalloc and kfree of an object that has no cache of its own: a "kmalloc" object of type T.
template <typename T>
inline KernelGlobal<kmem_cache<T>> kmalloc_cache;

template <typename T, typename... Args>
kptr<T> kzalloc(gfp_t flags, Args&&... args) {
  SlabHeader* header = __kmalloc(*kmalloc_cache<T>, flags);
  if (header == nullptr) return nullptr;
  return kptr<T>(new (ObjectOf(header)) T{std::forward<Args>(args)...});
}

template <typename T>
void kfree(const kptr<T>& pointer) {
  kfree(pointer.get() == nullptr ? nullptr : HeaderOf(pointer.get()), pointer.generation());
}

// ---- Shutdown ----

// Tells what is still allocated in the caches of the current machine, a line an object, with where
// and when it was allocated; empty if nothing is. `ignore` lists caches of objects that live as
// long as the machine.
std::string DescribeLeaks(const std::vector<std::string>& ignore);

// ---- kptr, the inline parts ----

template <typename T>
kptr<T>::kptr(T* object) : object_(object), tag_(HeaderOf(object)->generation) {}

template <typename T>
T* kptr<T>::Check() const {
  if (object_ == nullptr) [[unlikely]]
    ReportNullDereference(-error());
  if (HeaderOf(object_)->generation != generation()) [[unlikely]] {
    ReportUseAfterFree(*HeaderOf(object_));
  }
  return object_;
}

template <typename T>
bool kptr<T>::alive() const {
  return object_ != nullptr && HeaderOf(object_)->generation == generation();
}

template <typename T>
uint64_t kptr<T>::address() const {
  if (object_ == nullptr) return static_cast<uint64_t>(-static_cast<int64_t>(tag_));
  return HeaderOf(object_)->address;
}

}  // namespace kpath
