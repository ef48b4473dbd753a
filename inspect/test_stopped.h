// SPDX-License-Identifier: Apache-2.0
//
// What the tests of this folder share: a machine with a program that does native AIO, stopped where
// a test says.
//
//   Stopped stopped([](AioProgram& p) { p.Setup(8); p.Submit(p.Reads(3)); });
//   ASSERT_TRUE(stopped.RunTo("io_submit_one"));
//   EXPECT_EQ(stopped.Show("ctx->id"), "0");
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "entry/boot.h"
#include "fs_aio/aio_test_program.h"
#include "inspect/call_stacks.h"
#include "inspect/expression.h"
#include "inspect/print.h"

namespace kpath {

class Stopped : private ProbeListener {
 public:
  explicit Stopped(std::function<void(AioProgram&)> body, const SystemOptions& options = {})
      : system(options), body_(std::move(body)) {
    system.machine().AddListener(&stacks);
    system.machine().AddListener(this);
    system.Start("prog", [this] {
      AioProgram program;
      body_(program);
    });
  }
  ~Stopped() override { system.machine().RemoveListener(this); }

  // Runs to where the function is entered, the `nth` time from here on. False: it is not.
  bool RunTo(const std::string& function, int nth = 1) {
    return RunToProbe(ProbeEvent::Kind::kFunctionEnter, function, nth);
  }
  bool RunToStep(const std::string& label) { return RunToProbe(ProbeEvent::Kind::kStep, label, 1); }

  Scope scope() { return {system.machine(), context, &stacks, frame, &variables}; }

  // The value of an expression as it is printed, or "error: why".
  std::string Show(const std::string& text, const PrintOptions& options = {}) {
    const auto value = Get(text);
    if (!value.ok()) return absl::StrCat("error: ", value.status().message());
    return Print(LookOf(scope()), *value, options);
  }
  absl::StatusOr<Datum> Get(const std::string& text) {
    const auto expression = ParseExpression(text);
    if (!expression.ok()) return expression.status();
    return Evaluate(*expression, scope());
  }

  System system;
  CallStacks stacks;
  const Context* context = nullptr;
  int frame = 0;
  std::map<std::string, Datum> variables;

 private:
  bool RunToProbe(ProbeEvent::Kind kind, const std::string& name, int nth) {
    kind_ = kind;
    name_ = name;
    left_ = nth;
    return system.machine().Run() == Machine::Outcome::kStopped;
  }
  void OnProbe(const ProbeEvent& event) override {
    if (event.kind != kind_ || left_ == 0) return;
    const char* name = kind_ == ProbeEvent::Kind::kStep ? event.step->label : event.function->name;
    if (name_ != name || --left_ > 0) return;
    context = current_context;
    system.machine().RequestStop();
  }

  const std::function<void(AioProgram&)> body_;
  ProbeEvent::Kind kind_ = ProbeEvent::Kind::kNote;
  std::string name_;
  int left_ = 0;
};

}  // namespace kpath
