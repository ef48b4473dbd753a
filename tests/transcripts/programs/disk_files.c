// SPDX-License-Identifier: Apache-2.0
//
// Files on a disk, with and without O_DIRECT: reads and writes of AIO and plain ones, at and beyond
// the end, misaligned, with flags; fsync, truncate, a mapping, names.
//
//     gcc -O1 disk_files.c -o disk-files && mkdir /data0 && env -i strace -f -v -s 32 ./disk-files
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
static aio_context_t c;
static struct io_event ev[16];
static void go(struct iocb* b, int n) {
  struct iocb* l[16];
  for (int i = 0; i < n; i++) l[i] = b + i;
  long r = syscall(SYS_io_submit, c, (long)n, l);
  if (r > 0) syscall(SYS_io_getevents, c, r, 16L, ev, NULL);
}
static struct iocb mk(int op, int fd, void* p, size_t n, long off) {
  struct iocb b;
  memset(&b, 0, sizeof b);
  b.aio_lio_opcode = op;
  b.aio_fildes = fd;
  b.aio_buf = (unsigned long)p;
  b.aio_nbytes = n;
  b.aio_offset = off;
  return b;
}
int main() {
  char* buf;
  posix_memalign((void**)&buf, 4096, 1 << 20);
  memset(buf, 'a', 1 << 20);
  syscall(SYS_io_setup, 16, &c);
  mkdir("/data0/d", 0755);
  int fd = open("/data0/d/f", O_RDWR | O_CREAT | O_TRUNC | O_DIRECT, 0644);
  struct iocb b[16];
  b[0] = mk(IOCB_CMD_PWRITE, fd, buf, 65536, 0);
  go(b, 1);
  for (int i = 0; i < 8; i++) b[i] = mk(IOCB_CMD_PREAD, fd, buf + i * 4096, 4096, i * 8192);
  go(b, 8);
  b[0] = mk(IOCB_CMD_PREAD, fd, buf, 8192, 61440);
  go(b, 1);
  b[0] = mk(IOCB_CMD_PREAD, fd, buf, 4096, 1 << 20);
  go(b, 1);
  b[0] = mk(IOCB_CMD_PREAD, fd, buf + 1, 4096, 0);
  go(b, 1);
  b[0] = mk(IOCB_CMD_PREAD, fd, buf, 4096, 100);
  go(b, 1);
  b[0] = mk(IOCB_CMD_FSYNC, fd, 0, 0, 0);
  go(b, 1);
  b[0] = mk(IOCB_CMD_FDSYNC, fd, 0, 0, 0);
  go(b, 1);
  struct iovec iov[3] = {{buf, 4096}, {buf + 8192, 4096}, {buf + 16384, 8192}};
  b[0] = mk(IOCB_CMD_PREADV, fd, iov, 3, 0);
  b[1] = mk(IOCB_CMD_PWRITEV, fd, iov, 3, 131072);
  go(b, 2);
  b[0] = mk(IOCB_CMD_PWRITE, fd, buf, 4096, 0);
  b[0].aio_rw_flags = RWF_DSYNC;
  go(b, 1);
  b[0] = mk(IOCB_CMD_PREAD, fd, buf, 4096, 0);
  b[0].aio_rw_flags = RWF_NOWAIT;
  go(b, 1);
  b[0] = mk(IOCB_CMD_PREAD, fd, buf, 4096, 0);
  b[0].aio_rw_flags = RWF_HIPRI;
  go(b, 1);
  ftruncate(fd, 10000);
  fsync(fd);
  b[0] = mk(IOCB_CMD_PREAD, fd, buf, 65536, 0);
  go(b, 1);
  struct stat st;
  fstat(fd, &st);
  lseek(fd, 0, SEEK_END);
  int f2 = open("/data0/d/g", O_RDWR | O_CREAT, 0600);
  write(f2, "hello world", 11);
  pread(f2, buf, 64, 0);
  b[0] = mk(IOCB_CMD_PREAD, f2, buf, 64, 0);
  b[1] = mk(IOCB_CMD_PWRITE, f2, buf, 100, 5000);
  go(b, 2);
  fdatasync(f2);
  char* m = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, f2, 0);
  m[3] = 'X';
  msync(m, 8192, MS_SYNC);
  pread(f2, buf, 16, 0);
  munmap(m, 8192);
  preadv(f2, iov, 2, 0);
  pwrite(fd, buf, 4096, 4096);
  pread(fd, buf, 4096, 4096);
  pread(fd, buf, 100, 0);
  pwrite(fd, buf, 4096, 20000);
  int f3 = open("/data0/d/h", O_WRONLY | O_APPEND | O_CREAT, 0600);
  b[0] = mk(IOCB_CMD_PWRITE, f3, buf, 10, 0);
  go(b, 1);
  go(b, 1);
  close(f3);
  truncate("/data0/d/h", 5);
  stat("/data0/d/h", &st);
  open("/data0/d/h", O_CREAT | O_EXCL | O_RDWR, 0600);
  open("/data0/d/none", O_RDONLY);
  unlink("/data0/d/h");
  access("/data0/d/h", F_OK);
  close(fd);
  fd = open("/data0/d/f", O_RDONLY | O_DIRECT);
  b[0] = mk(IOCB_CMD_PREAD, fd, buf, 4096, 4096);
  b[1] = mk(IOCB_CMD_PWRITE, fd, buf, 4096, 4096);
  go(b, 2);
  close(fd);
  unlink("/data0/d/f");
  unlink("/data0/d/g");
  close(f2);
  rmdir("/data0/d");
  syscall(SYS_io_destroy, c);
  return 0;
}
