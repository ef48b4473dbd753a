# SPDX-License-Identifier: Apache-2.0
"""A repository made of one installed Debian library, under the labels that upstream uses."""

_LIBRARY_FOLDERS = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
]

def _static_archives(repository_ctx, prefix):
    """The paths of the installed static archives whose file name starts with prefix, sorted."""
    found = []
    for folder in _LIBRARY_FOLDERS:
        path = repository_ctx.path(folder)
        if path.exists:
            found += [
                str(entry)
                for entry in path.readdir()
                if entry.basename.startswith(prefix) and entry.basename.endswith(".a")
            ]
    return sorted(found)

def _fail_not_installed(repository_ctx, missing):
    fail("@{}: {} not found; install it with: apt-get install {}".format(
        repository_ctx.name,
        missing,
        repository_ctx.attr.package,
    ))

def _split_label(label):
    """("types", "span") for "//types:span", ("strings", "strings") for "//strings"."""
    package, _, target = label[len("//"):].partition(":")
    return package, target or package.rpartition("/")[2]

def _debian_library_impl(repository_ctx):
    attr = repository_ctx.attr
    if not repository_ctx.path("/usr/include/" + attr.header).exists:
        _fail_not_installed(repository_ctx, "/usr/include/" + attr.header)
    linkopts = attr.linkopts
    if attr.archives:
        archives = _static_archives(repository_ctx, attr.archives)
        if not archives:
            _fail_not_installed(repository_ctx, attr.archives + "*.a")

        # Static archives need each other in an order that only their build knows.
        linkopts = ["-Wl,--start-group"] + archives + ["-Wl,--end-group"] + linkopts

    build_files = {"": [
        'cc_library(name = "installed", linkopts = {})'.format(repr(linkopts)),
    ]}
    for label in attr.labels:
        package, target = _split_label(label)
        build_files.setdefault(package, []).append(
            'alias(name = "{}", actual = "//:installed")'.format(target),
        )
    for package, rules in build_files.items():
        repository_ctx.file(
            package + "/BUILD" if package else "BUILD",
            "\n".join(['package(default_visibility = ["//visibility:public"])'] + rules) + "\n",
            executable = False,
        )

debian_library = repository_rule(
    doc = """Gives an installed Debian library the labels of its upstream Bazel repository.

The headers are found in /usr/include, where the compiler looks anyway. All labels stand for
the whole library: linking takes from static archives only what is used.""",
    implementation = _debian_library_impl,
    local = True,
    attrs = {
        "package": attr.string(mandatory = True, doc = "Debian package, named when it is missing"),
        "header": attr.string(mandatory = True, doc = "a header it installs in /usr/include"),
        "labels": attr.string_list(mandatory = True, doc = "labels to make, such as //types:span"),
        "archives": attr.string(doc = "link each static archive whose file name starts so"),
        "linkopts": attr.string_list(doc = "more linker options"),
    },
)
