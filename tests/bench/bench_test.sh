#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs one row of the benchmark, and none. Figures are not looked at: they are the computer's.

bench() { tests/bench/bench --benchmark_repetitions=1 --benchmark_min_time=0.001 "$@" 2>err; }
fail() { echo "FAILED: $*" && exit 1; }

table=$(bench --benchmark_filter='^getpid') || fail "status $? for a row"
[[ $table =~ kpath:host.*$'\n'getpid\ +[0-9]+\ ns\ +[0-9]+\ ns ]] || fail "no row: $table"

for expression in no-such-row '('; do
  bench --benchmark_filter="$expression"
  status=$?
  ((status == 2)) || fail "status $status for $expression"
  (($(wc -l <err) == 1)) || fail "not one line: $(<err)"
done
