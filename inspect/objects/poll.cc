// SPDX-License-Identifier: Apache-2.0
//
// fs/eventfd.c, fs/pipe.c, fs/eventpoll.c, fs/select.c, fs/buffer.c, fs/direct-io.c, fs/ext2,
// lib/iov_iter.c.
#include "inspect/objects/names.h"
#include "inspect/types_of.h"
#include "sim/vfs/disk/direct_io_internal.h"
#include "sim/vfs/eventfd.h"
#include "sim/vfs/eventpoll_internal.h"
#include "sim/vfs/ext2/ext2.h"
#include "sim/vfs/iov_iter.h"
#include "sim/vfs/pipe.h"
#include "sim/vfs/select.h"

namespace kpath {
namespace {

bool PageBytes(const Look&, const Datum&, Datum* value) {
  *value = MakeNumber(TypeOf<unsigned long>(), kPipePageBytes);
  return true;
}

// As Linux has them, without the list's object in between.
bool Buffers(const Look&, const Datum& object, Datum* value) {
  const auto* pipe = static_cast<const pipe_inode_info*>(object.host);
  if (!pipe->bufs.alive()) return false;
  Load(TypeOf<std::vector<pipe_buffer>>(), &pipe->bufs.get()->slots, 0, value);
  return true;
}

bool WatchedFile(const Look&, const Datum& object, Datum* value) {
  *value = MakeKptr(static_cast<const epitem*>(object.host)->ffd_file);
  return true;
}

}  // namespace

template <>
const Type& StructTypeOf<eventfd_ctx>() {
  using S = eventfd_ctx;
  static constexpr Field kFields[] = {
      KPATH_FIELD_OF(refs, "kref", &TypeOf<int>),
      KPATH_FIELD(wqh),
      KPATH_FIELD(count),
      KPATH_FIELD_AS(flags, NamedType<unsigned, kEventfdFlagNames>),
  };
  static constexpr Type kType = StructType<S>("struct eventfd_ctx", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<pipe_page>() {
  using S = pipe_page;
  static constexpr Field kFields[] = {
      KPATH_COMPUTED("size", PageBytes),
  };
  static constexpr Type kType = StructType<S>("struct pipe_page", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<pipe_buffer>() {
  using S = pipe_buffer;
  static constexpr Field kFields[] = {
      KPATH_FIELD(page),
      KPATH_FIELD(offset),
      KPATH_FIELD(len),
      KPATH_FIELD(packet),
  };
  static constexpr Type kType = StructType<S>("struct pipe_buffer", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<pipe_ring>() {
  using S = pipe_ring;
  static constexpr Field kFields[] = {
      KPATH_FIELD(slots),
  };
  static constexpr Type kType = StructType<S>("struct pipe_ring", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<pipe_inode_info>() {
  using S = pipe_inode_info;
  static constexpr Field kFields[] = {
      KPATH_FIELD(mutex),
      KPATH_FIELD(wait),
      KPATH_FIELD(nrbufs),
      KPATH_FIELD(curbuf),
      KPATH_FIELD(buffers),
      KPATH_FIELD(readers),
      KPATH_FIELD(writers),
      KPATH_FIELD(files),
      KPATH_FIELD(waiting_writers),
      KPATH_FIELD(tmp_page),
      KPATH_COMPUTED("bufs", Buffers),
  };
  static constexpr Type kType = StructType<S>("struct pipe_inode_info", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<eventpoll>() {
  using S = eventpoll;
  static constexpr Field kFields[] = {
      KPATH_FIELD(mtx),      KPATH_FIELD(wq),      KPATH_FIELD(poll_wait), KPATH_FIELD(rdllist),
      KPATH_FIELD(scanning), KPATH_FIELD(ovflist), KPATH_FIELD(rbr),
  };
  static constexpr Type kType = StructType<S>("struct eventpoll", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<epitem>() {
  using S = epitem;
  static constexpr Field kFields[] = {
      KPATH_COMPUTED("ffd_file", WatchedFile),
      KPATH_FIELD(ffd_fd),
      KPATH_FIELD(in_ovflist),
      KPATH_FIELD(nwait),
      KPATH_FIELD(pwqlist),
      KPATH_FIELD(ep),
      KPATH_FIELD_AS(events, NamedType<uint32_t, kPollNames>),
      KPATH_FIELD_AS(data, HexType<uint64_t>),
  };
  static constexpr Type kType = StructType<S>("struct epitem", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<eppoll_entry>() {
  using S = eppoll_entry;
  static constexpr Field kFields[] = {
      KPATH_FIELD(base),
      KPATH_FIELD(wait),
      KPATH_FIELD(whead),
  };
  static constexpr Type kType = StructType<S>("struct eppoll_entry", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<poll_table_entry>() {
  using S = poll_table_entry;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(key, NamedType<__poll_t, kPollNames>),
      KPATH_FIELD(wait),
      KPATH_FIELD(wait_address),
  };
  static constexpr Type kType = StructType<S>("struct poll_table_entry", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<poll_table_page>() {
  using S = poll_table_page;
  static constexpr Field kFields[] = {
      KPATH_FIELD(used),
      KPATH_FIELD(entries),
  };
  static constexpr Type kType = StructType<S>("struct poll_table_page", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<iovec>() {
  using S = iovec;
  static constexpr Field kFields[] = {
      KPATH_FIELD(iov_base),
      KPATH_FIELD(iov_len),
  };
  static constexpr Type kType = MemoryStructType<S>("struct iovec", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<iovec_array>() {
  using S = iovec_array;
  static constexpr Field kFields[] = {
      KPATH_FIELD(segments),
  };
  static constexpr Type kType = StructType<S>("struct iovec_array", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<buffer_head>() {
  using S = buffer_head;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(b_state, NamedType<unsigned, kBufferStateNames>),
      KPATH_FIELD(b_this_page),
      KPATH_FIELD(b_page),
      KPATH_FIELD(b_blocknr),
      KPATH_FIELD(b_size),
      KPATH_FIELD_AS(b_data, HexType<unsigned>),
      KPATH_FIELD(b_bdev),
      KPATH_FIELD(b_count),
  };
  static constexpr Type kType = StructType<S>("struct buffer_head", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<dio>() {
  using S = dio;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(flags, HexType<int>),
      KPATH_FIELD_AS(op, NamedType<int, kOpfNames>),
      KPATH_FIELD_AS(op_flags, HexType<unsigned>),
      KPATH_FIELD(inode),
      KPATH_FIELD(i_size),
      KPATH_FIELD(bio_lock),
      KPATH_FIELD_AS(page_errors, NamedType<int, kErrnoNames>),
      KPATH_FIELD(is_async),
      KPATH_FIELD(defer_completion),
      KPATH_FIELD(should_dirty),
      KPATH_FIELD_AS(io_error, NamedType<int, kErrnoNames>),
      KPATH_FIELD(refcount),
      KPATH_FIELD(waiter),
      KPATH_FIELD(iocb),
      KPATH_FIELD_AS(result, NamedType<ssize_t, kResultNames>),
      KPATH_FIELD(complete_work),
  };
  static constexpr Type kType = StructType<S>("struct dio", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<ext2_run>() {
  using S = ext2_run;
  static constexpr Field kFields[] = {
      KPATH_FIELD(first),
      KPATH_FIELD(count),
  };
  static constexpr Type kType = StructType<S>("struct ext2_run", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<ext2_inode_info>() {
  using S = ext2_inode_info;
  static constexpr Field kFields[] = {
      KPATH_FIELD(truncate_mutex),
      KPATH_FIELD(runs),
  };
  static constexpr Type kType = StructType<S>("struct ext2_inode_info", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<ext2_sb_info>() {
  using S = ext2_sb_info;
  static constexpr Field kFields[] = {
      KPATH_FIELD(s_lock),
      KPATH_FIELD(free_blocks),
  };
  static constexpr Type kType = StructType<S>("struct ext2_sb_info", kFields, true);
  return kType;
}

}  // namespace kpath
