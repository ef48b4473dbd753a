// SPDX-License-Identifier: Apache-2.0
//
// Making areas. v4.19 mm/mmap.c
#include "sim/mm/mmap.h"

#include "sim/kernel/resource.h"
#include "sim/mm/filemap.h"
#include "sim/mm/memory.h"
#include "sim/mm/shmem.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/super.h"

namespace kpath {
namespace {

// v4.19 mm/vmacache.c: vmacache_find. Departs: a real process keeps replacing the four areas that
// the cache remembers by its own page faults, which are not simulated one by one; so it never hits
// here.
kptr<vm_area_struct> vmacache_find(kptr<mm_struct> mm, unsigned long addr) {
  FUNCTION(mm, Value::Address(addr));
  return nullptr;
}

// v4.19 mm/vmacache.c: vmacache_update. See vmacache_find.
void vmacache_update(unsigned long addr, kptr<vm_area_struct> newvma) {
  FUNCTION(Value::Address(addr), newvma);
}

// v4.19 fs/exec.c: path_noexec
bool path_noexec(const path& path) {
  FUNCTION();
  return fn.Return((path.mnt->mnt_flags & MNT_NOEXEC) != 0 ||
                   (path.mnt->mnt_sb->s_iflags & SB_I_NOEXEC) != 0);
}

// v4.19 kernel/events/uprobes.c: uprobe_mmap. Nobody sets uprobes here.
void uprobe_mmap(kptr<vm_area_struct> vma) { FUNCTION(vma); }

// v4.19 include/linux/mman.h: calc_vm_prot_bits. The PROT_* and VM_* bits are the same.
unsigned long calc_vm_prot_bits(unsigned long prot) {
  return prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
}

// v4.19 include/linux/mman.h: calc_vm_flag_bits
unsigned long calc_vm_flag_bits(unsigned long flags) {
  return ((flags & MAP_GROWSDOWN) != 0 ? VM_GROWSDOWN : 0) |
         ((flags & MAP_LOCKED) != 0 ? VM_LOCKED : 0);
}

// v4.19 mm/mmap.c: round_hint_to_min
unsigned long round_hint_to_min(unsigned long hint) {
  hint &= PAGE_MASK;
  return hint != 0 && hint < mmap_min_addr ? PAGE_ALIGN(mmap_min_addr) : hint;
}

// v4.19 mm/mmap.c: file_mmap_ok
bool file_mmap_ok(kptr<inode> inode, unsigned long pgoff, unsigned long len) {
  const bool sized = S_ISREG(inode->i_mode) || S_ISBLK(inode->i_mode);
  if (!sized) return true;
  const auto maxsize = static_cast<unsigned long>(inode->i_sb->s_maxbytes);
  return len <= maxsize && pgoff <= (maxsize - len) >> PAGE_SHIFT;
}

// The part of do_mmap for MAP_SHARED and MAP_SHARED_VALIDATE of a file.
int check_shared_file(kptr<file> file, unsigned long prot, unsigned long flags) {
  const bool validate = (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
  if (validate && (flags & ~LEGACY_MAP_MASK) != 0) {
    return Fail(EOPNOTSUPP, "flags $0 are not known to this file",
                Value::Address(flags & ~LEGACY_MAP_MASK));
  }
  const bool can_write = (file->f_mode & FMODE_WRITE) != 0;
  if ((prot & PROT_WRITE) != 0 && !can_write) {
    return Fail(EACCES, "a shared writable mapping of a file that is not open for writing");
  }
  if ((file_inode(file)->i_flags & S_APPEND) != 0 && can_write) {
    return Fail(EACCES, "a shared mapping of an append-only file");
  }
  return 0;
}

// The part of do_mmap that checks a file; adds what follows from it to *vm_flags. 0 or an errno.
int check_file(kptr<file> file, unsigned long prot, unsigned long flags, unsigned long pgoff,
               unsigned long len, unsigned long* vm_flags) {
  if (!file_mmap_ok(file_inode(file), pgoff, len)) {
    return Fail(EOVERFLOW, "page offset $0 + $1 bytes is beyond the largest file", pgoff, len);
  }
  const unsigned long type = flags & MAP_TYPE;
  if (type != MAP_SHARED && type != MAP_SHARED_VALIDATE && type != MAP_PRIVATE) {
    return Fail(EINVAL, "flags say neither MAP_SHARED nor MAP_PRIVATE: type $0", type);
  }
  if (type != MAP_PRIVATE) {
    const int error = check_shared_file(file, prot, flags);
    if (error != 0) return error;
    *vm_flags |= VM_SHARED | VM_MAYSHARE;
    if ((file->f_mode & FMODE_WRITE) == 0) *vm_flags &= ~(VM_MAYWRITE | VM_SHARED);
  }
  if ((file->f_mode & FMODE_READ) == 0) {
    return Fail(EACCES, "a mapping of a file that is not open for reading");
  }
  if (path_noexec(file->f_path)) {
    if ((*vm_flags & VM_EXEC) != 0) return Fail(EPERM, "PROT_EXEC from a noexec file system");
    *vm_flags &= ~VM_MAYEXEC;
  }
  if (file->f_op->mmap == nullptr) return Fail(ENODEV, "$0 has no mmap", file->f_op->name);
  if ((*vm_flags & VM_GROWSDOWN) != 0) return Fail(EINVAL, "MAP_GROWSDOWN of a file");
  return 0;
}

// The same without a file.
int check_anonymous(unsigned long addr, unsigned long flags, unsigned long* pgoff,
                    unsigned long* vm_flags) {
  switch (flags & MAP_TYPE) {
    case MAP_SHARED:
      if ((*vm_flags & VM_GROWSDOWN) != 0) return Fail(EINVAL, "MAP_GROWSDOWN and MAP_SHARED");
      *pgoff = 0;
      *vm_flags |= VM_SHARED | VM_MAYSHARE;
      return 0;
    case MAP_PRIVATE:
      *pgoff = addr >> PAGE_SHIFT;
      return 0;
    default:
      return Fail(EINVAL, "flags say neither MAP_SHARED nor MAP_PRIVATE: type $0",
                  flags & MAP_TYPE);
  }
}

// Gives a new area its file, or what stands for one. 0 or an errno.
int AttachBacking(kptr<vm_area_struct> vma, kptr<file> file) {
  if (file) {
    vma->vm_file = get_file(file);
    return file->f_op->mmap(file, vma);
  }
  return (vma->vm_flags & VM_SHARED) != 0 ? shmem_zero_setup(vma) : 0;
}

}  // namespace

kptr<vm_area_struct> find_vma(kptr<mm_struct> mm, unsigned long addr) {
  FUNCTION(mm, Value::Address(addr));
  kptr<vm_area_struct> vma = vmacache_find(mm, addr);
  if (vma) return fn.Return(vma);
  auto at = mm->mmap.upper_bound(addr);
  if (at != mm->mmap.begin() && std::prev(at)->second->vm_end > addr) --at;
  if (at == mm->mmap.end()) return nullptr;
  vma = at->second;
  vmacache_update(addr, vma);
  return fn.Return(vma);
}

kptr<vm_area_struct> find_vma_intersection(kptr<mm_struct> mm, unsigned long start_addr,
                                           unsigned long end_addr) {
  const kptr<vm_area_struct> vma = find_vma(mm, start_addr);
  return vma && vma->vm_start < end_addr ? vma : nullptr;
}

int find_vma_links(kptr<mm_struct> mm, unsigned long addr, unsigned long end) {
  FUNCTION(Value::Address(addr), Value::Address(end));
  const auto above = mm->mmap.lower_bound(addr);
  if (above != mm->mmap.end() && above->first < end) return fn.Return(-ENOMEM);
  if (above != mm->mmap.begin() && std::prev(above)->second->vm_end > addr) {
    return fn.Return(-ENOMEM);
  }
  return fn.Return(0);
}

bool may_expand_vm(kptr<mm_struct> mm, unsigned long vm_flags, unsigned long npages) {
  FUNCTION(mm, Value::Address(vm_flags), npages);
  return fn.Return(mm->total_vm + npages <= rlimit(RLIMIT_AS) >> PAGE_SHIFT);
}

void vm_stat_account(kptr<mm_struct> mm, unsigned long vm_flags, long npages) {
  FUNCTION(mm, Value::Address(vm_flags), npages);
  mm->total_vm += static_cast<unsigned long>(npages);
}

pgprot_t vm_get_page_prot(unsigned long vm_flags) {
  FUNCTION(Value::Address(vm_flags));
  return {.accessible = (vm_flags & (VM_READ | VM_WRITE | VM_EXEC)) != 0,
          .writable = (vm_flags & (VM_WRITE | VM_SHARED)) == (VM_WRITE | VM_SHARED)};
}

bool vma_wants_writenotify(kptr<vm_area_struct> vma) {
  FUNCTION(vma);
  if ((vma->vm_flags & (VM_WRITE | VM_SHARED)) != (VM_WRITE | VM_SHARED)) return fn.Return(false);
  return fn.Return(vma->vm_ops != nullptr && vma->vm_ops->page_mkwrite != nullptr);
}

void vma_set_page_prot(kptr<vm_area_struct> vma) {
  FUNCTION(vma);
  vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
  if (vma_wants_writenotify(vma)) {
    vma->vm_page_prot = vm_get_page_prot(vma->vm_flags & ~VM_SHARED);
  }
}

unsigned long mmap_region(kptr<file> file, unsigned long addr, unsigned long len,
                          unsigned long vm_flags, unsigned long pgoff, list_head_uf* uf) {
  FUNCTION(file, Value::Address(addr), len, Value::Address(vm_flags), pgoff);
  const kptr<mm_struct> mm = current->mm;
  if (!may_expand_vm(mm, vm_flags, len >> PAGE_SHIFT)) {
    return ERR_VALUE(Fail(ENOMEM, "$0 pages are mapped, $1 more are over RLIMIT_AS of $2 bytes",
                          mm->total_vm, len >> PAGE_SHIFT, rlimit(RLIMIT_AS)));
  }
  while (find_vma_links(mm, addr, addr + len) != 0) {
    if (do_munmap(mm, addr, len, uf) != 0) return ERR_VALUE(-ENOMEM);
  }
  kptr<vm_area_struct> vma = vma_merge(mm, addr, addr + len, vm_flags, file, pgoff);
  if (!vma) {
    vma = vm_area_alloc(mm);
    if (!vma) return ERR_VALUE(Fail(ENOMEM, "no memory for an area"));
    vma->vm_start = addr;
    vma->vm_end = addr + len;
    vma->vm_flags = vm_flags;
    vma->vm_page_prot = vm_get_page_prot(vm_flags);
    vma->vm_pgoff = pgoff;
    const int error = AttachBacking(vma, file);
    if (error != 0) {
      if (vma->vm_file) fput(vma->vm_file);
      vm_area_free(vma);
      return ERR_VALUE(error);
    }
    vma_link(mm, vma);
  }
  vm_stat_account(mm, vma->vm_flags, static_cast<long>(len >> PAGE_SHIFT));
  if (vma->vm_file) uprobe_mmap(vma);
  vma->vm_flags |= VM_SOFTDIRTY;
  vma_set_page_prot(vma);
  return addr;
}

unsigned long do_mmap(kptr<file> file, unsigned long addr, unsigned long len, unsigned long prot,
                      unsigned long flags, unsigned long vm_flags, unsigned long pgoff,
                      unsigned long* populate, list_head_uf* uf) {
  FUNCTION(file, Value::Address(addr), len, prot, Value::Address(flags), pgoff);
  const kptr<mm_struct> mm = current->mm;
  *populate = 0;
  if (len == 0) return ERR_VALUE(Fail(EINVAL, "length is 0"));
  if ((flags & MAP_FIXED_NOREPLACE) != 0) flags |= MAP_FIXED;
  if ((flags & MAP_FIXED) == 0) addr = round_hint_to_min(addr);
  const unsigned long size = PAGE_ALIGN(len);
  if (size == 0) return ERR_VALUE(Fail(ENOMEM, "length $0 wraps when rounded to pages", len));
  if (pgoff + (size >> PAGE_SHIFT) < pgoff) {
    return ERR_VALUE(Fail(EOVERFLOW, "page offset $0 + $1 bytes wraps", pgoff, size));
  }
  if (mm->map_count > sysctl_max_map_count) {
    return ERR_VALUE(Fail(ENOMEM, "$0 areas, at most $1", mm->map_count, sysctl_max_map_count));
  }
  addr = get_unmapped_area(file, addr, size, pgoff, flags);
  if (offset_in_page(addr) != 0) return fn.Return(addr);
  if ((flags & MAP_FIXED_NOREPLACE) != 0 && find_vma_intersection(mm, addr, addr + size)) {
    return ERR_VALUE(Fail(EEXIST, "MAP_FIXED_NOREPLACE, and $0 is in use", Value::Address(addr)));
  }
  vm_flags |= calc_vm_prot_bits(prot) | calc_vm_flag_bits(flags) | mm->def_flags | VM_MAYREAD |
              VM_MAYWRITE | VM_MAYEXEC;
  if ((flags & MAP_NORESERVE) != 0) vm_flags |= VM_NORESERVE;
  const int error = file ? check_file(file, prot, flags, pgoff, size, &vm_flags)
                         : check_anonymous(addr, flags, &pgoff, &vm_flags);
  if (error != 0) return ERR_VALUE(error);
  addr = mmap_region(file, addr, size, vm_flags, pgoff, uf);
  const bool wanted =
      (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE || (vm_flags & VM_LOCKED) != 0;
  if (!IS_ERR_VALUE(addr) && wanted) *populate = size;
  return addr;
}

}  // namespace kpath
