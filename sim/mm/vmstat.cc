// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/vmstat.h"

#include <array>

namespace kpath {
namespace {

struct pglist_data {
  std::array<long, NR_VM_NODE_STAT_ITEMS> vm_stat = {};
};

KernelGlobal<pglist_data> contig_page_data;

// v4.19 mm/vmstat.c: __inc_node_state
void __inc_node_state(node_stat_item item) {
  FUNCTION(item);
  ++contig_page_data->vm_stat[item];
}

// v4.19 mm/vmstat.c: __dec_node_state
void __dec_node_state(node_stat_item item) {
  FUNCTION(item);
  --contig_page_data->vm_stat[item];
}

}  // namespace

void __inc_node_page_state(kptr<page> page, node_stat_item item) {
  FUNCTION(page, item);
  __inc_node_state(item);
}

void __dec_node_page_state(kptr<page> page, node_stat_item item) {
  FUNCTION(page, item);
  __dec_node_state(item);
}

void __mod_node_page_state(node_stat_item item, long delta) {
  FUNCTION(item, delta);
  contig_page_data->vm_stat[item] += delta;
}

long node_page_state(node_stat_item item) { return contig_page_data->vm_stat[item]; }

}  // namespace kpath
