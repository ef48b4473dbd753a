// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/address.h"

#include "absl/strings/str_cat.h"
#include "inspect/info/code.h"
#include "inspect/info/text.h"
#include "inspect/types.h"
#include "sim/kernel/extable.h"
#include "sim/kernel/slab_caches.h"
#include "sim/user/text.h"
#include "sim/vfs/dcache.h"
#include "sim/vfs/fs.h"

namespace kpath {
namespace {

std::string WithOffset(absl::string_view name, uint64_t offset) {
  return offset == 0 ? std::string(name) : absl::StrCat(name, "+", offset);
}

std::string NameSlabObject(Machine& machine, uint64_t address) {
  for (const kmem_cache_base* cache : AllCaches(machine)) {
    if (cache->live() == 0) continue;
    for (const SlabHeader* header : cache->LiveObjects()) {
      if (address >= header->address && address < header->address + cache->object_size()) {
        return WithOffset(cache->name(), address - header->address);
      }
    }
  }
  return "";
}

std::string NameStack(const View& view, uint64_t address) {
  for (const task_struct* task : TasksAndIdleTasks(view)) {
    if (task->stack != 0 && address >= task->stack && address < task->stack + THREAD_SIZE) {
      return WithOffset(absl::StrCat("stack of ", TaskName(*task)), address - task->stack);
    }
  }
  return "";
}

std::string NamePerCpu(const Cpu& cpu, uint64_t address) {
  constexpr uint64_t kBytes = 0x20000;  // the area that cpu.h describes
  const uint64_t base = cpu.per_cpu_base();
  if (address < base || address >= base + kBytes) return "";
  const uint64_t offset = address - base;
  for (const PerCpuSymbol& symbol : {kPerCpuSp0, kPerCpuTopOfStack, kPerCpuRspScratch,
                                     kPerCpuIrqCount, kPerCpuIrqStackPtr, kPerCpuCurrentTask}) {
    if (symbol.offset == offset) return absl::StrCat(symbol.name, " of CPU ", cpu.id());
  }
  if (offset < kPerCpuIrqStackTop.offset + 8) {
    return WithOffset(absl::StrCat("interrupt stack of CPU ", cpu.id()), offset);
  }
  return WithOffset(absl::StrCat("per-CPU data of CPU ", cpu.id()), offset);
}

// The kernel's instructions that access user memory.
std::string NameUserAccess(uint64_t address) {
  for (const exception_table_entry* entry :
       {&kExtableGetUser1, &kExtableGetUser2, &kExtableGetUser4, &kExtableGetUser8,
        &kExtablePutUser1, &kExtablePutUser2, &kExtablePutUser4, &kExtablePutUser8,
        &kExtableCopyFromUser, &kExtableCopyToUser, &kExtableClearUser, &kExtableStrncpyFromUser}) {
    if (entry->insn == address) return entry->symbol;
  }
  return "";
}

std::string NameUserText(uint64_t address) {
  struct Place {
    uint64_t address;
    const char* name;
  };
  constexpr Place kPlaces[] = {
      {user::kSyscallInstruction, "SYSCALL"},
      {user::kLoadInstruction, "load"},
      {user::kStoreInstruction, "store"},
      {user::kRestorer, "restorer"},
      {user::kRestorerX32, "restorer of x32"},
      {user::kVdsoSysenter, "SYSENTER of the vDSO"},
      {user::kVdsoInt80, "INT 0x80 of the vDSO"},
      {user::kVdsoSigreturn, "__kernel_sigreturn"},
      {user::kVdsoRtSigreturn, "__kernel_rt_sigreturn"},
  };
  for (const Place& place : kPlaces) {
    if (place.address == address) return place.name;
    if (place.address + user::kSyscallLength == address && address < user::kLoadInstruction) {
      return absl::StrCat("behind ", place.name);
    }
  }
  return "";
}

std::string NameUser(const View& view, uint64_t address) {
  if (std::string name = NameUserText(address); !name.empty()) return name;
  const kptr<mm_struct> mm = MmOf(TaskOf(view));
  if (!mm) return "";
  auto after = mm->mmap.upper_bound(address);
  if (after == mm->mmap.begin()) return "";
  const kptr<vm_area_struct> area = std::prev(after)->second;
  if (!area.alive() || address >= area->vm_end) return "";
  const std::string name = AreaName(mm, area);
  return name.empty() ? "anonymous memory" : name;
}

}  // namespace

std::string TaskName(const Context& context) {
  if (context.id() == 0) return std::string(context.label());
  return absl::StrCat(context.label(), "/", context.id());
}

kptr<mm_struct> MmOf(const task_struct& task) {
  return task.mm.alive() ? task.mm : kptr<mm_struct>();
}

std::string AreaName(const kptr<mm_struct>& mm, const kptr<vm_area_struct>& area) {
  if (area->vm_file.alive()) return d_path(area->vm_file->f_path);
  if (area->vm_start < mm->brk && area->vm_end > mm->start_brk) return "[heap]";
  if (area->vm_start <= mm->start_stack && area->vm_end >= mm->start_stack) return "[stack]";
  return "";
}

std::string AddressName(const View& view, uint64_t address) {
  if (address < kUserAddressEnd) return NameUser(view, address);
  if (std::string name = NameCode(address); !name.empty()) return name;
  if (std::string name = NameUserAccess(address); !name.empty()) return name;
  if (std::string name = NameSlabObject(view.machine, address); !name.empty()) return name;
  if (std::string name = NameStack(view, address); !name.empty()) return name;
  for (int id = 0; id < view.machine.cpus(); ++id) {
    if (std::string name = NamePerCpu(view.machine.cpu(id), address); !name.empty()) return name;
  }
  return "";
}

std::string AddressText(const View& view, uint64_t address) {
  const std::string name = AddressName(view, address);
  return name.empty() ? Hex(address) : absl::StrCat(Hex(address), " <", name, ">");
}

bool ReadMemory(const View& view, uint64_t address, absl::Span<uint8_t> bytes) {
  return ReadMemory(Look{view.machine, &TaskOf(view)}, address, bytes.size(), bytes.data());
}

absl::optional<uint64_t> ReadNumber(const View& view, uint64_t address, int size) {
  uint64_t number = 0;
  auto* bytes = reinterpret_cast<uint8_t*>(&number);
  if (!ReadMemory(view, address, absl::MakeSpan(bytes, static_cast<size_t>(size)))) {
    return absl::nullopt;
  }
  return number;
}

std::string CannotAccess(const View& view, uint64_t address) {
  std::string text = absl::StrCat("Cannot access memory at address ", Hex(address));
  const std::string name = AddressName(view, address);
  if (address >= kUserAddressEnd) {
    const std::string object = NameSlabObject(view.machine, address);
    if (!object.empty()) absl::StrAppend(&text, ": ", object, " is an object, not bytes: print it");
  } else if (!NameUserText(address).empty()) {
    absl::StrAppend(&text, ": no page is mapped where programs have their code");
  } else if (!name.empty()) {
    absl::StrAppend(&text, ": the page of ", name, " is not present");
  }
  return text;
}

}  // namespace kpath
