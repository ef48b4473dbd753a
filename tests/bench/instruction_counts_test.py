#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the instructions of fixed workloads and compares with instruction_counts.txt.

usage: instruction_counts_test.py [--update]

A regression check that does not depend on the speed of the machine: valgrind's callgrind counts what
one round of each workload executes, which is what a run of many rounds has more than a run of few.
A count that differs from the stored one by more than 3 % fails, in either direction: what became
faster is stored, too, so that it is not lost again unseen. --update stores the counts of now.
"""

import os
import sys

import callgrind

STORED = "tests/bench/instruction_counts.txt"
TOLERANCE = 0.03

HEADER = """\
# SPDX-License-Identifier: Apache-2.0
# Instructions of one round of each workload of workloads.cc, counted by callgrind; of the optimised
# build with g++. Written by: bazel-4 run //tests/bench:instruction_counts_test -- --update
"""


def read_stored():
    with open(STORED) as file:
        rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {name: int(number) for name, number in rows}


def compare(stored):
    """Prints each count beside the stored one. Returns how many are too different."""
    wrong = 0
    for workload, before in stored.items():
        now = callgrind.instructions(workload)
        change = now / before - 1
        too_much = abs(change) > TOLERANCE
        print("%-20s %8d instructions, stored %8d: %+.1f %%%s" %
              (workload, now, before, 100 * change, "  TOO DIFFERENT" if too_much else ""))
        wrong += too_much
    if wrong:
        print("what is stored is written anew by: "
              "bazel-4 run //tests/bench:instruction_counts_test -- --update")
    return wrong


def update(stored):
    text = HEADER + "".join("%-20s %8d\n" % (name, callgrind.instructions(name)) for name in stored)
    with open(os.path.join(os.environ["BUILD_WORKSPACE_DIRECTORY"], STORED), "w") as file:
        file.write(text)
    print(text, end="")


def main():
    if sys.argv[1:] == ["--update"]:
        update(read_stored())
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        sys.exit(1 if compare(read_stored()) else 0)


main()
