// SPDX-License-Identifier: Apache-2.0
//
// Gives the current task another soft limit, for unit tests without processes.
//
//   const TestLimit limit(RLIMIT_NOFILE, 5);   // until the end of the scope
#pragma once

#include <algorithm>
#include <array>

#include "sim/kernel/resource.h"

namespace kpath {

class TestLimit {
 public:
  TestLimit(int resource, unsigned long soft) : task_(current), old_(task_->rlim) {
    std::copy_n(old_, RLIM_NLIMITS, limits_.begin());
    limits_[resource].rlim_cur = soft;
    task_->rlim = limits_.data();
  }
  ~TestLimit() { task_->rlim = old_; }
  TestLimit(const TestLimit&) = delete;
  TestLimit& operator=(const TestLimit&) = delete;

 private:
  task_struct* const task_;
  const struct ::rlimit* const old_;
  std::array<struct ::rlimit, RLIM_NLIMITS> limits_;
};

}  // namespace kpath
