// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/diff_host.h"

#include <deque>
#include <utility>

#include "tools/diff_host/generator.h"
#include "tools/diff_host/known_differences.h"
#include "tools/diff_host/random.h"
#include "tools/diff_host/shrink.h"
#include "tools/diff_host/transcript.h"

namespace kpath::diff_host {
namespace {

// For programs that run alone: there is time.
constexpr int kLongPatienceMs = 4 * Judge::kPatienceMs;

Program MakeProgram(uint64_t seed, uint64_t index) {
  SeededDecisions decide(seed, index);
  return Generate(decide);
}

// The same kind of difference, in a program that may be another one.
bool SameKind(const Difference& left, const Difference& right) {
  const auto what = [](const absl::optional<Record>& record) {
    return record.has_value() ? static_cast<int>(record->what) : -1;
  };
  return what(left.model) == what(right.model) && what(left.host) == what(right.host) &&
         (left.model_outcome == Outcome::kBroken) == (right.model_outcome == Outcome::kBroken);
}

}  // namespace

Observation DiffHost::Judged(const Program& program) {
  judge_.Start(program);
  return judge_.Finish(kLongPatienceMs);
}

Verdict DiffHost::Check(const Program& program) {
  const Observation host = Judged(program);
  return Compare(program, model_.Run(program), host, judge_.version());
}

std::string DiffHost::Show(const Program& program) {
  const Observation host = Judged(program);
  return ToTranscript(program, model_.Run(program, /*reasons=*/true), host);
}

Found DiffHost::Explain(uint64_t index, const Program& program) {
  const Difference first = *Check(program).difference;
  Found found;
  found.index = index;
  found.program = Shrink(program, [&](const Program& smaller) {
    const Verdict verdict = Check(smaller);
    return verdict.unexplained() && SameKind(*verdict.difference, first);
  });
  found.difference = Check(found.program).difference.value_or(first);
  found.transcript = Show(found.program);
  return found;
}

DiffReport DiffHost::Run(const DiffOptions& options) {
  DiffReport report;
  std::deque<std::pair<uint64_t, Program>> started;
  std::vector<std::pair<uint64_t, Program>> suspicious;
  uint64_t next = options.first;
  const uint64_t end = options.first + options.programs;
  // What differed is run again when nothing else runs.
  const auto run_again = [&] {
    for (const auto& [index, program] : suspicious) {
      const Verdict verdict = Check(program);
      if (!verdict.unexplained()) {
        ++report.disturbed;
      } else if (!report.found.has_value()) {
        report.found = Explain(index, program);
      }
    }
    suspicious.clear();
  };
  while (!report.found.has_value() && (next < end || !started.empty())) {
    while (next < end && suspicious.empty() && started.size() < Judge::kMostAtOnce) {
      started.emplace_back(next, MakeProgram(options.seed, next));
      judge_.Start(started.back().second);
      ++next;
    }
    auto [index, program] = std::move(started.front());
    started.pop_front();
    const Observation model = model_.Run(program);
    const Observation host = judge_.Finish(Judge::kPatienceMs);
    const Verdict verdict = Compare(program, model, host, judge_.version());
    ++report.compared;
    if (verdict.known != nullptr) ++report.known[verdict.known->name];
    if (!verdict.difference.has_value()) ++report.agreed;
    if (verdict.unexplained()) suspicious.emplace_back(index, std::move(program));
    if (started.empty()) run_again();
    if (options.progress) options.progress(report.compared, options.programs);
  }
  return report;
}

}  // namespace kpath::diff_host
