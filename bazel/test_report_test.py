#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of test_report.py on small runs written here."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # leaves no file beside the sources
import test_report

LOG = "header\n" + "-" * 77 + "\nthe last words\n"

GTEST_XML = """<testsuites><testsuite name="Ring">
  <testcase name="Fits" status="run" classname="RingTest" />
  <testcase name="Overflows" status="run" classname="RingTest">
    <failure message="m">ring_test.cc:7
Expected 1 &lt; 2</failure>
  </testcase>
  <testcase name="Later" status="notrun" classname="RingTest" />
  <testcase name="Elsewhere" status="run" classname="RingTest">
    <skipped message="ring_test.cc:9&#x0A;no ring here" />
  </testcase>
</testsuite></testsuites>"""

GOOD_XML = '<testsuites><testsuite><testcase name="a"/><testcase name="b"/></testsuite></testsuites>'

# What Bazel writes for a test that left no test.xml of its own.
CRASH_XML = """<testsuites><testsuite><testcase name="t/crash_test" status="run">
  <error message="exited with error code 134"></error></testcase></testsuite></testsuites>"""


class TestReportTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def result(self, label, xml, status, attempt=1):
        """The event of one test run, and its files."""
        stem = os.path.join(self.folder.name, label.strip("/").replace("/", "_") + str(attempt))
        outputs = []
        for name, text in (("test.xml", xml), ("test.log", LOG)):
            if text:
                with open(stem + name, "w", encoding="utf-8", errors="surrogateescape") as file:
                    file.write(text)
                outputs.append({"name": name, "uri": "file://" + stem + name})
        return {
            "id": {"testResult": {"label": label, "run": 1, "shard": 1, "attempt": attempt}},
            "testResult": {"testActionOutput": outputs, "status": status},
        }

    def failures(self, report):
        return [failure.what for failure in report.failures]

    def test_counts_cases_of_all_targets(self):
        events = [
            self.result("//a:ring_test", GTEST_XML, "FAILED"),
            self.result("//a:good_test", GOOD_XML, "PASSED"),
        ]
        report = test_report.make_report(events, 3)
        self.assertEqual(report.passed, 3)
        self.assertEqual(report.skipped, 2)
        self.assertEqual(report.skip_reasons, {"no ring here"})
        self.assertEqual(self.failures(report), ["FAILED //a:ring_test RingTest.Overflows"])
        self.assertEqual(report.failures[0].text, "ring_test.cc:7\nExpected 1 < 2")
        self.assertEqual(report.replays, ["//a:ring_test"])

    def test_bytes_that_are_no_xml_are_shown_as_such(self):
        xml = GTEST_XML.replace("Expected 1", "Expected \x01 and \udcff")
        event = self.result("//a:ring_test", xml, "FAILED")
        report = test_report.make_report([event], 3)
        self.assertEqual(report.failures[0].text, "ring_test.cc:7\nExpected \ufffd and \ufffd < 2")

    def test_crash_shows_the_end_of_the_log(self):
        report = test_report.make_report([self.result("//a:b", CRASH_XML, "FAILED")], 3)
        self.assertEqual(self.failures(report), ["FAILED //a:b"])
        self.assertEqual(report.failures[0].text, "the last words\nexited with error code 134")

    def test_bad_end_after_good_cases_is_a_failure(self):
        report = test_report.make_report([self.result("//a:b", GOOD_XML, "FAILED")], 3)
        self.assertEqual(report.passed, 2)
        self.assertEqual(self.failures(report),
                         ["FAILED //a:b (FAILED, though no single case failed)"])

    def test_run_without_any_file_is_a_failure(self):
        event = self.result("//a:b", "", "REMOTE_FAILURE")
        event["testResult"]["testActionOutput"] = []
        self.assertEqual(len(test_report.make_report([event], 3).failures), 1)

    def test_only_the_last_attempt_counts(self):
        events = [
            self.result("//a:b", CRASH_XML, "FAILED", attempt=1),
            self.result("//a:b", GOOD_XML, "PASSED", attempt=2),
        ]
        report = test_report.make_report(events, 0)
        self.assertEqual((report.passed, len(report.failures)), (2, 0))

    def test_targets_that_do_not_build_are_failures(self):
        events = [
            {"id": {"targetCompleted": {"label": "//a:good"}}, "completed": {"success": True}},
            {"id": {"targetCompleted": {"label": "//a:bad"}}, "completed": {"failureDetail": {}}},
            {"id": {"targetCompleted": {"label": "//a:lost"}}, "aborted": {}},
        ]
        self.assertEqual(self.failures(test_report.make_report(events, 1)),
                         ["DOES NOT BUILD //a:bad", "DOES NOT BUILD //a:lost"])

    def test_pattern_that_names_nothing_is_a_failure(self):
        events = [{"id": {"pattern": {"pattern": ["//no:such"]}}, "aborted": {"description": "d"}}]
        self.assertEqual(self.failures(test_report.make_report(events, 1)), ["NOT FOUND //no:such"])

    def test_bad_status_without_any_event_is_a_failure(self):
        self.assertEqual(len(test_report.make_report([], 1).failures), 1)
        self.assertEqual(len(test_report.make_report([], 4).failures), 1)
        self.assertEqual(len(test_report.make_report([], 0).failures), 0)

    def test_exit_status(self):
        events = os.path.join(self.folder.name, "events")
        with open(events, "w", encoding="utf-8"):
            pass
        self.assertEqual(test_report.main([events, "0"]), 0)
        self.assertEqual(test_report.main([events, "1"]), 1)
        self.assertEqual(test_report.main([events, "8"]), 5)


if __name__ == "__main__":
    unittest.main()
