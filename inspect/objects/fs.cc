// SPDX-License-Identifier: Apache-2.0
//
// fs/*.c: files, inodes, names, descriptors.
#include <any>

#include "absl/strings/str_cat.h"
#include "inspect/objects/names.h"
#include "inspect/printer.h"
#include "inspect/types_of.h"
#include "sim/block/genhd.h"
#include "sim/mm/mm_types.h"
#include "sim/vfs/eventfd.h"
#include "sim/vfs/eventpoll_internal.h"
#include "sim/vfs/ext2/ext2.h"
#include "sim/vfs/file.h"
#include "sim/vfs/namei.h"
#include "sim/vfs/pipe.h"

namespace kpath {
namespace {

template <typename T>
std::string NameOf(const void* object) {
  return static_cast<const T*>(object)->name;
}

template <typename T>
bool GetKptr(const std::any& any, Datum* value) {
  const auto* pointer = std::any_cast<kptr<T>>(&any);
  if (pointer == nullptr) return false;
  *value = MakeKptr(*pointer);
  return true;
}

const std::any& AnyOf(const file& file) { return file.private_data; }
const std::any& AnyOf(const inode& inode) { return inode.i_private; }
const std::any& AnyOf(const address_space& mapping) { return mapping.private_data; }

// What a `void *` of Linux points to, with its type.
template <typename T>
bool PrivateOf(const Look&, const Datum& object, Datum* value) {
  const std::any& any = AnyOf(*static_cast<const T*>(object.host));
  if (!any.has_value()) {
    *value = MakePointer(TargetTypeOf<void>(), nullptr);
    return true;
  }
  if (const auto* bdev = std::any_cast<block_device*>(&any); bdev != nullptr) {
    *value = MakePointer(StructTypeOf<block_device>(), *bdev);
    return true;
  }
  return GetKptr<kioctx>(any, value) || GetKptr<eventfd_ctx>(any, value) ||
         GetKptr<eventpoll>(any, value) || GetKptr<pipe_inode_info>(any, value) ||
         GetKptr<ext2_inode_info>(any, value);
}

bool MaxFds(const Look&, const Datum& object, Datum* value) {
  *value = MakeNumber(TypeOf<unsigned>(), static_cast<const fdtable*>(object.host)->max_fds());
  return true;
}

// ---- fd: the descriptors that are open, by their numbers ----
const fdtable& TableOf(const Datum& list) { return *static_cast<const fdtable*>(list.host); }

size_t CountOpen(const Look&, const Datum& list) {
  size_t count = 0;
  for (const kptr<file>& one : TableOf(list).fd) count += one ? 1 : 0;
  return count;
}

// The descriptor of the open file `index`.
size_t NumberOf(const Datum& list, size_t index) {
  const auto& fd = TableOf(list).fd;
  for (size_t number = 0; number < fd.size(); ++number) {
    if (fd[number] && index-- == 0) return number;
  }
  return fd.size();
}

Datum OpenFileAt(const Look&, const Datum& list, size_t index) {
  return MakeKptr(TableOf(list).fd[NumberOf(list, index)]);
}

std::string NumberText(const Datum& list, size_t index) {
  return absl::StrCat(NumberOf(list, index));
}

size_t FindOpen(const Look& look, const Datum& list, uint64_t number) {
  const auto& fd = TableOf(list).fd;
  if (number >= fd.size() || !fd[number]) return CountOpen(look, list);
  size_t index = 0;
  for (size_t before = 0; before < number; ++before) index += fd[before] ? 1 : 0;
  return index;
}

constexpr Sequence kOpenFiles = {CountOpen, OpenFileAt, NumberText, FindOpen};

bool OpenFiles(const Look&, const Datum& object, Datum* value) {
  value->type = &SequenceType<kOpenFiles>();
  value->host = object.host;
  return true;
}

}  // namespace

template <>
const Type& StructTypeOf<path>() {
  using S = path;
  static constexpr Field kFields[] = {
      KPATH_FIELD(mnt),
      KPATH_FIELD(dentry),
  };
  static constexpr Type kType = StructType<S>("struct path", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<vfsmount>() {
  using S = vfsmount;
  static constexpr Field kFields[] = {
      KPATH_FIELD(mnt_root),
      KPATH_FIELD(mnt_sb),
      KPATH_FIELD_AS(mnt_flags, HexType<int>),
      KPATH_FIELD(mnt_count),
      KPATH_FIELD(mnt_writers),
      KPATH_FIELD(mnt_parent),
      KPATH_FIELD(mnt_mountpoint),
  };
  static constexpr Type kType = StructType<S>("struct vfsmount", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<dentry>() {
  using S = dentry;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(d_flags, HexType<unsigned>),
      KPATH_FIELD(d_parent),
      KPATH_FIELD(d_name),
      KPATH_FIELD(d_inode),
      KPATH_FIELD(d_lock),
      KPATH_FIELD(d_count),
      KPATH_FIELD(d_sb),
      KPATH_FIELD(d_subdirs),
  };
  static constexpr Type kType = StructType<S>("struct dentry", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<file_operations>() {
  using S = file_operations;
  static constexpr Field kFields[] = {
      KPATH_FIELD(name),      KPATH_FIELD(llseek),     KPATH_FIELD(read),    KPATH_FIELD(write),
      KPATH_FIELD(read_iter), KPATH_FIELD(write_iter), KPATH_FIELD(poll),    KPATH_FIELD(mmap),
      KPATH_FIELD(open),      KPATH_FIELD(flush),      KPATH_FIELD(release), KPATH_FIELD(fsync),
      KPATH_FIELD(fallocate),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct file_operations", kFields);
    type.identity = NameOf<file_operations>;
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<file_ra_state>() {
  using S = file_ra_state;
  static constexpr Field kFields[] = {
      KPATH_FIELD(start),    KPATH_FIELD(size),     KPATH_FIELD(async_size),
      KPATH_FIELD(ra_pages), KPATH_FIELD(prev_pos),
  };
  static constexpr Type kType = StructType<S>("struct file_ra_state", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<errseq_t>() {
  using S = errseq_t;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(error, NamedType<int, kErrnoNames>),
      KPATH_FIELD(counter),
      KPATH_FIELD(seen),
  };
  static constexpr Type kType = StructType<S>("errseq_t", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<file>() {
  using S = file;
  static constexpr Field kFields[] = {
      KPATH_FIELD(f_path),
      KPATH_FIELD(f_inode),
      KPATH_FIELD(f_op),
      KPATH_FIELD(f_lock),
      KPATH_FIELD(f_count),
      KPATH_FIELD_AS(f_flags, NamedType<unsigned, kOpenFlagNames>),
      KPATH_FIELD_AS(f_mode, NamedType<fmode_t, kFileModeNames>),
      KPATH_FIELD(f_pos_lock),
      KPATH_FIELD(f_pos),
      KPATH_FIELD(f_ra),
      KPATH_FIELD(f_mapping),
      KPATH_FIELD(f_wb_err),
      KPATH_FIELD(f_ep_links),
      KPATH_COMPUTED("private_data", PrivateOf<file>),
  };
  static constexpr Type kType = StructType<S>("struct file", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<inode>() {
  using S = inode;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(i_mode, HexType<umode_t>),
      KPATH_FIELD_AS(i_flags, HexType<unsigned>),
      KPATH_FIELD(i_fop),
      KPATH_FIELD(i_sb),
      KPATH_FIELD(i_mapping),
      KPATH_FIELD(i_data),
      KPATH_FIELD(i_ino),
      KPATH_FIELD(i_nlink),
      KPATH_FIELD_AS(i_rdev, HexType<uint64_t>),
      KPATH_FIELD(i_size),
      KPATH_FIELD(i_atime),
      KPATH_FIELD(i_mtime),
      KPATH_FIELD(i_ctime),
      KPATH_FIELD(i_lock),
      KPATH_FIELD(i_blkbits),
      KPATH_FIELD(i_blocks),
      KPATH_FIELD_AS(i_state, NamedType<unsigned, kInodeStateNames>),
      KPATH_FIELD(i_rwsem),
      KPATH_FIELD(i_count),
      KPATH_FIELD(i_writecount),
      KPATH_FIELD(i_dio_count),
      KPATH_COMPUTED("i_private", PrivateOf<inode>),
  };
  static constexpr Type kType = StructType<S>("struct inode", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<super_block>() {
  using S = super_block;
  static constexpr Field kFields[] = {
      KPATH_FIELD(s_id),
      KPATH_FIELD_AS(s_magic, HexType<uint32_t>),
      KPATH_FIELD_AS(s_flags, HexType<unsigned long>),
      KPATH_FIELD(s_root),
      KPATH_FIELD(s_blocksize),
      KPATH_FIELD(s_blocksize_bits),
      KPATH_FIELD(s_bdev),
      KPATH_FIELD(s_dio_done_wq),
      KPATH_FIELD(s_maxbytes),
      KPATH_FIELD(s_time_gran),
      KPATH_FIELD_AS(s_dev, HexType<uint64_t>),
  };
  static constexpr Type kType = StructType<S>("struct super_block", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<address_space>() {
  using S = address_space;
  static constexpr Field kFields[] = {
      KPATH_FIELD(host),
      KPATH_FIELD(i_pages),
      KPATH_FIELD_OF(i_pages_lock, "i_pages_lock", &TypeOf<spinlock_t>),
      KPATH_FIELD(i_mmap_writable),
      KPATH_FIELD(i_mmap),
      KPATH_FIELD(i_mmap_rwsem),
      KPATH_FIELD(nrpages),
      KPATH_FIELD_AS(flags, HexType<unsigned long>),
      KPATH_FIELD(wb_err),
      KPATH_FIELD(private_lock),
      KPATH_COMPUTED("private_data", PrivateOf<address_space>),
  };
  static constexpr Type kType = StructType<S>("struct address_space", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<files_struct>() {
  using S = files_struct;
  static constexpr Field kFields[] = {
      KPATH_FIELD(count),
      KPATH_FIELD(fdt),
      KPATH_FIELD(file_lock),
      KPATH_FIELD(next_fd),
      KPATH_FIELD(resize_in_progress),
      KPATH_FIELD(resize_wait),
      KPATH_FIELD(fs),
  };
  static constexpr Type kType = StructType<S>("struct files_struct", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<fdtable>() {
  using S = fdtable;
  static constexpr Field kFields[] = {
      KPATH_COMPUTED("max_fds", MaxFds),
      KPATH_COMPUTED("fd", OpenFiles),
      KPATH_FIELD(open_fds),
      KPATH_FIELD(close_on_exec),
      KPATH_FIELD(rcu),
  };
  static constexpr Type kType = StructType<S>("struct fdtable", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<fs_struct>() {
  using S = fs_struct;
  static constexpr Field kFields[] = {
      KPATH_FIELD(pwd),
      KPATH_FIELD_AS(umask, HexType<umode_t>),
  };
  static constexpr Type kType = StructType<S>("struct fs_struct", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<filename>() {
  using S = filename;
  static constexpr Field kFields[] = {
      KPATH_FIELD(name),
  };
  static constexpr Type kType = StructType<S>("struct filename", kFields, true);
  return kType;
}

}  // namespace kpath
