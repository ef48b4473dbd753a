#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fills the blocks of a page that are files with those files.

usage: docs/file_blocks.py [--check] PAGE FOLDER
  --check  writes nothing; exit status 1 if the page is not what the files say

A block is a file where the last line before it that is not empty ends in the file's name, in
backquotes, and a colon: "`BUILD`:". It has the file's text, from FOLDER, without a line that names
the licence. A file that is not there is an error, and so is one of FOLDER without a block.
"""

import os
import re
import sys

BLOCK = re.compile(r"(`([\w.]+)`:\n\n```\w*\n)(.*?)(```\n)", re.S)
LICENCE = re.compile(r"^(#|//) SPDX-License-Identifier: .*\n(#\n|//\n)?")


class PageError(Exception):
    """What is wrong with a page, in one line."""


def text_of(folder, name):
    """The file, as the page shows it."""
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return LICENCE.sub("", file.read())
    except OSError as error:
        raise PageError(f"{folder}/{name}: {error.strerror}") from error


def fill(page, folder):
    """The page with its blocks made anew."""
    shown = set()

    def block(match):
        shown.add(match[2])
        return match[1] + text_of(folder, match[2]) + match[4]

    filled = BLOCK.sub(block, page)
    missing = {name for name in os.listdir(folder) if not name.startswith("bazel-")} - shown
    if missing:
        raise PageError(f"no block has: {', '.join(sorted(missing))}")
    return filled


def main(arguments):
    check = "--check" in arguments
    rest = [x for x in arguments if x != "--check"]
    if len(rest) != 2 or rest[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    name, folder = rest
    with open(name, encoding="utf-8") as file:
        page = file.read()
    try:
        filled = fill(page, folder)
    except PageError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    if filled == page:
        return 0
    if check:
        print(f"{name} is not what {folder} has; docs/file_blocks.py {name} {folder} puts it right",
              file=sys.stderr)
        return 1
    with open(name, "w", encoding="utf-8") as file:
        file.write(filled)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
