// SPDX-License-Identifier: Apache-2.0
//
// Prints docs/errors.md.
#include <iostream>

#include "tools/docs/errors_doc.h"

int main() {
  std::cout << kpath::ErrorsDoc();
  return 0;
}
