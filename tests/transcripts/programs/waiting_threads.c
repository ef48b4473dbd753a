// SPDX-License-Identifier: Apache-2.0
//
// Threads that share one epoll set, a pipe that is full, sets in sets, duplicates of a timer.
// Recorded with
//     gcc -O1 waiting_threads.c -o waiting-threads -lpthread
//     env -i strace -f -v -s 32 ./waiting-threads
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kThreads = 3, kJobs = 8, kPage = 4096, kStop = 99 };

static int set, jobs[2], answers[2];

static void Watch(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {events, {.u64 = data}};
  epoll_ctl(epoll, operation, fd, &event);
}

static void* Work(void* nothing) {
  while (1) {
    struct epoll_event event;
    char job;
    if (epoll_wait(set, &event, 1, -1) != 1) continue;
    if (event.data.u64 == kStop) return nothing;
    if (read(jobs[0], &job, 1) != 1) continue;
    write(answers[1], &job, 1);
    Watch(set, EPOLL_CTL_MOD, jobs[0], EPOLLIN | EPOLLONESHOT, 1);
  }
}

static void Threads(void) {
  pthread_t threads[kThreads];
  const int stop = eventfd(0, 0);
  const uint64_t one = 1;
  pipe2(jobs, O_NONBLOCK);
  pipe(answers);
  set = epoll_create1(0);
  Watch(set, EPOLL_CTL_ADD, jobs[0], EPOLLIN | EPOLLONESHOT, 1);
  Watch(set, EPOLL_CTL_ADD, stop, EPOLLIN, kStop);
  for (int i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, Work, NULL);
  for (int i = 0; i < kJobs; ++i) {
    struct pollfd f = {answers[0], POLLIN, 0};
    char job = 'a' + i;
    write(jobs[1], &job, 1);
    if (i % 3 == 0) usleep(500);
    poll(&f, 1, 1000);
    read(answers[0], &job, 1);
  }
  write(stop, &one, sizeof(one));
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
}

static void Full(void) {
  static char page[kPage];
  int ends[2];
  signal(SIGPIPE, SIG_IGN);
  pipe2(ends, O_NONBLOCK);
  fcntl(ends[1], F_SETPIPE_SZ, kPage);
  write(ends[1], page, kPage);
  write(ends[1], page, 1);
  struct pollfd f = {ends[1], POLLOUT, 0};
  poll(&f, 1, 0);
  poll(&f, 1, 5);
  const pid_t child = fork();
  if (child == 0) {
    usleep(3000);
    read(ends[0], page, kPage);
    usleep(3000);
    _exit(0);
  }
  close(ends[0]);
  poll(&f, 1, 1000);
  write(ends[1], page, kPage);
  f.events = 0;
  poll(&f, 1, -1);
  write(ends[1], page, 1);
  waitpid(child, NULL, 0);
  close(ends[1]);
}

static void Sets(void) {
  struct epoll_event ready[3];
  const struct itimerspec when = {{0, 2000000}, {0, 1000000}};
  const struct timespec pause = {0, 4000000};
  const int inner = epoll_create1(0), outer = epoll_create1(0);
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  int ends[2];
  char c;
  pipe(ends);
  Watch(inner, EPOLL_CTL_ADD, ends[0], EPOLLIN, 10);
  Watch(outer, EPOLL_CTL_ADD, inner, EPOLLIN, 11);
  Watch(inner, EPOLL_CTL_ADD, outer, EPOLLIN, 12);
  Watch(inner, EPOLL_CTL_ADD, inner, EPOLLIN, 13);
  epoll_wait(outer, ready, 3, 0);
  write(ends[1], "q", 1);
  epoll_wait(outer, ready, 3, -1);
  epoll_wait(inner, ready, 3, -1);
  timerfd_settime(timer, 0, &when, NULL);
  Watch(inner, EPOLL_CTL_ADD, timer, EPOLLIN | EPOLLET, 14);
  read(ends[0], &c, 1);
  for (int i = 0; i < 6; ++i) {
    uint64_t count;
    const int some = epoll_wait(outer, ready, 3, 20) > 0 && epoll_wait(inner, ready, 3, 0) > 0;
    if (some && i % 2 != 0) read(timer, &count, sizeof(count));
  }
  close(ends[1]);
  struct pollfd all[3] = {{outer, POLLIN, 0}, {timer, POLLIN, 0}, {ends[0], POLLIN, 0}};
  poll(all, 3, -1);
  fd_set in;
  FD_ZERO(&in);
  FD_SET(ends[0], &in);
  FD_SET(timer, &in);
  pselect(ends[0] + timer, &in, NULL, NULL, &pause, NULL);
  const int copy = dup(timer);
  struct pollfd both[2] = {{copy, POLLIN, 0}, {timer, POLLIN, 0}};
  poll(both, 2, 20);
  close(timer);
  epoll_wait(inner, ready, 3, 5);
  close(copy);
  epoll_wait(inner, ready, 3, 2);
}

int main(void) {
  Threads();
  Full();
  Sets();
  return 0;
}
