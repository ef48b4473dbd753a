// SPDX-License-Identifier: Apache-2.0
//
// Interrupts of devices, from the line to the handler, and those that CPUs send each other.
#include "entry/irq.h"

#include <sys/mman.h>

#include <string>
#include <vector>

#include "entry/boot.h"
#include "entry/instruction_step.h"
#include "gtest/gtest.h"
#include "sim/kernel/irq.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/smp.h"
#include "sim/kernel/softirq.h"

namespace kpath {
namespace {

// A device that counts its interrupts and what they found.
struct Device {
  int irq = 0;
  int count = 0;
  bool in_hardirq = false;
  bool on_irq_stack = false;
  int cpu = -1;
  irqreturn_t answer = IRQ_HANDLED;
};

bool IsOnIrqStack() {
  const Cpu& cpu = *current->cpu;
  const uint64_t top = cpu.Read64(cpu.per_cpu_base() + kPerCpuIrqStackPtr.offset);
  const uint64_t rsp = cpu.regs[Reg::rsp];
  return rsp < top && rsp >= top - 0x4000;
}

irqreturn_t Handler(int irq, void* dev) {
  auto* device = static_cast<Device*>(dev);
  EXPECT_EQ(irq, device->irq);
  ++device->count;
  device->in_hardirq = in_irq();
  device->on_irq_stack = IsOnIrqStack();
  device->cpu = smp_processor_id();
  return device->answer;
}

void Attach(System& system, Device& device, irq_flow_handler_t flow, int cpu = 0) {
  EnterMachine enter(system.machine());
  device.irq = irq_alloc_desc("test", flow, cpu);
  EXPECT_EQ(request_irq(device.irq, Handler, "dev", &device), 0);
}

TEST(Irq, ADeviceInterruptsUserModeAndTheIdleLoop) {
  for (const irq_flow_handler_t flow : {handle_fasteoi_irq, handle_edge_irq}) {
    System system;
    Device device;
    Attach(system, device, flow);
    system.Start("prog", [&] {
      RaiseIrq(*current->machine, device.irq);
      user::getpid();
    });
    EXPECT_EQ(system.Run(), "");
    EXPECT_EQ(device.count, 1);
    EXPECT_TRUE(device.in_hardirq);
    EXPECT_TRUE(device.on_irq_stack);
    RaiseIrq(system.machine(), device.irq);
    EXPECT_EQ(system.RunUntilIdle(), "");
    EXPECT_EQ(device.count, 2);
    EXPECT_EQ(device.cpu, 0);
  }
}

TEST(Irq, VectorsAreGivenOutFrom0x21UpAndSkipTheReservedOnes) {
  System system;
  std::vector<Device> devices(32);
  for (Device& device : devices) Attach(system, device, handle_edge_irq);
  EnterMachine enter(system.machine());
  EXPECT_EQ(irq_to_desc(devices[0].irq)->vector, 0x21);
  EXPECT_EQ(irq_to_desc(devices[14].irq)->vector, 0x2f);
  EXPECT_EQ(irq_to_desc(devices[15].irq)->vector, 0x40);
  free_irq(devices[0].irq, &devices[0]);
  EXPECT_EQ(irq_to_desc(devices[0].irq)->vector, 0);
}

TEST(Irq, TheStubPushesWhatDoIrqTakesForTheVector) {
  // Both ends of the range, where the pushed byte has its extremes.
  for (const int vector : {0x21, 0x22, 0x7f, 0xeb}) {
    System system;
    system.machine().cpu(0).RaiseInterrupt(static_cast<uint8_t>(vector));
    EXPECT_EQ(system.RunUntilIdle(), "");
    EXPECT_EQ(irq_stat.Get(system.machine())[0].irq_unhandled_count, 1u) << vector;
  }
}

TEST(Irq, SharedInterruptsAskEachHandler) {
  System system;
  Device first, second;
  Attach(system, first, handle_fasteoi_irq);
  second.irq = first.irq;
  first.answer = second.answer = IRQ_NONE;
  {
    EnterMachine enter(system.machine());
    EXPECT_EQ(request_irq(first.irq, Handler, "second", &second), 0);
    EXPECT_EQ(request_irq(77, Handler, "none", nullptr), -EINVAL);
  }
  RaiseIrq(system.machine(), first.irq);
  EXPECT_EQ(system.RunUntilIdle(), "");
  EXPECT_EQ(first.count, 1);
  EXPECT_EQ(second.count, 1);
  EnterMachine enter(system.machine());
  EXPECT_EQ(irq_to_desc(first.irq)->unhandled, 1u);
}

TEST(Irq, WhatComesWhileDisabledIsHandledAfterwards) {
  for (const irq_flow_handler_t flow : {handle_fasteoi_irq, handle_edge_irq}) {
    System system;
    Device device;
    Attach(system, device, flow);
    {
      EnterMachine enter(system.machine());
      disable_irq_nosync(device.irq);
    }
    RaiseIrq(system.machine(), device.irq);
    EXPECT_EQ(system.RunUntilIdle(), "");
    EXPECT_EQ(device.count, 0);
    {
      EnterMachine enter(system.machine());
      enable_irq(device.irq);
    }
    EXPECT_EQ(system.RunUntilIdle(), "");
    EXPECT_EQ(device.count, 1);
  }
}

TEST(Irq, InterruptsOfTheApicAreCounted) {
  System system;
  for (const int vector : {0xfe, 0xff, 0xed, 0xf6, 0xf7, 0x20, 0xfd}) {
    system.machine().cpu(0).RaiseInterrupt(static_cast<uint8_t>(vector));
  }
  EXPECT_EQ(system.RunUntilIdle(), "");
  const irq_cpustat_t& stat = irq_stat.Get(system.machine())[0];
  EXPECT_EQ(stat.irq_error_count, 1u);
  EXPECT_EQ(stat.irq_spurious_count, 2u);
  EXPECT_EQ(stat.irq_resched_count, 1u);
}

TEST(Irq, UnmappingASharedMappingInterruptsTheOtherCpu) {
  SystemOptions options;
  options.cpus = 2;
  System system(options);
  bool stop = false;
  system.Start("prog", [&] {
    const int64_t page =
        user::mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    user::Store<int>(page, 1);
    const uint64_t flags = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000;  // CLONE_VM … CLONE_THREAD
    user::clone(flags, user::StackBytes(4096), 0, 0, [&] {
      while (!stop) user::getpid();
      user::exit(0);
    });
    for (int i = 0; i < 50; ++i) user::getpid();
    EXPECT_EQ(user::munmap(page, 4096), 0);
    stop = true;
  });
  EXPECT_EQ(system.Run(), "");
  auto& stat = irq_stat.Get(system.machine());
  EXPECT_GE(stat[0].irq_call_count + stat[1].irq_call_count, 1u);
}

TEST(Irq, AFunctionIsCalledOnAllOtherCpus) {
  SystemOptions options;
  options.cpus = 4;
  System system(options);
  static std::vector<int> called;
  called.clear();
  {
    EnterMachine enter(system.machine());
    wake_up_new_task(NewKernelThread(system.machine(), "caller", [] {
      smp_call_function_many(
          ~cpumask{0}, [](void*) { called.push_back(smp_processor_id()); }, nullptr, true);
      EXPECT_EQ(called.size(), 3u);
      smp_call_function_single((smp_processor_id() + 1) % 4, [](void*) { called.push_back(100); },
                               nullptr, true);
      EXPECT_EQ(called.size(), 4u);
      EXPECT_EQ(smp_call_function_single(
                    9, [](void*) {}, nullptr, true),
                -ENXIO);
      do_task_dead();
    }));
  }
  EXPECT_EQ(system.RunUntilIdle(), "");
  EXPECT_EQ(called.size(), 4u);
}

}  // namespace
}  // namespace kpath
