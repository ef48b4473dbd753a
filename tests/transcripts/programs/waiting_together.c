// SPDX-License-Identifier: Apache-2.0
//
// AIO, a timer, a pipe and a child's pipe in one epoll set; threads that wait in poll, epoll_wait and
// io_pgetevents; waits that signals interrupt, with masks of their own. Recorded with
//     gcc -O1 waiting_together.c -o waiting-together -lpthread
//     env -i strace -f -v -s 32 ./waiting-together
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kBlock = 4096, kRequests = 6 };

struct mask {
  sigset_t* set;
  size_t size;
};

static int file;
static char* buffer;
static int left[2], right[2];

static void Handler(int signal) { (void)signal; }

static void Watch(int set, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {events, {.u64 = data}};
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

static void Submit(aio_context_t ctx, struct iocb* requests, int count, int opcode, int signal) {
  struct iocb* list[kRequests];
  memset(requests, 0, sizeof(*requests) * count);
  for (int i = 0; i < count; ++i) {
    requests[i].aio_lio_opcode = opcode;
    requests[i].aio_fildes = file;
    requests[i].aio_buf = (uintptr_t)(buffer + i * kBlock);
    requests[i].aio_nbytes = kBlock;
    requests[i].aio_offset = i * kBlock;
    requests[i].aio_data = 100 + i;
    if (signal >= 0) requests[i].aio_flags = IOCB_FLAG_RESFD;
    if (signal >= 0) requests[i].aio_resfd = signal;
    list[i] = &requests[i];
  }
  syscall(SYS_io_submit, ctx, (long)count, list);
}

// A loop as servers have it.
static void Loop(void) {
  const int set = epoll_create1(0), signal = eventfd(0, EFD_NONBLOCK);
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  const struct itimerspec when = {{0, 0}, {0, 8000000}};
  int ends[2];
  pipe2(ends, O_NONBLOCK);
  Watch(set, signal, EPOLLIN, 1);
  Watch(set, timer, EPOLLIN | EPOLLET, 2);
  Watch(set, ends[0], EPOLLIN | EPOLLRDHUP, 3);
  timerfd_settime(timer, 0, &when, NULL);
  aio_context_t ctx = 0;
  struct iocb requests[kRequests];
  struct io_event events[kRequests];
  struct timespec now = {0, 0};
  syscall(SYS_io_setup, 16, &ctx);
  Submit(ctx, requests, kRequests, IOCB_CMD_PWRITE, signal);
  const pid_t child = fork();
  if (child == 0) {
    usleep(2000);
    write(ends[1], "from the child", 14);
    _exit(0);
  }
  close(ends[1]);
  int requests_left = kRequests, open = 1, running = 1;
  while (requests_left > 0 || open || running) {
    struct epoll_event ready[4];
    uint64_t count;
    char text[16];
    const int n = epoll_wait(set, ready, 4, 1000);
    for (int i = 0; i < n; ++i) {
      if (ready[i].data.u64 == 1 && read(signal, &count, 8) == 8) {
        requests_left -= syscall(SYS_io_pgetevents, ctx, 0L, (long)kRequests, events, &now, NULL);
      }
      if (ready[i].data.u64 == 2 && read(timer, &count, 8) == 8) running = 0;
      if (ready[i].data.u64 == 3 && read(ends[0], text, sizeof(text)) == 0) {
        open = 0;
        epoll_ctl(set, EPOLL_CTL_DEL, ends[0], NULL);
      }
    }
  }
  waitpid(child, NULL, 0);
  syscall(SYS_io_destroy, ctx);
  close(set);
  close(signal);
  close(timer);
  close(ends[0]);
}

static void* PollsAndAnswers(void* nothing) {
  struct pollfd f = {left[0], POLLIN, 0};
  char c;
  for (int i = 0; i < 3; ++i) {
    poll(&f, 1, -1);
    read(left[0], &c, 1);
    write(right[1], &c, 1);
  }
  return nothing;
}

static void* Reaps(void* argument) {
  struct io_event events[kRequests];
  sigset_t none;
  sigemptyset(&none);
  const struct mask mask = {&none, 8};
  syscall(SYS_io_pgetevents, *(aio_context_t*)argument, (long)kRequests, (long)kRequests, events,
          NULL, &mask);
  return NULL;
}

static void Threads(void) {
  pthread_t answers, reaps;
  aio_context_t ctx = 0;
  struct iocb requests[kRequests];
  pipe(left);
  pipe(right);
  syscall(SYS_io_setup, 16, &ctx);
  pthread_create(&answers, NULL, PollsAndAnswers, NULL);
  pthread_create(&reaps, NULL, Reaps, &ctx);
  const int set = epoll_create1(0);
  Watch(set, right[0], EPOLLIN, 9);
  for (int i = 0; i < 3; ++i) {
    struct epoll_event ready;
    char c = 'a' + i;
    usleep(1000);
    write(left[1], &c, 1);
    epoll_wait(set, &ready, 1, -1);
    read(right[0], &c, 1);
  }
  Submit(ctx, requests, kRequests, IOCB_CMD_PREAD, -1);
  pthread_join(answers, NULL);
  pthread_join(reaps, NULL);
  syscall(SYS_io_destroy, ctx);
}

// A signal that is blocked but for the time of the call, and others in the middle of one.
static void Signals(void) {
  struct sigaction action = {.sa_handler = Handler};
  sigset_t usr1, none;
  aio_context_t ctx = 0;
  struct io_event events[1];
  struct epoll_event ready;
  struct timespec second = {1, 0};
  sigemptyset(&none);
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  const struct mask mask = {&none, 8};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGALRM, &action, NULL);
  sigprocmask(SIG_BLOCK, &usr1, NULL);
  syscall(SYS_io_setup, 1, &ctx);
  const int set = epoll_create1(0);
  struct pollfd f = {left[0], POLLIN, 0};
  kill(getpid(), SIGUSR1);
  syscall(SYS_io_pgetevents, ctx, 1L, 1L, events, &second, &mask);
  kill(getpid(), SIGUSR1);
  ppoll(&f, 1, NULL, &none);
  kill(getpid(), SIGUSR1);
  epoll_pwait(set, &ready, 1, 1000, &none);
  kill(getpid(), SIGUSR1);
  pselect(0, NULL, NULL, NULL, NULL, &none);
  const pid_t self = getpid(), child = fork();
  if (child == 0) {
    for (int i = 0; i < 2; ++i) {
      usleep(20000);
      kill(self, SIGUSR1);
    }
    _exit(0);
  }
  syscall(SYS_io_pgetevents, ctx, 1L, 1L, events, NULL, &mask);
  ppoll(&f, 1, NULL, &none);
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
  }
  const struct itimerval soon = {{0, 0}, {0, 20000}};
  setitimer(ITIMER_REAL, &soon, NULL);
  poll(&f, 1, -1);
  setitimer(ITIMER_REAL, &soon, NULL);
  epoll_wait(set, &ready, 1, -1);
  syscall(SYS_io_destroy, ctx);
}

int main(void) {
  file = open("data", O_RDWR | O_CREAT | O_TRUNC | O_DIRECT, 0600);
  posix_memalign((void**)&buffer, kBlock, kRequests * kBlock);
  memset(buffer, 'x', kRequests * kBlock);
  Loop();
  Threads();
  Signals();
  return 0;
}
