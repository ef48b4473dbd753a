// SPDX-License-Identifier: Apache-2.0
//
// What `./kpath bench` measures: benchmarks in rows, by what is done, and columns, by who does it.
#pragma once

#include <functional>
#include <string>

#include "benchmark/benchmark.h"

namespace kpath {

// Columns: "host", "kpath" (nobody listens), "functions", "instructions" (traced). Items processed,
// if set, are what one of the row's figures is about.
void Register(const std::string& row, const std::string& column,
              std::function<void(benchmark::State&)> run);

void RegisterCalls();   // calls_bench.cc
void RegisterGrowth();  // growth_bench.cc
void RegisterRuns();    // runs_bench.cc

}  // namespace kpath
