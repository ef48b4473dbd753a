// SPDX-License-Identifier: Apache-2.0
//
// An error that each of several observers is told once. v4.19 lib/errseq.c
//
//   errseq_t seen = errseq_sample(mapping->wb_err);          // at open
//   errseq_set(&mapping->wb_err, -EIO);                      // a write has failed
//   int error = errseq_check_and_advance(&mapping->wb_err, &seen);  // -EIO, and the next time 0
//
// Departs: three fields, where Linux packs them into one word for its cmpxchg.
//
// Context: any.
#pragma once

#include <cstdint>

namespace kpath {

struct errseq_t {
  int error = 0;         // negative errno; 0: there was none
  uint32_t counter = 0;  // of errors that somebody had seen before the next one came
  bool seen = true;
};

inline bool operator==(const errseq_t& a, const errseq_t& b) {
  return a.error == b.error && a.counter == b.counter && a.seen == b.seen;
}

// v4.19 lib/errseq.c: errseq_set. `error`: a negative errno.
inline void errseq_set(errseq_t* eseq, int error) {
  // Nobody can tell errors apart that nobody has seen, so only a seen one is counted.
  if (eseq->seen) ++eseq->counter;
  eseq->error = error;
  eseq->seen = false;
}

// v4.19 lib/errseq.c: errseq_sample. From now on new errors are told; and an old one, if nobody has
// been told yet.
inline errseq_t errseq_sample(const errseq_t& eseq) { return eseq.seen ? eseq : errseq_t{}; }

// v4.19 lib/errseq.c: errseq_check_and_advance. The error if there was one since `since`, else 0.
inline int errseq_check_and_advance(errseq_t* eseq, errseq_t* since) {
  if (*eseq == *since) return 0;
  eseq->seen = true;
  const bool is_new = eseq->counter != since->counter || eseq->error != since->error;
  *since = *eseq;
  return is_new ? eseq->error : 0;
}

}  // namespace kpath
