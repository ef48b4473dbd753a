// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/block_dev/block_dev.h"

#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "sim/block/blk_core.h"
#include "sim/block/blk_plug.h"
#include "sim/machine/check.h"
#include "sim/mm/filemap.h"
#include "sim/mm/truncate.h"
#include "sim/mm/writeback.h"
#include "sim/vfs/block_dev/block_dev_internal.h"
#include "sim/vfs/disk/buffer_head.h"
#include "sim/vfs/file.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/libfs.h"
#include "sim/vfs/namei.h"
#include "sim/vfs/read_write.h"
#include "sim/vfs/shmem_dir.h"

namespace kpath {
namespace {

constexpr uint32_t BDEVFS_MAGIC = 0x62646576;

struct bdev_globals {
  kptr<vfsmount> mnt;
  std::map<uint64_t, std::unique_ptr<block_device>> devices;  // by number
};
KernelGlobal<bdev_globals> bdevs;

kptr<inode> bdev_file_inode(kptr<file> file) { return file->f_mapping->host; }

// v4.19 fs/block_dev.c: bd_set_size
void bd_set_size(block_device* bdev, loff_t size) {
  unsigned bsize = bdev_logical_block_size(bdev);
  const kptr<inode> inode = bdev->bd_inode;
  inode_lock(inode);
  i_size_write(inode, size);
  inode_unlock(inode);
  while (bsize < PAGE_SIZE && (static_cast<uint64_t>(size) & bsize) == 0) bsize <<= 1;
  bdev->bd_block_size = bsize;
  inode->i_blkbits = static_cast<unsigned>(__builtin_ctz(bsize));
}

// v4.19 fs/block_dev.c: bd_acquire
block_device* bd_acquire(kptr<inode> inode) {
  FUNCTION(inode->i_rdev);
  block_device* bdev = bdget(inode->i_rdev);
  if (bdev != nullptr) inode->i_mapping = bdev->bd_inode->i_mapping;
  return bdev;
}

// v4.19 fs/block_dev.c: kill_bdev
void kill_bdev(block_device* bdev) {
  FUNCTION(bdev->bd_dev);
  address_space* mapping = bdev->bd_inode->i_mapping;
  if (mapping->nrpages != 0) truncate_inode_pages(mapping, 0);
}

// v4.19 fs/block_dev.c: __sync_blockdev
int __sync_blockdev(block_device* bdev) {
  FUNCTION(bdev->bd_dev);
  return fn.Return(filemap_write_and_wait(bdev->bd_inode->i_mapping));
}

// v4.19 fs/block_dev.c: sync_blockdev
int sync_blockdev(block_device* bdev) {
  FUNCTION(bdev->bd_dev);
  return fn.Return(__sync_blockdev(bdev));
}

// v4.19 fs/block_dev.c: __blkdev_get
int __blkdev_get(block_device* bdev, fmode_t mode) {
  FUNCTION(bdev->bd_dev, mode);
  gendisk* disk = get_gendisk(bdev->bd_dev);
  if (disk == nullptr) return fn.Return(Fail(ENXIO, "there is no device $0", bdev->bd_dev));
  mutex_lock(&bdev->bd_mutex);
  if (bdev->bd_openers == 0) {
    bdev->bd_disk = disk;
    bdev->bd_queue = disk->queue;
    bdev->bd_part = &disk->part0;
    bd_set_size(bdev, static_cast<loff_t>(get_capacity(disk) << SECTOR_SHIFT));
  }
  ++bdev->bd_openers;
  mutex_unlock(&bdev->bd_mutex);
  return fn.Return(0);
}

// v4.19 fs/block_dev.c: blkdev_get
int blkdev_get(block_device* bdev, fmode_t mode) {
  FUNCTION(bdev->bd_dev, mode);
  return fn.Return(__blkdev_get(bdev, mode));
}

// v4.19 fs/block_dev.c: blkdev_open. Departs: nobody claims a device for himself (O_EXCL).
int blkdev_open(kptr<inode> inode, kptr<file> filp) {
  FUNCTION(inode, filp);
  filp->f_mode |= FMODE_NOWAIT;
  block_device* bdev = bd_acquire(inode);
  if (bdev == nullptr) return fn.Return(Fail(ENOMEM, "no memory for a block device"));
  filp->f_mapping = bdev->bd_inode->i_mapping;
  filp->f_wb_err = errseq_sample(filp->f_mapping->wb_err);  // filemap_sample_wb_err
  return fn.Return(blkdev_get(bdev, filp->f_mode));
}

// v4.19 fs/block_dev.c: __blkdev_put
void __blkdev_put(block_device* bdev) {
  FUNCTION(bdev->bd_dev);
  mutex_lock(&bdev->bd_mutex);
  if (--bdev->bd_openers == 0) {
    sync_blockdev(bdev);
    kill_bdev(bdev);
  }
  mutex_unlock(&bdev->bd_mutex);
}

// v4.19 fs/block_dev.c: blkdev_close
int blkdev_close(kptr<inode> inode, kptr<file> filp) {
  FUNCTION(inode, filp);
  blkdev_put(I_BDEV(bdev_file_inode(filp)));
  return fn.Return(0);
}

// v4.19 fs/block_dev.c: block_llseek
loff_t block_llseek(kptr<file> file, loff_t offset, int whence) {
  FUNCTION(file, offset, whence);
  const kptr<inode> bd_inode = bdev_file_inode(file);
  inode_lock(bd_inode);
  const loff_t size = i_size_read(bd_inode);
  // fixed_size_llseek
  const bool known = whence == SEEK_SET || whence == SEEK_CUR || whence == SEEK_END;
  const loff_t ret =
      known ? generic_file_llseek_size(file, offset, whence, size, size)
            : static_cast<loff_t>(Fail(EINVAL, "a device has no holes: whence $0", whence));
  inode_unlock(bd_inode);
  return fn.Return(ret);
}

// v4.19 fs/block_dev.c: blkdev_read_iter
ssize_t blkdev_read_iter(kiocb* iocb, iov_iter* to) {
  FUNCTION(iocb->ki_pos, iov_iter_count(*to));
  const loff_t size = i_size_read(bdev_file_inode(iocb->ki_filp));
  const loff_t pos = iocb->ki_pos;
  if (pos >= size) return fn.Return<ssize_t>(0);
  iov_iter_truncate(to, static_cast<uint64_t>(size - pos));
  return fn.Return(generic_file_read_iter(iocb, to));
}

// v4.19 fs/block_dev.c: the checks of blkdev_write_iter. `from` is cut to the device's end. True:
// *result says all.
bool NothingToWrite(kiocb* iocb, iov_iter* from, ssize_t* result) {
  const kptr<inode> bd_inode = bdev_file_inode(iocb->ki_filp);
  const loff_t size = i_size_read(bd_inode);
  if (I_BDEV(bd_inode)->bd_part->policy != 0) {
    *result = Fail(EPERM, "the device is read-only");
  } else if (iov_iter_count(*from) == 0) {
    *result = 0;
  } else if (iocb->ki_pos >= size) {
    *result =
        Fail(ENOSPC, "position $0 is at or beyond the end of the device, $1", iocb->ki_pos, size);
  } else if ((iocb->ki_flags & (IOCB_NOWAIT | IOCB_DIRECT)) == IOCB_NOWAIT) {
    *result = Fail(EOPNOTSUPP, "RWF_NOWAIT on a write that goes through the page cache");
  } else {
    iov_iter_truncate(from, static_cast<uint64_t>(size - iocb->ki_pos));
    return false;
  }
  return true;
}

// v4.19 fs/block_dev.c: blkdev_write_iter
ssize_t blkdev_write_iter(kiocb* iocb, iov_iter* from) {
  FUNCTION(iocb->ki_pos, iov_iter_count(*from));
  ssize_t ret = 0;
  if (NothingToWrite(iocb, from, &ret)) return fn.Return(ret);
  blk_plug plug;
  blk_start_plug(&plug);
  ret = __generic_file_write_iter(iocb, from);
  if (ret > 0) ret = generic_write_sync(iocb, ret);
  blk_finish_plug(&plug);
  return fn.Return(ret);
}

// v4.19 fs/block_dev.c: blkdev_fsync
int blkdev_fsync(kptr<file> filp, loff_t start, loff_t end, int datasync) {
  FUNCTION(filp, start, end, datasync);
  int error = file_write_and_wait_range(filp, start, end);
  if (error != 0) return fn.Return(error);
  error = blkdev_issue_flush(I_BDEV(bdev_file_inode(filp)), GFP_KERNEL);
  // A device without a cache has nothing to flush.
  return fn.Return(error == -EOPNOTSUPP ? 0 : error);
}

// v4.19 fs/inode.c: init_special_inode
void init_special_inode(kptr<inode> inode, umode_t mode, uint64_t rdev) {
  FUNCTION(inode, mode, rdev);
  inode->i_mode = mode;
  inode->i_fop = &def_blk_fops;
  inode->i_rdev = rdev;
}

kptr<dentry> FindEntry(kptr<dentry> directory, const std::string& name) {
  const auto found = directory->d_subdirs.find(name);
  return found == directory->d_subdirs.end() ? kptr<dentry>() : found->second;
}

}  // namespace

const address_space_operations def_blk_aops = {
    .set_page_dirty = __set_page_dirty_buffers,  // as where there is none, in Linux
    .readpage = blkdev_readpage,
    .readpages = blkdev_readpages,
    .writepage = blkdev_writepage,
    .writepages = blkdev_writepages,
    .write_begin = blkdev_write_begin,
    .write_end = blkdev_write_end,
    .invalidatepage = block_invalidatepage,  // the same
    .releasepage = blkdev_releasepage,
    .direct_IO = blkdev_direct_IO,
};

const file_operations def_blk_fops = {
    .name = "def_blk_fops",
    .llseek = block_llseek,
    .read_iter = blkdev_read_iter,
    .write_iter = blkdev_write_iter,
    .mmap = generic_file_mmap,
    .open = blkdev_open,
    .release = blkdev_close,
    .fsync = blkdev_fsync,
};

void bdev_cache_init() {
  FUNCTION();
  bdevs->mnt = mount_pseudo("bdev", BDEVFS_MAGIC);
  buffer_init();
  KPATH_CHECK(blkdev_init() == 0, "no memory at boot");
}

block_device* bdget(uint64_t dev) {
  FUNCTION(dev);
  std::unique_ptr<block_device>& bdev = bdevs->devices[dev];
  if (bdev != nullptr) return bdev.get();
  const kptr<inode> inode = new_inode_pseudo(bdevs->mnt->mnt_sb);
  if (!inode) return nullptr;
  inode->i_ino = get_next_ino();
  bdev = std::make_unique<block_device>();
  bdev->bd_dev = dev;
  mutex_init(&bdev->bd_mutex);
  bdev->bd_inode = inode;
  inode->i_mode = S_IFBLK;
  inode->i_rdev = dev;
  inode->i_data.a_ops = &def_blk_aops;
  inode->i_private = bdev.get();
  return bdev.get();
}

// v4.19 fs/block_dev.c: blkdev_get_by_path, lookup_bdev
int blkdev_get_by_path(const std::string& path, fmode_t mode, block_device** bdev) {
  FUNCTION(mode);
  *bdev = nullptr;
  struct path found;
  int error = kern_path(path, 0, &found);
  if (error != 0) return fn.Return(error);
  const kptr<inode> inode = found.dentry->d_inode;
  if (!S_ISBLK(inode->i_mode)) {
    error = Fail(ENOTBLK, "the name stands for something else than a block device");
  } else if (block_device* there = bd_acquire(inode); there == nullptr) {
    error = Fail(ENOMEM, "no memory for a block device");
  } else {
    error = blkdev_get(there, mode);
    if (error == 0) *bdev = there;
  }
  path_put(found);
  return fn.Return(error);
}

void blkdev_put(block_device* bdev) {
  FUNCTION(bdev->bd_dev);
  __blkdev_put(bdev);
}

block_device* I_BDEV(kptr<inode> bd_inode) {
  return std::any_cast<block_device*>(bd_inode->i_private);
}

int MakeBlockNode(const std::string& path, uint64_t dev) {
  // A node knows its device once it has been opened, and keeps it: here from the start.
  if (bdget(dev) == nullptr) return Fail(ENOMEM, "no memory for a block device");
  kptr<dentry> directory = root_path().dentry;
  size_t begin = 1;
  for (size_t slash = path.find('/', begin); slash != std::string::npos;
       begin = slash + 1, slash = path.find('/', begin)) {
    const std::string name = path.substr(begin, slash - begin);
    if (!FindEntry(directory, name)) {
      const int error = kern_mkdir(path.substr(0, slash), 0755);
      if (error != 0) return error;
    }
    directory = FindEntry(directory, name);
  }
  const std::string name = path.substr(begin);
  if (FindEntry(directory, name)) return Fail(EEXIST, "the name exists");
  constexpr umode_t kMode = S_IFBLK | 0660;
  const kptr<inode> inode = shmem_get_inode(directory->d_sb, directory->d_inode, kMode);
  const kptr<dentry> entry = d_alloc(directory, name);
  if (!inode || !entry) return Fail(ENOMEM, "no memory for a node");
  init_special_inode(inode, kMode, dev);
  d_instantiate(entry, inode);
  d_add_to_parent(entry);
  dput(entry);  // its directory has it
  return 0;
}

}  // namespace kpath
