// SPDX-License-Identifier: Apache-2.0
//
// Numbers of the x86-64 system calls about memory, and the flags of memory areas.
// v4.19 include/uapi/asm-generic/{mman,mman-common}.h, arch/x86/include/uapi/asm/mman.h,
// include/linux/mm.h
//
// The host's headers have some of these as macros: they are included first and taken away.
#pragma once

#include <sys/mman.h>

#undef PROT_NONE
#undef PROT_READ
#undef PROT_WRITE
#undef PROT_EXEC
#undef PROT_GROWSDOWN
#undef PROT_GROWSUP
#undef MAP_SHARED
#undef MAP_PRIVATE
#undef MAP_SHARED_VALIDATE
#undef MAP_TYPE
#undef MAP_FIXED
#undef MAP_ANONYMOUS
#undef MAP_32BIT
#undef MAP_GROWSDOWN
#undef MAP_DENYWRITE
#undef MAP_EXECUTABLE
#undef MAP_LOCKED
#undef MAP_NORESERVE
#undef MAP_POPULATE
#undef MAP_NONBLOCK
#undef MAP_STACK
#undef MAP_HUGETLB
#undef MAP_SYNC
#undef MAP_FIXED_NOREPLACE
#undef MREMAP_MAYMOVE
#undef MREMAP_FIXED
#undef MADV_NORMAL
#undef MADV_RANDOM
#undef MADV_SEQUENTIAL
#undef MADV_WILLNEED
#undef MADV_DONTNEED
#undef MADV_DONTFORK
#undef MADV_DOFORK
#undef MADV_HUGEPAGE
#undef MADV_NOHUGEPAGE
#undef MADV_DONTDUMP
#undef MADV_DODUMP

namespace kpath {

// ---- prot ----
inline constexpr unsigned long PROT_NONE = 0x0;
inline constexpr unsigned long PROT_READ = 0x1;
inline constexpr unsigned long PROT_WRITE = 0x2;
inline constexpr unsigned long PROT_EXEC = 0x4;
inline constexpr unsigned long PROT_SEM = 0x8;
inline constexpr unsigned long PROT_GROWSDOWN = 0x01000000;
inline constexpr unsigned long PROT_GROWSUP = 0x02000000;

// ---- flags of mmap ----
inline constexpr unsigned long MAP_SHARED = 0x01;
inline constexpr unsigned long MAP_PRIVATE = 0x02;
inline constexpr unsigned long MAP_SHARED_VALIDATE = 0x03;
inline constexpr unsigned long MAP_TYPE = 0x0f;
inline constexpr unsigned long MAP_FIXED = 0x10;
inline constexpr unsigned long MAP_ANONYMOUS = 0x20;
inline constexpr unsigned long MAP_32BIT = 0x40;
inline constexpr unsigned long MAP_GROWSDOWN = 0x0100;
inline constexpr unsigned long MAP_DENYWRITE = 0x0800;
inline constexpr unsigned long MAP_EXECUTABLE = 0x1000;
inline constexpr unsigned long MAP_LOCKED = 0x2000;
inline constexpr unsigned long MAP_NORESERVE = 0x4000;
inline constexpr unsigned long MAP_POPULATE = 0x8000;
inline constexpr unsigned long MAP_NONBLOCK = 0x10000;
inline constexpr unsigned long MAP_STACK = 0x20000;
inline constexpr unsigned long MAP_HUGETLB = 0x40000;
inline constexpr unsigned long MAP_SYNC = 0x80000;
inline constexpr unsigned long MAP_FIXED_NOREPLACE = 0x100000;
// What MAP_SHARED_VALIDATE knows without help from the file.
inline constexpr unsigned long LEGACY_MAP_MASK =
    MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE |
    MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |
    MAP_HUGETLB | MAP_32BIT;

// ---- mremap ----
inline constexpr unsigned long MREMAP_MAYMOVE = 1;
inline constexpr unsigned long MREMAP_FIXED = 2;

// ---- madvise ----
inline constexpr int MADV_NORMAL = 0;
inline constexpr int MADV_RANDOM = 1;
inline constexpr int MADV_SEQUENTIAL = 2;
inline constexpr int MADV_WILLNEED = 3;
inline constexpr int MADV_DONTNEED = 4;
inline constexpr int MADV_DONTFORK = 10;
inline constexpr int MADV_DOFORK = 11;
inline constexpr int MADV_HUGEPAGE = 14;
inline constexpr int MADV_NOHUGEPAGE = 15;
inline constexpr int MADV_DONTDUMP = 16;
inline constexpr int MADV_DODUMP = 17;

// ---- vm_area_struct::vm_flags ----
inline constexpr unsigned long VM_NONE = 0;
inline constexpr unsigned long VM_READ = 0x00000001;
inline constexpr unsigned long VM_WRITE = 0x00000002;
inline constexpr unsigned long VM_EXEC = 0x00000004;
inline constexpr unsigned long VM_SHARED = 0x00000008;
// What mprotect may set: the four above, shifted.
inline constexpr unsigned long VM_MAYREAD = 0x00000010;
inline constexpr unsigned long VM_MAYWRITE = 0x00000020;
inline constexpr unsigned long VM_MAYEXEC = 0x00000040;
inline constexpr unsigned long VM_MAYSHARE = 0x00000080;
inline constexpr unsigned long VM_GROWSDOWN = 0x00000100;
inline constexpr unsigned long VM_PFNMAP = 0x00000400;
inline constexpr unsigned long VM_LOCKED = 0x00002000;
inline constexpr unsigned long VM_SEQ_READ = 0x00008000;
inline constexpr unsigned long VM_RAND_READ = 0x00010000;
inline constexpr unsigned long VM_DONTCOPY = 0x00020000;    // not inherited by fork
inline constexpr unsigned long VM_DONTEXPAND = 0x00040000;  // mremap must not grow it
inline constexpr unsigned long VM_ACCOUNT = 0x00100000;
inline constexpr unsigned long VM_NORESERVE = 0x00200000;
inline constexpr unsigned long VM_SOFTDIRTY = 0x08000000;
inline constexpr unsigned long VM_DONTDUMP = 0x04000000;

}  // namespace kpath
