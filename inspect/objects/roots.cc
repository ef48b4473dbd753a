// SPDX-License-Identifier: Apache-2.0
#include "inspect/objects/roots.h"

#include "absl/strings/str_cat.h"
#include "fs_aio/kioctx.h"
#include "inspect/types_of.h"
#include "sim/block/blk_plug.h"
#include "sim/block/genhd.h"
#include "sim/kernel/jiffies.h"
#include "sim/kernel/sched.h"
#include "sim/machine/pt_regs.h"
#include "sim/mm/mm_types.h"

namespace kpath {
namespace {

bool NeedTask(const Look& look, std::string* why) {
  if (look.task != nullptr) return true;
  *why = "no task is selected";
  return false;
}

bool Current(const Look& look, Datum* value, std::string* why) {
  if (!NeedTask(look, why)) return false;
  *value = MakePointer(StructTypeOf<task_struct>(), look.task);
  return true;
}

// The first argument of the system call that the task is in; 0: its stack is gone.
uint64_t FirstArgument(const Look& look) {
  pt_regs regs;
  const uint64_t address = task_top_of_stack(look.task) - sizeof(pt_regs);
  return ReadMemory(look, address, sizeof regs, &regs) ? regs.di : 0;
}

bool Ctx(const Look& look, Datum* value, std::string* why) {
  if (!NeedTask(look, why)) return false;
  const kptr<mm_struct>& mm = look.task->mm;
  const kptr<kioctx_table>* table = mm.alive() ? &mm.get()->ioctx_table : nullptr;
  int contexts = 0;
  kptr<kioctx> only, named;
  const uint64_t wanted = FirstArgument(look);
  if (table != nullptr && table->alive()) {
    for (const kptr<kioctx>& one : table->get()->table) {
      if (!one.alive()) continue;
      ++contexts;
      only = one;
      if (one.get()->user_id == wanted) named = one;
    }
  }
  if (contexts == 1 || named) {
    *value = MakeKptr(contexts == 1 ? only : named);
    return true;
  }
  *why = contexts == 0 ? "ctx is NULL: the process has no AIO context"
                       : absl::StrCat("the process has ", contexts,
                                      " AIO contexts: see current->mm->ioctx_table->table");
  return false;
}

bool Plug(const Look& look, Datum* value, std::string* why) {
  if (!NeedTask(look, why)) return false;
  *value = MakePointer(StructTypeOf<blk_plug>(), look.task->plug);
  return true;
}

bool Regs(const Look& look, Datum* value, std::string* why) {
  if (!NeedTask(look, why)) return false;
  *value = MakeAddress(StructTypeOf<pt_regs>(), task_top_of_stack(look.task) - sizeof(pt_regs));
  return true;
}

bool AioNr(const Look& look, Datum* value, std::string*) {
  *value = MakeNumber(TypeOf<unsigned long>(), aio.Get(look.machine).aio_nr);
  return true;
}
bool AioMaxNr(const Look& look, Datum* value, std::string*) {
  *value = MakeNumber(TypeOf<unsigned long>(), aio.Get(look.machine).aio_max_nr);
  return true;
}

bool JiffiesNow(const Look& look, Datum* value, std::string*) {
  *value =
      MakeNumber(TypeOf<unsigned long>(),
                 INITIAL_JIFFIES + static_cast<unsigned long>(look.machine.now_ns() / TICK_NSEC));
  return true;
}

// ---- Lists that are made when they are asked for ----
size_t CountTasks(const Look& look, const Datum&) { return AllTasks(look.machine).size(); }
Datum TaskIn(const Look& look, const Datum&, size_t index) {
  return MakePointer(StructTypeOf<task_struct>(), AllTasks(look.machine)[index]);
}
constexpr Sequence kTasks = {CountTasks, TaskIn};

size_t CountDisks(const Look&, const Datum&) { return AllDisks().size(); }
Datum DiskIn(const Look&, const Datum&, size_t index) {
  Datum disk;
  FollowPlain(StructTypeOf<gendisk>(), AllDisks()[index], &disk);
  return disk;
}
constexpr Sequence kDisks = {CountDisks, DiskIn};

template <const Sequence& kList>
bool AllOf(const Look& look, Datum* value, std::string*) {
  value->type = &SequenceType<kList>();
  value->host = &look.machine;
  return true;
}

bool CpuN(const Look& look, uint64_t number, Datum* value, std::string* why) {
  if (number >= static_cast<uint64_t>(look.machine.cpus())) {
    *why = absl::StrCat("there is no cpu ", static_cast<int64_t>(number), ", only 0 to ",
                        look.machine.cpus() - 1);
    return false;
  }
  *value = MakePointer(StructTypeOf<Cpu>(), &look.machine.cpu(static_cast<int>(number)));
  return true;
}

bool TaskN(const Look& look, uint64_t pid, Datum* value, std::string* why) {
  const task_struct* task = FindTask(look.machine, static_cast<int>(pid));
  if (task == nullptr) {
    *why = absl::StrCat("no task has the pid ", static_cast<int64_t>(pid));
    return false;
  }
  *value = MakePointer(StructTypeOf<task_struct>(), task);
  return true;
}

constexpr Root kRoots[] = {
    {"current", Current},     {"ctx", Ctx},
    {"plug", Plug},           {"regs", Regs},
    {"aio_nr", AioNr},        {"aio_max_nr", AioMaxNr},
    {"jiffies", JiffiesNow},  {"tasks", AllOf<kTasks>},
    {"disks", AllOf<kDisks>},
};
constexpr NumberedRoot kNumberedRoots[] = {{"cpu", CpuN}, {"task", TaskN}};

}  // namespace

const Root* FindRoot(absl::string_view name) {
  for (const Root& root : kRoots) {
    if (root.name == name) return &root;
  }
  return nullptr;
}

const NumberedRoot* FindNumberedRoot(absl::string_view name) {
  for (const NumberedRoot& root : kNumberedRoots) {
    if (root.name == name) return &root;
  }
  return nullptr;
}

}  // namespace kpath
