// SPDX-License-Identifier: Apache-2.0
//
// What a kernel object is made of, for who looks at it from outside: types with fields under their
// Linux names, and values of such types. C++ cannot tell by itself, so each struct has a table
// (objects/*.cc).
//
//   const Look look{machine, task};
//   Datum ctx = PointerToObject(look, 0xffff888100000040);   // a (struct kioctx *)
//   Datum users;
//   std::string why;
//   if (GetMember(look, ctx, "users", &users, &why)) std::cout << Print(users, {}) ...
//
// Looking never changes the run: no probe is passed, nothing is allocated in the machine, no fault
// is handled. A pointer is followed only if what it points to still lives.
//
// Context: while the machine stands still, or in a ProbeListener.
//
// Invariants
//   1. A Datum that is not detached is valid until the machine goes on.
//   2. No text and no number in it depends on the host.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sim/kernel/slab.h"
#include "sim/machine/machine.h"

namespace kpath {

class Printer;
struct PrintLevel;
struct task_struct;
struct Datum;
struct Type;

// Who looks: at which machine, and whose user memory is meant. `task` null: nobody's.
struct Look {
  Machine& machine;
  const task_struct* task = nullptr;
};

// Names of numbers.
struct Name {
  uint64_t value;
  const char* name;
};
struct Names {
  enum class Kind : uint8_t {
    kEnum,       // one of them: TASK_RUNNING
    kFlags,      // some of them: (IOCB_DIRECT | IOCB_WRITE)
    kRegister,   // bits of a register: [ ZF PF IF ]
    kOperation,  // one in the lower 8 bits, flags above: REQ_OP_WRITE | REQ_SYNC
    kErrno,      // negative: -EINVAL
    kUserErrno,  // a result that may be an errno: 512, -EINVAL; of 64 bits
  };
  Kind kind;
  absl::Span<const Name> names;
};

struct Field {
  const char* name;
  // What `at` returns is of this type; a computed field says itself what it is.
  const Type& (*type)();
  // Where in the object; null: `compute`.
  const void* (*at)(const void* object);
  bool (*compute)(const Look& look, const Datum& object, Datum* value) = nullptr;
};

// A list of things, whatever it is made of.
struct Sequence {
  size_t (*count)(const Look& look, const Datum& sequence);
  // REQUIRES: index < count.
  Datum (*element)(const Look& look, const Datum& sequence, size_t index);
  // The name of an element that is not known by its index; may be null: they are 0, 1, 2 ….
  std::string (*key)(const Datum& sequence, size_t index) = nullptr;
  // The index of the element with this number, or count; null: it is its index.
  size_t (*find)(const Look& look, const Datum& sequence, uint64_t number) = nullptr;
  // Of bools, that are shown as the numbers of those that are true.
  bool is_set = false;
};

struct Type {
  enum class Kind : uint8_t {
    kVoid,
    kInteger,
    kBool,
    kStruct,
    kPointer,  // only of a place where a pointer is stored: a Datum of it has the target's type
    kSequence,
    kText,
    kFunction,  // a function pointer, known by whether it is set
  };
  Kind kind = Kind::kVoid;
  const char* name = "void";  // "unsigned int", "struct kioctx"
  // Bytes in the simulated memory: of integers, and of structs that user mode or assembly share
  // with the kernel. 0: it has no form there.
  uint8_t bytes = 0;
  bool is_signed = false;
  bool is_address = false;  // an integer that is shown as 0x…
  bool is_char = false;
  const Names* names = nullptr;

  // Integers, bools and functions: the value that is stored.
  uint64_t (*load)(const void* slot) = nullptr;
  // Pointers: what is stored becomes a Datum of the target's type.
  void (*follow)(const void* slot, Datum* pointer) = nullptr;
  const Sequence* sequence = nullptr;
  std::string (*text)(const void* slot) = nullptr;

  // Structs.
  absl::Span<const Field> fields = {};
  const char* slab_name = nullptr;  // of the cache whose objects are of this type
  size_t host_size = 0;
  // The slab's header of an object that is known by a plain pointer; null: unknown.
  const SlabHeader* (*header)(const void* object) = nullptr;
  // Whether an object at the end of a plain pointer is what it should be. Null: it is.
  bool (*alive)(const void* object) = nullptr;
  // What it is called if it has no address: "task 1 prog".
  std::string (*identity)(const void* object) = nullptr;
  // Those that have a number instead of an address: it, and the object that has it now (or null).
  uint64_t (*number)(const void* object) = nullptr;
  const void* (*find)(Machine& machine, uint64_t number) = nullptr;
  // Shows an object in its own way; null: as its fields.
  std::string (*show)(const Printer& printer, const Datum& object,
                      const PrintLevel& level) = nullptr;
};

// A value, or a place where one is.
struct Datum {
  enum class State : uint8_t {
    kFine,
    kFreed,       // a pointer to an object that has been freed
    kError,       // an error pointer; bits are the negative errno
    kUnresolved,  // a pointer that is known by its address alone: Resolve
    kNumbered,    // detached: what it was is known by its number, `bits`: a task by its pid
  };

  const Type* type = nullptr;
  uint8_t indirection = 0;  // 1: a pointer to `type`
  State state = State::kFine;
  // 0, or: so many `type`s one behind the other from `address` on, in memory (gdb's @).
  uint32_t count = 0;
  // A pointer's target; a struct, sequence or text itself.
  const void* host = nullptr;
  // A number; the simulated address that a pointer has (0: null, or the target has no address).
  uint64_t bits = 0;
  // The simulated address of the place it was read from; 0: none is known.
  uint64_t address = 0;
  // Bytes that were read from the machine, or a text that was made.
  std::shared_ptr<const std::string> copy;

  bool is_pointer() const { return indirection > 0; }
  bool is_null() const {
    return is_pointer() && bits == 0 && host == nullptr && state != State::kError &&
           state != State::kNumbered;
  }
  bool is_number() const {
    return indirection == 0 && count == 0 &&
           (type->kind == Type::Kind::kInteger || type->kind == Type::Kind::kBool);
  }
  bool is_struct() const {
    return indirection == 0 && count == 0 && type->kind == Type::Kind::kStruct;
  }
  bool is_sequence() const {
    return count != 0 || (indirection == 0 && type->kind == Type::Kind::kSequence);
  }
};

// "struct kioctx *", "unsigned int", "struct io_event [4]".
std::string TypeName(const Datum& datum);
// "an unsigned int": for reasons.
std::string AType(const Datum& datum);

// ---- Making ----
Datum MakeNumber(const Type& type, uint64_t bits, uint64_t address = 0);
Datum MakeText(std::string text);
// A pointer to an object of the model. `bits` 0: it has no simulated address that is known.
Datum MakePointer(const Type& target, const void* host, uint64_t bits = 0);
// A pointer that is known by its number.
Datum MakeAddress(const Type& target, uint64_t bits, uint8_t indirection = 1);
// What is at `slot`, of a type as Field::type says.
void Load(const Type& type, const void* slot, uint64_t address, Datum* value);

// ---- Following. Each returns false with a reason in *why ----
// `look` must have the machine entered (EnterMachine), as Evaluate and Print do.

// Finds what a pointer that is known by its number points to, or what a detached struct was.
bool Resolve(const Look& look, Datum* datum, std::string* why);
// `*pointer`.
bool Dereference(const Look& look, const Datum& pointer, Datum* value, std::string* why);
// The struct that `datum` is or points to, ready for GetField.
bool ToStruct(const Look& look, const Datum& datum, Datum* object, std::string* why);
// The field of a type; null: it has none of this name.
const Field* FindField(const Type& type, absl::string_view name);
// `object` comes from ToStruct.
bool GetField(const Look& look, const Datum& object, const Field& field, Datum* value,
              std::string* why);
// `.name` and `->name`: also size, first and last of a sequence.
bool GetMember(const Look& look, const Datum& datum, absl::string_view name, Datum* value,
               std::string* why);
size_t CountElements(const Look& look, const Datum& sequence);
Datum GetElement(const Look& look, const Datum& sequence, size_t index);
// The simulated address that a pointer has, or that a plain pointer of the model would have; 0:
// null, or its target has none.
uint64_t AddressOf(const Look& look, const Datum& pointer);

// ---- Finding ----
// The object of a slab cache at this address, as a pointer; a `type` of null: none is there.
Datum PointerToObject(const Look& look, uint64_t address);

// Makes a value that may be kept while the machine runs or goes back: a number stays what it was,
// an object is looked for again, by its address (a task by its pid), when it is used. A list, and
// what has no address, is gone then.
Datum Detach(const Look& look, const Datum& datum);

// ---- Memory ----
// Reads `size` bytes of the kernel's memory, or of the task's user memory, as far as they are
// present. False, with nothing changed but *bytes: one is not.
bool ReadMemory(const Look& look, uint64_t address, size_t size, void* bytes);
// "cannot access memory at address 0x10"
std::string CannotAccess(uint64_t address);

// ---- All types ----
// Every struct that has a table.
absl::Span<const Type& (*const)()> AllStructs();
// The struct "kioctx" or, where C has a typedef, "spinlock_t"; null: there is none.
const Type* FindStruct(absl::string_view name);

}  // namespace kpath
