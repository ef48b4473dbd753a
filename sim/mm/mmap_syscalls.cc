// SPDX-License-Identifier: Apache-2.0
//
// mmap and munmap as user mode calls them. v4.19 mm/{mmap,util}.c, arch/x86/kernel/sys_x86_64.c
#include "sim/kernel/syscalls.h"
#include "sim/mm/memory.h"
#include "sim/mm/mmap.h"
#include "sim/vfs/file.h"
#include "sim/vfs/file_table.h"

namespace kpath {
namespace {

// v4.19 mm/mmap.c: ksys_mmap_pgoff
unsigned long ksys_mmap_pgoff(unsigned long addr, unsigned long len, unsigned long prot,
                              unsigned long flags, unsigned long fd, unsigned long pgoff) {
  FUNCTION(Value::Address(addr), len, prot, Value::Address(flags), static_cast<int>(fd), pgoff);
  kptr<file> file;
  if ((flags & MAP_ANONYMOUS) == 0) {
    file = fget(static_cast<unsigned>(fd));
    if (!file) return ERR_VALUE(Fail(EBADF, "fd $0 is not open", static_cast<int>(fd)));
    if ((flags & MAP_HUGETLB) != 0) {
      fput(file);
      return ERR_VALUE(Fail(EINVAL, "MAP_HUGETLB of a file that is not on hugetlbfs"));
    }
  } else if ((flags & MAP_HUGETLB) != 0) {
    return ERR_VALUE(Fail(ENOMEM, "MAP_HUGETLB, and no huge pages are reserved"));
  }
  flags &= ~(MAP_EXECUTABLE | MAP_DENYWRITE);
  const unsigned long ret = vm_mmap_pgoff(file, addr, len, prot, flags, pgoff);
  if (file) fput(file);
  fn.Return(AddressValue(ret));
  return ret;
}

}  // namespace

unsigned long vm_mmap_pgoff(kptr<file> file, unsigned long addr, unsigned long len,
                            unsigned long prot, unsigned long flags, unsigned long pgoff) {
  FUNCTION(file, Value::Address(addr), len, prot, Value::Address(flags), pgoff);
  const kptr<mm_struct> mm = current->mm;
  if (down_write_killable(&mm->mmap_sem) != 0) {
    return ERR_VALUE(Fail(EINTR, "the task is being killed"));
  }
  unsigned long populate;
  const unsigned long ret = do_mmap_pgoff(file, addr, len, prot, flags, pgoff, &populate, nullptr);
  up_write(&mm->mmap_sem);
  if (populate != 0) mm_populate(ret, populate);
  fn.Return(AddressValue(ret));
  return ret;
}

SYSCALL_DEFINE6(mmap, unsigned long, addr, unsigned long, len, unsigned long, prot, unsigned long,
                flags, unsigned long, fd, unsigned long, off) {
  if (offset_in_page(off) != 0) return Fail(EINVAL, "offset $0 is not page aligned", off);
  return static_cast<long>(ksys_mmap_pgoff(addr, len, prot, flags, fd, off >> PAGE_SHIFT));
}

SYSCALL_DEFINE2(munmap, unsigned long, addr, size_t, len) { return vm_munmap(addr, len); }

}  // namespace kpath
