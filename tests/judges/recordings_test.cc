// SPDX-License-Identifier: Apache-2.0
//
// The model's call graph against recordings of a real 4.19.13 kernel: what `kpath compare` says,
// for each recording that has a scenario.
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/trace/graph_reader.h"
#include "sim/trace/graph_reader_file.h"
#include "tests/judges/replay_text.h"
#include "tools/compare/compare.h"
#include "tools/compare/side_by_side.h"

namespace kpath {
namespace {

// Three recordings go on while the thread that makes RCU's grace periods and the CPU's idle task
// are at work, which are not modelled.
bool IsOfAnotherThread(const std::string& recording, const std::string& name) {
  if (recording == "io_destroy_idle_ctx") return true;
  if (recording != "dev_vda_submit_completion" && recording != "tags2_6x_pread_4096_scattered") {
    return false;
  }
  static const std::set<std::string> kNames = {
      "_cond_resched",    "_raw_spin_lock",     "_raw_spin_lock_irq",  "_raw_spin_lock_irqsave",
      "del_timer_sync",   "enter_lazy_tlb",     "pick_next_task_fair", "rcu_note_context_switch",
      "schedule_timeout", "switch_mm_irqs_off", "update_rq_clock"};
  return kNames.count(name) != 0;
}

class Recording : public testing::TestWithParam<const char*> {};

TEST_P(Recording, TheModelTakesTheSamePath) {
  const absl::StatusOr<Graph> recorded =
      LoadGraph(absl::StrCat("tests/reference/linux-4.19.13/graph/", GetParam(), ".graph"));
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  const Graph model =
      GraphOfScenario(absl::StrCat("tests/reference/scenarios/", GetParam(), ".strace"));
  const CompareOptions options;
  const absl::StatusOr<CompareResult> result = Compare(*recorded, model, options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->equal()) << Report(*recorded, model, options, *result, {});
  // Nor is anything left out of the judgement: what another task did is compared, too.
  for (const auto& [name, count] : result->not_compared) {
    EXPECT_TRUE(IsOfAnotherThread(GetParam(), name)) << count << " × " << name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Recording,
    testing::Values(
        "getpid", "int80_getpid", "nr_5000", "io_setup_8", "io_setup_0",
        "io_submit_tmpfs_pread_512", "io_submit_tmpfs_pwrite_512", "io_getevents_tmpfs_pread_512",
        "io_submit_badf", "io_submit_second_of_three_bad_fd", "io_submit_nr_4294967295_null_list",
        "io_destroy_idle_ctx", "io_submit_tmpfs_pread_512_resfd", "io_submit_tmpfs_fsync",
        "io_submit_poll_pipe", "io_getevents_empty_2ms_timeout",
        "io_submit_dev_vda_direct_pread_4096", "io_submit_dev_vda_direct_3x_pread_4096_adjacent",
        "io_submit_dev_vda_direct_pread_100_unaligned", "io_getevents_dev_vda_direct_pread_4096",
        "dev_vda_submit_completion", "mq2_3x_pread_4096_scattered", "tags2_6x_pread_4096_scattered",
        "ptrace_child_io_destroy_exit_stop"),
    [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace kpath
