// SPDX-License-Identifier: Apache-2.0
//
// Every kind of slab object has a table of its fields, or a reason why not. It reads the sources,
// so that an object which no test makes is found, too.
#if defined(__GNUC__) && !defined(__clang__)
// With sanitizers g++ 12 takes members of libstdc++'s own regex nodes for uninitialized.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "inspect/types.h"

namespace kpath {
namespace {

namespace fs = std::filesystem;

// Struct, and why it is not described.
const std::map<std::string, std::string>& Exceptions() {
  static const auto* const kAll = new std::map<std::string, std::string>{
      {"ring_pages_array", "empty: the list is kioctx::ring_pages"},
      {"biovec", "a table of bio_vecs, shown as bio::bi_io_vec"},
      {"bio_vec_table", "a table of bio_vecs, shown as bio::bi_io_vec"},
      {"bio_object", "a bio and nothing else: found as a bio"},
      {"split_bio", "a bio and nothing else: found as a bio"},
      {"blkdev_dio", "private to its source file; the bio in it is found as a bio"},
      {"hw_ctx_object", "a blk_mq_hw_ctx and nothing else: found as one"},
      {"ctx_object", "a blk_mq_ctx and nothing else: found as one"},
      {"blk_flush_queue", "private to its source file"},
      {"vring_desc_table", "the device's side of a request, in the driver's own form"},
      {"timerfd_ctx", "private to its source file"},
      {"select_bits", "empty: what it stands for is on the stack of select"},
      {"poll_list", "private to its source file"},
      {"percpu_array", "the copies of another struct, shown as a list of those"},
  };
  return *kAll;
}

// The structs with a kSlabName in a source.
void FindSlabStructs(const std::string& text, std::vector<std::string>* structs) {
  static const std::regex kStruct("\nstruct (\\w+)[^;{}()\n]*\\{");
  size_t at = 0;
  while ((at = text.find("static constexpr const char* kSlabName", at)) != std::string::npos) {
    const std::string before = text.substr(0, at++);
    const size_t line = before.rfind('\n') + 1;
    if (before.find("//", line) != std::string::npos) continue;
    std::string name;
    for (std::sregex_iterator it(before.begin(), before.end(), kStruct), end; it != end; ++it) {
      name = (*it)[1];
    }
    structs->push_back(name);
  }
}

TEST(SlabNames, EachIsDescribedOrHasAReason) {
  const fs::path root = fs::canonical("WORKSPACE").parent_path();
  std::vector<std::string> structs;
  for (const char* room : {"sim", "fs_aio", "entry"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
      const std::string path = entry.path().string();
      if (path.find("_test.cc") != std::string::npos) continue;
      if (!path.ends_with(".h") && !path.ends_with(".cc")) continue;
      std::ifstream file(path, std::ios::binary);
      FindSlabStructs(std::string(std::istreambuf_iterator<char>(file), {}), &structs);
    }
  }
  EXPECT_GT(structs.size(), 40u);
  std::map<std::string, std::string> left = Exceptions();
  for (const std::string& name : structs) {
    if (left.erase(name) != 0 || Exceptions().contains(name)) continue;
    const Type* type = FindStruct(name);
    if (type == nullptr) {
      ADD_FAILURE() << "struct " << name
                    << " has a kSlabName but no table: see inspect/objects/described.h";
      continue;
    }
    EXPECT_NE(type->slab_name, nullptr) << name;
    EXPECT_FALSE(type->fields.empty()) << name;
  }
  for (const auto& [name, reason] : left) ADD_FAILURE() << "no struct " << name << ": " << reason;
}

}  // namespace
}  // namespace kpath
