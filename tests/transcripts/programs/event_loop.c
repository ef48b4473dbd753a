// SPDX-License-Identifier: Apache-2.0
//
// Native AIO as an event loop uses it: direct I/O signalled through an eventfd that epoll watches,
// threads with contexts of their own, poll, cancel, fsync, a child. Recorded with
//     gcc event_loop.c -laio -lpthread && strace -f -v -s 64 -e 'trace=!execve' ./a.out
#define _GNU_SOURCE
#include <fcntl.h>
#include <libaio.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kBlock = 4096, kRequests = 8 };

static int file;

static void* ReadFive(void* argument) {
  const long id = (long)argument;
  io_context_t ctx = 0;
  void* buffer = NULL;
  struct iocb request, *list = &request;
  struct io_event event;
  if (io_setup(8, &ctx) != 0 || posix_memalign(&buffer, kBlock, kBlock) != 0) return NULL;
  for (int i = 0; i < 5; ++i) {
    io_prep_pread(&request, file, buffer, kBlock, (id * 5 + i) * kBlock);
    request.data = (void*)(id * 100 + i);
    io_submit(ctx, 1, &list);
    io_getevents(ctx, 1, 1, &event, NULL);
  }
  io_destroy(ctx);
  return NULL;
}

// Submits a round of requests and waits for all of them through the eventfd.
static void Round(io_context_t ctx, int round, char* buffer, int signal, int epoll) {
  struct iocb requests[kRequests], *list[kRequests];
  struct io_event events[kRequests];
  struct epoll_event ready;
  struct timespec now = {0, 0};
  uint64_t count;
  for (int i = 0; i < kRequests; ++i) {
    char* place = buffer + i * kBlock;
    if (round == 0) io_prep_pwrite(&requests[i], file, place, kBlock, i * kBlock);
    if (round != 0) io_prep_pread(&requests[i], file, place, kBlock, i * kBlock);
    requests[i].data = (void*)(long)(round * 10 + i);
    io_set_eventfd(&requests[i], signal);
    list[i] = &requests[i];
  }
  int left = io_submit(ctx, kRequests, list);
  while (left > 0) {
    epoll_wait(epoll, &ready, 1, -1);
    if (read(signal, &count, sizeof(count)) != sizeof(count)) continue;
    const int got = syscall(SYS_io_getevents, ctx, 0, kRequests, events, &now);
    if (got > 0) left -= got;
  }
}

// A poll that a child's write ends, and one that is cancelled.
static void Poll(io_context_t ctx) {
  int ends[2], status;
  struct iocb request, *list = &request;
  struct io_event event;
  struct timespec now = {0, 0};
  if (pipe(ends) != 0) return;
  io_prep_poll(&request, ends[0], POLLIN);
  io_submit(ctx, 1, &list);
  const pid_t child = fork();
  if (child == 0) {
    usleep(2000);
    _exit(write(ends[1], "z", 1) == 1 ? 3 : 1);
  }
  io_getevents(ctx, 1, 1, &event, NULL);
  waitpid(child, &status, 0);
  io_prep_poll(&request, ends[0], POLLPRI);
  io_submit(ctx, 1, &list);
  io_cancel(ctx, &request, &event);
  syscall(SYS_io_getevents, ctx, 0, 4, &event, &now);
}

int main(void) {
  io_context_t ctx = 0;
  void* buffer = NULL;
  pthread_t threads[3];
  struct iocb request, *list = &request;
  struct io_event event;
  struct timespec soon = {0, 50000000};
  file = open("data.bin", O_RDWR | O_CREAT | O_DIRECT | O_TRUNC, 0600);
  const int signal = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  const int epoll = epoll_create1(0);
  struct epoll_event wanted = {.events = EPOLLIN};
  epoll_ctl(epoll, EPOLL_CTL_ADD, signal, &wanted);
  if (ftruncate(file, 1 << 20) != 0 || io_setup(16, &ctx) != 0) return 1;
  if (posix_memalign(&buffer, kBlock, kRequests * kBlock) != 0) return 1;
  for (int round = 0; round < 3; ++round) Round(ctx, round, buffer, signal, epoll);
  for (long i = 0; i < 3; ++i) pthread_create(&threads[i], NULL, ReadFive, (void*)i);
  for (int i = 0; i < 3; ++i) pthread_join(threads[i], NULL);
  Poll(ctx);
  io_prep_fsync(&request, file);
  io_submit(ctx, 1, &list);
  io_getevents(ctx, 1, 4, &event, &soon);
  io_destroy(ctx);
  return 0;
}
