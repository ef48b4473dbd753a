// SPDX-License-Identifier: Apache-2.0
#include "sim/block/drivers/virtio_blk_host.h"

#include <cstring>

#include "sim/machine/check.h"

namespace kpath {

uint64_t VirtioBlkHost::Command::Bytes() const {
  uint64_t bytes = 0;
  for (const vring_desc& desc : data) bytes += desc.len;
  return bytes;
}

void VirtioBlkHost::Parse(virtqueue* vq, uint16_t head, Command* command) const {
  const vring_desc* at = &vq->vring.desc[head];
  const vring_desc* table = vq->vring.desc.data();
  if ((at->flags & VRING_DESC_F_INDIRECT) != 0) {
    table = vq->desc_state[head].indir_desc->desc;
    at = table;
  }
  command->vq = vq;
  ForEachDmaPart(*current_context->machine, at->addr, sizeof(command->header),
                 [command](absl::Span<uint8_t> part) {
                   // It does not cross pages.
                   std::memcpy(&command->header, part.data(), part.size());
                 });
  command->data.clear();
  while ((at->flags & VRING_DESC_F_NEXT) != 0) {
    at = &table[at->next];
    command->data.push_back(*at);
  }
  KPATH_CHECK(!command->data.empty(), "a command needs a header and a status");
  command->status = command->data.back().addr;
  command->data.pop_back();
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
  Command& command = commands_[head];
  Parse(vq, head, &command);
  Machine& machine = *current_context->machine;
  DiskCommand::Kind kind = DiskCommand::Kind::kRead;
  if (command.header.type == VIRTIO_BLK_T_OUT) kind = DiskCommand::Kind::kWrite;
  if (command.header.type == VIRTIO_BLK_T_FLUSH) kind = DiskCommand::Kind::kFlush;
  const DiskPlan plan = disk_->Plan(machine, {kind, command.header.sector, command.Bytes()});
  command.result = plan.result;
  machine.ScheduleEvent(machine.now_ns() + plan.latency_ns, [this, head] { Finish(head); });
}

void VirtioBlkHost::Finish(uint16_t head) {
  Machine& machine = *current_context->machine;
  const Command& command = commands_[head];
  uint64_t offset = command.header.sector * 512;
  uint32_t written = 1;
  if (command.result == DiskResult::kOk) {
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
  if (command.result == DiskResult::kIoError) status = VIRTIO_BLK_S_IOERR;
  if (command.result == DiskResult::kUnsupported) status = VIRTIO_BLK_S_UNSUPP;
  ForEachDmaPart(machine, command.status, 1,
                 [status](absl::Span<uint8_t> part) { part[0] = status; });
  vring& vring = command.vq->vring;
  const uint16_t old = vring.used_idx;
  vring.used_ring[old % vring.num] = {head, written};
  ++vring.used_idx;
  if (vring_need_event(vring.used_event, vring.used_idx, old)) VirtioRaise(machine, device_);
}

}  // namespace kpath
