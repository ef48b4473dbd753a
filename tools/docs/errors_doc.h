// SPDX-License-Identifier: Apache-2.0
//
// docs/errors.md: every error of native AIO, provoked on a simulated machine.
#pragma once

#include <string>

namespace kpath {

// The text of the file.
std::string ErrorsDoc();

}  // namespace kpath
