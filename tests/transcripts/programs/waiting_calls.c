// SPDX-License-Identifier: Apache-2.0
//
// Every call that waits for descriptors, and those about clocks and timers, in many forms, refused
// ones among them. Recorded with
//     gcc -O1 waiting_calls.c -o waiting-calls && env -i strace -f -v -s 32 ./waiting-calls
#define _GNU_SOURCE
#include <linux/aio_abi.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct mask {
  sigset_t* set;
  size_t size;
};

static int ends[2];
static sigset_t usr1;

static void Poll(void) {
  struct pollfd f[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}};
  poll(f, 1, 0);
  poll(f, 2, 10);
  poll(f, 1, 2);
  f[0].fd = 77;
  poll(f, 2, -1);
  f[0].fd = -1;
  poll(f, 2, -1);
  f[0].fd = ends[0];
  f[1].events = POLLIN | POLLPRI | POLLRDHUP;
  poll(f, 2, 0);
  f[1].events = POLLOUT | POLLWRNORM;
  poll(f, 2, 0);
  poll(NULL, 0, 1);
  syscall(SYS_poll, 8, 1, 0);
  struct timespec ts = {0, 1000000};
  ppoll(f, 1, &ts, &usr1);
  ppoll(f, 2, &ts, NULL);
  ppoll(f, 2, NULL, NULL);
  ts.tv_nsec = -1;
  ppoll(f, 1, &ts, NULL);
}

static void Epoll(void) {
  const int set = epoll_create1(EPOLL_CLOEXEC);
  syscall(SYS_epoll_create, 10);
  syscall(SYS_epoll_create, 0);
  struct epoll_event event = {EPOLLIN, {.u64 = 0x123456789a}}, out[4];
  epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event);
  epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event);
  event.events = EPOLLOUT | EPOLLET;
  event.data.u32 = 7;
  epoll_ctl(set, EPOLL_CTL_ADD, ends[1], &event);
  epoll_ctl(set, EPOLL_CTL_MOD, 99, &event);
  epoll_ctl(set, 99, ends[1], &event);
  epoll_wait(set, out, 4, -1);
  epoll_wait(set, out, 4, 1);
  epoll_wait(set, out, 0, 0);
  epoll_wait(ends[0], out, 4, 0);
  epoll_pwait(set, out, 4, 0, &usr1);
  write(ends[1], "hello", 5);
  epoll_wait(set, out, 4, -1);
  epoll_pwait(set, out, 4, 0, NULL);
  event.events = EPOLLIN | EPOLLONESHOT;
  epoll_ctl(set, EPOLL_CTL_MOD, ends[0], &event);
  epoll_wait(set, out, 1, -1);
  epoll_wait(set, out, 1, 0);
  struct pollfd f = {set, POLLIN, 0};
  poll(&f, 1, 0);
  epoll_ctl(set, EPOLL_CTL_MOD, ends[0], &event);
  poll(&f, 1, -1);
  epoll_wait(set, out, 4, -1);
  epoll_ctl(set, EPOLL_CTL_DEL, ends[0], NULL);
  epoll_ctl(set, EPOLL_CTL_DEL, ends[0], &event);
}

static void Select(void) {
  fd_set r, w;
  struct timeval tv = {0, 2000};
  FD_ZERO(&r);
  FD_ZERO(&w);
  FD_SET(ends[0], &r);
  FD_SET(ends[1], &w);
  select(ends[1] + 1, &r, &w, NULL, &tv);
  char b[8];
  read(ends[0], b, 8);
  FD_SET(ends[0], &r);
  tv.tv_usec = 1000;
  select(ends[1] + 1, &r, NULL, NULL, &tv);
  FD_SET(ends[0], &r);
  struct timespec ts = {0, 500000};
  pselect(ends[1] + 1, &r, NULL, NULL, &ts, &usr1);
  FD_SET(ends[1], &w);
  pselect(ends[1] + 1, NULL, &w, NULL, NULL, NULL);
  FD_SET(ends[0], &r);
  FD_SET(ends[1], &r);
  FD_SET(ends[0], &w);
  tv.tv_usec = 0;
  syscall(SYS_select, ends[1] + 1, &r, &w, &r, &tv);
  FD_ZERO(&r);
  FD_SET(77, &r);
  select(78, &r, NULL, NULL, &tv);
  syscall(SYS_select, 0, NULL, NULL, NULL, &tv);
  syscall(SYS_select, -1, NULL, NULL, NULL, &tv);
  syscall(SYS_select, 4, 8, NULL, NULL, &tv);
}

static void Timers(void) {
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct itimerspec it = {{0, 3000000}, {0, 2000000}}, old;
  unsigned long long n;
  timerfd_settime(timer, 0, &it, &old);
  timerfd_gettime(timer, &it);
  read(timer, &n, 8);
  struct pollfd f = {timer, POLLIN, 0};
  poll(&f, 1, -1);
  read(timer, &n, 8);
  read(timer, &n, 8);
  memset(&it, 0, sizeof(it));
  timerfd_settime(timer, 0, &it, &old);
  timerfd_gettime(timer, &old);
  timerfd_create(99, 0);
  timerfd_settime(ends[0], 0, &it, NULL);
  it.it_value.tv_sec = 1;
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &it, &old);
  poll(&f, 1, -1);
}

static void Clocks(void) {
  struct timespec ts;
  struct timeval tv;
  struct timezone tz;
  time_t now;
  syscall(SYS_clock_getres, CLOCK_MONOTONIC, &ts);
  syscall(SYS_clock_getres, CLOCK_BOOTTIME, &ts);
  syscall(SYS_clock_getres, 99, &ts);
  syscall(SYS_clock_getres, CLOCK_REALTIME, NULL);
  syscall(SYS_clock_getres, CLOCK_REALTIME, 8);
  syscall(SYS_gettimeofday, &tv, NULL);
  syscall(SYS_gettimeofday, &tv, &tz);
  syscall(SYS_gettimeofday, 8, NULL);
  syscall(SYS_time, NULL);
  syscall(SYS_time, &now);
  syscall(SYS_time, 8);
}

static void Events(void) {
  aio_context_t ctx = 0;
  struct io_event events[4];
  struct mask mask = {&usr1, 8};
  struct timespec ts = {0, 1000000};
  syscall(SYS_io_setup, 4, &ctx);
  syscall(SYS_io_pgetevents, ctx, 1L, 4L, events, &ts, &mask);
  syscall(SYS_io_pgetevents, ctx, 0L, 4L, events, &ts, NULL);
  mask.size = 5;
  syscall(SYS_io_pgetevents, ctx, 0L, 4L, events, &ts, &mask);
  mask.size = 8;
  mask.set = NULL;
  syscall(SYS_io_pgetevents, ctx, 0L, 4L, events, &ts, &mask);
  syscall(SYS_io_pgetevents, ctx, 0L, 4L, events, &ts, 8);
  syscall(SYS_io_pgetevents, ctx, 5L, 4L, events, &ts, NULL);
  const int signal = eventfd(0, 0);
  struct iocb request, *list[1] = {&request};
  memset(&request, 0, sizeof(request));
  request.aio_lio_opcode = IOCB_CMD_POLL;
  request.aio_fildes = signal;
  request.aio_buf = POLLIN;
  syscall(SYS_io_submit, ctx, 1L, list);
  const unsigned long long n = 3;
  write(signal, &n, 8);
  mask.set = &usr1;
  syscall(SYS_io_pgetevents, ctx, 1L, 4L, events, NULL, &mask);
  syscall(SYS_io_destroy, ctx);
}

int main(void) {
  pipe(ends);
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  Poll();
  Epoll();
  Select();
  Timers();
  Clocks();
  Events();
  return 0;
}
