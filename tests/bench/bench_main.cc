// SPDX-License-Identifier: Apache-2.0
//
// `./kpath bench`: one table. --more adds what takes minutes. Each benchmark runs several times, in
// turn with all others, so that what disturbs the computer for a while disturbs them all; a figure
// is the median.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "benchmark/benchmark.h"
#include "tests/bench/bench.h"

namespace kpath {
namespace {

constexpr const char* kColumns[] = {"host", "kpath", "functions", "as text", "instructions"};

std::vector<std::string>& Rows() {
  static auto* rows = new std::vector<std::string>;
  return *rows;
}

std::string Nanoseconds(double ns) {
  if (ns < 1e5) return absl::StrFormat("%.0f ns", ns);
  if (ns < 1e8) return absl::StrFormat("%.0f us", ns / 1e3);
  return absl::StrFormat("%.0f ms", ns / 1e6);
}

std::string Bytes(double bytes) {
  if (bytes < 1e5) return absl::StrFormat("%.0f B", bytes);
  return absl::StrFormat("%.1f MiB", bytes / (1 << 20));
}

// Remembers the medians and prints them when all is done.
class Table : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      const std::pair<std::string, std::string> name =
          absl::StrSplit(run.run_name.function_name, absl::MaxSplits('|', 1));
      if (run.error_occurred) errors_.push_back(absl::StrCat(name.first, ": ", run.error_message));
      if (run.error_occurred || run.run_type != Run::RT_Iteration) continue;
      figures_[name.first][name.second].push_back(FigureOf(run));
      if (run.counters.count(kBytes) != 0) in_bytes_.insert(name.first);
    }
    if (isatty(STDERR_FILENO) == 1) std::fprintf(stderr, "\rkpath: %zu measured", ++measured_);
  }

  void Finalize() override {
    if (measured_ != 0) std::fprintf(stderr, "\r\033[K");
    std::printf("%-58s", "");
    for (const char* column : kColumns) std::printf("%14s", column);
    std::printf("   kpath:host\n");
    for (const std::string& row : Rows()) PrintRow(row);
    for (const std::string& error : errors_) std::printf("%s\n", error.c_str());
  }

 private:
  static double FigureOf(const Run& run) {
    const auto bytes = run.counters.find(kBytes);
    if (bytes != run.counters.end()) return bytes->second;
    const auto items = run.counters.find("items_per_second");
    if (items != run.counters.end()) return 1e9 / items->second;
    return run.real_accumulated_time * 1e9 / static_cast<double>(run.iterations);
  }

  void PrintRow(const std::string& row) {
    const auto figures = figures_.find(row);
    if (figures == figures_.end()) return;
    std::printf("%-58s", row.c_str());
    std::map<std::string, double> medians;
    for (const char* column : kColumns) {
      auto& all = figures->second[column];
      std::sort(all.begin(), all.end());
      std::string figure;
      if (!all.empty()) {
        medians[column] = all[all.size() / 2];
        const bool in_bytes = in_bytes_.count(row) != 0;
        figure = in_bytes ? Bytes(medians[column]) : Nanoseconds(medians[column]);
      }
      std::printf("%14s", figure.c_str());
    }
    if (medians.count("host") != 0 && medians.count("kpath") != 0) {
      std::printf("%13.2f", medians["kpath"] / medians["host"]);
    }
    std::printf("\n");
  }

  std::map<std::string, std::map<std::string, std::vector<double>>> figures_;
  std::set<std::string> in_bytes_;  // rows
  std::vector<std::string> errors_;
  size_t measured_ = 0;
};

}  // namespace

void Register(const std::string& row, const std::string& column,
              std::function<void(benchmark::State&)> run) {
  if (Rows().empty() || Rows().back() != row) Rows().push_back(row);
  benchmark::RegisterBenchmark(absl::StrCat(row, "|", column).c_str(), std::move(run));
}

double HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

}  // namespace kpath

int main(int argc, char** argv) {
  std::vector<std::string> words = {argv[0], "--benchmark_repetitions=5",
                                    "--benchmark_enable_random_interleaving=true",
                                    "--benchmark_min_time=0.05"};
  bool more = false;
  for (char** word = argv + 1; word != argv + argc; ++word) {
    if (std::strcmp(*word, "--more") == 0) {
      more = true;
    } else {
      words.emplace_back(*word);
    }
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
  kpath::RegisterCalls();
  kpath::RegisterRuns(more);
  kpath::RegisterGrowth(more);
  kpath::Table table;
  // Where nothing matches, or the expression is none, it has said so.
  return benchmark::RunSpecifiedBenchmarks(&table) == 0 ? 2 : 0;
}
