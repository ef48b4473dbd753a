// SPDX-License-Identifier: Apache-2.0
#include "sim/block/drivers/virtio_ring.h"

#include "gtest/gtest.h"

namespace kpath {
namespace {

TEST(VringDescTable, IsWrittenUpToTheEntryWithoutANext) {
  vring_desc_table table;
  table.desc[0] = {.addr = 0, .len = 16, .flags = VRING_DESC_F_NEXT, .next = 1};
  table.desc[1] = {
      .addr = 0, .len = 512, .flags = VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, .next = 2};
  table.desc[2] = {.addr = 0, .len = 1, .flags = VRING_DESC_F_WRITE, .next = 3};
  EXPECT_EQ(table.BytesWritten(), 48u);
}

TEST(VringDescTable, MayBeWrittenToItsEnd) {
  vring_desc_table table;
  for (vring_desc& desc : table.desc) {
    desc = {.addr = 0, .len = 0, .flags = VRING_DESC_F_NEXT, .next = 0};
  }
  EXPECT_EQ(table.BytesWritten(), sizeof(table));
}

}  // namespace
}  // namespace kpath
