// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/look.h"

#include <functional>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "inspect/info/aio.h"
#include "inspect/info/backtrace.h"
#include "inspect/info/block.h"
#include "inspect/info/dispatch.h"
#include "inspect/info/examine.h"
#include "inspect/info/files.h"
#include "inspect/info/list.h"
#include "inspect/info/memory.h"
#include "inspect/info/registers.h"
#include "inspect/info/tasks.h"
#include "inspect/print.h"
#include "sim/process/process.h"
#include "tools/debugger/fields.h"
#include "tools/debugger/where.h"

namespace kpath::debugger {
namespace {

using Text = absl::StatusOr<std::string>;

struct Looking {
  Target& target;
  const LookRequest& request;
  View view;
  Scope scope;

  // Word `i`; empty if there are not so many.
  std::string Word(size_t i) const {
    return i < request.words.size() ? request.words[i] : std::string();
  }
};

absl::StatusOr<absl::optional<int>> ParsePid(const std::string& word) {
  if (word.empty()) return absl::optional<int>();
  int pid;
  if (!absl::SimpleAtoi(word, &pid)) {
    return absl::InvalidArgumentError(absl::StrCat("expected a pid, not '", word, "'"));
  }
  return absl::optional<int>(pid);
}

absl::StatusOr<Datum> Compute(const Looking& looking, const std::string& text) {
  if (text.empty()) return absl::InvalidArgumentError("expected an expression");
  const absl::StatusOr<Expression> expression = ParseExpression(text);
  if (!expression.ok()) return expression.status();
  return Evaluate(*expression, looking.scope);
}

// ---- print, x ----

Text LookPrint(const Looking& looking) {
  const std::string format = looking.Word(1);
  PrintOptions options;
  options.pretty = looking.request.pretty;
  options.width = looking.request.width;
  if (!format.empty()) options.format = format.back();
  if (!IsPrintFormat(options.format) || format.size() > 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("print has no format '", format, "'; there are /x /o /t /d /u /c /a /s"));
  }
  const absl::StatusOr<Datum> value = Compute(looking, looking.Word(2));
  if (!value.ok()) return value.status();
  return Print(LookOf(looking.scope), *value, options);
}

absl::StatusOr<uint64_t> AddressIn(const Looking& looking, const Datum& value) {
  if (value.is_pointer()) return AddressOf(LookOf(looking.scope), value);
  if (value.is_number()) return value.bits;
  if (value.address != 0) return value.address;
  return absl::InvalidArgumentError("expected an address");
}

Text LookExamine(const Looking& looking) {
  // x/10i entry_SYSCALL_64
  if (const absl::optional<uint64_t> symbol = FindSymbol(looking.Word(2))) {
    return Examine(looking.view, looking.Word(1), *symbol);
  }
  const absl::StatusOr<Datum> value = Compute(looking, looking.Word(2));
  if (!value.ok()) return value.status();
  const absl::StatusOr<uint64_t> address = AddressIn(looking, *value);
  if (!address.ok()) return address.status();
  return Examine(looking.view, looking.Word(1), *address);
}

// What an expression amounts to, as one that means the same elsewhere: for $1 and watchpoints.
Text LookConstant(const Looking& looking) {
  const absl::StatusOr<Datum> value = Compute(looking, looking.Word(1));
  if (!value.ok()) return value.status();
  return ConstantOf(looking.scope, *value);
}

Text LookLocation(const Looking& looking) {
  const absl::StatusOr<Datum> value = Compute(looking, looking.Word(1));
  if (!value.ok()) return value.status();
  return LocationOf(*value);
}

Text LookType(const Looking& looking) {
  const absl::StatusOr<Datum> value = Compute(looking, looking.Word(1));
  if (!value.ok()) return value.status();
  return absl::StrCat("type = ", TypeName(*value));
}

// The selected task, and where it is.
Text LookTask(const Looking& looking) {
  const task_struct& task = TaskOf(looking.view);
  const absl::StatusOr<std::string> frame = FrameLine(looking.view, 0);
  return absl::StrCat("[task ", task.pid, ", ", StateName(task), "]\n", frame.ok() ? *frame : "");
}

// ---- info ----

Text InfoOneFile(const Looking& looking) {
  const absl::StatusOr<absl::optional<int>> pid = ParsePid(looking.Word(2));
  if (!pid.ok()) return pid.status();
  return InfoFiles(looking.view, *pid);
}

Text InfoOneRing(const Looking& looking) {
  if (looking.Word(2).empty()) return InfoRing(looking.view);
  const absl::StatusOr<Datum> value = Compute(looking, looking.Word(2));
  if (!value.ok()) return value.status();
  const absl::StatusOr<uint64_t> address = AddressIn(looking, *value);
  if (!address.ok()) return address.status();
  return InfoRing(looking.view, *address);
}

Text InfoTheRegisters(const Looking& looking) {
  const auto& words = looking.request.words;
  return InfoRegisters(looking.view, {words.begin() + 2, words.end()});
}

using Topic = std::function<Text(const Looking&)>;

const std::map<std::string, Topic>& Topics() {
  static const auto* topics = new std::map<std::string, Topic>{
      {"cpus", [](const Looking& looking) { return InfoCpus(looking.view); }},
      {"files", InfoOneFile},
      {"idt", [](const Looking& looking) { return InfoIdt(looking.view); }},
      {"kioctx", [](const Looking& looking) { return InfoKioctx(looking.view); }},
      {"locks", [](const Looking& looking) { return InfoLocks(looking.view); }},
      {"memory", [](const Looking& looking) { return InfoMemory(looking.view); }},
      {"plug", [](const Looking& looking) { return InfoPlug(looking.view); }},
      {"registers", InfoTheRegisters},
      {"requests", [](const Looking& looking) { return InfoRequests(looking.view); }},
      {"ring", InfoOneRing},
      {"syscalls",
       [](const Looking& looking) { return InfoSyscalls(looking.view, looking.Word(2)); }},
      {"tasks", [](const Looking& looking) { return InfoTasks(looking.view); }},
  };
  return *topics;
}

Text LookInfo(const Looking& looking) {
  const auto topic = Topics().find(looking.Word(1));
  if (topic != Topics().end()) return topic->second(looking);
  return absl::InvalidArgumentError(absl::StrCat(
      "info has no topic '", looking.Word(1), "'; there are bookmarks breakpoints display ",
      absl::StrJoin(Topics(), " ",
                    [](std::string* text, const auto& one) { text->append(one.first); })));
}

const std::map<std::string, Topic>& Verbs() {
  static const auto* verbs = new std::map<std::string, Topic>{
      {"bind", [](const Looking& looking) { return Bind(looking.scope, looking.Word(1)); }},
      {"bt", [](const Looking& looking) { return Backtrace(looking.view); }},
      {"call", [](const Looking& looking) { return RecordedCall(looking.target); }},
      {"changes", [](const Looking& looking) { return FieldsInSight(looking.scope); }},
      {"constant", LookConstant},
      {"frame", [](const Looking& looking) { return FrameLine(looking.view, looking.view.frame); }},
      {"info", LookInfo},
      {"list", [](const Looking& looking) { return List(looking.view, looking.request.sources); }},
      {"location", LookLocation},
      {"members", [](const Looking& looking) { return MembersOf(looking.scope, looking.Word(1)); }},
      {"print", LookPrint},
      {"task", LookTask},
      {"where", [](const Looking& looking) { return Where(looking.target); }},
      {"whatis", LookType},
      {"x", LookExamine},
  };
  return *verbs;
}

// The task that was asked for; null: there is none of this pid.
const Context* SelectedTask(Target& target, int pid) {
  if (pid == 0) return target.watcher().last().context;
  return FindTask(target.machine(), pid);
}

}  // namespace

Text Look(Target& target, const LookRequest& request) {
  const EnterMachine enter(target.machine());
  const Context* context = SelectedTask(target, request.pid);
  if (context == nullptr && request.pid != 0) {
    return absl::NotFoundError(absl::StrCat("there is no task ", request.pid));
  }
  const CallStacks* stacks = &target.watcher().stacks();
  Looking looking = {.target = target,
                     .request = request,
                     .view = {.machine = target.machine(),
                              .context = context,
                              .stacks = stacks,
                              .frame = request.frame,
                              .width = request.width},
                     .scope = {.machine = target.machine(),
                               .context = context,
                               .stacks = stacks,
                               .frame = request.frame}};
  const auto verb = Verbs().find(looking.Word(0));
  if (verb == Verbs().end()) {
    return absl::InvalidArgumentError(absl::StrCat("cannot look at '", looking.Word(0), "'"));
  }
  return verb->second(looking);
}

Here WhereIs(Target& target, const LookRequest& request) {
  Here here;
  const Context* context = SelectedTask(target, request.pid);
  if (context == nullptr) return here;
  here.pid = context->id();
  const LastProbe& last = target.watcher().last();
  here.at_entry = request.frame == 0 && last.context == context &&
                  last.kind == ProbeEvent::Kind::kFunctionEnter;
  const std::vector<const Frame*> frames = target.watcher().stacks().Of(context);
  here.depth = static_cast<int>(frames.size()) - request.frame;
  if (here.depth < 1 || frames[request.frame]->function == nullptr) return here;
  const Frame& frame = *frames[request.frame];
  here.file = frame.step != nullptr ? frame.step->file : frame.function->file;
  here.line = frame.step != nullptr ? frame.step->line : frame.function->line;
  return here;
}

}  // namespace kpath::debugger
