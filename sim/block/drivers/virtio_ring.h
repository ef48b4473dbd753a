// SPDX-License-Identifier: Apache-2.0
//
// A virtqueue: a ring in memory by which a driver and its host hand buffers to each other.
// v4.19 include/linux/virtio.h, include/uapi/linux/virtio_ring.h, drivers/virtio/virtio_ring.c
//
//   scatterlist out = header, in = status; const scatterlist* sgs[] = {&out, &in};
//   int error = virtqueue_add_sgs(vq, sgs, 1, 1, token, GFP_ATOMIC);    // -ENOSPC: the ring is
//   full if (virtqueue_kick_prepare(vq)) virtqueue_notify(vq);               // the host looks …
//   while (void* token = virtqueue_get_buf(vq, &len)) …                 // the host is done with it
//
// Each buffer is one entry of the ring: its pieces are in a table of their own (indirect
// descriptors). Who is to be told of what is agreed on by event indices (VIRTIO_RING_F_EVENT_IDX).
//
// Context: any; calls for one virtqueue must not overlap: its user has a lock.
//
// Invariants
//   1. num_free + entries whose desc_state has data = num.
//   2. avail_idx - used_idx = buffers that are with the host.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/block/blk_core.h"
#include "sim/machine/machine.h"

namespace kpath {

inline constexpr uint16_t VRING_DESC_F_NEXT = 1;
inline constexpr uint16_t VRING_DESC_F_WRITE = 2;  // the host writes to it
inline constexpr uint16_t VRING_DESC_F_INDIRECT = 4;
inline constexpr uint16_t VRING_AVAIL_F_NO_INTERRUPT = 1;
inline constexpr uint16_t VRING_USED_F_NO_NOTIFY = 1;

// Memory of the device's, not initialised: who makes one says what is in it.
struct vring_desc {
  uint64_t addr;  // of the machine's memory; of an indirect table: kernel address, for show
  uint32_t len;
  uint16_t flags;
  uint16_t next;
};

struct vring_used_elem {
  uint32_t id = 0;   // first descriptor
  uint32_t len = 0;  // bytes that the host has written
};

// An indirect table, as the driver allocates it: with what is in the memory (kmalloc).
struct vring_desc_table {
  static constexpr const char* kSlabName = "kmalloc-vring";
  static constexpr size_t kMaxEntries = 130;
  vring_desc desc[kMaxEntries];

  vring_desc_table() {}
  // Up to the last entry of the buffer.
  size_t BytesWritten() const;
};

// What both sides see. Departs: not bytes of a page but a struct: the host is C++, too.
struct vring {
  unsigned num = 0;
  std::vector<vring_desc> desc;
  uint16_t avail_flags = 0;
  uint16_t avail_idx = 0;
  std::vector<uint16_t> avail_ring;
  uint16_t used_event = 0;  // the driver wants an interrupt when used_idx passes it
  uint16_t used_flags = 0;
  uint16_t used_idx = 0;
  std::vector<vring_used_elem> used_ring;
  uint16_t avail_event = 0;  // the host wants to be told when avail_idx passes it
};

struct vring_desc_state {
  void* data = nullptr;               // the driver's name for the buffer
  kptr<vring_desc_table> indir_desc;  // its table
};

struct virtqueue {
  struct vring vring;
  unsigned num_free = 0;
  unsigned free_head = 0;
  unsigned num_added = 0;  // since the last kick
  uint16_t last_used_idx = 0;
  uint16_t avail_flags_shadow = 0;
  uint16_t avail_idx_shadow = 0;
  bool broken = false;
  std::vector<vring_desc_state> desc_state;
  void (*callback)(virtqueue* vq) = nullptr;  // the host has used buffers; in its interrupt
  bool (*notify)(virtqueue* vq) = nullptr;    // tells the host
  void* priv = nullptr;                       // the driver's
  void* transport = nullptr;
};

inline Value MakeValue(const virtqueue* vq) { return Value::Unsigned(vq->num_free); }

// `num`: entries, a power of two.
void vring_init_virtqueue(virtqueue* vq, unsigned num);
// v4.19 drivers/virtio/virtio_ring.c: virtqueue_add_sgs. `sgs`: out_sgs lists that the host reads,
// then in_sgs that it writes to; `lengths` says how many pieces each has. 0; -ENOSPC: the ring is
// full; -EIO: the device is broken.
int virtqueue_add_sgs(virtqueue* vq, const scatterlist* const* sgs, const unsigned* lengths,
                      unsigned out_sgs, unsigned in_sgs, void* data, gfp_t gfp);
// True: the host wants to be told of what was added.
bool virtqueue_kick_prepare(virtqueue* vq);
// False: the host did not answer; the device is broken.
bool virtqueue_notify(virtqueue* vq);
bool virtqueue_kick(virtqueue* vq);
// Null: nothing is used.
void* virtqueue_get_buf(virtqueue* vq, unsigned* len);
void virtqueue_disable_cb(virtqueue* vq);
// False: something was used meanwhile: look again.
bool virtqueue_enable_cb(virtqueue* vq);
bool virtqueue_is_broken(virtqueue* vq);

// v4.19 drivers/virtio/virtio_ring.c: vring_interrupt. True: it was for this queue.
bool vring_interrupt(virtqueue* vq);
// v4.19 include/uapi/linux/virtio_ring.h: vring_need_event. Has the index passed `event` on its way
// from `old` to `now`?
constexpr bool vring_need_event(uint16_t event, uint16_t now, uint16_t old) {
  return static_cast<uint16_t>(now - event - 1) < static_cast<uint16_t>(now - old);
}

}  // namespace kpath
