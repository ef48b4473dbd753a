// SPDX-License-Identifier: Apache-2.0
//
// The smallest fuzz target: shows that both forms of kpath_cc_fuzz_test link and run.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  size_t zeros = 0;
  for (size_t i = 0; i < size; ++i) zeros += data[i] == 0 ? 1 : 0;
  if (zeros > size) std::abort();
  return 0;
}
