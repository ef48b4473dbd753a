// SPDX-License-Identifier: Apache-2.0
//
// Quality of service: what may slow submitters down and wants to know how long requests take.
// v4.19 block/blk-rq-qos.c
//
// Departs: no policy (writeback throttling, I/O latency of cgroups) is attached to any queue, so
// these find nothing to do.
//
// Context: as the functions that call them.
#pragma once

#include "sim/block/blkdev.h"

namespace kpath {

void rq_qos_throttle(request_queue* q, bio* bio);
void rq_qos_track(request_queue* q, request* rq, bio* bio);
void rq_qos_cleanup(request_queue* q, bio* bio);
void rq_qos_requeue(request_queue* q, request* rq);
void rq_qos_done(request_queue* q, request* rq);
void rq_qos_done_bio(request_queue* q, bio* bio);

}  // namespace kpath
