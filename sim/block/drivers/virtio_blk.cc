// SPDX-License-Identifier: Apache-2.0
#include "sim/block/drivers/virtio_blk.h"

#include <cstring>
#include <vector>

#include "sim/block/blk_mq.h"
#include "sim/block/drivers/virtio_blk_host.h"
#include "sim/block/drivers/virtio_pci.h"
#include "sim/mm/page.h"

namespace kpath {
namespace {

constexpr unsigned kVirtioBlkMajor = 254;
constexpr int kMinors = 16;

// The part of a request that is the driver's.
struct virtblk_req {
  // Where the header and the status are, for the host to find them: in a page of the driver's.
  kptr<page> dma_page;
  unsigned dma_offset = 0;
  std::vector<scatterlist> sg;
};
constexpr unsigned kDmaBytes = 32;  // of one request: a header of 16 bytes, the status behind it
constexpr unsigned kStatusOffset = 16;

// v4.19 drivers/block/virtio_blk.c: struct virtio_blk
struct virtio_blk {
  spinlock_t lock;  // of the virtqueue; Linux: vqs[0].lock
  virtqueue vq;
  virtio_pci_device vdev;
  std::unique_ptr<VirtioBlkHost> host;
  blk_mq_tag_set tag_set;
  gendisk* disk = nullptr;
  unsigned sg_elems = 0;
  std::vector<kptr<page>> dma_pages;
  unsigned dma_used = kPageSize;  // of the last page
};

struct virtio_blk_globals {
  std::vector<std::unique_ptr<virtio_blk>> devices;
};
KernelGlobal<virtio_blk_globals> virtio_blks;

uint64_t HeaderAddress(const virtblk_req& vbr) {
  return (vbr.dma_page->pfn << PAGE_SHIFT) + vbr.dma_offset;
}

uint8_t* DmaBytes(const virtblk_req& vbr) {
  return current->machine->memory.PageBytes(vbr.dma_page->pfn) + vbr.dma_offset;
}

// v4.19 drivers/block/virtio_blk.c: virtblk_result
blk_status_t virtblk_result(const virtblk_req& vbr) {
  switch (DmaBytes(vbr)[kStatusOffset]) {
    case VIRTIO_BLK_S_OK:
      return BLK_STS_OK;
    case VIRTIO_BLK_S_UNSUPP:
      return BLK_STS_NOTSUPP;
    default:
      return BLK_STS_IOERR;
  }
}

// v4.19 drivers/block/virtio_blk.c: virtblk_request_done
void virtblk_request_done(request* req) {
  blk_mq_end_request(req, virtblk_result(*blk_mq_rq_to_pdu<virtblk_req>(req)));
}

// v4.19 drivers/block/virtio_blk.c: virtblk_done. In the device's interrupt.
void virtblk_done(virtqueue* vq) {
  FUNCTION(vq);
  auto* vblk = static_cast<virtio_blk*>(vq->priv);
  bool req_done = false;
  unsigned len = 0;
  unsigned long flags;
  spin_lock_irqsave(&vblk->lock, flags);
  do {
    virtqueue_disable_cb(vq);
    while (void* token = virtqueue_get_buf(vq, &len)) {
      blk_mq_complete_request(static_cast<request*>(token));
      req_done = true;
    }
    if (virtqueue_is_broken(vq)) break;
  } while (!virtqueue_enable_cb(vq));
  // In case queues were stopped because the ring was full.
  if (req_done) blk_mq_start_stopped_hw_queues(vblk->disk->queue, true);
  spin_unlock_irqrestore(&vblk->lock, flags);
}

// v4.19 drivers/block/virtio_blk.c: virtblk_add_req
int virtblk_add_req(virtqueue* vq, request* req, const virtio_blk_outhdr& header, unsigned num) {
  auto* vbr = blk_mq_rq_to_pdu<virtblk_req>(req);
  std::memcpy(DmaBytes(*vbr), &header, sizeof(header));
  const uint64_t address = HeaderAddress(*vbr);
  const scatterlist hdr = {address, sizeof(header)};
  const scatterlist status = {address + kStatusOffset, 1};
  const scatterlist* sgs[3];
  unsigned lengths[3] = {1, num, 1};
  unsigned num_out = 0, num_in = 0;
  sgs[num_out++] = &hdr;
  if (num != 0) {
    const bool out = (header.type & VIRTIO_BLK_T_OUT) != 0;
    sgs[1] = vbr->sg.data();
    ++(out ? num_out : num_in);
  } else {
    lengths[1] = 1;
  }
  sgs[num_out + num_in] = &status;
  ++num_in;
  return virtqueue_add_sgs(vq, sgs, lengths, num_out, num_in, req, GFP_ATOMIC);
}

// v4.19 drivers/block/virtio_blk.c: virtio_queue_rq
blk_status_t virtio_queue_rq(blk_mq_hw_ctx* hctx, const blk_mq_queue_data* bd) {
  request* req = bd->rq;
  FUNCTION(hctx, req, bd->last);
  auto* vblk = static_cast<virtio_blk*>(hctx->queue->queuedata);
  auto* vbr = blk_mq_rq_to_pdu<virtblk_req>(req);
  virtio_blk_outhdr header;
  if (req_op(req) == REQ_OP_FLUSH) {
    header.type = VIRTIO_BLK_T_FLUSH;
  } else if (req_op(req) == REQ_OP_READ || req_op(req) == REQ_OP_WRITE) {
    header.sector = blk_rq_pos(req);
  } else {
    return fn.Return(BLK_STS_IOERR);
  }
  header.ioprio = req->ioprio;
  blk_mq_start_request(req);
  const int num = blk_rq_map_sg(hctx->queue, req, vbr->sg.data());
  if (num != 0) header.type |= rq_is_write(req) ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN;
  unsigned long flags;
  spin_lock_irqsave(&vblk->lock, flags);
  const int error = virtblk_add_req(&vblk->vq, req, header, static_cast<unsigned>(num));
  if (error != 0) {
    virtqueue_kick(&vblk->vq);
    blk_mq_stop_hw_queue(hctx);
    spin_unlock_irqrestore(&vblk->lock, flags);
    const bool full = error == -ENOMEM || error == -ENOSPC;
    return fn.Return(full ? BLK_STS_DEV_RESOURCE : BLK_STS_IOERR);
  }
  const bool notify = bd->last && virtqueue_kick_prepare(&vblk->vq);
  spin_unlock_irqrestore(&vblk->lock, flags);
  if (notify) virtqueue_notify(&vblk->vq);
  return fn.Return(BLK_STS_OK);
}

// v4.19 drivers/block/virtio_blk.c: virtblk_init_request
int virtblk_init_request(blk_mq_tag_set* set, request* rq, unsigned) {
  auto* vblk = static_cast<virtio_blk*>(set->driver_data);
  auto* vbr = blk_mq_rq_to_pdu<virtblk_req>(rq);
  vbr->sg.resize(vblk->sg_elems);
  if (vblk->dma_used + kDmaBytes > kPageSize) {
    const kptr<page> page = alloc_page(GFP_KERNEL);
    if (!page) return Fail(ENOMEM, "no page for the headers of requests");
    vblk->dma_pages.push_back(page);
    vblk->dma_used = 0;
  }
  vbr->dma_page = vblk->dma_pages.back();
  vbr->dma_offset = vblk->dma_used;
  vblk->dma_used += kDmaBytes;
  return 0;
}

constexpr blk_mq_ops virtio_mq_ops = {
    .name = "virtio_mq_ops",
    .queue_rq = virtio_queue_rq,
    .complete = virtblk_request_done,
    .init_request = virtblk_init_request,
};

// Departs: the host offers one queue, a largest number of pieces and a block size, and perhaps a
// write cache; it cannot discard, and its disk keeps its size.
void SetLimits(request_queue* q, const VirtioBlkOptions& options) {
  blk_queue_write_cache(q, options.write_cache, false);
  blk_queue_max_segments(q, static_cast<unsigned short>(options.seg_max));
  blk_queue_max_hw_sectors(q, ~0u);
  blk_queue_max_segment_size(q, ~0u);
  blk_queue_logical_block_size(q, options.block_size);
}

// v4.19 drivers/block/virtio_blk.c: init_vq
int init_vq(virtio_blk* vblk, const VirtioBlkOptions& options) {
  FUNCTION(options.queue_size);
  spin_lock_init(&vblk->lock);
  vring_init_virtqueue(&vblk->vq, options.queue_size);
  vblk->vq.callback = virtblk_done;
  vblk->vq.priv = vblk;
  const std::string name = "virtio" + std::to_string(virtio_blks->devices.size() - 1);
  return fn.Return(vp_find_vqs_intx(&vblk->vdev, &vblk->vq, name, options.irq_cpu));
}

}  // namespace

// v4.19 drivers/block/virtio_blk.c: virtblk_probe
gendisk* virtblk_probe(VirtioBlkOptions options) {
  FUNCTION(options.queue_size, options.seg_max);
  virtio_blks->devices.push_back(std::make_unique<virtio_blk>());
  virtio_blk* vblk = virtio_blks->devices.back().get();
  const auto index = static_cast<unsigned>(virtio_blks->devices.size() - 1);
  vblk->sg_elems = options.seg_max + 2;
  if (init_vq(vblk, options) != 0) return nullptr;
  const sector_t capacity = options.disk->size() >> SECTOR_SHIFT;
  vblk->host =
      std::make_unique<VirtioBlkHost>(std::move(options.disk), &vblk->vdev, options.queue_size);
  vblk->vdev.host = vblk->host.get();
  vblk->disk = alloc_disk(kMinors);
  if (vblk->disk == nullptr) return nullptr;
  blk_mq_tag_set& set = vblk->tag_set;
  set.ops = &virtio_mq_ops;
  set.queue_depth = vblk->vq.num_free;  // one entry of the ring each
  set.nr_hw_queues = 1;
  set.flags = BLK_MQ_F_SHOULD_MERGE;
  set.driver_data = vblk;
  BlkMqPdu<virtblk_req>(&set);
  if (blk_mq_alloc_tag_set(&set) != 0) return nullptr;
  request_queue* q = blk_mq_init_queue(&set);
  if (q == nullptr) return nullptr;
  vblk->disk->queue = q;
  q->queuedata = vblk;
  vblk->disk->major = kVirtioBlkMajor;
  vblk->disk->first_minor = index * kMinors;
  vblk->disk->disk_name = options.disk_name;
  vblk->disk->private_data = vblk;
  SetLimits(q, options);
  set_capacity(vblk->disk, capacity);
  add_disk(vblk->disk);
  return vblk->disk;
}

}  // namespace kpath
