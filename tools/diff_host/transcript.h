// SPDX-License-Identifier: Apache-2.0
//
// Writes a program and what came of it as a transcript, in the syntax of strace: what the host
// returned stands behind each call, what the model did otherwise in a comment below it.
#pragma once

#include <string>

#include "absl/types/optional.h"
#include "tools/diff_host/compare.h"
#include "tools/diff_host/program.h"
#include "tools/diff_host/trace.h"

namespace kpath::diff_host {

// `model` should know the reasons of its errors.
std::string ToTranscript(const Program& program, const Observation& model, const Observation& host);

// The first place where they part, in one line: "io_submit: res of the event in slot 0 of ring 1:
// EFAULT on the model, 8 on the host".
std::string ToText(const Program& program, const Difference& difference);

}  // namespace kpath::diff_host
