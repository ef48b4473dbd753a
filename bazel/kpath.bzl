# SPDX-License-Identifier: Apache-2.0
"""The rules for kpath's own C++ code: the native ones, with warnings as errors."""

_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
]

# What requests execute stands close together; //tests/bench:link_order_test.
_LINK_ORDER = "//bazel:link_order.txt"
_LINKOPTS = select({
    "//bazel:link_in_order": ["-Wl,--section-ordering-file=$(location %s)" % _LINK_ORDER],
    "//conditions:default": [],
})

def kpath_cc_library(name, copts = [], **kwargs):
    """A cc_library of kpath."""
    native.cc_library(name = name, copts = _COPTS + copts, linkstatic = True, **kwargs)

def kpath_cc_binary(name, copts = [], linkopts = [], **kwargs):
    """A cc_binary of kpath."""
    native.cc_binary(
        name = name,
        additional_linker_inputs = [_LINK_ORDER],
        copts = _COPTS + copts,
        linkopts = _LINKOPTS + linkopts,
        **kwargs
    )

def kpath_cc_test(name, copts = [], size = "small", **kwargs):
    """A cc_test of kpath, small unless it says otherwise.

    Depends on GoogleTest as any other part: "@com_google_googletest//:gtest_main".
    """
    native.cc_test(
        name = name,
        size = size,
        additional_linker_inputs = [_LINK_ORDER],
        copts = _COPTS + copts,
        linkopts = _LINKOPTS,
        **kwargs
    )

def kpath_cc_fuzz_test(name, srcs, corpus, deps = [], copts = [], mutations = 2000, **kwargs):
    """A fuzz target: a source that defines LLVMFuzzerTestOneInput.

    It makes two targets:
      NAME            a cc_test that feeds each corpus file and `mutations` changed ones, always
                      the same, to the target. It runs with all other tests.
      NAME_libfuzzer  the endless search:
                      bazel run --config=fuzz //package:NAME_libfuzzer -- $PWD/package/corpus

    Args:
      name: ends in _fuzz_test.
      srcs: the sources; no main() among them.
      corpus: labels of the input files to start from; at least one.
      deps: as in cc_test.
      copts: as in cc_test.
      mutations: how many changed inputs the cc_test tries.
      **kwargs: as in cc_test.
    """
    kpath_cc_test(
        name = name,
        srcs = srcs,
        args = ["--mutations=%d" % mutations] + ["$(locations %s)" % file for file in corpus],
        copts = copts,
        data = corpus,
        deps = deps + ["//bazel:fuzz_driver"],
        **kwargs
    )
    kpath_cc_binary(
        name = name + "_libfuzzer",
        testonly = True,
        srcs = srcs,
        copts = copts,
        linkopts = select(
            {"//bazel:fuzzing": ["-fsanitize=fuzzer"]},
            no_match_error = "a libFuzzer binary needs --config=fuzz",
        ),
        tags = ["manual"],
        deps = deps,
    )
