// SPDX-License-Identifier: Apache-2.0
//
// Random operations of all kinds on the real ring, against a naive one: a list of what is in flight
// and a list of what must come.
#include <poll.h>

#include <map>
#include <random>
#include <set>

#include "fs_aio/aio_test_program.h"

namespace kpath {
namespace {

constexpr int kPipes = 3;

// A ring that knows no pages, heads, CPUs or batches.
class NaiveRing {
 public:
  explicit NaiveRing(size_t slots) : slots_(slots) {}

  // A request was taken. `result` is what it will be completed with, if that is known: a poll of
  // pipe `pipe` (-1: none) may still be cancelled.
  void Take(uint64_t data, int64_t result, int pipe = -1) {
    ASSERT_LT(requests_.size(), slots_);
    ASSERT_TRUE(requests_.emplace(data, Request{result, pipe}).second);
  }
  void Cancel(uint64_t data) { requests_.at(data).result = 0; }
  // Polls of the pipe that are in flight and not cancelled: they will be completed when it is
  // written to.
  std::vector<uint64_t> Polls(int pipe) const {
    std::vector<uint64_t> found;
    for (const auto& [data, request] : requests_) {
      if (request.pipe == pipe && request.result != 0) found.push_back(data);
    }
    return found;
  }
  void Ready(uint64_t data) { requests_.at(data).pipe = -1; }

  // An event was read: it must be one that was to come, with its result, and none comes twice.
  void Read(const user::io_event& event) {
    const auto request = requests_.find(event.data);
    ASSERT_NE(request, requests_.end()) << "event " << event.data << " of nothing";
    EXPECT_TRUE(request->second.pipe < 0 || request->second.result == 0)
        << "poll " << event.data << " without a reason";
    // A poll that a worker completes tells no more than was asked for.
    if (event.res != POLLIN || request->second.result != (POLLIN | POLLRDNORM)) {
      EXPECT_EQ(event.res, request->second.result) << event.data;
    }
    requests_.erase(request);
  }
  // In flight or unread.
  size_t requests() const { return requests_.size(); }
  // Those that need nothing more to be completed.
  int64_t due() const {
    int64_t count = 0;
    for (const auto& [data, request] : requests_) {
      count += request.pipe < 0 || request.result == 0;
    }
    return count;
  }

 private:
  struct Request {
    int64_t result = 0;
    int pipe = -1;
  };
  const size_t slots_;
  std::map<uint64_t, Request> requests_;
};

// The program: `round` makes one random operation.
class RandomProgram {
 public:
  RandomProgram(AioProgram& p, unsigned seed)
      : p_(p), naive_(p.Kioctx()->nr_events - 1), random_(seed) {
    const auto fds = p.arena.New<int32_t>(2);
    for (int i = 0; i < kPipes; ++i) {
      EXPECT_EQ(user::pipe2(fds.address(), O_NONBLOCK), 0);
      pipes_[i][0] = fds.Load();
      pipes_[i][1] = (fds + 1).Load();
    }
    drain_ = p.arena.Bytes(64);
  }

  void Round() {
    switch (random_() % 6) {
      case 0:
      case 1:
        return SubmitSome();
      case 2:
        return WriteToPipe(static_cast<int>(random_() % kPipes));
      case 3:
        return CancelOne();
      case 4:
        return ReapInKernel();
      default:
        return ReapInUserMode();
    }
  }

  // Everything that can end ends; then all must be there, once.
  void Finish() {
    // What a worker found not ready waits again: this time the pipes stay full.
    for (int i = 0; i < kPipes; ++i) WriteToPipe(i, /*drain=*/false);
    while (naive_.requests() != 0) {
      const int64_t due = naive_.due();
      ASSERT_EQ(due, static_cast<int64_t>(naive_.requests()));
      ASSERT_EQ(user::io_getevents(p_.ctx, due, 512, p_.events, {}), due);
      ReadEvents(due);
    }
    EXPECT_EQ(p_.Reap(0, 512), 0);
    p_.ExpectSlotsBalance();
  }

 private:
  void SubmitSome() {
    struct Planned {
      int64_t result;
      int pipe;
    };
    std::vector<user::iocb> list;
    std::vector<Planned> planned;
    for (size_t count = random_() % 20; count != 0; --count) {
      const auto pipe = static_cast<int>(random_() % kPipes);
      switch (random_() % 4) {
        case 0:
          list.push_back(p_.Read(512));
          planned.push_back({512, -1});
          break;
        case 1:
          list.push_back(p_.Write(64));
          planned.push_back({64, -1});
          break;
        case 2:
          list.push_back(user::FdsyncIocb(p_.fd));
          planned.push_back({0, -1});
          break;
        default:
          list.push_back(user::PollIocb(pipes_[pipe][0], POLLIN));
          planned.push_back({POLLIN | POLLRDNORM, pipe});
      }
      list.back().aio_data = next_ + list.size() - 1;
    }
    const int64_t taken = p_.Submit(list);
    ASSERT_TRUE(taken >= 0 || taken == -EAGAIN) << taken << p_.Reason();
    for (int64_t i = 0; i < taken; ++i) {
      const auto& plan = planned[static_cast<size_t>(i)];
      naive_.Take(next_ + i, plan.result, plan.pipe);
      if (plan.pipe >= 0) places_[next_ + i] = p_.iocbs[static_cast<size_t>(i)];
    }
    next_ += list.size();
  }

  void WriteToPipe(int pipe, bool drain = true) {
    const std::vector<uint64_t> polls = naive_.Polls(pipe);
    ASSERT_EQ(user::write(pipes_[pipe][1], p_.buffer, 1), 1);
    for (const uint64_t data : polls) naive_.Ready(data);
    // Empty again: the next polls have to wait.
    if (!drain) return;
    ASSERT_EQ(user::read(pipes_[pipe][0], drain_, 1), 1);
  }

  // Cancels the oldest poll that is at the place of the one picked.
  void CancelOne() {
    const auto pipe = static_cast<int>(random_() % kPipes);
    const std::vector<uint64_t> polls = naive_.Polls(pipe);
    if (polls.empty()) return;
    const auto place = places_.at(polls[random_() % polls.size()]);
    uint64_t oldest = UINT64_MAX;
    for (int i = 0; i < kPipes; ++i) {
      for (const uint64_t data : naive_.Polls(i)) {
        if (places_.at(data) == place) oldest = std::min(oldest, data);
      }
    }
    // The iocb has been used again since, maybe for something that cannot be cancelled; the key
    // stands all the same.
    ASSERT_EQ(user::io_cancel(p_.ctx, place, p_.events), -EINPROGRESS) << p_.Reason();
    naive_.Cancel(oldest);
  }

  void ReapInKernel() {
    const int64_t wanted = static_cast<int64_t>(random_() % 40);
    const int64_t read = p_.Reap(0, wanted);
    ASSERT_TRUE(read >= 0 && read <= wanted && read <= naive_.due());
    ReadEvents(read);
  }
  void ReapInUserMode() {
    const int64_t read = user::ReapRing(p_.ctx, static_cast<int64_t>(random_() % 40), p_.events);
    ASSERT_TRUE(read >= 0 && read <= naive_.due());
    ReadEvents(read);
  }
  void ReadEvents(int64_t count) {
    for (int64_t i = 0; i < count; ++i) naive_.Read(p_.Event(i));
  }

  AioProgram& p_;
  NaiveRing naive_;
  std::mt19937 random_;
  int pipes_[kPipes][2];
  uint64_t drain_ = 0;
  uint64_t next_ = 1;
  std::map<uint64_t, user::Pointer<user::iocb>> places_;  // of polls, by data
};

TEST(RandomOperations, AgreeWithANaiveRing) {
  for (const int cpus : {1, 2, 3}) {
    for (unsigned seed = 1; seed <= 4; ++seed) {
      SystemOptions options;
      options.cpus = cpus;
      if (seed > 2) options.seed = seed;  // out of the ordinary course
      SCOPED_TRACE(testing::Message() << cpus << " CPUs, seed " << seed);
      RunAio(options, [seed](AioProgram& p) {
        ASSERT_EQ(p.Setup(1), 0);
        RandomProgram program(p, seed);
        for (int round = 0; round < 150 && !testing::Test::HasFailure(); ++round) program.Round();
        program.Finish();
      });
    }
  }
}

}  // namespace
}  // namespace kpath
