# SPDX-License-Identifier: Apache-2.0
"""Everything that kpath is built with, as repositories: for kpath's own WORKSPACE and for others.

    load("@kpath//bazel:deps.bzl", "kpath_dependencies")

    kpath_dependencies()

Every part comes from a Debian 12 package, so that nothing is downloaded. The labels are the
canonical ones: a repository of that name that the WORKSPACE has defined before, an upstream archive
for instance, is left as it is.
"""

load(":abseil_labels.bzl", "ABSEIL_LABELS")
load(":debian.bzl", "debian_library")

def _stand_in_impl(repository_ctx):
    for path, label in zip(repository_ctx.attr.paths, repository_ctx.attr.files):
        repository_ctx.symlink(label, path)

# local_repository takes a path from the folder of the WORKSPACE that is being built; these files
# are in kpath's, wherever that is.
_stand_in = repository_rule(
    doc = "A repository made of a few files of kpath.",
    implementation = _stand_in_impl,
    local = True,
    attrs = {
        "files": attr.label_list(mandatory = True, doc = "the files of kpath"),
        "paths": attr.string_list(mandatory = True, doc = "the path of each in the repository"),
    },
)

def _define(rule, name, **kwargs):
    if not native.existing_rule(name):
        rule(name = name, **kwargs)

def _define_parts_of_bazel():
    """What Bazel 4.2.3 itself would download at its first build."""
    _define(
        _stand_in,
        name = "rules_cc",
        files = [
            Label("//third_party/rules_cc:BUILD"),
            Label("//third_party/rules_cc/cc:BUILD"),
            Label("//third_party/rules_cc/cc:defs.bzl"),
        ],
        paths = ["BUILD", "cc/BUILD", "cc/defs.bzl"],
    )
    _define(
        _stand_in,
        name = "remote_coverage_tools",
        files = [Label("//third_party/remote_coverage_tools:BUILD")],
        paths = ["BUILD"],
    )
    for name, folder in {
        "bazel_skylib": "tools/skylib",
        "platforms": "tools/platforms",
        "rules_java": "rules/java",
        "rules_proto": "rules/proto",
    }.items():
        _define(native.local_repository, name = name, path = "/usr/share/bazel/" + folder)

def kpath_dependencies():
    """Defines the repositories."""
    _define_parts_of_bazel()
    _define(
        native.new_local_repository,
        name = "com_google_googletest",
        build_file = str(Label("//third_party:googletest.BUILD")),
        path = "/usr/src/googletest",
    )
    _define(
        debian_library,
        name = "com_google_absl",
        archives = "libabsl_",
        header = "absl/base/config.h",
        labels = ABSEIL_LABELS,
        linkopts = ["-lpthread"],
        package = "libabsl-dev",
    )
    _define(
        debian_library,
        name = "boost",
        archives = "libboost_context.a",
        header = "boost/context/fiber.hpp",
        labels = ["//:context"],
        package = "libboost-context-dev",
    )
    _define(
        debian_library,
        name = "com_github_google_benchmark",
        header = "benchmark/benchmark.h",
        labels = [
            "//:benchmark",
            "//:benchmark_main",
        ],
        linkopts = ["-lbenchmark"],
        package = "libbenchmark-dev",
    )
    _define(
        debian_library,
        name = "nlohmann_json",
        header = "nlohmann/json.hpp",
        labels = ["//:json"],
        package = "nlohmann-json3-dev",
    )
    _define(
        debian_library,
        name = "libedit",
        header = "histedit.h",
        labels = ["//:edit"],
        linkopts = ["-ledit"],
        package = "libedit-dev",
    )
    _define(
        debian_library,
        name = "cli11",
        header = "CLI/CLI.hpp",
        labels = ["//:cli11"],
        package = "libcli11-dev",
    )
