// SPDX-License-Identifier: Apache-2.0
//
// For the files that make up fs/direct-io.c.
#pragma once

#include "sim/kernel/workqueue.h"
#include "sim/vfs/disk/direct_io.h"

namespace kpath {

// v4.19 fs/direct-io.c: DIO_PAGES. User pages that are pinned at a time.
inline constexpr unsigned DIO_PAGES = 64;

// One direct read or write, from its submission to its completion.
struct dio {
  static constexpr const char* kSlabName = "dio";

  int flags = 0;  // DIO_*
  int op = REQ_OP_READ;
  unsigned op_flags = 0;
  kptr<struct inode> inode;
  loff_t i_size = 0;  // when it began
  spinlock_t bio_lock{"&dio->bio_lock"};
  int page_errors = 0;  // what pinning user pages said, while blocks were left to fill
  bool is_async = false;
  bool defer_completion = false;  // it ends in a workqueue
  bool should_dirty = false;      // it reads into user pages
  int io_error = 0;               // what the device said
  unsigned long refcount = 0;     // bios on their way, plus one for the submitter
  bio* bio_list = nullptr;        // that have ended and wait for the submitter; by bi_private
  task_struct* waiter = nullptr;  // the submitter, while it waits
  kiocb* iocb = nullptr;
  ssize_t result = 0;  // bytes that were submitted
  work_struct complete_work;
  kptr<page> pages[DIO_PAGES];  // pinned, from dio_submit::head to tail
};

// What only the submission needs.
struct dio_submit {
  struct bio* bio = nullptr;      // that pages are being added to
  unsigned blkbits = 0;           // of the blocks that the request is made of
  unsigned blkfactor = 0;         // i_blkbits - blkbits
  bool start_zero_done = false;   // the first block's part before the request has been zeroed
  int pages_in_io = 0;            // how many more pages bios will need, about
  sector_t block_in_file = 0;     // next one; blkbits
  unsigned blocks_available = 0;  // behind next_block_for_io
  sector_t final_block_in_request = 0;
  bool boundary = false;  // what follows is elsewhere
  get_block_t get_block = nullptr;
  loff_t logical_offset_in_bio = 0;  // where in the file the bio begins
  sector_t final_block_in_bio = 0;   // the block behind it
  sector_t next_block_for_io = 0;    // on the device
  // A piece that is not in a bio yet: it may grow.
  kptr<page> cur_page;
  unsigned cur_page_offset = 0;
  unsigned cur_page_len = 0;
  sector_t cur_page_block = 0;
  loff_t cur_page_fs_offset = 0;
  iov_iter* iter = nullptr;
  unsigned head = 0;  // of dio::pages
  unsigned tail = 0;
  size_t from = 0;  // the data begin here in the first page
  size_t to = 0;    // and end here in the last
};

inline constexpr int DIO_COMPLETE_ASYNC = 0x01;       // ki_complete is to be called
inline constexpr int DIO_COMPLETE_INVALIDATE = 0x02;  // may sleep, and drop cached pages

// v4.19 fs/direct-io.c: dio_complete. All bios have ended: frees the dio. Returns the bytes or the
// error.
ssize_t dio_complete(kptr<dio> dio, ssize_t ret, int flags);
// v4.19 fs/direct-io.c: dio_bio_submit. sdio->bio goes to the device.
void dio_bio_submit(kptr<dio> dio, dio_submit* sdio);
// v4.19 fs/direct-io.c: dio_await_completion. Sleeps until all bios have ended.
void dio_await_completion(kptr<dio> dio);
// v4.19 fs/direct-io.c: dio_bio_end_aio, dio_bio_end_io. Ends of a bio of an asynchronous and of a
// synchronous request. Context: any.
void dio_bio_end_aio(bio* bio);
void dio_bio_end_io(bio* bio);
// v4.19 fs/direct-io.c: drop_refcount. The submitter's reference. Returns what is left.
unsigned long drop_refcount(kptr<dio> dio);
// v4.19 fs/direct-io.c: sb_init_dio_done_wq. 0 or -ENOMEM.
int sb_init_dio_done_wq(kptr<super_block> sb);

// v4.19 fs/direct-io.c: do_direct_IO. Puts the request's pieces into bios. 0, -ENOTBLK: a write has
// come to a hole; or a negative errno.
int do_direct_IO(kptr<dio> dio, dio_submit* sdio, buffer_head* map_bh);
// v4.19 fs/direct-io.c: dio_send_cur_page. Adds the piece to a bio. 0 or a negative errno.
int dio_send_cur_page(kptr<dio> dio, dio_submit* sdio, const buffer_head& map_bh);
// v4.19 fs/direct-io.c: dio_zero_block. Zeroes what the request leaves of a new block of the file
// system: before it, or (`end`) behind it.
void dio_zero_block(kptr<dio> dio, dio_submit* sdio, bool end, const buffer_head& map_bh);
// v4.19 fs/direct-io.c: dio_cleanup. Unpins the pages that were not used.
void dio_cleanup(kptr<dio> dio, dio_submit* sdio);

}  // namespace kpath
