// SPDX-License-Identifier: Apache-2.0
#include "sim/block/drivers/virtio_blk_host.h"

#include <cstring>

#include "sim/block/drivers/virtio_blk.h"
#include "sim/machine/check.h"

namespace kpath {

struct VirtioBlkHost::Command {
  uint16_t head = 0;
  virtio_blk_outhdr header;
  std::vector<vring_desc> data;
  uint64_t status = 0;  // where it goes

  uint64_t Bytes() const {
    uint64_t bytes = 0;
    for (const vring_desc& desc : data) bytes += desc.len;
    return bytes;
  }
};

VirtioBlkHost::Command VirtioBlkHost::Parse(const virtqueue& vq, uint16_t head) const {
  const vring_desc& first = vq.vring.desc[head];
  const vring_desc* table = vq.vring.desc.data();
  unsigned i = head;
  if ((first.flags & VRING_DESC_F_INDIRECT) != 0) {
    table = vq.desc_state[head].indir_desc->desc;
    i = 0;
  }
  std::vector<vring_desc> pieces = {table[i]};
  while ((table[i].flags & VRING_DESC_F_NEXT) != 0) {
    i = table[i].next;
    pieces.push_back(table[i]);
  }
  KPATH_CHECK(pieces.size() >= 2, "a command needs a header and a status");
  Command command;
  command.head = head;
  Machine& machine = *current_context->machine;
  ForEachDmaPart(machine, pieces[0].addr, sizeof(command.header), [&](absl::Span<uint8_t> part) {
    std::memcpy(&command.header, part.data(), part.size());  // it does not cross pages
  });
  command.data.assign(pieces.begin() + 1, pieces.end() - 1);
  command.status = pieces.back().addr;
  return command;
}

void VirtioBlkHost::Notified(virtqueue* vq) {
  while (last_avail_idx_ != vq->vring.avail_idx) {
    Start(vq, vq->vring.avail_ring[last_avail_idx_ % vq->vring.num]);
    ++last_avail_idx_;
  }
  // To be told of the next one.
  vq->vring.avail_event = last_avail_idx_;
}

void VirtioBlkHost::Start(virtqueue* vq, uint16_t head) {
  const Command command = Parse(*vq, head);
  Machine& machine = *current_context->machine;
  DiskCommand::Kind kind = DiskCommand::Kind::kRead;
  if (command.header.type == VIRTIO_BLK_T_OUT) kind = DiskCommand::Kind::kWrite;
  if (command.header.type == VIRTIO_BLK_T_FLUSH) kind = DiskCommand::Kind::kFlush;
  const DiskPlan plan = disk_->Plan(machine, {kind, command.header.sector, command.Bytes()});
  machine.ScheduleEvent(machine.now_ns() + plan.latency_ns,
                        [this, vq, command, plan] { Finish(vq, command, plan.result); });
}

void VirtioBlkHost::Finish(virtqueue* vq, const Command& command, DiskResult result) {
  Machine& machine = *current_context->machine;
  uint64_t offset = command.header.sector * 512;
  uint32_t written = 1;
  if (result == DiskResult::kOk) {
    for (const vring_desc& desc : command.data) {
      const bool to_memory = (desc.flags & VRING_DESC_F_WRITE) != 0;
      ForEachDmaPart(machine, desc.addr, desc.len, [&](absl::Span<uint8_t> part) {
        to_memory ? disk_->Read(offset, part) : disk_->Write(offset, part);
        offset += part.size();
      });
      if (to_memory) written += desc.len;
    }
  }
  uint8_t status = VIRTIO_BLK_S_OK;
  if (result == DiskResult::kIoError) status = VIRTIO_BLK_S_IOERR;
  if (result == DiskResult::kUnsupported) status = VIRTIO_BLK_S_UNSUPP;
  ForEachDmaPart(machine, command.status, 1,
                 [status](absl::Span<uint8_t> part) { part[0] = status; });
  vring& vring = vq->vring;
  const uint16_t old = vring.used_idx;
  vring.used_ring[old % vring.num] = {command.head, written};
  ++vring.used_idx;
  if (vring_need_event(vring.used_event, vring.used_idx, old)) VirtioRaise(machine, device_);
}

}  // namespace kpath
