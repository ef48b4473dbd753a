// SPDX-License-Identifier: Apache-2.0
//
// Per-CPU data made at run time: one object for each possible CPU. v4.19 include/linux/percpu.h,
// mm/percpu.c
//
//   percpu_ptr<kioctx_cpu> cpu = alloc_percpu<kioctx_cpu>();   // all zero; null: no memory
//   this_cpu_ptr(cpu)->reqs_available += 1;                    // with preemption or interrupts off
//   per_cpu_ptr(cpu, 3)->reqs_available;                       // another CPU's
//   free_percpu(cpu);
//
// T has a kSlabName, as all kernel objects. Departs: Linux cuts the objects out of chunks that are
// the same for all sizes; here they are one array, known to the slab.
//
// Context: alloc_percpu may sleep; free_percpu: any.
#pragma once

#include <cstddef>
#include <type_traits>
#include <vector>

#include "absl/base/attributes.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/slab.h"

namespace kpath {

// Small objects, of as many CPUs as there is room for, are in it: they need no cache line of the
// host's of their own. As large as a vector, and used as one.
template <typename T>
class SmallPercpuObjects {
 public:
  explicit SmallPercpuObjects(size_t count)
      : data_(count <= kFew ? few_ : new T[count]()), size_(count) {}
  ~SmallPercpuObjects() {
    if (data_ != few_) delete[] data_;
  }
  SmallPercpuObjects(const SmallPercpuObjects&) = delete;
  SmallPercpuObjects& operator=(const SmallPercpuObjects&) = delete;

  size_t size() const { return size_; }
  T& operator[](size_t cpu) { return data_[cpu]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

 private:
  static constexpr size_t kFew = sizeof(void*) / sizeof(T);

  T* const data_;
  const size_t size_;
  T few_[kFew] = {};
};

// An allocation for all CPUs.
template <typename T>
struct percpu_array {
  static constexpr const char* kSlabName = T::kSlabName;
  using Objects =
      std::conditional_t<sizeof(T) <= sizeof(void*), SmallPercpuObjects<T>, std::vector<T>>;
  explicit percpu_array(int count) : cpus(static_cast<size_t>(count)) {}

  Objects cpus;
};

template <typename T>
using percpu_ptr = kptr<percpu_array<T>>;

// v4.19 mm/percpu.c: pcpu_alloc, the common end of the functions below. False: no memory.
bool pcpu_alloc(gfp_t gfp);
// v4.19 mm/percpu.c: __alloc_percpu_gfp, __alloc_percpu
bool __alloc_percpu_gfp(gfp_t gfp);
bool __alloc_percpu();

template <typename T>
percpu_ptr<T> MakePercpuArray() {
  SlabHeader* header = TakeSlabObject(*kmalloc_cache<percpu_array<T>>);
  return percpu_ptr<T>(new (ObjectOf(header)) percpu_array<T>(current->machine->cpus()));
}

template <typename T>
percpu_ptr<T> alloc_percpu_gfp(gfp_t gfp) {
  return __alloc_percpu_gfp(gfp) ? MakePercpuArray<T>() : percpu_ptr<T>();
}
template <typename T>
percpu_ptr<T> alloc_percpu() {
  return __alloc_percpu() ? MakePercpuArray<T>() : percpu_ptr<T>();
}

// v4.19 mm/percpu.c: free_percpu. Null is allowed.
void free_percpu(SlabHeader* header, uint32_t generation);
template <typename T>
void free_percpu(const percpu_ptr<T>& pointer) {
  free_percpu(pointer.get() == nullptr ? nullptr : HeaderOf(pointer.get()), pointer.generation());
}

template <typename T>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline T* per_cpu_ptr(const percpu_ptr<T>& pointer, int cpu) {
  return &pointer->cpus[cpu];
}
template <typename T>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline T* this_cpu_ptr(const percpu_ptr<T>& pointer) {
  return per_cpu_ptr(pointer, smp_processor_id());
}

}  // namespace kpath
