#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the list of departures in docs/fidelity.md from the comments that begin `Departs:`.

usage: docs/departures.py [--check]
  --check  writes nothing; exit status 1 if the list is not what the sources say
"""

import pathlib
import re
import sys

FOLDERS = ("entry", "fs_aio", "sim", "syscall_table")
BEGIN, END = "<!-- departures: made by docs/departures.py -->\n", "<!-- end of departures -->\n"


def paragraphs(text):
    """The comments of a C++ file, each paragraph as one line."""
    words = []
    for line in text.splitlines() + [""]:
        comment = re.match(r"\s*// ?(.*)", line) or re.match(r".*;\s*// (.*)", line)
        if comment and comment.group(1).strip():
            words += comment.group(1).split()
        elif words:
            yield " ".join(words)
            words = []


def departures(root):
    """(file, text) of each departure, in the order of files and lines."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".cc", ".h"):
                continue
            for paragraph in paragraphs(path.read_text(encoding="utf-8")):
                for text in paragraph.split("Departs: ")[1:]:
                    yield path.relative_to(root), text.strip()


def replace_list(page, lines):
    """`page` with `lines` between its two marks."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return before + BEGIN + "\n" + "".join(lines) + "\n" + END + after


def main(arguments):
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    root = pathlib.Path(__file__).resolve().parent.parent
    page_path = root / "docs" / "fidelity.md"
    page = page_path.read_text(encoding="utf-8")
    lines = ["- `{}`: {}\n".format(path, text) for path, text in departures(root)]
    wanted = replace_list(page, lines)
    if arguments:
        if page != wanted:
            print("docs/fidelity.md is not what the sources say; run docs/departures.py")
            return 1
        print("{} departures, all listed in docs/fidelity.md".format(len(lines)))
        return 0
    page_path.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
