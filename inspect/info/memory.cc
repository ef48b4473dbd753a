// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/memory.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "inspect/info/address.h"
#include "inspect/info/text.h"
#include "sim/kernel/slab_caches.h"
#include "sim/machine/context.h"
#include "sim/mm/mm_types.h"
#include "sim/vfs/fs.h"

namespace kpath {
namespace {

constexpr unsigned kMinorBits = 20;

std::string AreaLine(const kptr<mm_struct>& mm, const kptr<vm_area_struct>& area) {
  const unsigned long flags = area->vm_flags;
  uint64_t dev = 0, ino = 0, offset = 0;
  if (area->vm_file.alive()) {
    offset = area->vm_pgoff << PAGE_SHIFT;
    if (const kptr<inode>& inode = area->vm_file->f_inode; inode.alive()) {
      ino = inode->i_ino;
      if (inode->i_sb.alive()) dev = inode->i_sb->s_dev;
    }
  }
  std::string line =
      absl::StrFormat("%08x-%08x %c%c%c%c %08x %02x:%02x %d", area->vm_start, area->vm_end,
                      (flags & VM_READ) != 0 ? 'r' : '-', (flags & VM_WRITE) != 0 ? 'w' : '-',
                      (flags & VM_EXEC) != 0 ? 'x' : '-', (flags & VM_SHARED) != 0 ? 's' : 'p',
                      offset, dev >> kMinorBits, dev & ((1 << kMinorBits) - 1), ino);
  const std::string name = AreaName(mm, area);
  return name.empty() ? line : absl::StrCat(line, "  ", name);
}

// References on a page that are not those of page tables or of the page cache: who does I/O holds
// it.
bool IsPinned(const kptr<page>& page) {
  return page_count(page) > page_mapcount(page) + (page->mapping != nullptr ? 1 : 0);
}

unsigned PinnedPages(Machine& machine, const kptr<mm_struct>& mm) {
  EnterMachine enter(machine);
  const AddressSpace& space = *mm->page_table.hardware();
  unsigned pinned = 0;
  for (unsigned long at = mm->page_table.NextMapped(0); at != PageTable::kNone;
       at = mm->page_table.NextMapped(at + PAGE_SIZE)) {
    const PageTableEntry* entry = space.Find(at);
    if (entry == nullptr) continue;
    const kptr<page> page = pfn_to_page(entry->pfn);
    if (page.alive() && IsPinned(page)) ++pinned;
  }
  return pinned;
}

std::string DescribeAddressSpace(const View& view) {
  const task_struct& task = TaskOf(view);
  const kptr<mm_struct> mm = MmOf(task);
  if (!mm) return absl::StrCat(TaskName(task), " has no user memory.\n");
  const auto& rss = mm->rss_stat;
  std::string text =
      Wrap(absl::StrCat("Address space of ", TaskName(task), ": ",
                        Count(static_cast<uint64_t>(mm->map_count), "area"), ", ", mm->total_vm,
                        " pages; RSS ", rss[MM_FILEPAGES] + rss[MM_ANONPAGES] + rss[MM_SHMEMPAGES],
                        ": ", rss[MM_FILEPAGES], " file, ", rss[MM_ANONPAGES], " anonymous, ",
                        rss[MM_SHMEMPAGES], " shared memory; ", PinnedPages(view.machine, mm),
                        " pinned"),
           view.width, 2) +
      "\n";
  for (const auto& [start, area] : mm->mmap) {
    if (area.alive()) absl::StrAppend(&text, Cut(AreaLine(mm, area), view.width), "\n");
  }
  return text;
}

std::string DescribeSlab(const View& view) {
  struct Sum {
    int objects = 0;
  };
  std::map<std::pair<std::string, size_t>, Sum> sums;
  int objects = 0;
  for (const kmem_cache_base* cache : AllCaches(view.machine)) {
    if (cache->live() == 0) continue;
    sums[{cache->name(), cache->object_size()}].objects += cache->live();
    objects += cache->live();
  }
  Table table({"SLAB", "OBJECTS", "OBJSIZE"}, {Align::kLeft, Align::kRight, Align::kRight});
  for (const auto& [cache, sum] : sums) {
    table.Add({cache.first, absl::StrCat(sum.objects), absl::StrCat(cache.second)});
  }
  return absl::StrCat("Kernel: ", Count(view.machine.memory.pages_in_use(), "physical page"),
                      " in use, ", Count(static_cast<uint64_t>(objects), "slab object"), "\n",
                      table.ToString(view.width));
}

}  // namespace

std::string InfoMemory(const View& view) { return DescribeAddressSpace(view) + DescribeSlab(view); }

}  // namespace kpath
