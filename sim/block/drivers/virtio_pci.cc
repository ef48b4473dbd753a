// SPDX-License-Identifier: Apache-2.0
#include "sim/block/drivers/virtio_pci.h"

namespace kpath {
namespace {

constexpr uint8_t VIRTIO_PCI_ISR_QUEUE = 0x1;

// v4.19 drivers/virtio/virtio_pci_common.c: vp_vring_interrupt
irqreturn_t vp_vring_interrupt(int irq, virtio_pci_device* vp_dev) {
  FUNCTION(irq);
  irqreturn_t ret = IRQ_NONE;
  unsigned long flags;
  spin_lock_irqsave(&vp_dev->lock, flags);
  for (virtqueue* vq : vp_dev->virtqueues) {
    if (vring_interrupt(vq)) ret = IRQ_HANDLED;
  }
  spin_unlock_irqrestore(&vp_dev->lock, flags);
  return fn.Return(ret);
}

}  // namespace

// v4.19 drivers/virtio/virtio_pci_common.c: vp_interrupt
irqreturn_t vp_interrupt(int irq, void* opaque) {
  FUNCTION(irq);
  auto* vp_dev = static_cast<virtio_pci_device*>(opaque);
  const uint8_t isr = vp_dev->isr;
  vp_dev->isr = 0;
  STEP("the device's interrupt register", isr);
  // Others may share the line.
  if (isr == 0) return fn.Return(IRQ_NONE);
  return fn.Return(vp_vring_interrupt(irq, vp_dev));
}

// v4.19 drivers/virtio/virtio_pci_common.c: vp_notify
bool vp_notify(virtqueue* vq) {
  FUNCTION(vq);
  static_cast<virtio_pci_device*>(vq->transport)->host->Notified(vq);
  return fn.Return(true);
}

int vp_find_vqs_intx(virtio_pci_device* vp_dev, virtqueue* vq, const std::string& name, int cpu) {
  FUNCTION(cpu);
  spin_lock_init(&vp_dev->lock);
  vp_dev->irq = irq_alloc_desc("IO-APIC", handle_fasteoi_irq, cpu);
  vq->transport = vp_dev;
  vq->notify = vp_notify;
  vp_dev->virtqueues.push_back(vq);
  return fn.Return(request_irq(vp_dev->irq, vp_interrupt, name, vp_dev));
}

void VirtioRaise(Machine& machine, virtio_pci_device* vp_dev) {
  vp_dev->isr |= VIRTIO_PCI_ISR_QUEUE;
  RaiseIrq(machine, vp_dev->irq);
}

}  // namespace kpath
