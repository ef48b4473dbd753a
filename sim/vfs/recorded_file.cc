// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/recorded_file.h"

#include <algorithm>

#include "sim/vfs/anon_inodes.h"
#include "sim/vfs/read_write.h"

namespace kpath {
namespace {

RecordedSource& SourceOf(kptr<file> file) {
  return *std::any_cast<const std::shared_ptr<RecordedSource>&>(file->private_data);
}

Error FailAsRecorded(ssize_t result) {
  return Fail(static_cast<int>(-result), "the file's outside source says so");
}

ssize_t RecordedRead(kiocb* iocb, iov_iter* to) {
  FUNCTION(iocb->ki_filp, iov_iter_count(*to));
  std::string bytes;
  const ssize_t result = SourceOf(iocb->ki_filp).Read(iov_iter_count(*to), &bytes);
  if (result < 0) return fn.Return(FailAsRecorded(result));
  const size_t wanted = std::min(bytes.size(), iov_iter_count(*to));
  const size_t copied = copy_to_iter(bytes.data(), wanted, to);
  if (copied == 0 && wanted != 0) return fn.Return(-EFAULT);
  return fn.Return(static_cast<ssize_t>(copied));
}

ssize_t RecordedWrite(kiocb* iocb, iov_iter* from) {
  FUNCTION(iocb->ki_filp, iov_iter_count(*from));
  std::string bytes(iov_iter_count(*from), '\0');
  const size_t copied = copy_from_iter(bytes.data(), bytes.size(), from);
  if (copied == 0 && !bytes.empty()) return fn.Return(-EFAULT);
  bytes.resize(copied);
  const ssize_t result = SourceOf(iocb->ki_filp).Write(bytes);
  if (result < 0) return fn.Return(FailAsRecorded(result));
  return fn.Return(result);
}

__poll_t RecordedPoll(kptr<file> file, poll_table*) {
  FUNCTION(file);
  return fn.Return(SourceOf(file).Poll());
}

}  // namespace

ssize_t RecordedSource::Read(size_t, std::string*) { return -EIO; }

ssize_t RecordedSource::Write(absl::string_view bytes) {
  return static_cast<ssize_t>(bytes.size());
}

const file_operations recorded_fops = {
    .name = "recorded_fops",
    .llseek = no_llseek,
    .read_iter = RecordedRead,
    .write_iter = RecordedWrite,
    .poll = RecordedPoll,
};

kptr<file> RecordedFile(std::shared_ptr<RecordedSource> source, unsigned flags) {
  return anon_inode_getfile("[recorded]", &recorded_fops, std::move(source), flags);
}

}  // namespace kpath
