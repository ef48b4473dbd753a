// SPDX-License-Identifier: Apache-2.0
#include "sim/block/drivers/virtio_ring.h"

#include "sim/machine/check.h"

namespace kpath {
namespace {

// v4.19 drivers/virtio/virtio_ring.c: vring_use_dma_api. No: addresses are physical.
bool vring_use_dma_api() { FUNCTION_RETURNS(false); }

// v4.19 drivers/virtio/virtio_ring.c: vring_map_one_sg
uint64_t vring_map_one_sg(const scatterlist& sg) {
  FUNCTION(Value::Address(sg.dma_address), sg.length);
  vring_use_dma_api();
  return sg.dma_address;
}

// v4.19 drivers/virtio/virtio_ring.c: vring_map_single
uint64_t vring_map_single(uint64_t address) {
  vring_use_dma_api();
  return address;
}

// v4.19 drivers/virtio/virtio_ring.c: vring_mapping_error
bool vring_mapping_error(uint64_t address) {
  FUNCTION(Value::Address(address));
  return fn.Return(vring_use_dma_api());
}

// v4.19 drivers/virtio/virtio_ring.c: vring_unmap_one
void vring_unmap_one(const vring_desc& desc) {
  FUNCTION(Value::Address(desc.addr), desc.len);
  vring_use_dma_api();
}

unsigned Total(const unsigned* lengths, unsigned lists) {
  unsigned total = 0;
  for (unsigned n = 0; n < lists; ++n) total += lengths[n];
  return total;
}

// v4.19 drivers/virtio/virtio_ring.c: alloc_indirect. Null: no memory; then the ring's own entries
// are used.
kptr<vring_desc_table> alloc_indirect(unsigned total_sg, gfp_t gfp) {
  KPATH_CHECK(total_sg <= vring_desc_table::kMaxEntries, "a buffer of too many pieces");
  return kzalloc<vring_desc_table>(gfp);
}

// Writes the pieces into the table, linked by next; or into the ring from its free entries on.
void FillDescriptors(virtqueue* vq, vring_desc* desc, unsigned first, bool linked,
                     const scatterlist* const* sgs, const unsigned* lengths, unsigned out_sgs,
                     unsigned in_sgs) {
  unsigned i = first;
  unsigned prev = first;
  for (unsigned n = 0; n < out_sgs + in_sgs; ++n) {
    for (unsigned k = 0; k < lengths[n]; ++k) {
      const uint64_t addr = vring_map_one_sg(sgs[n][k]);
      vring_mapping_error(addr);
      vring_desc& at = desc[i];
      const auto write = n < out_sgs ? uint16_t{0} : VRING_DESC_F_WRITE;
      const uint16_t next = linked ? static_cast<uint16_t>(i + 1) : at.next;
      at = {addr, sgs[n][k].length, static_cast<uint16_t>(VRING_DESC_F_NEXT | write), next};
      prev = i;
      i = at.next;
    }
  }
  desc[prev].flags &= static_cast<uint16_t>(~VRING_DESC_F_NEXT);
  if (!linked) vq->free_head = i;
}

// v4.19 drivers/virtio/virtio_ring.c: detach_buf. The buffer's entries are free again.
void detach_buf(virtqueue* vq, unsigned head) {
  FUNCTION(head);
  vring& vring = vq->vring;
  vring_desc_state& state = vq->desc_state[head];
  state.data = nullptr;
  unsigned i = head;
  while ((vring.desc[i].flags & VRING_DESC_F_NEXT) != 0) {
    vring_unmap_one(vring.desc[i]);
    i = vring.desc[i].next;
    ++vq->num_free;
  }
  vring_unmap_one(vring.desc[i]);
  vring.desc[i].next = static_cast<uint16_t>(vq->free_head);
  vq->free_head = head;
  ++vq->num_free;
  if (!state.indir_desc) return;
  const unsigned count = vring.desc[head].len / sizeof(vring_desc);
  for (unsigned j = 0; j < count; ++j) vring_unmap_one(state.indir_desc->desc[j]);
  kfree(state.indir_desc);
  state.indir_desc = nullptr;
}

bool more_used(const virtqueue* vq) { return vq->last_used_idx != vq->vring.used_idx; }

// v4.19 drivers/virtio/virtio_ring.c: virtqueue_get_buf_ctx
void* virtqueue_get_buf_ctx(virtqueue* vq, unsigned* len) {
  FUNCTION(vq);
  if (vq->broken || !more_used(vq)) return nullptr;
  const vring_used_elem& used = vq->vring.used_ring[vq->last_used_idx % vq->vring.num];
  *len = used.len;
  void* data = vq->desc_state[used.id].data;
  KPATH_CHECK(data != nullptr, "the host has used a buffer that it was not given");
  STEP("used by the host", used.id, used.len);
  detach_buf(vq, used.id);
  ++vq->last_used_idx;
  // Where interrupts are wanted, the next one is for the next buffer.
  if ((vq->avail_flags_shadow & VRING_AVAIL_F_NO_INTERRUPT) == 0) {
    vq->vring.used_event = vq->last_used_idx;
  }
  return data;
}

// v4.19 drivers/virtio/virtio_ring.c: virtqueue_enable_cb_prepare
uint16_t virtqueue_enable_cb_prepare(virtqueue* vq) {
  FUNCTION(vq);
  vq->avail_flags_shadow &= static_cast<uint16_t>(~VRING_AVAIL_F_NO_INTERRUPT);
  vq->vring.used_event = vq->last_used_idx;
  return fn.Return(vq->last_used_idx);
}

// v4.19 drivers/virtio/virtio_ring.c: virtqueue_poll
bool virtqueue_poll(virtqueue* vq, uint16_t last_used_idx) {
  FUNCTION(last_used_idx);
  return fn.Return(last_used_idx != vq->vring.used_idx);
}

}  // namespace

size_t vring_desc_table::BytesWritten() const {
  size_t entries = 1;
  while (entries < kMaxEntries && (desc[entries - 1].flags & VRING_DESC_F_NEXT) != 0) ++entries;
  return entries * sizeof(vring_desc);
}

// v4.19 drivers/virtio/virtio_ring.c: __vring_new_virtqueue
void vring_init_virtqueue(virtqueue* vq, unsigned num) {
  FUNCTION(num);
  vq->vring.num = num;
  vq->vring.desc.resize(num);
  vq->vring.avail_ring.resize(num);
  vq->vring.used_ring.resize(num);
  vq->desc_state.resize(num);
  vq->num_free = num;
  for (unsigned i = 0; i < num; ++i) vq->vring.desc[i].next = static_cast<uint16_t>(i + 1);
}

// v4.19 drivers/virtio/virtio_ring.c: virtqueue_add_sgs, virtqueue_add
int virtqueue_add_sgs(virtqueue* vq, const scatterlist* const* sgs, const unsigned* lengths,
                      unsigned out_sgs, unsigned in_sgs, void* data, gfp_t gfp) {
  const unsigned total_sg = Total(lengths, out_sgs + in_sgs);
  FUNCTION(vq, out_sgs, in_sgs, total_sg);
  if (vq->broken) return fn.Return(Fail(EIO, "the device is broken"));
  const unsigned head = vq->free_head;
  kptr<vring_desc_table> table;
  if (total_sg > 1 && vq->num_free != 0) table = alloc_indirect(total_sg, gfp);
  const unsigned descs_used = table ? 1 : total_sg;
  if (vq->num_free < descs_used) {
    // The host may have buffers to give back that it was not asked for.
    if (out_sgs != 0) vq->notify(vq);
    return fn.Return(
        Fail(ENOSPC, "the ring has $0 free entries, $1 are needed", vq->num_free, descs_used));
  }
  if (table) {
    FillDescriptors(vq, table->desc, 0, /*linked=*/true, sgs, lengths, out_sgs, in_sgs);
    const uint64_t addr = vring_map_single(table.address());
    vring_mapping_error(addr);
    vring_desc& desc = vq->vring.desc[head];
    vq->free_head = desc.next;
    desc.addr = addr;
    desc.len = static_cast<uint32_t>(total_sg * sizeof(vring_desc));
    desc.flags = VRING_DESC_F_INDIRECT;
  } else {
    FillDescriptors(vq, vq->vring.desc.data(), head, /*linked=*/false, sgs, lengths, out_sgs,
                    in_sgs);
  }
  vq->num_free -= descs_used;
  vq->desc_state[head] = {data, table};
  vq->vring.avail_ring[vq->avail_idx_shadow % vq->vring.num] = static_cast<uint16_t>(head);
  vq->vring.avail_idx = ++vq->avail_idx_shadow;
  ++vq->num_added;
  STEP("to the host", head, total_sg, vq->num_free);
  return fn.Return(0);
}

// v4.19 drivers/virtio/virtio_ring.c: virtqueue_kick_prepare
bool virtqueue_kick_prepare(virtqueue* vq) {
  FUNCTION(vq);
  const auto old = static_cast<uint16_t>(vq->avail_idx_shadow - vq->num_added);
  vq->num_added = 0;
  return fn.Return(vring_need_event(vq->vring.avail_event, vq->avail_idx_shadow, old));
}

// v4.19 drivers/virtio/virtio_ring.c: virtqueue_notify
bool virtqueue_notify(virtqueue* vq) {
  FUNCTION(vq);
  if (vq->broken) return fn.Return(false);
  if (vq->notify(vq)) return fn.Return(true);
  vq->broken = true;
  return fn.Return(false);
}

// v4.19 drivers/virtio/virtio_ring.c: virtqueue_kick
bool virtqueue_kick(virtqueue* vq) {
  FUNCTION(vq);
  return fn.Return(virtqueue_kick_prepare(vq) ? virtqueue_notify(vq) : true);
}

// v4.19 drivers/virtio/virtio_ring.c: virtqueue_get_buf
void* virtqueue_get_buf(virtqueue* vq, unsigned* len) {
  FUNCTION(vq);
  return virtqueue_get_buf_ctx(vq, len);
}

// v4.19 drivers/virtio/virtio_ring.c: virtqueue_disable_cb. With event indices the host need not
// see the flag: its index is not moved on.
void virtqueue_disable_cb(virtqueue* vq) {
  FUNCTION(vq);
  vq->avail_flags_shadow |= VRING_AVAIL_F_NO_INTERRUPT;
}

// v4.19 drivers/virtio/virtio_ring.c: virtqueue_enable_cb
bool virtqueue_enable_cb(virtqueue* vq) {
  FUNCTION(vq);
  const uint16_t last_used_idx = virtqueue_enable_cb_prepare(vq);
  return fn.Return(!virtqueue_poll(vq, last_used_idx));
}

// v4.19 drivers/virtio/virtio_ring.c: virtqueue_is_broken
bool virtqueue_is_broken(virtqueue* vq) {
  FUNCTION(vq);
  return fn.Return(vq->broken);
}

// v4.19 drivers/virtio/virtio_ring.c: vring_interrupt
bool vring_interrupt(virtqueue* vq) {
  FUNCTION(vq);
  if (!more_used(vq)) return fn.Return(false);
  if (!vq->broken && vq->callback != nullptr) vq->callback(vq);
  return fn.Return(true);
}

}  // namespace kpath
