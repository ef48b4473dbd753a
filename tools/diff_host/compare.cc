// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/compare.h"

#include <algorithm>
#include <cstring>

#include "tools/diff_host/known_differences.h"
#include "tools/diff_host/layout.h"

namespace kpath::diff_host {
namespace {

bool Agree(const Record& model, const Record& host) {
  if (model.what != What::kHandle) return model == host;
  // The kernel may put a ring anywhere.
  return host.what == What::kHandle && model.op == host.op && model.index == host.index;
}

}  // namespace

absl::optional<Difference> FirstDifference(const Observation& model, const Observation& host) {
  const auto [at_model, at_host] = std::mismatch(model.records.begin(), model.records.end(),
                                                 host.records.begin(), host.records.end(), Agree);
  Difference difference;
  difference.model_outcome = model.outcome;
  difference.host_outcome = host.outcome;
  difference.op = std::max(model.op, host.op);
  if (at_model != model.records.end()) difference.model = *at_model;
  if (at_host != host.records.end()) difference.host = *at_host;
  if (difference.model.has_value()) difference.op = difference.model->op;
  if (difference.host.has_value()) difference.op = std::min(difference.op, difference.host->op);
  const bool same_end = model.outcome == host.outcome && model.signal == host.signal &&
                        model.op == host.op && model.outcome != Outcome::kBroken;
  if (!difference.model.has_value() && !difference.host.has_value()) {
    if (same_end) return absl::nullopt;
    difference.op = std::min(model.op, host.op);
  }
  return difference;
}

Verdict Compare(const Program& program, const Observation& model, const Observation& host,
                KernelVersion version) {
  Verdict verdict;
  verdict.difference = FirstDifference(model, host);
  if (!verdict.difference.has_value()) return verdict;
  // A bug that the model reports of itself is never expected.
  if (model.outcome == Outcome::kBroken || host.outcome == Outcome::kBroken) return verdict;
  verdict.known = FindKnownDifference({program, *verdict.difference, model, host}, version);
  return verdict;
}

absl::optional<int64_t> ResultOf(const Observation& seen, uint32_t op) {
  for (const Record& record : seen.records) {
    if (record.op == op && record.what == What::kResult) return static_cast<int64_t>(record.value);
  }
  return absl::nullopt;
}

user::iocb IocbAt(const Program& program, uint32_t op, uint64_t address) {
  user::iocb cb = user::PreadIocb(kFile, kBuffers, 64, 0);  // as surroundings.cc puts it there
  if (address == kReadOnlyIocb) return cb;
  for (uint32_t i = 0; i <= op && i < program.ops.size(); ++i) {
    const Op& earlier = program.ops[i];
    if (earlier.in_child && i != op) continue;  // in memory of its own
    for (const Entry& entry : earlier.entries) {
      if (entry.store && entry.address == address) cb = entry.iocb;
    }
    const uint64_t at = earlier.context.offset - address;
    if (earlier.kind != OpKind::kStore || earlier.context.slot >= 0) continue;
    if (at > sizeof(cb) - sizeof(uint32_t)) continue;
    const auto word = static_cast<uint32_t>(earlier.args[0]);
    std::memcpy(reinterpret_cast<uint8_t*>(&cb) + at, &word, sizeof(word));
  }
  return cb;
}

}  // namespace kpath::diff_host
