// SPDX-License-Identifier: Apache-2.0
//
// Opening and truncating files. v4.19 fs/open.c
#pragma once

#include <string>

#include "sim/kernel/user_ptr.h"
#include "sim/vfs/fs.h"

namespace kpath {

// v4.19 fs/open.c: vfs_open. Opens what `path` is, as file->f_flags say; takes references of its
// own.
int vfs_open(const path& path, kptr<file> file);

// v4.19 fs/open.c: filp_open. For those who set a machine up. An error pointer: why not.
kptr<file> filp_open(const std::string& filename, unsigned flags, umode_t mode);

long do_sys_open(int dfd, user_ptr<const char> filename, unsigned flags, umode_t mode);

// v4.19 fs/open.c: do_truncate. `time_attrs`: ATTR_MTIME and so on. `filp`: may be null.
int do_truncate(kptr<dentry> dentry, loff_t length, unsigned time_attrs, kptr<file> filp);

}  // namespace kpath
