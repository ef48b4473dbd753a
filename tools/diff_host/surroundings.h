// SPDX-License-Identifier: Apache-2.0
//
// What a program finds when it begins, and what is looked at when it has ended. Inside
// tools/diff_host.
#pragma once

#include "tools/diff_host/interpreter.h"

namespace kpath::diff_host {

// Maps the arena, opens the descriptors of layout.h. Returns 0, or the errno of a step that failed.
int MakeSurroundings(Executor& executor);

// Notes the sizes of the two files.
void NoteFileSizes(Executor& executor, Trace* trace);

// Notes the memory of the arena, the bytes of the two files, and what pipes and eventfds still
// hold.
void NoteRemains(Executor& executor, Trace* trace);

}  // namespace kpath::diff_host
