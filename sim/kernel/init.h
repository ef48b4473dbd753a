// SPDX-License-Identifier: Apache-2.0
//
// Starts the services of sim/kernel in a machine. v4.19 init/main.c: start_kernel
//
//   Machine machine(2);
//   InitKernel(machine);       // called by Boot (entry/boot.h), which also installs the entry code
//
// REQUIRES: nothing has run in the machine yet. Called once, from outside of simulated code.
#pragma once

#include "sim/machine/machine.h"

namespace kpath {

void InitKernel(Machine& machine);

}  // namespace kpath
