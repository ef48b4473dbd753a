// SPDX-License-Identifier: Apache-2.0
//
// From C++ types to the types of inspect/types.h: for the tables in objects/.
//
//   template <>
//   const Type& StructTypeOf<fsync_iocb>() {
//     using S = fsync_iocb;
//     static constexpr Field kFields[] = {KPATH_FIELD(work), KPATH_FIELD(file)};
//     static constexpr Type kType = StructType<S>("struct fsync_iocb", kFields);
//     return kType;
//   }
//
// A struct with a table is listed in objects/described.h.
#pragma once

#include <array>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "inspect/objects/described.h"
#include "inspect/types.h"
#include "sim/kernel/percpu.h"
#include "sim/kernel/user_ptr.h"

namespace kpath {

template <typename T>
const Type& TypeOf();

// ---- Numbers ----
template <typename T>
constexpr const char* IntegerName() {
  if constexpr (std::is_same_v<T, char>) return "char";
  if constexpr (std::is_same_v<T, signed char>) return "signed char";
  if constexpr (std::is_same_v<T, unsigned char>) return "unsigned char";
  if constexpr (std::is_same_v<T, short>) return "short";
  if constexpr (std::is_same_v<T, unsigned short>) return "unsigned short";
  if constexpr (std::is_same_v<T, int>) return "int";
  if constexpr (std::is_same_v<T, unsigned>) return "unsigned int";
  if constexpr (std::is_same_v<T, long> || std::is_same_v<T, long long>) return "long";
  if constexpr (std::is_same_v<T, unsigned long> || std::is_same_v<T, unsigned long long>)
    return "unsigned long";
  return "";
}

template <typename T>
uint64_t LoadNumber(const void* slot) {
  // Memory of the machine need not be aligned.
  T value;
  __builtin_memcpy(&value, slot, sizeof value);
  return static_cast<uint64_t>(value);
}

template <typename T>
constexpr Type IntegerType(const Names* names = nullptr, bool is_address = false) {
  Type type;
  type.kind = Type::Kind::kInteger;
  type.name = IntegerName<T>();
  type.bytes = sizeof(T);
  type.is_signed = std::is_signed_v<T>;
  type.is_address = is_address;
  type.is_char = sizeof(T) == 1;
  type.names = names;
  type.load = LoadNumber<T>;
  return type;
}

// An integer with names for its values.
template <typename T, const Names& kNames>
const Type& NamedType() {
  static constexpr Type kType = IntegerType<T>(&kNames);
  return kType;
}
// An integer that is an address, or a set of bits without names.
template <typename T>
const Type& HexType() {
  static constexpr Type kType = IntegerType<T>(nullptr, true);
  return kType;
}

// Memory of the machine may hold a byte that is no bool of C++.
inline uint64_t LoadBool(const void* slot) {
  return *static_cast<const unsigned char*>(slot) != 0 ? 1 : 0;
}
inline uint64_t LoadFunction(const void* slot) {
  return *static_cast<void (*const*)()>(slot) != nullptr ? 1 : 0;
}

// ---- Pointers ----
// With a header of the slab just before each object.
template <typename T>
const SlabHeader* HeaderBefore(const void* object) {
  return HeaderOf(object);
}

template <typename T>
const Type& TargetTypeOf() {
  using Plain = std::remove_const_t<T>;
  if constexpr (std::is_void_v<Plain> || !(std::is_arithmetic_v<Plain> || kIsDescribed<Plain>)) {
    static constexpr Type kVoid;
    return kVoid;
  } else {
    return TypeOf<Plain>();
  }
}

// Of a pointer that the model keeps as a plain one.
void FollowPlain(const Type& target, const void* host, Datum* pointer);

template <typename T>
void FollowRaw(const void* slot, Datum* pointer) {
  FollowPlain(TargetTypeOf<T>(), *static_cast<T* const*>(slot), pointer);
}
template <typename T>
void FollowUnique(const void* slot, Datum* pointer) {
  FollowPlain(TargetTypeOf<T>(), static_cast<const std::unique_ptr<T>*>(slot)->get(), pointer);
}
template <typename T>
void FollowUser(const void* slot, Datum* pointer) {
  *pointer = MakeAddress(TargetTypeOf<T>(), static_cast<const user_ptr<T>*>(slot)->address());
}
template <typename T>
void FollowKptr(const void* slot, Datum* pointer) {
  const auto& from = *static_cast<const kptr<T>*>(slot);
  pointer->type = &TargetTypeOf<T>();
  pointer->indirection = 1;
  pointer->bits = from.address();
  if (from.get() == nullptr) {
    if (from.error() != 0) pointer->state = Datum::State::kError;
  } else if (!from.alive()) {
    pointer->state = Datum::State::kFreed;
  } else {
    pointer->host = from.get();
  }
}
template <typename T>
constexpr Type PointerType(void (*follow)(const void* slot, Datum* pointer)) {
  Type type;
  type.kind = Type::Kind::kPointer;
  type.name = "pointer";
  type.follow = follow;
  return type;
}
// For where the model has a pointer as T.
template <typename T>
Datum MakeKptr(const kptr<T>& pointer) {
  Datum datum;
  FollowKptr<T>(&pointer, &datum);
  return datum;
}

// ---- Sequences ----
template <typename C>
struct ContainerSequence {
  using Element = std::decay_t<decltype(*std::begin(std::declval<const C&>()))>;

  static const C& At(const Datum& sequence) { return *static_cast<const C*>(sequence.host); }
  static size_t Count(const Look&, const Datum& sequence) { return std::size(At(sequence)); }
  static Datum Get(const Look&, const Datum& sequence, size_t index) {
    Datum value;
    const auto* slot = &*std::next(std::begin(At(sequence)), static_cast<std::ptrdiff_t>(index));
    Load(TypeOf<Element>(), slot, 0, &value);
    return value;
  }
  static constexpr Sequence kSequence = {Count, Get};
};

struct BitsSequence {
  static const std::vector<bool>& At(const Datum& sequence) {
    return *static_cast<const std::vector<bool>*>(sequence.host);
  }
  static size_t Count(const Look&, const Datum& sequence) { return At(sequence).size(); }
  static Datum Get(const Look&, const Datum& sequence, size_t index);
  static constexpr Sequence kSequence = {Count, Get, nullptr, nullptr, true};
};

template <typename K, typename V>
struct MapSequence {
  using C = std::map<K, V>;
  static const C& At(const Datum& sequence) { return *static_cast<const C*>(sequence.host); }
  static auto Nth(const Datum& sequence, size_t index) {
    return std::next(At(sequence).begin(), static_cast<std::ptrdiff_t>(index));
  }
  static size_t Count(const Look&, const Datum& sequence) { return At(sequence).size(); }
  static Datum Get(const Look&, const Datum& sequence, size_t index) {
    Datum value;
    Load(TypeOf<V>(), &Nth(sequence, index)->second, 0, &value);
    return value;
  }
  static std::string Key(const Datum& sequence, size_t index) {
    const auto& key = Nth(sequence, index)->first;
    if constexpr (std::is_integral_v<K>) {
      return key < 4096 ? absl::StrCat(key) : absl::StrCat("0x", absl::Hex(key));
    } else if constexpr (std::is_same_v<K, std::string>) {
      return absl::StrCat("\"", key, "\"");
    } else {
      return absl::StrCat(index);
    }
  }
  static size_t Find(const Look&, const Datum& sequence, uint64_t number) {
    const C& map = At(sequence);
    if constexpr (std::is_integral_v<K>) {
      return static_cast<size_t>(std::distance(map.begin(), map.find(static_cast<K>(number))));
    } else {
      return std::min<size_t>(number, map.size());
    }
  }
  static constexpr Sequence kSequence = {Count, Get, Key, Find};
};

template <typename T>
struct PercpuSequence {
  static const percpu_ptr<T>& At(const Datum& sequence) {
    return *static_cast<const percpu_ptr<T>*>(sequence.host);
  }
  static size_t Count(const Look&, const Datum& sequence) {
    return At(sequence).alive() ? At(sequence).get()->cpus.size() : 0;
  }
  static Datum Get(const Look&, const Datum& sequence, size_t index) {
    Datum value;
    Load(TypeOf<T>(), &At(sequence).get()->cpus[index], 0, &value);
    return value;
  }
  static constexpr Sequence kSequence = {Count, Get};
};

template <const Sequence& kSequence>
const Type& SequenceType() {
  static constexpr Type kType = {
      .kind = Type::Kind::kSequence, .name = "list", .sequence = &kSequence};
  return kType;
}

// ---- All of them ----
template <typename T>
struct Traits {
  static constexpr bool kIsKptr = false, kIsUser = false, kIsUnique = false, kIsList = false;
};
template <typename T>
struct Traits<kptr<T>> : Traits<void> {
  static constexpr bool kIsKptr = true;
  static const Type& Get() {
    static constexpr Type kType = PointerType<T>(FollowKptr<T>);
    return kType;
  }
};
template <typename T>
struct Traits<user_ptr<T>> : Traits<void> {
  static constexpr bool kIsUser = true;
  static const Type& Get() {
    static constexpr Type kType = PointerType<T>(FollowUser<T>);
    return kType;
  }
};
template <typename T>
struct Traits<std::unique_ptr<T>> : Traits<void> {
  static constexpr bool kIsUnique = true;
  static const Type& Get() {
    static constexpr Type kType = PointerType<T>(FollowUnique<T>);
    return kType;
  }
};
template <typename T>
struct Traits<kptr<percpu_array<T>>> : Traits<void> {
  static constexpr bool kIsList = true;
  static const Type& Get() { return SequenceType<PercpuSequence<T>::kSequence>(); }
};
template <typename K, typename V>
struct Traits<std::map<K, V>> : Traits<void> {
  static constexpr bool kIsList = true;
  static const Type& Get() { return SequenceType<MapSequence<K, V>::kSequence>(); }
};
template <>
struct Traits<std::vector<bool>> : Traits<void> {
  static constexpr bool kIsList = true;
  static const Type& Get() { return SequenceType<BitsSequence::kSequence>(); }
};
template <typename C>
struct ListTraits : Traits<void> {
  static constexpr bool kIsList = true;
  static const Type& Get() { return SequenceType<ContainerSequence<C>::kSequence>(); }
};
template <typename T>
struct Traits<std::vector<T>> : ListTraits<std::vector<T>> {};
template <typename T>
struct Traits<std::deque<T>> : ListTraits<std::deque<T>> {};
template <typename T, size_t kSize>
struct Traits<std::array<T, kSize>> : ListTraits<std::array<T, kSize>> {};
template <typename T, size_t kSize>
struct Traits<T[kSize]> : ListTraits<T[kSize]> {};

template <typename T>
std::string TextAt(const void* slot) {
  const T& text = *static_cast<const T*>(slot);
  if constexpr (std::is_pointer_v<T>) {
    return text == nullptr ? "" : text;
  } else {
    return text;
  }
}

template <typename T>
const Type& TypeOf() {
  using X = Traits<T>;
  if constexpr (std::is_same_v<T, bool>) {
    static constexpr Type kType = {
        .kind = Type::Kind::kBool, .name = "bool", .bytes = 1, .load = LoadBool};
    return kType;
  } else if constexpr (std::is_enum_v<T>) {
    return TypeOf<std::underlying_type_t<T>>();
  } else if constexpr (std::is_integral_v<T>) {
    static constexpr Type kType = IntegerType<T>();
    return kType;
  } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, const char*>) {
    static constexpr Type kType = {.kind = Type::Kind::kText, .name = "char *", .text = TextAt<T>};
    return kType;
  } else if constexpr (X::kIsKptr || X::kIsUser || X::kIsUnique || X::kIsList) {
    return X::Get();
  } else if constexpr (std::is_pointer_v<T> && std::is_function_v<std::remove_pointer_t<T>>) {
    static constexpr Type kType = {
        .kind = Type::Kind::kFunction, .name = "function *", .load = LoadFunction};
    return kType;
  } else if constexpr (std::is_pointer_v<T>) {
    static constexpr Type kType = PointerType<T>(FollowRaw<std::remove_pointer_t<T>>);
    return kType;
  } else {
    static_assert(kIsDescribed<T>, "the struct has no table: see objects/described.h");
    return StructTypeOf<T>();
  }
}

// ---- Structs ----
template <typename T>
concept HasSlabName = requires {
  T::kSlabName;
};

// `is_slab`: every object of it comes from the slab by itself, so that a plain pointer has a
// header.
template <typename T>
constexpr Type StructType(const char* name, absl::Span<const Field> fields, bool is_slab = false) {
  Type type;
  type.kind = Type::Kind::kStruct;
  type.name = name;
  type.fields = fields;
  type.host_size = sizeof(T);
  if constexpr (HasSlabName<T>) type.slab_name = T::kSlabName;
  if (is_slab) type.header = HeaderBefore<T>;
  return type;
}
// One that user mode or assembly share with the kernel.
template <typename T>
constexpr Type MemoryStructType(const char* name, absl::Span<const Field> fields) {
  Type type = StructType<T>(name, fields);
  type.bytes = sizeof(T);
  return type;
}

// Fields of the struct S: as it is; of a type by another function; under another name.
#define KPATH_FIELD(member) KPATH_FIELD_OF(member, #member, &TypeOf<decltype(S::member)>)
#define KPATH_FIELD_AS(member, ...) KPATH_FIELD_OF(member, #member, &__VA_ARGS__)
#define KPATH_FIELD_OF(member, name, ...)                                                        \
  Field {                                                                                        \
    name, __VA_ARGS__,                                                                           \
        [](const void* object) -> const void* { return &static_cast<const S*>(object)->member; } \
  }
// A field that the model keeps in another shape; `function` is bool(look, object, value).
#define KPATH_COMPUTED(name, ...) \
  Field { name, nullptr, nullptr, __VA_ARGS__ }

}  // namespace kpath
