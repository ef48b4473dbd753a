// SPDX-License-Identifier: Apache-2.0
//
// Prints a page with the output of the runs in it: getevents_doc < PAGE.
#include <iostream>
#include <iterator>

#include "tools/docs/getevents_doc.h"

int main() {
  const std::string page(std::istreambuf_iterator<char>(std::cin), {});
  std::string unknown;
  std::cout << kpath::WithRuns(page, kpath::GeteventsRuns(), &unknown);
  return 0;
}
