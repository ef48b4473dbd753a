#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sees that what the workloads execute stands close together in programs.

usage: link_order_test.py [--update]

bazel/link_order.txt tells the linker to put the functions that a round of the workloads executes one
behind the other, in the order in which they call each other. The test fails if less than 98 % of
the instructions of kpath's own that a workload executes are in functions that are listed there, or
if more than 5 % of these stand before the one that is listed before them. (Cold functions have a
place of their own.) --update lists the functions of now.
"""

import os
import sys

import callgrind

STORED = "bazel/link_order.txt"
AT_LEAST = 0.98
IN_ORDER = 0.95
NAMES = ["cached-read", "cached-read-recorded", "cached-reads-32", "full-circle-32", "getpid",
         "cached-read-4-cpus"]

HEADER = """\
# SPDX-License-Identifier: Apache-2.0
# The functions that the workloads of tests/bench/workloads.cc execute, in the order of their calls.
# Written by: bazel-4 run //tests/bench:link_order_test -- --update
"""


def kpath_functions(workload):
    """As callgrind.functions_of_a_round, without libraries."""
    counts, functions = callgrind.functions_of_a_round(workload)
    return {name: count for name, count in counts.items() if "kpath" in name}, functions


def in_order_of_calls(counts, functions):
    """The functions, each before those that it calls; those that cost most first."""
    ordered = {}

    def visit(name):
        if name not in counts or name in ordered:
            return
        ordered[name] = True
        for callee in functions.callees(name):
            visit(callee)

    called = {callee for name in counts for callee in functions.callees(name) if callee != name}
    for name in sorted(counts, key=lambda name: (name in called, -counts[name], name)):
        visit(name)
    return ordered


def update():
    listed = {}
    for workload in NAMES:
        listed.update(in_order_of_calls(*kpath_functions(workload)))
    with open(os.path.join(os.environ["BUILD_WORKSPACE_DIRECTORY"], STORED), "w") as file:
        file.write(HEADER)
        file.writelines(".text.%s\n" % name for name in listed)
    print("%s: %d functions" % (STORED, len(listed)))


def read_stored():
    with open(STORED) as file:
        return [line.strip()[len(".text."):] for line in file if not line.startswith("#")]


def too_few(listed):
    """Prints the share of each workload. Returns how many are too small."""
    wrong = 0
    for workload in NAMES:
        counts, _ = kpath_functions(workload)
        share = sum(counts[name] for name in counts if name in listed) / sum(counts.values())
        print("%-20s %5.1f %% in functions listed%s" %
              (workload, 100 * share, "" if share >= AT_LEAST else "  TOO FEW"))
        wrong += share < AT_LEAST
    if wrong:
        print("they are listed anew by: bazel-4 run //tests/bench:link_order_test -- --update")
    return wrong


def out_of_order(listed):
    """Prints how many stand behind the one listed before them. Returns 1 if these are too few."""
    addresses = callgrind.addresses()
    there = [addresses[name] for name in listed if name in addresses]
    behind = sum(before < after for before, after in zip(there, there[1:]))
    wrong = behind < IN_ORDER * (len(listed) - 1)
    print("%d of %d functions stand where %s tells%s" %
          (behind, len(listed), STORED, ": TOO FEW; does the linker read it?" if wrong else ""))
    return wrong


def main():
    if sys.argv[1:] == ["--update"]:
        update()
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        listed = read_stored()
        sys.exit(1 if too_few(set(listed)) + out_of_order(listed) else 0)


main()
