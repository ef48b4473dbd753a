// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/transcript.h"

#include <array>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tools/diff_host/layout.h"
#include "tools/diff_host/transcript_values.h"
#include "tools/transcript/syntax/constants.h"

namespace kpath::diff_host {
namespace {

const char* DescribeDescriptor(int fd) {
  static constexpr const char* kText[kDescriptors] = {
      "a directory",
      "a directory",
      "a directory",
      "file 1, of 8292 bytes, O_RDWR",
      "file 1, O_RDONLY",
      "file 1, O_WRONLY",
      "file 1, O_RDWR|O_APPEND",
      "file 1, O_RDWR|O_SYNC",
      "file 2, empty, O_RDWR",
      "the end of a pipe to read from, O_NONBLOCK",
      "the end of that pipe to write to, O_NONBLOCK",
      "the end of another pipe to read from",
      "the end of that pipe to write to",
      "an eventfd of 0, O_NONBLOCK",
      "an eventfd of 1, O_NONBLOCK",
      "file 1, O_PATH"};
  return kText[fd];
}

class Writer {
 public:
  Writer(const Program& program, const Observation& model, const Observation& host)
      : program_(program), model_(model), host_(host) {}

  std::string Write() {
    DescribeSurroundings();
    for (uint32_t i = 0; i < program_.ops.size(); ++i) WriteOp(i);
    return std::move(text_);
  }

 private:
  void Line(const std::string& line) { absl::StrAppend(&text_, line, "\n"); }

  void DescribeSurroundings();
  void WriteOp(uint32_t i);
  // What has happened to the slots.
  void Follow(uint32_t i);
  std::string Text(uint32_t i) const;
  std::string Result(const Observation& seen, uint32_t i) const;
  std::string Events(uint32_t i) const;
  std::string HandleText(const Handle& handle) const;
  absl::optional<uint64_t> Find(const Observation& seen, uint32_t op, What what,
                                uint32_t index) const;

  const Program& program_;
  const Observation& model_;
  const Observation& host_;
  std::array<uint64_t, kSlots> slots_ = {};
  std::string text_;
};

void Writer::DescribeSurroundings() {
  std::set<uint64_t> used;
  for (const Op& op : program_.ops) {
    if (op.kind == OpKind::kClose || op.kind == OpKind::kRead || op.kind == OpKind::kWrite ||
        op.kind == OpKind::kTruncate) {
      used.insert(op.args[0]);
    }
    for (const Entry& entry : op.entries) {
      used.insert(entry.iocb.aio_fildes);
      if ((entry.iocb.aio_flags & user::IOCB_FLAG_RESFD) != 0) used.insert(entry.iocb.aio_resfd);
    }
  }
  for (const uint64_t fd : used) {
    if (fd >= kDescriptors) continue;
    Line(absl::StrCat("# fd ", fd, ": ", DescribeDescriptor(static_cast<int>(fd))));
  }
}

absl::optional<uint64_t> Writer::Find(const Observation& seen, uint32_t op, What what,
                                      uint32_t index) const {
  for (const Record& record : seen.records) {
    if (record.op == op && record.what == what && record.index == index) return record.value;
  }
  return absl::nullopt;
}

std::string Writer::HandleText(const Handle& handle) const {
  const uint64_t value = handle.offset + (handle.slot < 0 ? 0 : slots_[handle.slot]);
  return value == 0 ? "0" : absl::StrCat("0x", absl::Hex(value));
}

std::string Writer::Result(const Observation& seen, uint32_t i) const {
  const absl::optional<int64_t> result = ResultOf(seen, i);
  if (result.has_value()) return ResultText(*result);
  if (seen.outcome == Outcome::kBlocked && seen.op == i) return "? (does not return)";
  if (seen.outcome == Outcome::kKilled && seen.op == i) {
    return absl::StrCat("? (killed by ", strace::SignalName(seen.signal), ")");
  }
  return "?";
}

// The events that io_getevents has stored on the host.
std::string Writer::Events(uint32_t i) const {
  std::vector<std::string> events;
  for (uint32_t k = 0; k < 8; ++k) {
    const auto obj = Find(host_, i, What::kEventObj, k);
    if (!obj.has_value()) break;
    events.push_back(
        absl::StrCat("{data=", *Find(host_, i, What::kEventData, k), ", obj=0x", absl::Hex(*obj),
                     ", res=", static_cast<int64_t>(*Find(host_, i, What::kEventRes, k)),
                     ", res2=", static_cast<int64_t>(*Find(host_, i, What::kEventRes2, k)), "}"));
  }
  if (Find(host_, i, What::kEventObj, 8).has_value()) events.push_back("...");
  return absl::StrCat("[", absl::StrJoin(events, ", "), "]");
}

std::string Writer::Text(uint32_t i) const {
  const Op& op = program_.ops[i];
  const auto& a = op.args;
  const std::string handle = HandleText(op.context);
  switch (op.kind) {
    case OpKind::kSetup:
      return absl::StrCat("io_setup(", static_cast<uint32_t>(a[0]), ", ", AddressText(a[1]), ")");
    case OpKind::kDestroy:
      return absl::StrCat("io_destroy(", handle, ")");
    case OpKind::kSubmit:
      return absl::StrCat("io_submit(", handle, ", ", static_cast<int64_t>(a[0]), ", ",
                          ListText(op), ")");
    case OpKind::kGetevents:
    case OpKind::kPgetevents:
      return absl::StrCat(
          NameOf(op.kind), "(", handle, ", ", static_cast<int64_t>(a[0]), ", ",
          static_cast<int64_t>(a[1]), ", ", a[2] == kEvents ? Events(i) : AddressText(a[2]), ", ",
          TimeoutText(a[3], a[4], a[5]),
          op.kind == OpKind::kPgetevents ? absl::StrCat(", ", SigsetText(a[6], a[7], a[8]), ")")
                                         : ")");
    case OpKind::kCancel:
      return absl::StrCat("io_cancel(", handle, ", ", AddressText(a[0]), ", ", AddressText(a[1]),
                          ")");
    case OpKind::kClose:
      return absl::StrCat("close(", static_cast<int>(a[0]), ")");
    case OpKind::kRead:
    case OpKind::kWrite:
      return absl::StrCat(NameOf(op.kind), "(", static_cast<int>(a[0]), ", ", AddressText(a[1]),
                          ", ", a[2], ")");
    case OpKind::kTruncate:
      return absl::StrCat("ftruncate(", static_cast<int>(a[0]), ", ", static_cast<int64_t>(a[1]),
                          ")");
    case OpKind::kProtect:
      return absl::StrCat("mprotect(", AddressText(kArena + a[0] * kPage), ", 4096, ",
                          ProtectionText(a[1]), ")");
    case OpKind::kProtectRing:
      return absl::StrCat("mprotect(", handle, " /* all of the ring */, ", ProtectionText(a[0]),
                          ")");
    case OpKind::kUnmapRing:
      return absl::StrCat("munmap(", handle, " /* page ", a[0], " of it */, ", a[1] * kPage, ")");
    case OpKind::kMoveRing:
      return absl::StrCat("mremap(", handle, " /* all of the ring, plus ", a[2], " pages */, ",
                          MremapText(a[1]), ", ", AddressText(RingPlace(int(a[0] % kSlots))), ")");
    case OpKind::kStore:
      return absl::StrCat(
          "# user mode stores ", static_cast<uint32_t>(a[0]), " at ", handle,
          op.context.slot < 0 ? "" : absl::StrCat(" (byte ", op.context.offset, " of the ring)"));
    case OpKind::kConsume:
      return absl::StrCat("# user mode takes up to ", a[0], " events from the ring at ", handle);
  }
  return "";
}

void Writer::Follow(uint32_t i) {
  const Op& op = program_.ops[i];
  if (op.kind == OpKind::kMoveRing && op.context.slot >= 0) {
    const int64_t result = ResultOf(host_, i).value_or(-1);
    if (result > 0) slots_[op.context.slot] = static_cast<uint64_t>(result);
  }
  for (const Record& record : host_.records) {
    if (record.op != i || record.what != What::kHandle) continue;
    for (int slot = 0; slot < kSlots; ++slot) {
      if (op.args[1] == HandleAddress(slot)) slots_[slot] = record.value;
    }
  }
}

void Writer::WriteOp(uint32_t i) {
  const std::string call = Text(i);
  const bool is_call = call[0] != '#';
  if (program_.ops[i].in_child) Line("# a forked child, which then ends:");
  Line(is_call ? absl::StrFormat("%-39s = %s", call, Result(host_, i)) : call);
  Follow(i);
  const std::string model = Result(model_, i), host = Result(host_, i);
  const std::string reason = i < model_.reasons.size() ? model_.reasons[i] : "";
  if (model != host) {
    Line(absl::StrCat("#   the model: ", model, reason.empty() ? "" : ", ", reason));
  } else if (is_call && !reason.empty()) {
    Line(absl::StrCat("#   reason: ", reason));
  }
}

}  // namespace

std::string ToTranscript(const Program& program, const Observation& model,
                         const Observation& host) {
  return Writer(program, model, host).Write();
}

std::string ToText(const Program& program, const Difference& difference) {
  const auto where = [&] {
    return difference.op < program.ops.size() ? NameOf(program.ops[difference.op].kind)
                                              : "at the end";
  };
  const auto side = [](const absl::optional<Record>& record, Outcome outcome) -> std::string {
    if (record.has_value()) return ValueText(*record);
    switch (outcome) {
      case Outcome::kFinished:
        return "nothing";
      case Outcome::kBlocked:
        return "does not return";
      case Outcome::kKilled:
        return "killed by a signal";
      case Outcome::kBroken:
        return "stopped";
    }
    return "";
  };
  const absl::optional<Record>& named =
      difference.model.has_value() ? difference.model : difference.host;
  return absl::StrCat(where(), ": ", named.has_value() ? Describe(*named) : "how it ends", ": ",
                      side(difference.model, difference.model_outcome), " on the model, ",
                      side(difference.host, difference.host_outcome), " on the host");
}

}  // namespace kpath::diff_host
