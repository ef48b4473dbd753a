// SPDX-License-Identifier: Apache-2.0
#include "entry/fault.h"

#include <csignal>
#include <cstring>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/extable.h"
#include "sim/kernel/test_limits.h"
#include "sim/kernel/uaccess.h"
#include "sim/mm/test_mm.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr unsigned long kRw = PROT_READ | PROT_WRITE;
constexpr unsigned long kAt = 0x10000000;

class FaultTest : public ::testing::Test {
 protected:
  explicit FaultTest(int cpus = 1, std::unique_ptr<Chooser> chooser = nullptr)
      : mm_(cpus, std::move(chooser)) {
    for (int id = 0; id < cpus; ++id) InstallPageFaultGate(mm_.machine.cpu(id));
  }

  void InProcess(const std::function<void()>& body) {
    mm_.SpawnProcess("a", body);
    EXPECT_EQ(mm_.Run(), "");
  }

  TestMm mm_;
};

int Load(unsigned long addr) {
  int value = -1;
  EXPECT_EQ(get_user(value, user_ptr<int>(addr)), 0) << current->reason.ToString();
  return value;
}

void Store(unsigned long addr, int value) {
  EXPECT_EQ(put_user(value, user_ptr<int>(addr)), 0) << current->reason.ToString();
}

// The text of a user access that fails.
std::string WhyNoLoad(unsigned long addr) {
  int value;
  return get_user(value, user_ptr<int>(addr)) == 0 ? "" : current->reason.ToString();
}
std::string WhyNoStore(unsigned long addr) {
  return put_user(1, user_ptr<int>(addr)) == 0 ? "" : current->reason.ToString();
}

unsigned long MapAt(unsigned long addr, unsigned long pages, unsigned long prot = kRw) {
  return MapAnonymous(pages * PAGE_SIZE, prot, MAP_FIXED, addr);
}

// ---- Anonymous memory ----

TEST_F(FaultTest, ATouchBringsInAZeroedPage) {
  InProcess([] {
    MapAt(kAt, 2);
    EXPECT_EQ(Load(kAt + 8), 0);
    EXPECT_EQ(current->mm->page_table.size(), 1u);
    EXPECT_EQ(current->mm->rss_stat[MM_ANONPAGES], 1);
    Store(kAt + PAGE_SIZE, 7);
    EXPECT_EQ(Load(kAt + PAGE_SIZE), 7);
    EXPECT_EQ(current->mm->rss_stat[MM_ANONPAGES], 2);
  });
}

TEST_F(FaultTest, ACopyMayCrossPagesThatAreNotThereYet) {
  InProcess([] {
    MapAt(kAt, 3);
    const std::string text(2 * PAGE_SIZE, 'x');
    EXPECT_EQ(copy_to_user(user_ptr<void>(kAt + 100), text.data(), text.size()), 0u);
    std::string read(text.size(), '\0');
    EXPECT_EQ(copy_from_user(read.data(), user_ptr<void>(kAt + 100), read.size()), 0u);
    EXPECT_EQ(read, text);
  });
}

TEST_F(FaultTest, ACopyStopsWhereTheMappingEnds) {
  InProcess([] {
    MapAt(kAt, 1);
    const std::string text(100, 'x');
    EXPECT_EQ(copy_to_user(user_ptr<void>(kAt + PAGE_SIZE - 70), text.data(), 100), 30u);
    EXPECT_EQ(current->reason.ToString(), "EFAULT: 0x10001000 is not mapped");
    EXPECT_EQ(Load(kAt + PAGE_SIZE - 4), 0x78787878);
  });
}

// ---- What is refused ----

TEST_F(FaultTest, AnUnmappedAddressIsEfaultAndLeavesEverythingAsItWas) {
  InProcess([] {
    MapAt(kAt, 1);
    const Registers before = current->cpu->regs;
    EXPECT_EQ(WhyNoLoad(0x1234), "EFAULT: 0x1234 is not mapped");
    EXPECT_EQ(WhyNoStore(kAt + PAGE_SIZE), "EFAULT: 0x10001000 is not mapped");
    EXPECT_EQ(current->cpu->cr2, kAt + PAGE_SIZE);
    EXPECT_EQ(current->cpu->regs[Reg::rsp], before[Reg::rsp]);
    EXPECT_EQ(current->cpu->regs.rflags, before.rflags);
    EXPECT_FALSE(rwsem_is_locked(&current->mm->mmap_sem));
  });
}

TEST_F(FaultTest, WhatTheAreaDoesNotAllowIsEfault) {
  InProcess([] {
    MapAt(kAt, 1, PROT_READ);
    MapAt(kAt + PAGE_SIZE, 1, PROT_NONE);
    EXPECT_EQ(WhyNoStore(kAt), "EFAULT: 0x10000000 is mapped read-only");
    EXPECT_EQ(Load(kAt), 0);
    EXPECT_EQ(WhyNoStore(kAt), "EFAULT: 0x10000000 is mapped read-only");  // now present
    EXPECT_EQ(WhyNoLoad(kAt + PAGE_SIZE), "EFAULT: 0x10001000 is mapped PROT_NONE");
    EXPECT_FALSE(rwsem_is_locked(&current->mm->mmap_sem));
  });
}

TEST_F(FaultTest, MprotectTakesAwayAndGivesBackWithTheContents) {
  InProcess([] {
    MapAt(kAt, 1);
    Store(kAt, 7);
    EXPECT_EQ(Call(__x64_sys_mprotect, kAt, PAGE_SIZE, PROT_READ), 0);
    EXPECT_EQ(WhyNoStore(kAt), "EFAULT: 0x10000000 is mapped read-only");
    EXPECT_EQ(Call(__x64_sys_mprotect, kAt, PAGE_SIZE, PROT_NONE), 0);
    EXPECT_EQ(WhyNoLoad(kAt), "EFAULT: 0x10000000 is mapped PROT_NONE");
    EXPECT_EQ(Call(__x64_sys_mprotect, kAt, PAGE_SIZE, kRw), 0);
    EXPECT_EQ(Load(kAt), 7);
    Store(kAt, 8);
    EXPECT_EQ(Load(kAt), 8);
  });
}

TEST_F(FaultTest, AKernelThreadHasNoUserMemory) {
  mm_.kernel.Spawn("k", [] {
    EXPECT_EQ(WhyNoLoad(kAt),
              "EFAULT: 0x10000000 is a user address, and this task has no user memory");
  });
  EXPECT_EQ(mm_.Run(), "");
}

TEST_F(FaultTest, WithPageFaultsDisabledAnAbsentPageStaysAbsent) {
  InProcess([] {
    MapAt(kAt, 1);
    pagefault_disable();
    EXPECT_THAT(WhyNoLoad(kAt), StartsWith("EFAULT: 0x10000000 is not present"));
    pagefault_enable();
    EXPECT_EQ(Load(kAt), 0);
    pagefault_disable();
    EXPECT_EQ(WhyNoLoad(kAt), "");  // present: there is no fault
    pagefault_enable();
  });
}

TEST_F(FaultTest, AKernelAccessWithoutAFixupIsAnOops) {
  mm_.SpawnProcess("a", [] {
    current->cpu->cr2 = 0x10;
    current->cpu->regs.rip = 0xffffffff81234567;
    current->cpu->RaiseException(X86_TRAP_PF, true, 0);
  });
  const std::string report = mm_.Run();
  EXPECT_THAT(report, StartsWith("BUG: unable to handle kernel NULL pointer dereference at "
                                 "0x0000000000000010\nOops: 0000\nRIP: 0xffffffff81234567"));
  EXPECT_THAT(report, HasSubstr("\n no_context\n __bad_area_nosemaphore\n"));
}

class NoMemory : public Chooser {
 public:
  int Choose(uint64_t, ChoiceKind kind, int) override {
    return kind == ChoiceKind::kFailAlloc && on ? 1 : 0;
  }
  bool on = false;
};

class ExhaustedFaultTest : public FaultTest {
 protected:
  explicit ExhaustedFaultTest(NoMemory* chooser = new NoMemory)
      : FaultTest(1, std::unique_ptr<Chooser>(chooser)), chooser_(chooser) {}
  NoMemory* chooser_;
};

TEST_F(ExhaustedFaultTest, WithoutMemoryAnAccessIsEfault) {
  InProcess([this] {
    MapAt(kAt, 1);
    chooser_->on = true;
    EXPECT_EQ(WhyNoStore(kAt), "EFAULT: no page for 0x10000000: memory is exhausted");
    chooser_->on = false;
    Store(kAt, 7);
  });
}

// ---- The path, as a real kernel takes it ----

// The functions entered, as in function_graph without the times.
class Tree : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override {
    if (event.kind == ProbeEvent::Kind::kFunctionEnter) {
      absl::StrAppend(&text, std::string(depth++, ' '), event.function->name, "\n");
    }
    if (event.kind == ProbeEvent::Kind::kFunctionExit) --depth;
  }
  std::string text;
  int depth = 0;
};

// From io_submit_nr_4294967295_null_list.graph of the recordings.
TEST_F(FaultTest, ABadAddressTakesTheRecordedPath) {
  Tree tree;
  InProcess([&] {
    MapAt(kAt, 1);
    int value;
    current->machine->AddListener(&tree);
    get_user(value, user_ptr<int>(nullptr));
    current->machine->RemoveListener(&tree);
  });
  EXPECT_EQ(tree.text.substr(tree.text.find("  __do_page_fault")),
            "  __do_page_fault\n"
            "   down_read_trylock\n"
            "   find_vma\n"
            "    vmacache_find\n"
            "    vmacache_update\n"
            "   bad_area\n"
            "    __bad_area\n"
            "     up_read\n"
            "     __bad_area_nosemaphore\n"
            "      no_context\n"
            "       fixup_exception\n"
            "        search_exception_tables\n"
            "        ex_handler_default\n");
}

// ---- Stacks ----

TEST_F(FaultTest, AStackGrowsDownUpToItsLimit) {
  InProcess([] {
    const unsigned long top = kAt + 16 * PAGE_SIZE;
    MapAnonymous(PAGE_SIZE, kRw, MAP_FIXED | MAP_GROWSDOWN, top - PAGE_SIZE);
    Store(top - 3 * PAGE_SIZE, 7);
    EXPECT_EQ(Areas(), "1000d000-10010000");
    EXPECT_EQ(current->mm->total_vm, 3u);
    const TestLimit limit(RLIMIT_STACK, 4 * PAGE_SIZE);
    Store(top - 4 * PAGE_SIZE, 7);
    EXPECT_EQ(WhyNoStore(top - 5 * PAGE_SIZE), "EFAULT: 0x1000b000 is not mapped");
  });
}

// ---- User mode ----

struct Signal {
  int signo = 0, code = 0;
  unsigned long address = 0;
};
Signal g_signal;

// An access of user code to `addr`: what the hardware does in ring 3.
void UserFault(unsigned long addr, unsigned long error_code) {
  g_signal = {};
  fault_hooks->force_sig_fault = [](int signo, int code, unsigned long address) {
    g_signal = {signo, code, address};
  };
  Cpu& cpu = *current->cpu;
  const Registers kernel = cpu.regs;
  cpu.regs.cs = __USER_CS;
  cpu.regs.ss = __USER_DS;
  cpu.regs.rip = 0x401000;
  cpu.regs[Reg::rsp] = 0x7ffff0000000;
  cpu.regs[Reg::r15] = 15;
  cpu.cr2 = addr;
  cpu.Swapgs();
  cpu.RaiseException(X86_TRAP_PF, true, error_code);
  cpu.Swapgs();
  EXPECT_EQ(cpu.regs.rip, 0x401000u);
  EXPECT_EQ(cpu.regs.cs, __USER_CS);
  EXPECT_EQ(cpu.regs[Reg::rsp], 0x7ffff0000000u);
  EXPECT_EQ(cpu.regs[Reg::r15], 15u);
  cpu.regs = kernel;
}

TEST_F(FaultTest, UserCodeGetsThePageOrASignal) {
  InProcess([] {
    // User code faults with an empty kernel stack; these bodies run on it, far enough down.
    current->cpu->regs[Reg::rsp] = current->stack + PAGE_SIZE;
    MapAt(kAt, 1, PROT_READ);
    UserFault(kAt, X86_PF_USER);
    EXPECT_EQ(g_signal.signo, 0);
    EXPECT_EQ(current->mm->page_table.size(), 1u);

    UserFault(kAt, X86_PF_USER | X86_PF_WRITE | X86_PF_PROT);
    EXPECT_EQ(g_signal.signo, SIGSEGV);
    EXPECT_EQ(g_signal.code, SEGV_ACCERR);
    EXPECT_EQ(g_signal.address, kAt);

    UserFault(0, X86_PF_USER);
    EXPECT_EQ(g_signal.signo, SIGSEGV);
    EXPECT_EQ(g_signal.code, SEGV_MAPERR);

    UserFault(0xffff888000000000, X86_PF_USER);
    EXPECT_EQ(g_signal.signo, SIGSEGV);
    EXPECT_EQ(g_signal.code, SEGV_MAPERR);

    const kptr<file> file = shmem_file_setup("x", 100);
    const unsigned long at = vm_mmap_pgoff(file, 0, 2 * PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
    UserFault(at, X86_PF_USER);
    EXPECT_EQ(g_signal.signo, 0);
    UserFault(at + PAGE_SIZE, X86_PF_USER);
    EXPECT_EQ(g_signal.signo, SIGBUS);
    EXPECT_EQ(g_signal.code, BUS_ADRERR);
    EXPECT_FALSE(rwsem_is_locked(&current->mm->mmap_sem));
    fput(file);
  });
}

TEST_F(FaultTest, UserCodeDoesNotReachFarBelowItsStackPointer) {
  InProcess([] {
    current->cpu->regs[Reg::rsp] = current->stack + PAGE_SIZE;
    MapAnonymous(PAGE_SIZE, kRw, MAP_FIXED | MAP_GROWSDOWN, 0x7fffeffff000);
    UserFault(0x7ffff0000000 - 65536 - 256, X86_PF_USER | X86_PF_WRITE);
    EXPECT_EQ(g_signal.signo, 0);
    UserFault(0x7ffff0000000 - 65536 - 256 - 1 - PAGE_SIZE, X86_PF_USER | X86_PF_WRITE);
    EXPECT_EQ(g_signal.signo, SIGSEGV);
  });
}

// ---- Several at once ----

// Tasks on two CPUs touch the same pages of one mm, in an order that the seed decides.
TEST(FaultRaceTest, TwoCpusFaultOnThePagesOfOneMm) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    TestMm mm(2, std::make_unique<SeededChooser>(seed, 3));
    for (int id = 0; id < 2; ++id) InstallPageFaultGate(mm.machine.cpu(id));
    mm.SpawnProcess("a", [&] {
      MapAt(kAt, 4);
      const kptr<file> file = shmem_file_setup("x", 4 * PAGE_SIZE);
      const unsigned long shared = vm_mmap_pgoff(file, 0, 4 * PAGE_SIZE, kRw, MAP_SHARED, 0);
      const unsigned long copy = vm_mmap_pgoff(file, 0, 4 * PAGE_SIZE, kRw, MAP_PRIVATE, 0);
      const auto touch = [shared, copy](int who) {
        for (unsigned long page = 0; page < 4; ++page) {
          Store(kAt + page * PAGE_SIZE + who * 4, who);
          Store(shared + page * PAGE_SIZE + who * 4, who);
          Store(copy + page * PAGE_SIZE + who * 4, who);
        }
      };
      const kptr<mm_struct> used = current->mm;
      mmget(used);
      bool other_done = false;
      mm.SpawnProcess(
          "b", [&] { touch(2), other_done = true; }, used);
      touch(1);
      while (!other_done) schedule();
      for (unsigned long page = 0; page < 4; ++page) {
        for (const unsigned long base : {kAt, shared, copy}) {
          EXPECT_EQ(Load(base + page * PAGE_SIZE + 4), 1) << seed;
          EXPECT_EQ(Load(base + page * PAGE_SIZE + 8), 2) << seed;
        }
      }
      EXPECT_EQ(used->rss_stat[MM_ANONPAGES], 8);
      EXPECT_EQ(used->rss_stat[MM_SHMEMPAGES], 4);
      fput(file);
    });
    ASSERT_EQ(mm.Run(), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace kpath
