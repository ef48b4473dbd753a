// SPDX-License-Identifier: Apache-2.0
//
// Numbers, vectors, actions. v4.19 kernel/irq/manage.c, kernel/irq/irqdesc.c
#include "sim/kernel/irq.h"

#include <array>
#include <memory>

#include "absl/strings/str_cat.h"
#include "sim/kernel/fail.h"
#include "sim/machine/check.h"

namespace kpath {
namespace {

// v4.19 arch/x86/include/asm/irq_vectors.h. The first belongs to IRQ_MOVE_CLEANUP.
constexpr int kFirstVector = 0x21;
constexpr int kFirstIsaVector = 0x30, kLastIsaVector = 0x3f;
constexpr int kInt80Vector = 0x80;
constexpr int kFirstSystemVector = 0xec;

struct irq_globals {
  std::vector<std::unique_ptr<irq_desc>> descs;  // number - 1
  // vector_irq, by CPU.
  std::array<std::array<irq_desc*, 256>, Machine::kMaxCpus> vectors = {};
};

KernelGlobal<irq_globals> irqs;

// Those of the ISA interrupts are kept for them, 0x80 is for system calls.
bool IsForDevices(int vector) {
  return (vector < kFirstIsaVector || vector > kLastIsaVector) && vector != kInt80Vector;
}

// v4.19 arch/x86/kernel/apic/vector.c: assign_irq_vector
int assign_irq_vector(irq_desc* desc) {
  FUNCTION(desc->irq);
  auto& vectors = irqs->vectors[desc->cpu];
  for (int vector = kFirstVector; vector < kFirstSystemVector; ++vector) {
    if (!IsForDevices(vector) || vectors[vector] != nullptr) continue;
    vectors[vector] = desc;
    desc->vector = static_cast<uint8_t>(vector);
    STEP("vector", desc->irq, vector, desc->cpu);
    return fn.Return(0);
  }
  return fn.Return(Fail(ENOSPC, "no free vector on CPU $0", desc->cpu));
}

// v4.19 arch/x86/kernel/apic/vector.c: clear_irq_vector
void clear_irq_vector(irq_desc* desc) {
  irqs->vectors[desc->cpu][desc->vector] = nullptr;
  desc->vector = 0;
}

void Unmask(Machine& machine, irq_desc* desc) {
  desc->masked = false;
  if (!desc->raised) return;
  desc->raised = false;
  machine.cpu(desc->cpu).RaiseInterrupt(desc->vector);
}

}  // namespace

irq_desc::irq_desc(int number) : irq(number) {
  spin_lock_init(&lock);
  kstat_irqs.resize(Machine::kMaxCpus);
}

int irq_alloc_desc(const std::string& chip, irq_flow_handler_t flow, int cpu) {
  FUNCTION(cpu);
  KPATH_CHECK(cpu >= 0 && cpu < current->machine->cpus(), "no CPU ", cpu);
  const int irq = static_cast<int>(irqs->descs.size()) + 1;
  irqs->descs.push_back(std::make_unique<irq_desc>(irq));
  irq_desc* desc = irqs->descs.back().get();
  desc->chip = chip;
  desc->handle_irq = flow;
  desc->cpu = cpu;
  return fn.Return(irq);
}

irq_desc* irq_to_desc(int irq) {
  if (irq < 1 || irq > static_cast<int>(irqs->descs.size())) return nullptr;
  return irqs->descs[irq - 1].get();
}

irq_desc* vector_irq(uint8_t vector) { return irqs->vectors[smp_processor_id()][vector]; }

int request_irq(int irq, irq_handler_t handler, const std::string& name, void* dev_id) {
  FUNCTION(irq);
  irq_desc* desc = irq_to_desc(irq);
  if (desc == nullptr) return fn.Return(Fail(EINVAL, "there is no interrupt $0", irq));
  const unsigned long flags = _raw_spin_lock_irqsave(&desc->lock);
  const bool first = desc->action.empty();
  const int error = first ? assign_irq_vector(desc) : 0;
  if (error == 0) {
    desc->action.push_back({handler, dev_id, name});
    if (first) {  // irq_startup
      desc->depth = 0;
      Unmask(*current->machine, desc);
    }
  }
  spin_unlock_irqrestore(&desc->lock, flags);
  return fn.Return(error);
}

void free_irq(int irq, void* dev_id) {
  FUNCTION(irq);
  irq_desc* desc = irq_to_desc(irq);
  KPATH_CHECK(desc != nullptr, "no interrupt ", irq);
  const unsigned long flags = _raw_spin_lock_irqsave(&desc->lock);
  std::erase_if(desc->action, [&](const irqaction& action) { return action.dev_id == dev_id; });
  if (desc->action.empty() && desc->vector != 0) {  // irq_shutdown
    desc->depth = 1;
    desc->masked = true;
    clear_irq_vector(desc);
  }
  spin_unlock_irqrestore(&desc->lock, flags);
}

// Departs: lazily, as in the kernel, but without its second step: an interrupt that comes while it
// is disabled is noted and masked by the flow handler.
void disable_irq_nosync(int irq) {
  FUNCTION(irq);
  irq_desc* desc = irq_to_desc(irq);
  const unsigned long flags = _raw_spin_lock_irqsave(&desc->lock);
  ++desc->depth;
  spin_unlock_irqrestore(&desc->lock, flags);
}

void enable_irq(int irq) {
  FUNCTION(irq);
  irq_desc* desc = irq_to_desc(irq);
  const unsigned long flags = _raw_spin_lock_irqsave(&desc->lock);
  KPATH_CHECK(desc->depth > 0, "unbalanced enable of interrupt ", irq);
  if (--desc->depth == 0 && desc->vector != 0) {
    if (desc->pending) {  // check_irq_resend
      desc->pending = false;
      desc->raised = true;
    }
    Unmask(*current->machine, desc);
  }
  spin_unlock_irqrestore(&desc->lock, flags);
}

void RaiseIrq(Machine& machine, int irq) {
  const auto& descs = irqs.Get(machine).descs;
  KPATH_CHECK(irq >= 1 && irq <= static_cast<int>(descs.size()), "interrupt ", irq);
  irq_desc* desc = descs[irq - 1].get();
  if (desc->masked) {
    desc->raised = true;
  } else {
    machine.cpu(desc->cpu).RaiseInterrupt(desc->vector);
  }
}

}  // namespace kpath
