// SPDX-License-Identifier: Apache-2.0
//
// A program of a simulated machine that submits reads and takes their events, again and again.
//
//   system.Start("bench", [] {
//     ModelAio model("/dev/vda", O_RDONLY | O_DIRECT);
//     for (int i = 0; i < 1000; ++i) model.SubmitAndReap(32);
//   });
#pragma once

#include <fcntl.h>

#include <string>
#include <vector>

#include "entry/boot.h"
#include "sim/user/user.h"

namespace kpath {

// iocbs that read 512 bytes each, one behind the other: of a memory file, or of a device with
// O_DIRECT. They are submitted to one of the contexts that it makes.
class ModelAio {
 public:
  static constexpr int kMost = 64;  // requests at a time; with several contexts: kMostOfSeveral
  static constexpr int kMostOfSeveral = 4;

  ModelAio(const std::string& path, int flags, int contexts = 1) : arena_(1 << 20) {
    const auto fd = static_cast<int>(user::open(path, flags, 0600));
    buffer_ = arena_.Bytes(kMost * 4096, 4096);
    if ((flags & O_CREAT) != 0) user::write(fd, buffer_, 4096);
    const auto place = arena_.New<user::io_context_t>();
    for (int i = 0; i < contexts; ++i) {
      place.Store({});
      user::io_setup(contexts == 1 ? kMost : kMostOfSeveral, place);
      contexts_.push_back(place.Load());
    }
    events_ = arena_.New<user::io_event>(kMost);
    pointers_ = arena_.New<user::Pointer<user::iocb>>(kMost);
    const bool direct = (flags & O_DIRECT) != 0;
    for (int i = 0; i < kMost; ++i) {
      // Of a device, places that are no neighbours: each is a request.
      const int64_t offset = direct ? int64_t{65536} * i : 0;
      const uint64_t buffer = direct ? buffer_ + uint64_t{4096} * i : buffer_;
      const user::iocb one = user::PreadIocb(fd, buffer, 512, offset);
      (pointers_ + i).Store(arena_.Put(one));
    }
  }

  bool SubmitAndReap(int count) {
    const user::io_context_t ctx = contexts_[used_];
    return user::io_submit(ctx, count, pointers_) == count &&
           user::io_getevents(ctx, count, count, events_, {}) == count;
  }

  // Goes on with the context made after the present one, or with the first.
  void NextContext() { used_ = (used_ + 1) % contexts_.size(); }

 private:
  user::Arena arena_;
  uint64_t buffer_ = 0;
  std::vector<user::io_context_t> contexts_;
  size_t used_ = 0;
  user::Pointer<user::io_event> events_;
  user::Pointer<user::Pointer<user::iocb>> pointers_;
};

}  // namespace kpath
