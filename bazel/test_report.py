#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what failed in a run of `bazel test`, and the closing line `N passed, N failed`.

usage: test_report.py EVENTS STATUS
  EVENTS  what `bazel test --build_event_json_file=EVENTS` wrote
  STATUS  the exit status of that command

Counted are test cases, as the test.xml of each test target lists them. A target that did not build,
a test that ended badly although each of its cases passed, and a pattern that names nothing count
as one failure each. Skipped cases count neither way.

Exit status: 0 when nothing failed, 1 when something did, 5 when Bazel did not come to the tests.
"""

import collections
import json
import re
import sys
import urllib.parse
import xml.etree.ElementTree

LOG_LINES_SHOWN = 100

# Bazel's exit status: all passed, build failed, tests failed, no tests found. Any other means that
# it was called wrongly, interrupted or broken.
BAZEL_CAME_TO_THE_TESTS = (0, 1, 3, 4)

# What XML 1.0 has no place for. GoogleTest writes the bytes of a parameter as they are.
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# One failure: what failed, and the words to show below it.
Failure = collections.namedtuple("Failure", "what text")


class Report:
    """The outcome of one run."""

    def __init__(self):
        self.passed = 0
        self.skipped = 0
        self.skip_reasons = set()
        self.failures = []
        self.replays = []  # labels of the targets that failed

    def add_failure(self, what, text="", label=None):
        self.failures.append(Failure(what, text))
        if label and label not in self.replays:
            self.replays.append(label)


def read_events(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def local_path(uri):
    return urllib.parse.unquote(urllib.parse.urlparse(uri).path)


def end_of_log(path):
    """The last lines of a test.log, without the header that Bazel writes above a dashed line."""
    with open(path, encoding="utf-8", errors="replace") as log:
        lines = log.readlines()
    for number, line in enumerate(lines[:5]):
        if line.startswith("-" * 70):
            lines = lines[number + 1:]
            break
    return "".join(lines[-LOG_LINES_SHOWN:])


def case_failure(case):
    """The words of a failed case of test.xml, or None when it did not fail."""
    texts = [
        child.text or child.get("message") or ""
        for child in case
        if child.tag in ("failure", "error")
    ]
    return "\n".join(texts) if texts else None


def is_skipped(case):
    return case.find("skipped") is not None or case.get("status") == "notrun"


def skip_reason(case):
    """What a skipped case says: the last line of its message, behind where it stands. A set."""
    message = case.find("skipped").get("message") if case.find("skipped") is not None else None
    return {message.strip().splitlines()[-1]} if message and message.strip() else set()


def read_cases(path):
    """The cases of a test.xml. A byte that cannot stand in XML is shown as the sign for that."""
    with open(path, encoding="utf-8", errors="replace") as xml_file:
        text = NOT_XML.sub("\ufffd", xml_file.read())
    return xml.etree.ElementTree.fromstring(text).iter("testcase")


def add_cases(report, label, xml_path, log_path):
    """Counts the cases of one test.xml; returns how many failed."""
    failed = 0
    for case in read_cases(xml_path):
        text = case_failure(case)
        if text is not None:
            failed += 1
            is_gtest = case.find("failure") is not None
            name = "{}.{}".format(case.get("classname"), case.get("name")) if is_gtest else ""
            words = text if is_gtest else end_of_log(log_path) + text
            report.add_failure("FAILED {} {}".format(label, name).rstrip(), words, label)
        elif is_skipped(case):
            report.skipped += 1
            report.skip_reasons |= skip_reason(case)
        else:
            report.passed += 1
    return failed


def add_test_result(report, label, result):
    """Counts one run (or shard) of a test target."""
    outputs = {o["name"]: local_path(o["uri"]) for o in result.get("testActionOutput", ())}
    failed = 0
    if "test.xml" in outputs:
        failed = add_cases(report, label, outputs["test.xml"], outputs["test.log"])
    status = result.get("status", "NO_STATUS")
    if status != "PASSED" and failed == 0:
        log = end_of_log(outputs["test.log"]) if "test.log" in outputs else ""
        what = "FAILED {} ({}, though no single case failed)".format(label, status)
        report.add_failure(what, log, label)


def did_not_build(event):
    """True for the last word on a target that did not build."""
    return "aborted" in event or not event.get("completed", {}).get("success", False)


def last_per_label(events, kind):
    """{label: [event of that kind for each run and shard]}, the last attempt of each."""
    found = collections.defaultdict(dict)
    for event in events:
        if kind in event["id"]:
            key = event["id"][kind]
            found[key["label"]][(key.get("run", 0), key.get("shard", 0))] = event
    return {label: list(found[label].values()) for label in sorted(found)}


def make_report(events, bazel_status):
    report = Report()
    for label, results in last_per_label(events, "testResult").items():
        for event in results:
            add_test_result(report, label, event["testResult"])
    for label, completions in last_per_label(events, "targetCompleted").items():
        if did_not_build(completions[-1]):
            report.add_failure("DOES NOT BUILD " + label, label=label)
    for event in events:
        if "pattern" in event["id"] and "aborted" in event:
            pattern = " ".join(event["id"]["pattern"]["pattern"])
            report.add_failure("NOT FOUND " + pattern, event["aborted"].get("description", ""))
    if bazel_status != 0 and not report.failures:
        what = "NO TESTS FOUND" if bazel_status == 4 else "DOES NOT BUILD (see the errors above)"
        report.add_failure(what)
    return report


def print_report(report):
    for failure in report.failures:
        print(failure.what)
        for line in failure.text.strip().splitlines():
            print("    " + line)
    if report.replays:
        print("To run what failed once more: ./kpath test " + " ".join(report.replays))
    if report.skipped:
        print("{} skipped".format(report.skipped))
        for reason in sorted(report.skip_reasons):
            print("    " + reason)
    print("{} passed, {} failed".format(report.passed, len(report.failures)))


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    events_path, bazel_status = arguments[0], int(arguments[1])
    if bazel_status not in BAZEL_CAME_TO_THE_TESTS:
        print("kpath: Bazel did not come to the tests (its exit status is %d)" % bazel_status,
              file=sys.stderr)
        return 5
    report = make_report(read_events(events_path), bazel_status)
    print_report(report)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
