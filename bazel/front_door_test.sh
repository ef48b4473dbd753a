#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Tests ./kpath with a Bazel, a dpkg and an apt-get of its own: each writes down how it was called.

set -u
readonly world=$TEST_TMPDIR
readonly calls=$world/calls
readonly project=$world/project
door=$project/kpath
failures=0

# --- The world: a project, and the commands that ./kpath calls -----------------------------------

make_project() {
  mkdir -p "$project/bazel" "$project/sim" "$world/bin"
  cp -L kpath "$project/"
  cp -L bazel/packages.sh bazel/test_report.py "$project/bazel/"
  touch "$project"/{WORKSPACE,BUILD,.bazelrc,sim/a.cc}
  touch "$world/installed"
}

make_command() {
  cat >"$world/bin/$1"
  chmod +x "$world/bin/$1"
}

make_commands() {
  # All packages are installed but those that the file `missing` names.
  make_command dpkg-query <<'EOF'
#!/bin/bash
for package in "${@:3}"; do
  grep -qx "$package" "$WORLD/missing" 2>/dev/null || echo "$package installed"
done
EOF
  # Installs, unless the file `network_down` exists.
  make_command apt-get <<'EOF'
#!/bin/bash
echo "apt-get $*" >>"$WORLD/calls"
if [[ -e $WORLD/network_down ]]; then echo "Temporary failure resolving"; exit 100; fi
rm -f "$WORLD/missing"
EOF
  make_command sudo <<'EOF'
#!/bin/bash
exec "$@"
EOF
  # Builds a program that shows its arguments; fails to, when the source says `error`.
  make_command bazel-4 <<'EOF'
#!/bin/bash
echo "bazel $1 ${*: -1}" >>"$WORLD/calls"
if grep -q error sim/a.cc; then echo "a.cc:1: error"; exit 1; fi
for option in "$@"; do
  case $option in
    --symlink_prefix=/*/*)
      folder=${option#*=}bin/tools/kpath
      mkdir -p "$folder"
      printf '#!/bin/bash\necho "in $PWD:" "$@"; exit 3\n' >"$folder/kpath"
      chmod +x "$folder/kpath"
      ;;
    --build_event_json_file=*) cp "$WORLD/events" "${option#*=}" ;;
  esac
done
exit "$(cat "$WORLD/bazel_status" 2>/dev/null || echo 0)"
EOF
}

# --- Checks --------------------------------------------------------------------------------------

# kpath ARGUMENT...: calls it; sets out, err and status.
kpath() {
  : >"$calls"
  out=$(WORLD=$world PATH=$world/bin:$PATH XDG_CACHE_HOME=$world/cache "$door" "$@" \
    2>"$world/err")
  status=$?
  err=$(<"$world/err")
}

# expect NAME ACTUAL PATTERN
expect() {
  # shellcheck disable=SC2053 # a pattern is wanted
  [[ $2 == $3 ]] && return
  echo "line ${BASH_LINENO[0]}: $1 is \`$2\`, expected \`$3\`"
  ((failures += 1))
}

test_help_needs_nothing() {
  echo g++ >"$world/missing"
  kpath
  expect status "$status" 0
  for command in run step compare syscalls bench test help; do expect out "$out" "*./kpath $command *"; done
  kpath help test
  expect out "$out" "./kpath test *"
  expect calls "$(<"$calls")" ""
  rm "$world/missing"
}

test_builds_then_runs() {
  cd "$world" || exit 1
  kpath run "a b"
  expect out "$out" "in $world: run a b"
  expect err "$err" "kpath: building for the first time*"
  expect status "$status" 3
  expect calls "$(<"$calls")" "bazel build //tools/kpath"
}

test_second_call_is_quiet_and_builds_nothing() {
  kpath run x
  expect out "$out" "in *: run x"
  expect err "$err" ""
  expect calls "$(<"$calls")" ""
}

test_any_change_builds_again() {
  local change
  for change in "touch -d 2001-01-01 $project/sim/a.cc" "touch $project/sim/b.cc" \
    "rm $project/sim/b.cc" "touch $project/.bazelrc" "touch $project/user.bazelrc"; do
    $change
    kpath run
    expect "calls after $change" "$(<"$calls")" "bazel build *"
    kpath run
    expect "second calls after $change" "$(<"$calls")" ""
  done
}

test_works_through_a_link() {
  ln -s "$project/kpath" "$world/link"
  door=$world/link
  kpath run
  expect out "$out" "in *: run"
  expect err "$err" ""
  expect calls "$(<"$calls")" ""
  door=$project/kpath
}

test_help_of_a_command_comes_from_the_program() {
  kpath help compare
  expect out "$out" "in *: compare --help"
}

test_build_error_is_shown() {
  echo error >"$project/sim/a.cc"
  kpath run
  expect status "$status" 5
  expect out "$out" ""
  expect err "$err" "*a.cc:1: error*the build failed*"
  : >"$project/sim/a.cc"
}

test_missing_packages_are_installed() {
  printf 'libedit-dev\ng++\n' >"$world/missing"
  kpath run
  expect err "$err" "*installing g++ (the C++ compiler)*installing libedit-dev (*"
  expect calls "$(<"$calls")" "apt-get * install * g++ libedit-dev*"
  expect status "$status" 3
}

test_missing_packages_are_named_when_they_may_not_be_installed() {
  printf 'libedit-dev\ng++\n' >"$world/missing"
  KPATH_NO_INSTALL=1 kpath run
  expect status "$status" 4
  expect err "$err" "*KPATH_NO_INSTALL=1*g++ libedit-dev*"
  expect calls "$(<"$calls")" ""
  rm "$world/missing"
}

test_network_down() {
  echo libedit-dev >"$world/missing"
  touch "$world/network_down"
  kpath run
  expect status "$status" 4
  expect err "$err" "*Temporary failure resolving*could not install: libedit-dev*"
  rm "$world/missing" "$world/network_down"
}

test_clang_is_needed_for_its_configuration_only() {
  echo clang >"$world/missing"
  : >"$world/events"
  kpath test
  expect calls "$(<"$calls")" "bazel test //..."
  kpath test --config=clang
  expect calls "$(<"$calls")" "apt-get *install* clang*bazel test //..."
}

test_results_are_counted() {
  echo '<testsuite><testcase name="a"/></testsuite>' >"$world/test.xml"
  echo '{"id":{"testResult":{"label":"//a:b"}},"testResult":{"status":"PASSED",' \
    '"testActionOutput":[{"name":"test.xml","uri":"file://'"$world"'/test.xml"},' \
    '{"name":"test.log","uri":"file://'"$world"'/test.xml"}]}}' >"$world/events"
  kpath test //a:b
  expect out "$out" "1 passed, 0 failed"
  expect status "$status" 0
  expect calls "$(<"$calls")" "bazel test //a:b"
  echo 1 >"$world/bazel_status"
  kpath test
  expect out "$out" "*1 passed, 1 failed"
  expect status "$status" 1
  echo 37 >"$world/bazel_status"
  kpath test
  expect out "$out" ""
  expect status "$status" 5
  rm "$world/bazel_status"
}

test_bench_takes_one_expression() {
  kpath bench --help
  expect out "$out" "./kpath bench *"
  expect calls "$(<"$calls")" ""
  kpath bench a b
  expect status "$status" 2
  expect err "$err" "kpath: bench: expected --more and a regular expression at most; *"
  expect calls "$(<"$calls")" ""
  echo 1 >"$world/bazel_status"
  kpath bench getpid
  expect status "$status" 5
  expect calls "$(<"$calls")" "bazel build //tests/bench"
  : >"$calls"
  kpath bench --more getpid
  expect calls "$(<"$calls")" "bazel build //tests/bench"
  kpath bench --less
  expect status "$status" 2
  rm "$world/bazel_status"
}

make_project
make_commands
test_help_needs_nothing
test_builds_then_runs
test_second_call_is_quiet_and_builds_nothing
test_any_change_builds_again
test_works_through_a_link
test_help_of_a_command_comes_from_the_program
test_build_error_is_shown
test_missing_packages_are_installed
test_missing_packages_are_named_when_they_may_not_be_installed
test_network_down
test_clang_is_needed_for_its_configuration_only
test_results_are_counted
test_bench_takes_one_expression
((failures == 0))
