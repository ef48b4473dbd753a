// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/probe_list.h"

namespace kpath {
namespace {

// Made on first use: it is filled while static objects are made, in an order that nobody knows.
std::vector<const FunctionInfo*>& AllFunctions() {
  static auto* functions = new std::vector<const FunctionInfo*>;
  return *functions;
}

std::vector<const StepInfo*>& AllSteps() {
  static auto* steps = new std::vector<const StepInfo*>;
  return *steps;
}

}  // namespace

const std::vector<const FunctionInfo*>& ProbeList::Functions() { return AllFunctions(); }
const std::vector<const StepInfo*>& ProbeList::Steps() { return AllSteps(); }

bool ProbeList::Add(const FunctionInfo& function) {
  AllFunctions().push_back(&function);
  return true;
}

bool ProbeList::Add(const StepInfo& step) {
  AllSteps().push_back(&step);
  return true;
}

}  // namespace kpath
