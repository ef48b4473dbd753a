// SPDX-License-Identifier: Apache-2.0
#include "inspect/types.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "inspect/types_find.h"
#include "inspect/types_of.h"
#include "sim/kernel/sched.h"

namespace kpath {
namespace {

constexpr Type kText = {.kind = Type::Kind::kText, .name = "char *"};

#define KPATH_STRUCT(name) &StructTypeOf<name>,
constexpr const Type& (*kAllStructs[])() = {KPATH_DESCRIBED_STRUCTS(KPATH_STRUCT) &
                                            StructTypeOf<Cpu>};
#undef KPATH_STRUCT

// A struct that is known by where it was, or by its number.
bool FindAgain(const Look& look, Datum* datum, std::string* why) {
  if (datum->state == Datum::State::kNumbered) {
    datum->host = datum->type->find(look.machine, datum->bits);
    if (datum->host == nullptr) {
      *why = absl::StrCat("the ", datum->type->name, " ", datum->bits, " is gone");
      return false;
    }
    datum->state = Datum::State::kFine;
    datum->bits = 0;
    return true;
  }
  if (datum->address == 0) {
    *why = absl::StrCat("the ", datum->type->name, " is gone: it had no address");
    return false;
  }
  Datum pointer = MakeAddress(*datum->type, datum->address);
  return Dereference(look, pointer, datum, why);
}

// The slab fills what is freed with this, and keeps it: a part of an object that is gone.
constexpr uint64_t kPoisonedWord = 0x6b6b6b6b6b6b6b6b;
bool IsPoisoned(const void* host) {
  uint64_t word;
  std::memcpy(&word, host, sizeof word);
  return word == kPoisonedWord;
}

// Of an object without an address.
void KeepNumber(const Datum& datum, Datum* kept) {
  if (datum.type->number == nullptr || kept->address != 0) return;
  kept->bits = datum.type->number(datum.host);
  kept->state = Datum::State::kNumbered;
}

}  // namespace

std::string TypeName(const Datum& datum) {
  std::string name = datum.type->name;
  if (datum.count != 0) return absl::StrCat(name, " [", datum.count, "]");
  if (datum.indirection == 0) return name;
  if (name.back() != '*') name += ' ';
  return name.append(datum.indirection, '*');
}

std::string AType(const Datum& datum) {
  const std::string name = TypeName(datum);
  return absl::StrCat(
      absl::string_view("aeiou").find(name[0]) == absl::string_view::npos ? "a " : "an ", name);
}

Datum MakeNumber(const Type& type, uint64_t bits, uint64_t address) {
  Datum datum;
  datum.type = &type;
  datum.bits = bits;
  datum.address = address;
  return datum;
}

Datum MakeText(std::string text) {
  Datum datum;
  datum.type = &kText;
  datum.copy = std::make_shared<std::string>(std::move(text));
  return datum;
}

Datum MakePointer(const Type& target, const void* host, uint64_t bits) {
  Datum datum;
  datum.type = &target;
  datum.indirection = 1;
  datum.host = host;
  datum.bits = bits;
  return datum;
}

Datum MakeAddress(const Type& target, uint64_t bits, uint8_t indirection) {
  Datum datum;
  datum.type = &target;
  datum.indirection = indirection;
  datum.bits = bits;
  if (bits != 0) datum.state = Datum::State::kUnresolved;
  return datum;
}

void FollowPlain(const Type& target, const void* host, Datum* pointer) {
  pointer->type = &target;
  pointer->indirection = 1;
  if (host == nullptr) return;
  if (target.alive != nullptr && !target.alive(host)) {
    pointer->state = Datum::State::kFreed;
    return;
  }
  if (target.header == nullptr && target.host_size >= sizeof kPoisonedWord && IsPoisoned(host)) {
    pointer->state = Datum::State::kFreed;
    return;
  }
  if (target.header != nullptr) {
    const SlabHeader* header = target.header(host);
    if (header != nullptr) {
      pointer->bits =
          header->address +
          static_cast<uint64_t>(static_cast<const uint8_t*>(host) -
                                reinterpret_cast<const uint8_t*>(header) - kSlabHeaderBytes);
      if (!header->live) {
        pointer->state = Datum::State::kFreed;
        return;
      }
    }
  }
  pointer->host = host;
}

void Load(const Type& type, const void* slot, uint64_t address, Datum* value) {
  *value = Datum();
  value->type = &type;
  switch (type.kind) {
    case Type::Kind::kInteger:
    case Type::Kind::kBool:
    case Type::Kind::kFunction:
      value->bits = type.load(slot);
      break;
    case Type::Kind::kPointer:
      type.follow(slot, value);
      break;
    case Type::Kind::kStruct:
    case Type::Kind::kSequence:
    case Type::Kind::kText:
    case Type::Kind::kVoid:
      value->host = slot;
      break;
  }
  value->address = address;
}

bool Resolve(const Look& look, Datum* datum, std::string* why) {
  if (datum->count != 0) return true;
  if (datum->indirection == 1 && datum->state == Datum::State::kNumbered) {
    return FindAgain(look, datum, why);
  }
  if (datum->indirection == 0) {
    const bool lost = datum->type->kind == Type::Kind::kStruct && datum->host == nullptr;
    return !lost || FindAgain(look, datum, why);
  }
  if (datum->state != Datum::State::kUnresolved || datum->indirection > 1) return true;
  const Datum object = PointerToObject(look, datum->bits);
  if (object.type == nullptr) return true;
  const void* inside = nullptr;
  if (datum->type == object.type) {
    inside = object.host;
  } else {
    inside = FindInside(look, object, datum->bits, *datum->type);
  }
  if (inside == nullptr) return true;
  datum->host = inside;
  datum->state = Datum::State::kFine;
  return true;
}

bool Dereference(const Look& look, const Datum& pointer, Datum* value, std::string* why) {
  if (!pointer.is_pointer()) {
    *why = absl::StrCat(AType(pointer), " is no pointer");
    return false;
  }
  Datum from = pointer;
  if (!Resolve(look, &from, why)) return false;
  switch (from.state) {
    case Datum::State::kFreed:
      *why = absl::StrCat("the ", from.type->name,
                          from.bits == 0 ? "" : absl::StrCat(" at 0x", absl::Hex(from.bits)),
                          " has been freed");
      return false;
    case Datum::State::kError:
      *why = absl::StrCat("it is an error pointer: ",
                          Value::Result(static_cast<int64_t>(from.bits)).ToString());
      return false;
    default:
      break;
  }
  if (from.is_null()) {
    *why = from.copy == nullptr
               ? CannotAccess(0)
               : absl::StrCat("the ", from.type->name, " is gone: it had no address");
    return false;
  }
  if (from.indirection == 1 && from.type->kind == Type::Kind::kVoid) {
    *why = "a void * cannot be dereferenced: cast it";
    return false;
  }
  if (from.host != nullptr) {
    const uint64_t address = from.bits != 0 ? from.bits : 0;
    Load(*from.type, from.host, address, value);
    return true;
  }
  return ReadObject(look, from, value, why);
}

bool ToStruct(const Look& look, const Datum& datum, Datum* object, std::string* why) {
  if (datum.is_pointer()) {
    if (datum.type->kind != Type::Kind::kStruct || datum.indirection > 1) {
      *why = absl::StrCat(AType(datum), " has no fields");
      return false;
    }
    return Dereference(look, datum, object, why);
  }
  if (!datum.is_struct()) {
    *why = absl::StrCat(AType(datum), " has no fields");
    return false;
  }
  *object = datum;
  return object->host != nullptr || FindAgain(look, object, why);
}

const Field* FindField(const Type& type, absl::string_view name) {
  const auto found = std::find_if(type.fields.begin(), type.fields.end(),
                                  [&](const Field& field) { return field.name == name; });
  return found == type.fields.end() ? nullptr : &*found;
}

bool GetField(const Look& look, const Datum& object, const Field& field, Datum* value,
              std::string* why) {
  if (field.at == nullptr) {
    *value = Datum();
    if (field.compute(look, object, value)) return true;
    *why = absl::StrCat("the ", object.type->name, " has no ", field.name, " now");
    return false;
  }
  const void* slot = field.at(object.host);
  const uint64_t offset = static_cast<uint64_t>(static_cast<const uint8_t*>(slot) -
                                                static_cast<const uint8_t*>(object.host));
  const std::shared_ptr<const std::string> copy = object.copy;
  Load(field.type(), slot, object.address == 0 ? 0 : object.address + offset, value);
  if (copy != nullptr) value->copy = copy;
  return true;
}

bool GetMember(const Look& look, const Datum& datum, absl::string_view name, Datum* value,
               std::string* why) {
  if (datum.is_sequence()) {
    if (datum.count == 0 && datum.host == nullptr) {
      *why = "the list is gone";
      return false;
    }
    const size_t count = CountElements(look, datum);
    if (name == "size") {
      *value = MakeNumber(TypeOf<unsigned long>(), count);
      return true;
    }
    if (name == "first" || name == "last") {
      if (count == 0) {
        *why = "the list is empty";
        return false;
      }
      *value = GetElement(look, datum, name == "first" ? 0 : count - 1);
      return true;
    }
    *why = absl::StrCat("a list has size, first, last and [N], but no \"", name, "\"");
    return false;
  }
  Datum object;
  if (!ToStruct(look, datum, &object, why)) return false;
  const Field* field = FindField(*object.type, name);
  if (field == nullptr) {
    *why = absl::StrCat("there is no member named ", name, " in ", object.type->name);
    return false;
  }
  return GetField(look, object, *field, value, why);
}

size_t CountElements(const Look& look, const Datum& sequence) {
  if (sequence.count != 0) return sequence.count;
  if (sequence.host == nullptr) return 0;
  return sequence.type->sequence->count(look, sequence);
}

Datum GetElement(const Look& look, const Datum& sequence, size_t index) {
  if (sequence.count == 0) return sequence.type->sequence->element(look, sequence, index);
  Datum value;
  std::string why;
  const Datum pointer =
      MakeAddress(*sequence.type, sequence.address + index * sequence.type->bytes);
  if (!ReadObject(look, pointer, &value, &why)) return MakeText(why);
  return value;
}

uint64_t AddressOf(const Look& look, const Datum& pointer) {
  if (pointer.bits != 0 || pointer.host == nullptr) return pointer.bits;
  return SlabAddressOf(look, pointer.host);
}

Datum Detach(const Look& look, const Datum& datum) {
  Datum kept = datum;
  if (datum.is_number() || datum.type->kind == Type::Kind::kFunction) return kept;
  if (datum.is_pointer()) {
    if (datum.state == Datum::State::kError || datum.is_null()) return kept;
    kept.bits = AddressOf(look, datum);
    kept.host = nullptr;
    kept.state = Datum::State::kUnresolved;
    if (kept.bits == 0 && datum.host != nullptr) {
      if (datum.type->identity != nullptr) {
        kept.copy = std::make_shared<std::string>(datum.type->identity(datum.host));
      }
      KeepNumber(datum, &kept);
    }
    return kept;
  }
  if (datum.type->kind == Type::Kind::kText) {
    if (datum.copy == nullptr) kept = MakeText(datum.type->text(datum.host));
    return kept;
  }
  if (datum.count != 0) return kept;
  if (datum.type->kind == Type::Kind::kStruct && datum.type->bytes != 0) {
    kept.copy =
        std::make_shared<std::string>(static_cast<const char*>(datum.host), datum.type->bytes);
    kept.host = kept.copy->data();
    return kept;
  }
  kept.host = nullptr;
  if (kept.address == 0 && datum.host != nullptr) {
    kept.address = SlabAddressOf(look, datum.host);
    KeepNumber(datum, &kept);
  }
  return kept;
}

absl::Span<const Type& (*const)()> AllStructs() { return kAllStructs; }

const Type* FindStruct(absl::string_view name) {
  for (const auto& get : kAllStructs) {
    const Type& type = get();
    if (absl::StripPrefix(type.name, "struct ") == name) return &type;
  }
  return nullptr;
}

Datum BitsSequence::Get(const Look&, const Datum& sequence, size_t index) {
  return MakeNumber(TypeOf<bool>(), At(sequence)[index] ? 1 : 0);
}

}  // namespace kpath
