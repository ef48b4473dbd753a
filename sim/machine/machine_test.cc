// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/machine.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

// A modelled function, for the probes' sake.
long add_one(long value) {
  FUNCTION(value);
  STEP("adding", value);
  return fn.Return(value + 1);
}

bool is_even(long value) { FUNCTION_RETURNS(value % 2 == 0, value); }

void halt_for_good() {
  while (true) current_context->cpu->Halt();
}

class Log : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override {
    std::string line = event.position.ToString();
    switch (event.kind) {
      case ProbeEvent::Kind::kFunctionEnter:
        absl::StrAppend(&line, " enter ", event.function->name, "(", event.function->arguments);
        break;
      case ProbeEvent::Kind::kFunctionExit:
        absl::StrAppend(&line, " exit ", event.function->name, "(");
        break;
      case ProbeEvent::Kind::kStep:
        absl::StrAppend(&line, " step ", event.step->label, "(", event.step->values);
        break;
      default:
        absl::StrAppend(&line, " other(");
    }
    for (const Value& value : event.values) absl::StrAppend(&line, " ", value.ToString());
    lines.push_back(line + ")");
  }
  std::vector<std::string> lines;
};

class LogOfFunctions : public Log {
 public:
  Grain finest_grain() const override { return Grain::kFunction; }
};

TEST(Machine, WithoutContextsNothingHappens) {
  Machine machine;
  EXPECT_EQ(machine.Run(), Machine::Outcome::kIdle);
  EXPECT_EQ(machine.now_ns(), 0);
}

TEST(Machine, ProbesTellNameArgumentsStepsAndResult) {
  Machine machine;
  Context context(machine, [] {
    add_one(41);
    halt_for_good();
  });
  machine.cpu(0).Start(context);
  Log log;
  machine.AddListener(&log);
  EXPECT_EQ(machine.Run(), Machine::Outcome::kIdle);
  EXPECT_EQ(log.lines,
            (std::vector<std::string>{"#1 enter add_one(value 41)", "#2 step adding(value 41)",
                                      "#3 exit add_one( 42)"}));
}

TEST(Machine, AFunctionThatOnlyReturnsHasItsTwoProbes) {
  Machine machine;
  Context context(machine, [] {
    is_even(1);
    is_even(2);
    halt_for_good();
  });
  machine.cpu(0).Start(context);
  // It stops at each of them, even between a function's two.
  EXPECT_EQ(machine.RunTo(Position(1)), Machine::Outcome::kPosition);
  EXPECT_EQ(machine.position(), Position(1));
  EXPECT_EQ(machine.RunTo(Position(2)), Machine::Outcome::kPosition);
  EXPECT_EQ(machine.position(), Position(2));
  LogOfFunctions log;
  machine.AddListener(&log);
  EXPECT_EQ(machine.Run(), Machine::Outcome::kIdle);
  EXPECT_EQ(log.lines,
            (std::vector<std::string>{"#3 enter is_even(value 2)", "#4 exit is_even( true)"}));
}

TEST(Machine, AFunctionThatOnlyReturnsIsCountedWithoutAListener) {
  Machine machine;
  Context context(machine, [] {
    for (int i = 0; i < 10; ++i) is_even(i);
    halt_for_good();
  });
  machine.cpu(0).Start(context);
  EXPECT_EQ(machine.Run(), Machine::Outcome::kIdle);
  EXPECT_EQ(machine.position(), Position(20));
}

TEST(Machine, AListenerHearsNothingFinerThanItAsksFor) {
  Machine machine;
  Context context(machine, [] {
    add_one(41);
    halt_for_good();
  });
  machine.cpu(0).Start(context);
  LogOfFunctions functions;
  Log all;
  machine.AddListener(&functions);
  machine.AddListener(&all);
  EXPECT_EQ(machine.Run(), Machine::Outcome::kIdle);
  EXPECT_EQ(functions.lines,
            (std::vector<std::string>{"#1 enter add_one(value 41)", "#3 exit add_one( 42)"}));
  EXPECT_EQ(all.lines.size(), 3u);
}

TEST(Machine, InstructionsAreCountedAtOnceOnlyWhereNobodyHearsThem) {
  Machine machine;
  std::vector<bool> at_once;
  LogOfFunctions functions;
  Log all;
  Context context(machine, [&] {
    at_once.push_back(machine.PassInstructions(10));
    machine.AddListener(&functions);
    at_once.push_back(machine.PassInstructions(10));
    machine.AddListener(&all);
    at_once.push_back(machine.PassInstructions(10));
    machine.RemoveListener(&all);
    machine.ScheduleEvent(machine.now_ns() + 5 * Machine::kNsPerProbe, [] {});
    at_once.push_back(machine.PassInstructions(4));
    at_once.push_back(machine.PassInstructions(4));
    machine.RemoveListener(&functions);
    at_once.push_back(machine.PassInstructions(4));
    halt_for_good();
  });
  machine.cpu(0).Start(context);
  machine.Run();
  EXPECT_EQ(at_once, (std::vector<bool>{true, true, false, true, false, false}));
  EXPECT_EQ(machine.position().probes_passed(), 24u);
}

TEST(Machine, ListeningDoesNotChangeTheRun) {
  const auto run = [](bool listen) {
    Machine machine(2);
    std::string order;
    const auto work = [&](char name) {
      return [&order, name] {
        for (int i = 0; i < 200; ++i) {
          add_one(i);
          order += name;
        }
        halt_for_good();
      };
    };
    Context a(machine, work('a')), b(machine, work('b'));
    machine.cpu(0).Start(a);
    machine.cpu(1).Start(b);
    Log log;
    if (listen) machine.AddListener(&log);
    EXPECT_EQ(machine.Run(), Machine::Outcome::kIdle);
    return absl::StrCat(order, machine.position().ToString(), " ", machine.now_ns());
  };
  EXPECT_EQ(run(false), run(true));
}

TEST(Machine, TwoCpusTakeTurns) {
  Machine machine(2);
  std::string order;
  const auto work = [&](char name) {
    return [&order, name] {
      for (int i = 0; i < 30; ++i) {
        add_one(i);
        order += name;
      }
      halt_for_good();
    };
  };
  Context a(machine, work('a')), b(machine, work('b'));
  machine.cpu(0).Start(a);
  machine.cpu(1).Start(b);
  machine.Run();
  EXPECT_NE(order.find("ab"), std::string::npos);
  EXPECT_NE(order.find("ba"), std::string::npos);
}

// Which CPU passed each probe of a run in which two of them pass 90 each.
std::string CpusOfProbes(int slice) {
  class LogOfCpus : public ProbeListener {
   public:
    void OnProbe(const ProbeEvent& event) override { absl::StrAppend(&cpus, event.cpu->id()); }
    std::string cpus;
  };
  Machine machine(2);
  machine.SetSlice(slice);
  const auto work = [] {
    for (int i = 0; i < 30; ++i) add_one(i);
    halt_for_good();
  };
  Context a(machine, work), b(machine, work);
  machine.cpu(0).Start(a);
  machine.cpu(1).Start(b);
  LogOfCpus log;
  machine.AddListener(&log);
  machine.Run();
  return log.cpus;
}

TEST(Machine, ACpuPassesASliceAtATime) {
  for (const int slice : {1, 2, 9, 45, 90}) {
    std::string turns;
    while (turns.size() < 180) turns += std::string(slice, '0') + std::string(slice, '1');
    EXPECT_EQ(CpusOfProbes(slice), turns) << "in slices of " << slice;
  }
}

TEST(MachineDeathTest, ASliceIsOneProbeAtLeast) {
  Machine machine;
  EXPECT_DEATH(machine.SetSlice(0), "a slice of 0 probes");
  EXPECT_DEATH(machine.SetSlice(Machine::kMaxSliceProbes + 1), "a slice of 1000001 probes");
}

TEST(Machine, TheSameChoicesGiveTheSameRun) {
  const auto run = [](std::unique_ptr<Chooser> chooser, ChoiceLog* choices) {
    Machine machine(3, std::move(chooser));
    std::string order;
    std::vector<std::unique_ptr<Context>> contexts;
    for (int i = 0; i < 3; ++i) {
      contexts.push_back(std::make_unique<Context>(machine, [&order, i] {
        for (int j = 0; j < 300; ++j) {
          add_one(j);
          absl::StrAppend(&order, i);
        }
        halt_for_good();
      }));
      machine.cpu(i).Start(*contexts.back());
    }
    machine.Run();
    *choices = machine.choices();
    return order;
  };
  ChoiceLog choices, ordinary, replayed;
  const std::string random = run(std::make_unique<SeededChooser>(1, 2), &choices);
  EXPECT_FALSE(choices.empty());
  EXPECT_NE(random, run(nullptr, &ordinary));
  EXPECT_TRUE(ordinary.empty());
  EXPECT_EQ(random, run(std::make_unique<ReplayChooser>(choices), &replayed));
  EXPECT_EQ(choices, replayed);
}

TEST(Machine, TimeAdvancesWithProbesAndJumpsToTheNextEventWhenIdle) {
  Machine machine;
  std::vector<int64_t> at;
  Context context(machine, [&] {
    for (int i = 0; i < 10; ++i) add_one(i);
    halt_for_good();
  });
  machine.cpu(0).Start(context);
  machine.ScheduleEvent(1'000'000, [&] { at.push_back(machine.now_ns()); });
  machine.ScheduleEvent(55, [&] { at.push_back(machine.now_ns()); });
  EXPECT_EQ(machine.Run(), Machine::Outcome::kIdle);
  // The sixth probe is the first at or after 55 ns.
  EXPECT_EQ(at, (std::vector<int64_t>{60, 1'000'000}));
}

TEST(Machine, EventsOfOneTimeKeepTheirOrderAndCanBeCancelled) {
  Machine machine;
  std::string order;
  machine.ScheduleEvent(10, [&] { order += "a"; });
  const uint64_t id = machine.ScheduleEvent(10, [&] { order += "b"; });
  machine.ScheduleEvent(10, [&] { order += "c"; });
  EXPECT_TRUE(machine.CancelEvent(id));
  EXPECT_FALSE(machine.CancelEvent(id));
  machine.Run();
  EXPECT_EQ(order, "ac");
}

TEST(Machine, RunsToAPositionAndOn) {
  Machine machine;
  Context context(machine, [&] {
    for (int i = 0; i < 10; ++i) add_one(i);
    halt_for_good();
  });
  machine.cpu(0).Start(context);
  EXPECT_EQ(machine.RunTo(Position(7)), Machine::Outcome::kPosition);
  EXPECT_EQ(machine.position(), Position(7));
  EXPECT_EQ(machine.Run(), Machine::Outcome::kIdle);
  EXPECT_EQ(machine.position(), Position(30));
}

long never_called(long value) {
  FUNCTION(value);
  STEP("never passed", value);
  return fn.Return(value);
}

TEST(ProbeList, KnowsWhatWasNeverPassed) {
  [[maybe_unused]] long (*volatile keep)(long) = never_called;
  const auto is_never_called = [](const FunctionInfo* function) {
    return function->name == std::string("never_called");
  };
  const auto& functions = ProbeList::Functions();
  EXPECT_EQ(std::count_if(functions.begin(), functions.end(), is_never_called), 1);
  const auto is_never_passed = [](const StepInfo* step) {
    return step->label == std::string("never passed");
  };
  const auto& steps = ProbeList::Steps();
  EXPECT_EQ(std::count_if(steps.begin(), steps.end(), is_never_passed), 1);
}

// Two CPUs that race, and an event that comes in the middle: what happened, in order.
std::vector<std::string> RunOfTwoCpus(const std::function<void(Machine&)>& run) {
  Machine machine(2, std::make_unique<SeededChooser>(7));
  std::vector<std::string> log;
  const auto body = [&log, &machine](const char* name) {
    for (int i = 0; i < 100; ++i) {
      add_one(i);
      log.push_back(absl::StrCat(machine.position().ToString(), " ", name));
    }
    halt_for_good();
  };
  Context one(machine, [&] { body("one"); });
  Context two(machine, [&] { body("two"); });
  machine.cpu(0).Start(one);
  machine.cpu(1).Start(two);
  machine.ScheduleEvent(
      1000, [&] { log.push_back(absl::StrCat(machine.position().ToString(), " event")); });
  run(machine);
  EXPECT_EQ(machine.Run(), Machine::Outcome::kIdle);
  return log;
}

TEST(Machine, StoppingNeverChangesTheRun) {
  const auto straight = RunOfTwoCpus([](Machine&) {});
  EXPECT_EQ(straight.size(), 201u);
  EXPECT_EQ(RunOfTwoCpus([](Machine& machine) {
              for (uint64_t stop = 1; stop < 400; ++stop) {
                EXPECT_EQ(machine.RunTo(Position(stop)), Machine::Outcome::kPosition);
                EXPECT_EQ(machine.position(), Position(stop));
              }
            }),
            straight);
  class StopAlways : public ProbeListener {
   public:
    explicit StopAlways(Machine& machine) : machine_(machine) {}
    void OnProbe(const ProbeEvent&) override { machine_.RequestStop(); }

   private:
    Machine& machine_;
  };
  EXPECT_EQ(RunOfTwoCpus([](Machine& machine) {
              StopAlways listener(machine);
              machine.AddListener(&listener);
              for (uint64_t stop = 1; stop < 400; ++stop) {
                EXPECT_EQ(machine.Run(), Machine::Outcome::kStopped);
                EXPECT_EQ(machine.position(), Position(stop));
              }
              machine.RemoveListener(&listener);
            }),
            straight);
}

// A machine that is destroyed while a context stands in the middle: its events do not come then.
TEST(Machine, WhatIsDueDoesNotHappenAtItsEnd) {
  bool happened = false;
  {
    Machine machine;
    auto context = std::make_unique<Context>(machine, [] {
      add_one(1);
      halt_for_good();
    });
    machine.cpu(0).Start(*context);
    EXPECT_EQ(machine.RunTo(Position(2)), Machine::Outcome::kPosition);
    machine.ScheduleEvent(machine.now_ns(), [&happened] { happened = true; });
    EnterMachine enter(machine);
    context.reset();
  }
  EXPECT_FALSE(happened);
}

// Says which function is the innermost one when it is destroyed.
struct Witness {
  std::string* innermost;
  ~Witness() { *innermost = current_function->info().name; }
};

TEST(Machine, WhoIsUnwoundLeavesItsFunctionsOneByOne) {
  for (const uint64_t stop : {1, 2, 3, 4, 5}) {
    std::string innermost;
    {
      Machine machine;
      Context context(machine, [&innermost] {
        FUNCTION();  // an operator()
        const Witness witness{&innermost};
        add_one(1);
        halt_for_good();
      });
      machine.cpu(0).Start(context);
      machine.RunTo(Position(stop));
      EXPECT_EQ(machine.position(), Position(std::min<uint64_t>(stop, 4))) << stop;
    }
    // At the first probe it is only about to be made.
    EXPECT_EQ(innermost, stop == 1 ? "" : "operator()") << stop;
    EXPECT_EQ(current_context, nullptr);
  }
}

TEST(Machine, PanicStopsEverything) {
  Machine machine;
  bool ran_on = false;
  Context context(machine, [&] {
    add_one(1);
    machine.Panic("BUG: something is wrong");
    ran_on = true;
  });
  machine.cpu(0).Start(context);
  EXPECT_EQ(machine.Run(), Machine::Outcome::kReport);
  EXPECT_EQ(machine.report(), "BUG: something is wrong");
  EXPECT_EQ(machine.Run(), Machine::Outcome::kReport);
  EXPECT_FALSE(ran_on);
}

TEST(KernelGlobal, EachMachineHasItsOwn) {
  static KernelGlobal<int> counter;
  Machine one, two;
  counter.Get(one) = 5;
  EXPECT_EQ(counter.Get(two), 0);
  EnterMachine enter(one);
  EXPECT_EQ(*counter, 5);
}

}  // namespace
}  // namespace kpath
