// SPDX-License-Identifier: Apache-2.0
//
// Reads a recording of strace into lines, calls and values. Pure text: this library knows how
// things are written, not what they mean.
//
//   absl::StatusOr<strace::Transcript> transcript = strace::ParseTranscript("app.strace", text);
//   if (!transcript.ok()) return transcript.status();  // "app.strace:7:21: unexpected ..."
//   for (const strace::Call& call : transcript->calls) {
//     if (call.name == "close" && call.returned) Close(call.args[0].number, call.result);
//   }
//
// What a transcript is made of ({x} = any number of x, [x] = x or nothing, | = or):
//
//   transcript = { line "\n" }                 a missing last "\n" and "\r\n" are fine
//   line    = [leader] call | [leader] event | "#" comment | "# kpath:" words | note | nothing
//   leader  = [pid] [time] ["[" number "]"] ["[" address "]"]
//   pid     = 1630 | 1630<sh> | [pid 1630]     -f -o | -Y | -f without -o
//   time    = 10:20:30.123456 | 1700000000.123456 | 0.000012 | 10:20:30 (+     0.000012)
//                                              -t -tt | -ttt | -r | -r -t
//   call    = name "(" args ")" "=" result                        it came and went
//           | name "(" args "<unfinished ...>"                    others came between, until
//           | "<... " name " resumed>" args ")" "=" result        here it goes on
//           | name "(" args "<unfinished ...>) = ?"               it never returned
//           | name "(" args "strace: Process 1631 attached"       strace cut in; the next line
//           | args ")" "=" result                                 goes on where this one stopped
//   result  = value [ERROR "(" text ")"] {"(" remark ")"} [<0.000012>]
//             3 | 0x7f9c4d335000 | -1 EBADF (Bad file descriptor) | ? | 0 (Timeout)
//             ? ERESTARTSYS (To be restarted if SA_RESTART is set)
//             1 ([{fd=5, revents=POLLIN}]) | 0x8002 (flags O_RDWR|O_LARGEFILE)
//   event   = --- SIGCHLD {si_signo=SIGCHLD, ...} ---
//           | --- stopped by SIGSTOP ---
//           | +++ exited with 0 +++
//           | +++ killed by SIGSEGV (core dumped) +++
//           | +++ superseded by execve in pid 1631 +++
//   note    = strace: Process 1631 attached    strace's own words, kept as they are; so are
//             stack frames of -k (" > ...") and data dumps of -e write=... (" | 00000 ...")
//   args    = [arg {"," arg}]                  arg = [name "="] value: clone(flags=...)
//   value   = see ValueKind in value.h, which shows each form
//
// A call that stands on several lines is one Call: the pieces are joined and then read, so they
// may be cut anywhere strace cuts, even inside a struct.
//
// Errors, not understood: the table of -c and -C; --secontext; -z of several processes, whose lines
// strace 6.1 writes without pid and name; the empty argument that it sometimes writes under -X raw.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tools/transcript/syntax/arena.h"
#include "tools/transcript/syntax/value.h"

namespace kpath::strace {

// How deep brackets may nest in a value; deeper is an error.
inline constexpr int kMaxNesting = 64;

enum class PidStyle : uint8_t { kNone, kColumn, kBracket };
enum class TimeStyle : uint8_t { kNone, kTimeOfDay, kSinceEpoch, kSinceLastLine };

// What stands in front of a call or event. Unprinted parts are empty or 0.
struct Leader {
  PidStyle pid_style = PidStyle::kNone;
  TimeStyle time_style = TimeStyle::kNone;
  uint32_t pid = 0;           // 0: none printed; strace -f without -o leaves it out while there
                              // is only one process
  absl::string_view command;  // -Y: what the process runs
  absl::string_view time;     // as spelled
  int64_t time_ns = 0;        // since midnight, the epoch or the last line
  absl::string_view since;    // -r -t: the `0.000012` of `(+     0.000012)`
  absl::string_view number;   // -n: of the system call
  absl::string_view address;  // -i: of the instruction
};

// What a call returned.
struct Result {
  bool known = false;               // false: `?`
  Value value;                      // kInteger if known
  absl::string_view error;          // "EBADF"; also behind `?`: "ERESTARTSYS"
  absl::string_view message;        // "Bad file descriptor"
  absl::Span<const Value> remarks;  // each a kCall without name: (Timeout)  (in [3])  (INJECTED)
  bool unavailable = false;         // ? <unavailable>
  absl::string_view duration;       // -T: "0.000012", as spelled
  int64_t duration_ns = 0;
};

// One system call, wherever its parts stand.
struct Call {
  uint32_t pid = 0;  // 0: no line of it names one
  absl::string_view name;
  absl::Span<const Value> args;  // those printed; the last is kOmitted if it was cut behind a comma
  bool args_unfinished = false;  // `<unfinished ...>) = ?`: the others were never printed
  bool returned = false;         // false: the transcript ends, or the process, before it returns;
                                 // true with !result.known: `= ?`
  Result result;                 // if returned
  Position begin;                // of its name
  Position end;                  // of the `=`; if it did not return, of its last piece
  uint32_t first_line = 0;       // index in Transcript::lines
  uint32_t last_line = 0;        // index of the line of its last piece, first_line if it has one
  absl::Span<const uint32_t> cuts;  // for the printer: how many tokens of args stand before each
                                    // piece but the first
};

enum class LineKind : uint8_t {
  kBlank,
  kComment,     // # ...
  kDirective,   // # kpath: ...
  kNote,        // strace: Process 1631 attached
  kCall,        // a whole call
  kUnfinished,  // the first piece of a call
  kResumed,     // a later piece of a call
  kSignal,      // --- SIGCHLD {...} ---
  kStopped,     // --- stopped by SIGSTOP ---
  kExited,      // +++ ... +++
};

// How a piece of a call begins.
enum class PieceBegin : uint8_t {
  kName,
  kResumed,       // <... read resumed>"abc"
  kResumedBlank,  // <... read resumed> "abc": older straces
  kContinued,     // directly, the line before ended in "attached"
};

// How a piece of a call ends.
enum class PieceEnd : uint8_t {
  kResult,
  kUnfinished,  // <unfinished ...>
  kDetached,    // <detached ...>: strace left the process alone from here on
  kAttached,    // strace: Process 1631 attached
};

enum class ExitKind : uint8_t { kExited, kKilled, kSuperseded };

// One blank-separated word of a directive.
struct Word {
  absl::string_view text;
  uint32_t column = 0;
};

// A signal or the end of a process.
struct Event {
  absl::string_view signal;        // "SIGCHLD"; empty if a process ended by itself
  const Value* siginfo = nullptr;  // kSignal: the struct, nullptr if none was printed

  // kExited.
  ExitKind exit = ExitKind::kExited;
  bool core_dumped = false;    // ExitKind::kKilled
  uint32_t exit_status = 0;    // ExitKind::kExited: 0 to 255
  uint32_t superseded_by = 0;  // ExitKind::kSuperseded: the thread whose execve took over this pid
};

struct Line {
  LineKind kind = LineKind::kBlank;
  uint32_t number = 0;             // from 1
  absl::string_view text;          // all of it, without the line's end
  const Leader* leader = nullptr;  // never nullptr in a Transcript
  const Event* event = nullptr;    // kSignal, kStopped, kExited; else nullptr
  absl::Span<const Word> words;    // kDirective: what stands behind "# kpath:"

  // kCall, kUnfinished, kResumed.
  PieceBegin begin = PieceBegin::kName;
  PieceEnd end = PieceEnd::kResult;
  uint8_t piece = 0;      // 0 for the first piece of the call, 1 for the second ...
  uint32_t call = 0;      // index in Transcript::calls
  uint32_t attached = 0;  // PieceEnd::kAttached: the process
};

// Owns everything that its lines, calls and values refer to. May be moved (they stay good), not
// copied.
struct Transcript {
  std::string file_name;
  std::vector<Line> lines;  // in the file's order, all of them
  std::vector<Call> calls;  // in the order in which they began
  Arena arena;              // texts and values
};

// Reads `text`, copying it. `file_name` is only for messages. An error is an InvalidArgumentError
// of one line, "FILE:LINE:COLUMN: what is wrong, what was expected": the first of the file.
absl::StatusOr<Transcript> ParseTranscript(absl::string_view file_name, absl::string_view text);

}  // namespace kpath::strace
