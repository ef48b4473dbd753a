// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/files.h"

#include "absl/strings/str_cat.h"
#include "inspect/info/address.h"
#include "inspect/info/text.h"
#include "sim/vfs/dcache.h"
#include "sim/vfs/file.h"

namespace kpath {
namespace {

std::string OpenFlags(const file& file, bool close_on_exec) {
  static const auto& names = *new std::vector<BitName>{
      {O_CREAT, "O_CREAT"},       {O_EXCL, "O_EXCL"},           {O_NOCTTY, "O_NOCTTY"},
      {O_TRUNC, "O_TRUNC"},       {O_APPEND, "O_APPEND"},       {O_NONBLOCK, "O_NONBLOCK"},
      {O_SYNC, "O_SYNC"},         {O_DSYNC, "O_DSYNC"},         {O_ASYNC, "O_ASYNC"},
      {O_DIRECT, "O_DIRECT"},     {O_LARGEFILE, "O_LARGEFILE"}, {O_DIRECTORY, "O_DIRECTORY"},
      {O_NOFOLLOW, "O_NOFOLLOW"}, {O_NOATIME, "O_NOATIME"},     {O_CLOEXEC, "O_CLOEXEC"},
      {O_PATH, "O_PATH"}};
  constexpr const char* kModes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "3"};
  unsigned flags = file.f_flags & ~static_cast<unsigned>(O_CLOEXEC);
  if (close_on_exec) flags |= O_CLOEXEC;
  const std::string rest = BitNames(flags & ~static_cast<unsigned>(O_ACCMODE), names, "|", "");
  return absl::StrCat(kModes[flags & O_ACCMODE], rest.empty() ? "" : "|", rest);
}

std::string Kind(const file& file) {
  const char* kind = "anonymous";
  if (file.f_inode.alive()) {
    switch (file.f_inode->i_mode & S_IFMT) {
      case S_IFREG:
        kind = "regular";
        break;
      case S_IFDIR:
        kind = "directory";
        break;
      case S_IFIFO:
        kind = "pipe";
        break;
      case S_IFBLK:
        kind = "block";
        break;
      case S_IFCHR:
        kind = "character";
        break;
      default:
        break;
    }
  }
  return absl::StrCat(kind, file.f_op == nullptr ? "" : absl::StrCat(", ", file.f_op->name));
}

std::string DescribeTable(const files_struct& files, int width) {
  Table table(
      {"FD", "FLAGS", "POSITION", "REFS", "KIND", "PATH"},
      {Align::kRight, Align::kLeft, Align::kRight, Align::kRight, Align::kLeft, Align::kLeft});
  const fdtable& fdt = *files.fdt;
  for (unsigned fd = 0; fd < fdt.max_fds(); ++fd) {
    if (fdt.fd[fd].alive()) {
      const file& file = *fdt.fd[fd];
      const std::string path = file.f_path.dentry.alive() ? d_path(file.f_path) : "";
      table.Add({absl::StrCat(fd), OpenFlags(file, fdt.close_on_exec[fd]), absl::StrCat(file.f_pos),
                 absl::StrCat(file.f_count), Kind(file), path});
    } else if (fdt.open_fds[fd]) {
      table.Add({absl::StrCat(fd), "reserved, not yet installed"});
    }
  }
  return table.empty() ? "No descriptors are open.\n" : table.ToString(width);
}

}  // namespace

absl::StatusOr<std::string> InfoFiles(const View& view, absl::optional<int> pid) {
  const task_struct* task = pid.has_value() ? FindTask(view.machine, *pid) : &TaskOf(view);
  if (task == nullptr) return absl::NotFoundError(absl::StrCat("No task has the pid ", *pid));
  if (!task->files.alive() || !task->files->fdt.alive()) {
    return absl::StrCat(TaskName(*task), " has no files.\n");
  }
  const path& pwd = task->files->fs.pwd;
  std::string text = absl::StrCat("Files of ", TaskName(*task));
  if (pwd.dentry.alive()) absl::StrAppend(&text, ", which is in ", d_path(pwd));
  absl::StrAppend(&text, ":\n", DescribeTable(*task->files, view.width));
  return text;
}

}  // namespace kpath
