// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sim/machine/check.h"
#include "sim/machine/memory.h"
#include "sim/user/memory.h"
#include "syscall_table/numbers_64.h"
#include "tools/transcript/replay/filters.h"
#include "tools/transcript/replay/frame.h"
#include "tools/transcript/replay/poll_records.h"
#include "tools/transcript/replay/ptrace_requests.h"
#include "tools/transcript/replay/records.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

using strace::Value;
using strace::ValueKind;

// More than this is not staged: the size is an argument meant to be refused.
constexpr uint64_t kLargestBuffer = kStagingBytesPerProcess / 4;
// Clearing more than this gives the pages back instead.
constexpr uint64_t kManyZeros = 256 * 1024;

uint64_t Number(const Value& value) {
  if (value.kind == ValueKind::kPair) return Number(value.children.front());  // what went in
  const absl::StatusOr<uint64_t> number = strace::Evaluate(value);
  KPATH_CHECK(number.ok(), number.status().message());  // CheckArguments has looked
  return *number;
}

bool IsAddress(const Value& value) {
  return value.kind == ValueKind::kInteger || value.kind == ValueKind::kNull;
}

uint64_t Field(const Value& value, absl::string_view name, uint64_t otherwise = 0) {
  const Value* field = strace::FindField(value, name);
  return field == nullptr ? otherwise : Number(*field);
}

class Marshaller {
 public:
  Marshaller(const strace::Call& call, const Signature& signature, const IocbOutcomes& outcomes,
             Staging* staging)
      : call_(call), signature_(signature), outcomes_(outcomes), staging_(staging) {
    frame_.call = &call;
    frame_.signature = &signature;
  }

  CallFrame Make(int number) {
    frame_.number = number;
    if (signature_.form == CallForm::kClone) MarshalClone();
    if (signature_.form == CallForm::kClone3) MarshalClone3();
    if (signature_.form == CallForm::kPtrace) MarshalPtrace();
    const bool in_order =
        signature_.form == CallForm::kInOrder || signature_.form == CallForm::kPositioned;
    if (!in_order) return std::move(frame_);
    for (int i = 0; i < Signature::kMaxParameters; ++i) {
      const Value* value = PrintedArgument(call_, i);
      if (value != nullptr) frame_.arguments[i] = Argument(signature_.parameters[i], *value);
    }
    if (signature_.form == CallForm::kPositioned) {
      // fd, iov, count, position in two halves of which 64-bit code uses the first, flags.
      frame_.arguments[5] = frame_.arguments[4];
      frame_.arguments[4] = 0;
    }
    return std::move(frame_);
  }

 private:
  uint64_t Argument(const Parameter& parameter, const Value& value) {
    switch (parameter.kind) {
      case ParameterKind::kNone:
        return 0;
      case ParameterKind::kNumber:
      case ParameterKind::kFd:
      case ParameterKind::kAddress:
        return Number(value);
      case ParameterKind::kPath:
        return String(value);
      case ParameterKind::kIn:
        return InBuffer(value, SizeOf(parameter));
      case ParameterKind::kIovIn:
      case ParameterKind::kIovOut:
        return Iovecs(value);
      case ParameterKind::kTimespecIn:
        return Timespec(value);
      case ParameterKind::kContextOut:
        return Context(value);
      case ParameterKind::kFilterIn:
        return Filter(value);
      case ParameterKind::kIocbs:
        return Iocbs(value);
      case ParameterKind::kIocbIn:
        return value.kind == ValueKind::kStruct ? Iocb(value, SIZE_MAX)
                                                : Known(value, sizeof(iocb));
      case ParameterKind::kPollfds:
        return value.kind == ValueKind::kArray ? Bytes(EncodePollfds(value))
                                               : Known(value, EventBytes(parameter));
      case ParameterKind::kFdSet:
        return FdSet(value);
      case ParameterKind::kSigsetArgument:
        return SigsetArgument(value);
      case ParameterKind::kEvents:
      case ParameterKind::kEpollEventsOut:
        return OutBuffer(value, EventBytes(parameter));
      case ParameterKind::kOut:
      case ParameterKind::kFdPairOut:
      case ParameterKind::kTimespecOut:
      case ParameterKind::kStatusOut:
      case ParameterKind::kStatOut:
        return OutBuffer(value, SizeOf(parameter));
      default:
        return Record(parameter.kind, value);
    }
    return 0;
  }

  // struct sock_fprog, and the program behind it. A number (prctl's third argument is one where
  // the second is no mode): itself.
  uint64_t Filter(const Value& value) {
    if (!IsPrintedFilter(value)) return Number(value);
    constexpr uint64_t kInstructionBytes = 8;
    const std::string program = EncodeFilter(value);
    const uint64_t address = staging_->ForCall(2 * sizeof(uint64_t) + program.size());
    const uint64_t words[2] = {program.size() / kInstructionBytes, address + sizeof(words)};
    user::WriteMemory(address, words, sizeof(words));
    user::WriteMemory(address + sizeof(words), program.data(), program.size());
    return address;
  }

  // A struct that goes in or comes out.
  uint64_t Record(ParameterKind kind, const Value& value) {
    if (value.kind == ValueKind::kOmitted) return 0;
    const uint64_t bytes = RecordBytes(kind);
    if (!IsPrintedRecord(value)) return Known(value, bytes);
    const uint64_t address = staging_->ForCall(bytes);
    if (IsRecordIn(kind)) user::WriteMemory(address, EncodeRecord(kind, value).data(), bytes);
    return address;
  }

  uint64_t Bytes(const std::string& bytes) {
    const uint64_t address = staging_->ForCall(bytes.size());
    user::WriteMemory(address, bytes.data(), bytes.size());
    return address;
  }

  uint64_t FdSet(const Value& value) {
    const auto descriptors = static_cast<int32_t>(frame_.arguments[0]);
    const bool shown = value.kind == ValueKind::kArray || value.kind == ValueKind::kBitSet;
    return shown ? Bytes(EncodeFdSet(value, descriptors)) : Known(value, FdSetBytes(descriptors));
  }

  // {sigmask=[USR1], sigsetsize=8}: a pointer to a set, and its size.
  uint64_t SigsetArgument(const Value& value) {
    if (value.kind != ValueKind::kStruct) return Known(value, 2 * sizeof(uint64_t));
    const uint64_t words[2] = {
        Record(ParameterKind::kSigsetIn, *strace::FindField(value, "sigmask")),
        Field(value, "sigsetsize")};
    const uint64_t address = staging_->ForCall(sizeof(words));
    user::WriteMemory(address, words, sizeof(words));
    return address;
  }

  uint64_t SizeOf(const Parameter& parameter) const {
    if (parameter.size_argument < 0) return parameter.size;
    const Value* size = PrintedArgument(call_, parameter.size_argument);
    return size == nullptr || size->kind == ValueKind::kOmitted ? 0 : Number(*size);
  }

  uint64_t EventBytes(const Parameter& parameter) const {
    const uint64_t events = SizeOf(parameter);
    return events > kLargestBuffer / parameter.size ? 0 : events * parameter.size;
  }

  // An address that the transcript shows: the process had memory there unless the call says no.
  uint64_t Known(const Value& value, uint64_t bytes) {
    const uint64_t address = Number(value);
    const bool was_there = !FailedWith(call_, "EFAULT") && !FailedWith(call_, "ENOMEM");
    if (was_there && bytes <= kLargestBuffer) AssumeMemory(address, bytes);
    return address;
  }

  uint64_t String(const Value& value) {
    if (IsAddress(value)) return Known(value, 1);
    const std::string text = strace::Bytes(value);
    const uint64_t address = staging_->ForCall(text.size() + 1);
    user::WriteString(address, text);
    return address;
  }

  // What was printed of a buffer, zeros behind it.
  uint64_t InBuffer(const Value& value, uint64_t bytes) {
    frame_.segments.push_back({BufferOf(value, bytes), bytes, &value});
    return frame_.segments.back().address;
  }

  uint64_t BufferOf(const Value& value, uint64_t bytes) {
    if (value.kind != ValueKind::kString) return Known(value, bytes);
    const uint64_t size = SizeFor(value, bytes);
    const uint64_t address = staging_->ForCall(size);
    WritePadded(address, strace::Bytes(value), size);
    return address;
  }

  static uint64_t SizeFor(const Value& text, uint64_t bytes) {
    return std::max<uint64_t>(strace::Bytes(text).size(), bytes <= kLargestBuffer ? bytes : 0);
  }

  uint64_t OutBuffer(const Value& value, uint64_t bytes) {
    const bool address = IsAddress(value);
    frame_.segments.push_back(
        {address ? Known(value, bytes) : staging_->ForCall(bytes <= kLargestBuffer ? bytes : 1),
         bytes, &value});
    return frame_.segments.back().address;
  }

  // An array of iovec and the memory they point to.
  uint64_t Iovecs(const Value& value) {
    if (value.kind != ValueKind::kArray) return Known(value, sizeof(uint64_t) * 2);
    std::vector<uint64_t> words;
    for (const Value& segment : value.children) {
      if (segment.kind != ValueKind::kStruct) continue;
      const uint64_t bytes = Field(segment, "iov_len");
      words.push_back(InBuffer(*strace::FindField(segment, "iov_base"), bytes));
      words.push_back(bytes);
    }
    const uint64_t address = staging_->ForCall(words.size() * sizeof(uint64_t));
    user::WriteMemory(address, words.data(), words.size() * sizeof(uint64_t));
    return address;
  }

  static void WritePadded(uint64_t address, const std::string& text, uint64_t size) {
    user::WriteMemory(address, text.data(), text.size());
    uint64_t from = address + text.size();
    const uint64_t end = address + size;
    const uint64_t first_page = (from + kPageSize - 1) & kPageMask;
    if (end > first_page && end - first_page > kManyZeros) {
      WriteZeros(from, first_page - from);
      from = end & kPageMask;
      DropPages(first_page, from - first_page);
    }
    WriteZeros(from, end - from);
  }

  static void WriteZeros(uint64_t address, uint64_t bytes) {
    const std::string zeros(bytes, '\0');
    user::WriteMemory(address, zeros.data(), zeros.size());
  }

  uint64_t Timespec(const Value& value) {
    if (IsAddress(value)) return Known(value, 16);
    const int64_t words[2] = {static_cast<int64_t>(Field(value, "tv_sec")),
                              static_cast<int64_t>(Field(value, "tv_nsec"))};
    const uint64_t address = staging_->ForCall(sizeof(words));
    user::WriteMemory(address, words, sizeof(words));
    return address;
  }

  // The word at ctxp goes in and comes out; strace prints what came out. What went in must have
  // been 0 where a context was made. Where io_setup refused with EINVAL a number of events that it
  // takes, the word cannot have been 0.
  uint64_t Context(const Value& value) {
    const uint64_t address = IsAddress(value) ? Known(value, 8) : staging_->ForCall(8);
    if (FailedWith(call_, "EFAULT")) return address;
    const uint32_t nr_events = static_cast<uint32_t>(frame_.arguments[0]);
    const bool size_is_taken = nr_events != 0 && nr_events <= 0x10000000u / sizeof(io_event) / 2;
    user::Store<uint64_t>(address, FailedWith(call_, "EINVAL") && size_is_taken ? 1 : 0);
    return address;
  }

  uint64_t Iocbs(const Value& value) {
    if (value.kind != ValueKind::kArray) return Known(value, 8);
    std::vector<uint64_t> pointers;
    for (const Value& element : value.children) pointers.push_back(Iocb(element, pointers.size()));
    const uint64_t bytes = pointers.size() * sizeof(uint64_t);
    const uint64_t address = staging_->ForCall(bytes);
    user::WriteMemory(address, pointers.data(), bytes);
    return address;
  }

  uint64_t Iocb(const Value& value, size_t index) {
    StagedIocb staged;
    if (value.kind != ValueKind::kStruct) {
      staged.address = Number(value);
      frame_.iocbs.push_back(staged);
      return staged.address;
    }
    staged.shown = true;
    FillIocb(value, &staged);
    if (const auto known = outcomes_.find({&call_, index}); known != outcomes_.end()) {
      staged.address = known->second.address;
      AssumeMemory(staged.address, sizeof(iocb));
    } else {
      staged.address = Keep(sizeof(iocb), &staged);
    }
    user::Store<iocb>(staged.address, staged.value);
    frame_.iocbs.push_back(staged);
    return staged.address;
  }

  void FillIocb(const Value& value, StagedIocb* staged) {
    iocb& iocb = staged->value;
    iocb.aio_data = Field(value, "aio_data");
    iocb.aio_key = static_cast<uint32_t>(Field(value, "aio_key"));
    iocb.aio_rw_flags = static_cast<uint32_t>(Field(value, "aio_rw_flags"));
    iocb.aio_lio_opcode = static_cast<uint16_t>(Field(value, "aio_lio_opcode"));
    iocb.aio_reqprio = static_cast<int16_t>(Field(value, "aio_reqprio"));
    iocb.aio_fildes = static_cast<uint32_t>(Field(value, "aio_fildes"));
    iocb.aio_nbytes = Field(value, "aio_nbytes");
    iocb.aio_offset = static_cast<int64_t>(Field(value, "aio_offset"));
    iocb.aio_reserved2 = Field(value, "aio_reserved2");
    iocb.aio_flags = static_cast<uint32_t>(Field(value, "aio_flags"));
    iocb.aio_resfd = static_cast<uint32_t>(Field(value, "aio_resfd"));
    if (const Value* buffer = strace::FindField(value, "aio_buf")) FillBuffer(*buffer, staged);
  }

  // A string or an address: the buffer; an array: iovecs; of IOCB_CMD_POLL: the events.
  void FillBuffer(const Value& buffer, StagedIocb* staged) {
    iocb& iocb = staged->value;
    if (iocb.aio_lio_opcode == IOCB_CMD_POLL) {
      iocb.aio_buf = Number(buffer);
    } else if (buffer.kind == ValueKind::kArray) {
      FillIovecs(buffer, staged);
    } else {
      iocb.aio_buf = KeptBuffer(buffer, iocb.aio_nbytes, staged);
    }
  }

  void FillIovecs(const Value& buffer, StagedIocb* staged) {
    std::vector<uint64_t> words;
    for (const Value& segment : buffer.children) {
      if (segment.kind != ValueKind::kStruct) continue;
      const uint64_t bytes = Field(segment, "iov_len");
      words.push_back(KeptBuffer(*strace::FindField(segment, "iov_base"), bytes, staged));
      words.push_back(bytes);
    }
    const uint64_t bytes = words.size() * sizeof(uint64_t);
    staged->value.aio_nbytes = words.size() / 2;
    staged->value.aio_buf = Keep(bytes, staged);
    user::WriteMemory(staged->value.aio_buf, words.data(), bytes);
  }

  // A buffer that lasts until the request's event has been read.
  uint64_t KeptBuffer(const Value& buffer, uint64_t bytes, StagedIocb* staged) {
    uint64_t address;
    if (buffer.kind != ValueKind::kString) {
      address = Known(buffer, std::min(bytes, kLargestBuffer));
    } else {
      const uint64_t size = SizeFor(buffer, std::min(bytes, kLargestBuffer));
      address = Keep(size, staged);
      WritePadded(address, strace::Bytes(buffer), size);
    }
    staged->segments.push_back({address, bytes, &buffer});
    return address;
  }

  uint64_t Keep(uint64_t bytes, StagedIocb* staged) {
    staged->kept.push_back(staging_->Keep(bytes));
    return staged->kept.back();
  }

  // clone(child_stack=NULL, flags=…, child_tidptr=…): named, in strace's own order.
  void MarshalClone() {
    static constexpr const char* kNames[] = {"flags", "child_stack", "parent_tid", "child_tidptr",
                                             "tls"};
    for (const Value& value : call_.args) {
      const auto* name = std::find(std::begin(kNames), std::end(kNames), value.name);
      if (name == std::end(kNames) || value.kind == ValueKind::kArray) continue;
      frame_.arguments[name - kNames] = Number(value);
    }
    // Where a thread's id goes: the process had memory there.
    AssumeMemory(frame_.arguments[3], 4);
  }

  // Request, process, addr where it is printed, data.
  void MarshalPtrace() {
    const PtraceData data = DataOf(call_);
    const size_t count = call_.args.size();
    for (size_t i = 0; i < count && i < 2; ++i) frame_.arguments[i] = Number(call_.args[i]);
    if (data == PtraceData::kNumber) {
      if (count > 2) frame_.arguments[2] = PtraceAddress(call_.args[2]).value_or(0);
      if (count > 3) frame_.arguments[3] = Number(call_.args[3]);
      return;
    }
    const Value& last = call_.args.back();
    if (data == PtraceData::kWord) frame_.arguments[2] = *PtraceAddress(call_.args[2]);
    if (data != PtraceData::kRegset) {
      frame_.arguments[3] = OutBuffer(last, BytesOf(data));
      return;
    }
    constexpr uint64_t kPrstatus = 1;  // NT_PRSTATUS
    frame_.arguments[2] = kPrstatus;
    const Value& iov = last.kind == ValueKind::kArray ? last.children[0] : last;
    const uint64_t bytes = Field(iov, "iov_len");
    const uint64_t words[2] = {
        OutBuffer(*strace::FindField(iov, "iov_base"), std::max(bytes, BytesOf(data))), bytes};
    frame_.arguments[3] = staging_->ForCall(sizeof(words));
    user::WriteMemory(frame_.arguments[3], words, sizeof(words));
  }

  // The C library tries clone3 first and falls back to clone where the kernel has none, as v4.19.
  void MarshalClone3() {
    frame_.number = NR_clone;
    const Value* args = PrintedArgument(call_, 0);
    if (args != nullptr && args->kind == ValueKind::kPair) args = &args->children[0];
    if (args == nullptr || args->kind != ValueKind::kStruct) return;
    const uint64_t stack = NumericField(*args, "stack");
    frame_.arguments = {NumericField(*args, "flags") | NumericField(*args, "exit_signal"),
                        stack == 0 ? 0 : stack + NumericField(*args, "stack_size"),
                        NumericField(*args, "parent_tid"),
                        NumericField(*args, "child_tid"),
                        NumericField(*args, "tls"),
                        0};
  }

  // 0 where the field is missing, or is printed as what came out: parent_tid=[1631].
  static uint64_t NumericField(const Value& value, absl::string_view name) {
    const Value* field = strace::FindField(value, name);
    return field == nullptr ? 0 : strace::Evaluate(*field).value_or(0);
  }

  const strace::Call& call_;
  const Signature& signature_;
  const IocbOutcomes& outcomes_;
  Staging* const staging_;
  CallFrame frame_;
};

}  // namespace

CallFrame Marshal(const strace::Call& call, const Signature& signature, int number,
                  const IocbOutcomes& iocb_outcomes, Staging* staging) {
  return Marshaller(call, signature, iocb_outcomes, staging).Make(number);
}

}  // namespace kpath
