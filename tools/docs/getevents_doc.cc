// SPDX-License-Identifier: Apache-2.0
#include "tools/docs/getevents_doc.h"

#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "fs_aio/aio_test_program.h"

namespace kpath {
namespace {

// Functions and steps that the page is about.
const std::set<std::string>& Shown() {
  static const auto* const shown = new std::set<std::string>{"__x64_sys_io_getevents",
                                                             "__x64_sys_io_submit",
                                                             "lookup_ioctx",
                                                             "read_events",
                                                             "aio_read_events",
                                                             "aio_read_events_ring",
                                                             "copy_to_user",
                                                             "hrtimer_start_range_ns",
                                                             "prepare_to_wait_event",
                                                             "schedule",
                                                             "finish_wait",
                                                             "aio_fsync_work",
                                                             "aio_complete",
                                                             "refill_reqs_available",
                                                             "put_reqs_available",
                                                             "__wake_up",
                                                             "autoremove_wake_function",
                                                             "try_to_wake_up"};
  return *shown;
}

// Writes down what the program says and what the kernel does meanwhile, a line each, indented by
// depth.
class Page : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override {
    using Kind = ProbeEvent::Kind;
    if (event.kind == Kind::kFunctionEnter) Enter(event);
    if (event.kind == Kind::kFunctionExit) Leave(event);
    if (event.kind == Kind::kStep && event.function != nullptr && InShown(event.function->name)) {
      Line(event, Depth(), absl::StrCat("- ", event.step->label, Values(event, 0)));
    }
  }
  // Watches from here on; before, nothing is written.
  void Watch(bool on) { on_ = on; }
  void Say(const std::string& text) { absl::StrAppend(&text_, text, "\n"); }
  int system_calls() const { return system_calls_; }
  std::string Take() { return std::move(text_); }

 private:
  static bool InShown(const std::string& name) {
    return name == "aio_read_events_ring" || name == "aio_complete" ||
           name == "refill_reqs_available" || name == "put_reqs_available";
  }
  int& Depth() { return depth_[current->pid]; }
  static std::string Values(const ProbeEvent& event, size_t first) {
    std::string text;
    for (size_t i = first; i < event.values.size(); ++i) {
      absl::StrAppend(&text, text.empty() ? ": " : ", ", event.values[i].ToString());
    }
    return text;
  }
  void Enter(const ProbeEvent& event) {
    const std::string name = event.function->name;
    if (name == "do_syscall_64" && on_) ++system_calls_;
    if (Shown().count(name) != 0) Line(event, Depth()++, absl::StrCat(name, "()"));
  }
  void Leave(const ProbeEvent& event) {
    if (Shown().count(event.function->name) == 0) return;
    --Depth();
    if (event.values.empty() || event.function->name != std::string("read_events")) return;
    Line(event, Depth(), absl::StrCat("read_events returns", Values(event, 0)));
  }
  void Line(const ProbeEvent& event, int depth, const std::string& text) {
    if (!on_) return;
    absl::StrAppendFormat(&text_, "%9.2f us  %-10s  %*s%s\n",
                          static_cast<double>(event.time_ns - Start(event.time_ns)) / 1000, Who(),
                          2 * depth, "", text);
  }
  // Who executes: the program's first thread has the lowest pid.
  const char* Who() {
    if (in_interrupt()) return "interrupt";
    if ((current->flags & PF_KTHREAD) != 0) return "kworker";
    if (program_ == 0) program_ = current->pid;
    return current->pid == program_ ? "program" : "2nd thread";
  }
  int64_t Start(int64_t now) {
    if (start_ < 0) start_ = now;
    return start_;
  }

  bool on_ = false;
  int system_calls_ = 0;
  int64_t start_ = -1;
  int program_ = 0;
  std::map<int, int> depth_;
  std::string text_;
};

using Body = std::function<void(AioProgram& p, Page& page)>;

std::string Run(const Body& body) {
  Page page;
  System system;
  system.machine().AddListener(&page);
  system.Start("program", [&] {
    AioProgram p;
    EXPECT_EQ(p.Setup(8), 0);
    body(p, page);
    page.Watch(false);
  });
  EXPECT_EQ(system.Run(), "");
  return page.Take();
}

user::aio_ring Ring(AioProgram& p) { return user::Pointer<user::aio_ring>(p.ctx).Load(); }

void SayRing(AioProgram& p, Page& page, const std::string& when) {
  const user::aio_ring ring = Ring(p);
  page.Say(absl::StrFormat("%-42s head=%u tail=%u", when, ring.head, ring.tail));
}

std::vector<user::iocb> Reads(AioProgram& p, int count) {
  std::vector<user::iocb> list = p.Reads(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) list[static_cast<size_t>(i)].aio_data = 100 + i;
  return list;
}

void SayEvents(AioProgram& p, Page& page, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    page.Say(absl::StrCat("  data=", p.Event(i).data, " res=", p.Event(i).res));
  }
}

void RunHeader(AioProgram& p, Page& page) {
  const user::aio_ring ring = Ring(p);
  page.Say(absl::StrFormat("handle = address of the ring = %#x", p.ctx));
  page.Say(absl::StrFormat("id=%u nr=%u head=%u tail=%u magic=%#x", ring.id, ring.nr, ring.head,
                           ring.tail, ring.magic));
  page.Say(absl::StrFormat("compat_features=%u incompat_features=%u header_length=%u",
                           ring.compat_features, ring.incompat_features, ring.header_length));
}

void RunEmpty(AioProgram& p, Page& page) {
  page.Watch(true);
  const int64_t result = user::libaio_io_getevents(p.ctx, 1, 8, p.events, p.poll_once);
  page.Watch(false);
  page.Say(absl::StrCat("io_getevents of libaio, timeout zero: ", result,
                        ", system calls made: ", page.system_calls()));
}

void RunUserMode(AioProgram& p, Page& page) {
  p.Submit(Reads(p, 3));
  SayRing(p, page, "three reads of a memory file submitted:");
  page.Watch(true);
  const int64_t count = user::ReapRing(p.ctx, 8, p.events);
  page.Watch(false);
  page.Say(
      absl::StrCat("read in user mode: ", count, ", system calls made: ", page.system_calls()));
  SayEvents(p, page, count);
  SayRing(p, page, "the program has moved head:");
}

void RunSystemCall(AioProgram& p, Page& page) {
  p.Submit(Reads(p, 3));
  page.Watch(true);
  const int64_t count = user::io_getevents(p.ctx, 1, 8, p.events, {});
  page.Watch(false);
  page.Say(absl::StrCat("io_getevents: ", count));
  SayRing(p, page, "the kernel has moved head:");
}

void RunWait(AioProgram& p, Page& page) {
  user::iocb cb = user::FsyncIocb(p.fd);
  cb.aio_data = 100;
  p.Submit({cb});
  while (Ring(p).tail == 0) user::nanosleep(1000);  // the worker's first run is not the point
  p.Reap(1, 1);
  const auto timeout = p.arena.Put(user::timespec{0, 2'000'000});
  const int64_t waker = user::clone(CLONE_VM | CLONE_FILES, 0, 0, 0, user::Program([&p, &cb] {
                                      user::nanosleep(500'000);
                                      p.places.Store(cb);
                                      p.pointers.Store(p.places);
                                      user::io_submit(p.ctx, 1, p.pointers);
                                    }));
  page.Watch(true);
  const int64_t count = user::io_getevents(p.ctx, 1, 8, p.events, timeout);
  page.Watch(false);
  user::wait4(static_cast<int>(waker), 0, __WALL);
  page.Say(absl::StrCat("io_getevents: ", count));
}

void RunTimeout(AioProgram& p, Page& page) {
  const auto timeout = p.arena.Put(user::timespec{0, 2'000'000});
  page.Watch(true);
  const int64_t count = user::io_getevents(p.ctx, 1, 8, p.events, timeout);
  page.Watch(false);
  page.Say(absl::StrCat("io_getevents: ", count));
}

void RunForgedHead(AioProgram& p, Page& page) {
  const auto set_head = [&](uint32_t head) {
    user::Store<uint32_t>(p.ctx + offsetof(user::aio_ring, head), head);
  };
  p.Submit(Reads(p, 3));
  SayRing(p, page, "three events:");
  set_head(2 + 5 * Ring(p).nr);
  SayRing(p, page, "head forged, 2 + 5 * nr:");
  int64_t count = p.Reap(0, 8);
  page.Say(absl::StrCat("io_getevents: ", count));
  SayEvents(p, page, count);
  set_head(0);
  SayRing(p, page, "head forged, back to 0:");
  count = p.Reap(0, 8);
  page.Say(absl::StrCat("io_getevents: ", count, ", the same events once more"));
  SayEvents(p, page, count);
}

void RunForgedSlots(AioProgram& p, Page& page) {
  const int64_t taken = p.Submit(Reads(p, 200));
  page.Say(absl::StrCat("io_submit of 200 reads: ", taken));
  page.Say(
      absl::StrCat("io_submit of one more: ", Value::Result(p.Submit(Reads(p, 1))).ToString()));
  user::Store<uint32_t>(p.ctx + offsetof(user::aio_ring, head), Ring(p).tail);
  SayRing(p, page, "head forged, all is read:");
  page.Say(absl::StrCat("io_submit of one more: ", p.Submit(Reads(p, 1)), ", and ", taken,
                        " events are lost"));
}

}  // namespace

std::map<std::string, std::string> GeteventsRuns() {
  return {
      {"header", Run(RunHeader)},
      {"empty", Run(RunEmpty)},
      {"user-mode", Run(RunUserMode)},
      {"system-call", Run(RunSystemCall)},
      {"wait", Run(RunWait)},
      {"timeout", Run(RunTimeout)},
      {"forged-head", Run(RunForgedHead)},
      {"forged-slots", Run(RunForgedSlots)},
  };
}

std::string WithRuns(const std::string& page, const std::map<std::string, std::string>& runs,
                     std::string* unknown) {
  std::string result;
  std::string block;  // the name of the block that is being replaced
  bool inside = false;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(page, '\n'))) {
    if (inside && line != "```") continue;
    inside = false;
    absl::StrAppend(&result, line, "\n");
    constexpr absl::string_view kMark = "<!-- run: ";
    if (line.rfind(std::string(kMark), 0) == 0) {
      block = line.substr(kMark.size(), line.find(" -->") - kMark.size());
    } else if (line == "```text" && !block.empty()) {
      const auto run = runs.find(block);
      inside = run != runs.end();
      if (inside) result += run->second;
      if (!inside) *unknown = block;
      block.clear();
    }
  }
  result.pop_back();  // the newline behind the last part
  return result;
}

}  // namespace kpath
