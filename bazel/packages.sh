# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
#
# The Debian packages that kpath needs, and how they come onto the machine. Sourced by ./kpath and
# .ci/run.

# "PACKAGE|what it is for", by what is about to be done.
PACKAGES_TO_BUILD=(
  "bazel-bootstrap|Bazel 4, the build tool"
  "bazel-platforms|a part of Bazel"
  "bazel-rules-java|a part of Bazel"
  "bazel-rules-proto|a part of Bazel"
  "bazel-skylib|a part of Bazel"
  "g++|the C++ compiler"
  "googletest|the test framework"
  "libabsl-dev|Abseil: strings, status, containers"
  "libbenchmark-dev|Google Benchmark"
  "libboost-context-dev|Boost.Context: fibers"
  "libcli11-dev|command line flags"
  "libedit-dev|command line editing"
  "nlohmann-json3-dev|JSON"
  "valgrind|counts instructions, in a test"
)
PACKAGES_FOR_CLANG=(
  "clang|the second C++ compiler"
  "libclang-rt-14-dev|sanitizers and libFuzzer of clang"
)
PACKAGES_TO_FORMAT=(
  "clang-format|the formatting check"
)

# Exit status when packages are missing and could not be installed.
readonly EXIT_NO_PACKAGES=4

say() { echo "kpath: $*" >&2; }

# Prints the entries among "$@" whose package is not installed.
_missing_packages() {
  local installed
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${@%%|*}" 2>/dev/null)
  local entry
  for entry in "$@"; do
    [[ $'\n'$installed$'\n' == *$'\n'"${entry%%|*} installed"$'\n'* ]] || echo "$entry"
  done
}

# apt-get as root, without questions.
_apt_get() {
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 "$@"
}

# Installs packages; when that fails, brings the package lists up to date and tries once more.
_install() {
  _apt_get install -y --no-install-recommends "$@" ||
    { _apt_get update && _apt_get install -y --no-install-recommends "$@"; }
}

# Makes sure that the packages of the entries "$@" are installed; ends the script when they cannot
# be.
require_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "this is not a Debian system (no dpkg-query, apt-get); kpath builds on Debian 12 with the" \
      "packages: ${*%%|*}"
    exit "$EXIT_NO_PACKAGES"
  fi
  local missing
  mapfile -t missing < <(_missing_packages "$@")
  ((${#missing[@]})) || return 0

  local packages=("${missing[@]%%|*}")
  if [[ ${KPATH_NO_INSTALL:-} == 1 ]]; then
    say "missing Debian packages, and KPATH_NO_INSTALL=1 forbids to install them: ${packages[*]}"
    say "to install them: apt-get install ${packages[*]}"
    exit "$EXIT_NO_PACKAGES"
  fi
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    say "missing Debian packages, and no sudo to install them; as root: apt-get install" \
      "${packages[*]}"
    exit "$EXIT_NO_PACKAGES"
  fi

  local entry log
  for entry in "${missing[@]}"; do say "installing ${entry%%|*} (${entry#*|})"; done
  log=$(mktemp)
  if ! _install "${packages[@]}" </dev/null >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    say "could not install: ${packages[*]}"
    say "apt-get's own words are above; is the network up, and is this Debian 12?"
    exit "$EXIT_NO_PACKAGES"
  fi
  rm -f "$log"
}
