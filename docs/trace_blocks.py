#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fills the blocks of a page with lines of a run's trace, so that every figure in them is the run's.

usage: docs/trace_blocks.py [--check] [--kpath=PROGRAM] PAGE
  --check          writes nothing; exit status 1 if the page is not what the run says
  --kpath=PROGRAM  what to run in place of ./kpath

A page names its scenario once, `<!-- scenario: examples/x.strace -->`. Before each block stands
  <!-- trace: from "TEXT" to "TEXT" show "TEXT" "TEXT" -->
The block then has the lines of `kpath run --trace=steps` from the next one with the first TEXT to
the next one with the second; of those, the ones with one of the TEXTs behind `show`, or all. Blocks
follow each other in the run as they do in the page. `from start` begins again at the first line.
"""

import os
import re
import shlex
import subprocess
import sys
import textwrap

BLOCK = re.compile(r"(<!-- trace: (.*?) -->\n```text\n)(.*?)(```\n)", re.S)
SCENARIO = re.compile(r"<!-- scenario: (\S+) -->")


class PageError(Exception):
    """What is wrong with a page, in one line."""


def run(kpath, scenario):
    """The lines of the run's trace."""
    command = [kpath, "run", "--quiet", "--trace=steps", scenario]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PageError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout.splitlines()


def parse(directive):
    """The words of a directive: where from, where to, what to show."""
    words = shlex.split(directive)
    if len(words) < 4 or words[0] != "from" or words[2] != "to":
        raise PageError(f"expected `from TEXT to TEXT [show TEXT …]`: {directive}")
    if len(words) > 4 and words[4] != "show":
        raise PageError(f"expected `show` before {words[4]}: {directive}")
    return words[1], words[3], words[5:]


def find(lines, start, text, directive):
    """The place of the next line that has the text."""
    for i in range(start, len(lines)):
        if text in lines[i]:
            return i
    raise PageError(f"the run has no {text!r} behind line {start}: {directive}")


def layout(lines):
    """Without positions, and indented no more than need be."""
    times, texts = [], []
    for line in lines:
        time, rest = re.match(r"#\d+ +(\S+ us)  (.*)", line).groups()
        who, text = re.match(r"(\d+\) \S+ )(.*)", rest).groups()
        times.append(f"{time:>11}  {who}")
        texts.append(text)
    texts = textwrap.dedent("\n".join(texts)).splitlines()
    return "".join(f"{time}{text}".rstrip() + "\n" for time, text in zip(times, texts))


def fill(page, lines):
    """The page with its blocks made anew."""
    at = 0

    def block(match):
        nonlocal at
        begin, end, shown = parse(match[2])
        first = 0 if begin == "start" else find(lines, at, begin, match[2])
        last = find(lines, first, end, match[2])
        at = last
        chosen = [x for x in lines[first:last + 1] if not shown or any(s in x for s in shown)]
        missing = [s for s in shown if not any(s in x for x in chosen)]
        if missing:
            raise PageError(f"no line between has {missing[0]!r}: {match[2]}")
        return match[1] + layout(chosen) + match[4]

    return BLOCK.sub(block, page)


def main(arguments):
    """Returns the exit status."""
    kpath = "./kpath"
    check = False
    pages = []
    for argument in arguments:
        if argument == "--check":
            check = True
        elif argument.startswith("--kpath="):
            kpath = argument[len("--kpath="):]
        elif argument in ("-h", "--help"):
            print(__doc__, end="")
            return 0
        elif argument.startswith("-"):
            print(f"unknown option {argument}; see: docs/trace_blocks.py --help", file=sys.stderr)
            return 2
        else:
            pages.append(argument)
    if len(pages) != 1:
        print(__doc__, end="", file=sys.stderr)
        return 2
    with open(pages[0], encoding="utf-8") as file:
        before = file.read()
    try:
        scenario = SCENARIO.search(before)
        if scenario is None:
            raise PageError("expected a line `<!-- scenario: FILE -->`")
        after = fill(before, run(os.path.abspath(kpath), scenario[1]))
    except PageError as error:
        print(f"{pages[0]}: {error}", file=sys.stderr)
        return 1
    if check:
        if before != after:
            print(f"{pages[0]} is not what the run says; write it anew: docs/trace_blocks.py "
                  f"{pages[0]}", file=sys.stderr)
        return 0 if before == after else 1
    with open(pages[0], "w", encoding="utf-8") as file:
        file.write(after)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
