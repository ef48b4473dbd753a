// SPDX-License-Identifier: Apache-2.0
//
// Shows a difference to a person:
//
//   do_syscall_64 > __x64_sys_io_submit > io_submit_one, after get_reqs_available(): expected ...
//
//     recording                        |   model
//       io_submit_one() {              |     io_submit_one() {
//         get_reqs_available();        |       get_reqs_available();
//   <     kmem_cache_alloc();          |
//         aio_read() {                 |       aio_read() {
//
// '<' marks a line that only the recording has, '>' one that only the model has.
#pragma once

#include <string>

#include "tools/compare/compare.h"

namespace kpath {

struct SideBySideOptions {
  int width = 100;     // of the whole view, in characters, at least 40
  bool color = false;  // ANSI colours on marked lines
  int before = 8;      // lines shown before the first difference
  int after = 12;      // lines shown from the first difference on
};

// Both trees around the first difference of `tree`; empty if there is none, or nothing to show
// because the model lacks the call altogether.
std::string SideBySide(const VisibleGraph& recording, const VisibleGraph& model,
                       const ComparedTree& tree, const SideBySideOptions& options);

// What a command says about a comparison: one line if equal, else the first difference, in words
// and side by side; and which asynchronous trees were not compared.
std::string Report(const Graph& recorded, const Graph& model, const CompareOptions& options,
                   const CompareResult& result, const SideBySideOptions& view);

// Options for the terminal behind file descriptor `fd`: its width, and colours unless it is no
// terminal, NO_COLOR is set, or TERM is "dumb".
SideBySideOptions ViewForTerminal(int fd);

}  // namespace kpath
