# SPDX-License-Identifier: Apache-2.0
"""What one round of a workload of workloads.cc executes, as valgrind's callgrind sees it."""

import collections
import os
import re
import subprocess
import sys
import tempfile

WORKLOADS = "tests/bench/workloads"
FEW, MANY = 100, 600


def _run(workload, times, out, *options):
    """Returns how many instructions the whole program executes."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, *options, WORKLOADS,
               workload, str(times)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         universal_newlines=True)
    collected = re.search(r"Collected : (\d+)", ran.stderr)
    if ran.returncode != 0 or collected is None:
        sys.exit("%s: status %d\n%s" % (" ".join(command), ran.returncode, ran.stderr))
    return int(collected.group(1))


def instructions(workload):
    """How many instructions one round executes."""
    few, many = (_run(workload, times, "/dev/null") for times in (FEW, MANY))
    return round((many - few) / (MANY - FEW))


def addresses():
    """Returns {function: its lowest address} of the program."""
    listing = subprocess.run(["nm", "--numeric-sort", WORKLOADS], stdout=subprocess.PIPE,
                             universal_newlines=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines() if not line.startswith(" ")]
    return {name: int(address, 16) for address, _, name in reversed(rows)}


class Functions:
    """A run's functions, by their names as the linker knows them."""

    def __init__(self, workload, times):
        self.instructions = collections.Counter()  # of each, without those of what it calls
        self._calls = collections.defaultdict(dict)  # {caller: {callee: where it is called first}}
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "callgrind.out")
            _run(workload, times, path, "--demangle=no", "--compress-strings=no",
                 "--compress-pos=no", "--dump-instr=yes")
            with open(path) as file:
                self._read(file)

    def _read(self, file):
        name, in_cold_part, callee = None, False, None
        of_call = False  # the next line tells what a call costs in all
        for line in file:
            if line.startswith("fn="):
                name, in_cold_part = self._name(line[3:])
            elif line.startswith("cfn="):
                callee, _ = self._name(line[4:])
            elif line.startswith("calls="):
                of_call = True
            elif line.startswith("0x"):
                words = line.split()
                if of_call:
                    place = (in_cold_part, int(words[0], 16))
                    first = self._calls[name].setdefault(callee, place)
                    self._calls[name][callee] = min(first, place)
                else:
                    self.instructions[name] += int(words[-1])
                of_call = False

    @staticmethod
    def _name(text):
        """Returns a function's name, and whether this is its part that is seldom executed."""
        name = re.sub(r"'\d+$", "", text.strip())  # foo'2 is the second level of a recursion
        return (name[:-len(".cold")], True) if name.endswith(".cold") else (name, False)

    def callees(self, name):
        """What a function calls, in the order in which the calls stand in its code."""
        places = self._calls[name]
        return sorted(places, key=lambda callee: places[callee])


def functions_of_a_round(workload):
    """Returns {function: the instructions of one round}, and the Functions of a run."""
    few, many = (Functions(workload, times) for times in (FEW, MANY))
    rounds = {name: (count - few.instructions[name]) / (MANY - FEW)
              for name, count in many.instructions.items()}
    return {name: count for name, count in rounds.items() if count >= 1}, many
