// SPDX-License-Identifier: Apache-2.0
//
// What `./kpath bench` measures: benchmarks in rows, by what is done, and columns, by who does it.
#pragma once

#include <functional>
#include <string>

#include "benchmark/benchmark.h"

namespace kpath {

// Columns: "host"; "kpath" (nobody listens), "functions", "as text", "instructions" (traced). Items
// processed, if set, are what one of the row's figures is about. A counter kBytes is shown in the
// place of a time.
void Register(const std::string& row, const std::string& column,
              std::function<void(benchmark::State&)> run);

inline constexpr const char* kBytes = "bytes";

// Bytes of the heap that are in use.
double HeapBytes();

void RegisterCalls();            // calls_bench.cc
void RegisterGrowth(bool more);  // growth_bench.cc
void RegisterRuns(bool more);    // runs_bench.cc

}  // namespace kpath
