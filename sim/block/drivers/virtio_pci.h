// SPDX-License-Identifier: Apache-2.0
//
// A virtio device on the PCI bus: its interrupt and its doorbell. v4.19
// drivers/virtio/virtio_pci_common.c
//
// Context: vp_interrupt: hardirq; vp_notify: any.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/block/drivers/virtio_ring.h"
#include "sim/kernel/irq.h"

namespace kpath {

// The host's side of a device: what happens when the doorbell rings.
class VirtioHost {
 public:
  virtual ~VirtioHost() = default;
  // The driver says that buffers are available. In the middle of vp_notify; passes no probe.
  virtual void Notified(virtqueue* vq) = 0;
};

// v4.19 drivers/virtio/virtio_pci_common.h: struct virtio_pci_device
struct virtio_pci_device {
  spinlock_t lock;
  std::vector<virtqueue*> virtqueues;
  uint8_t isr = 0;  // the device's register: 1: a queue, 2: the configuration; reading clears it
  int irq = 0;
  VirtioHost* host = nullptr;
};

irqreturn_t vp_interrupt(int irq, void* opaque);
bool vp_notify(virtqueue* vq);
// v4.19 drivers/virtio/virtio_pci_common.c: vp_find_vqs_intx. Gets the device an interrupt on `cpu`
// and connects the queue to it. 0 or a negative errno.
int vp_find_vqs_intx(virtio_pci_device* vp_dev, virtqueue* vq, const std::string& name, int cpu);
// The host's side: an interrupt for a queue. Any context, passes no probe.
void VirtioRaise(Machine& machine, virtio_pci_device* vp_dev);

}  // namespace kpath
