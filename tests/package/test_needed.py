#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each GStreamer element that a file names comes with what tools/lib.sh installs for whoever runs that file.

Nothing here knows which package an element is in: GStreamer says which plugin it is from, dpkg whose file that is, and what else
a package brings is read off its dependencies, without recommendations, as tools/lib.sh installs it.
"""
import functools
import glob
import os
import re
import subprocess
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import tap  # noqa: E402

# Whose packages are there for what: the first that a path begins with.
PURPOSES = {
    "tests/unit/": "PACKAGES_BUILD PACKAGES_RUN PACKAGES_UNITS",
    "tests/elements/": "PACKAGES_BUILD PACKAGES_RUN PACKAGES_UNITS",
    "tests/": "PACKAGES_BUILD PACKAGES_RUN PACKAGES_TEST",
    "bench/": "PACKAGES_BUILD PACKAGES_RUN PACKAGES_BENCH",
    "": "PACKAGES_BUILD PACKAGES_RUN PACKAGES_PLAYER",
}
SOURCES = ("tests", "bench", "examples", "tools", "docs", "gst")
KINDS = (".c", ".h", ".py", ".sh", ".md", ".mjs", ".html", ".js", ".build", "")
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
NAMED = re.compile(r'(?:^|[^!])! ([a-z][a-z0-9_]*)(?=[ \\]|$)')
MADE = re.compile(r'(?:factory_make|factory_find|ElementFactory\.make|ElementFactory\.find) ?\(\s*"(\w+)"')


def files():
    """README.md and all that is source, by their paths in the project."""
    found = ["README.md"]
    for folder in SOURCES:
        for path in glob.glob(folder + "/**/*", root_dir=tap.SOURCE_ROOT, recursive=True):
            if "node_modules" not in path and os.path.isfile(os.path.join(tap.SOURCE_ROOT, path)) and os.path.splitext(path)[1] in KINDS:
                found.append(path)
    return sorted(path for path in found if "/corpus/" not in path and path != os.path.relpath(__file__, tap.SOURCE_ROOT))


def read(path):
    with open(os.path.join(tap.SOURCE_ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


@functools.cache
def plugins():
    """Each element that GStreamer has here, and the file that it is from; None for those that come with no file."""
    Gst.init(None)
    return {feature.get_name(): feature.get_plugin().get_filename() for feature in Gst.Registry.get().get_feature_list(Gst.ElementFactory)}


def words(text):
    """Known elements, wherever they are named."""
    return plugins().keys() & set(re.findall(r"(?<![\w./-])[a-z][a-z0-9_]+(?![\w/])", text))


def named_in_code(text):
    """Elements in a program's launch lines and those that it makes by name, whether or not there are such elements."""
    return {name for string in STRING.findall(text) for name in NAMED.findall(string)} | set(MADE.findall(text))


@functools.cache
def packages_of(folder):
    """Which package each file of a folder is from."""
    done = subprocess.run(["dpkg-query", "-S", folder + "/*"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, text=True)
    lines = (line.rsplit(": ", 1) for line in done.stdout.splitlines())
    return {path: owner.split(":")[0] for owner, path in (line for line in lines if len(line) == 2)}


def package_of(element):
    """None for our own elements, which no package has brought."""
    path = plugins()[element]
    return packages_of(os.path.dirname(path)).get(path) if path else None


@functools.cache
def dependencies():
    """What each installed package depends on: a list of alternatives each. And who provides a name."""
    said = tap.run(["dpkg-query", "-W", "-f", "${Package}\t${Provides}\t${Pre-Depends}, ${Depends}\n"])
    depends, providers = {}, {}
    for package, provides, needs in (line.split("\t") for line in said.splitlines()):
        depends[package] = [[re.split(r"[ (:]", choice.strip())[0] for choice in need.split("|")] for need in needs.split(",") if need.strip()]
        for name in re.findall(r"(?:^|, )([^ ,]+)", provides):
            providers.setdefault(name, []).append(package)
    return depends, providers


def closure(names):
    """These packages and all that comes with them when recommendations do not."""
    depends, providers = dependencies()
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for choices in depends.get(name, []):
            there = [choice for choice in choices if choice in depends]
            waiting += there[:1] or [package for choice in choices for package in providers.get(choice, [])][:1]
    return found


@functools.cache
def installed_for(lists):
    """What tools/lib.sh installs by these of its variables."""
    said = tap.run(["bash", "-c", f'. "$0/tools/lib.sh" && echo {" ".join("$" + name for name in lists.split())}', tap.SOURCE_ROOT])
    return closure(said.split())


def purpose(path):
    return next(lists for beginning, lists in PURPOSES.items() if path.startswith(beginning))


def missing(path, text, there=None):
    """What the file names, and would not be there."""
    there = there or installed_for(purpose(path))
    found = []
    for element in sorted(words(text)):
        package = package_of(element)
        if package and package not in there:
            found.append(f"{path}: {element} is in {package}, which tools/lib.sh does not install ({purpose(path)})")
    return found


def test_elements_come_with_what_is_installed():
    tap.need("dpkg-query", "bash")
    tap.check(len(plugins()) > 500 and package_of("videotestsrc") == "gstreamer1.0-plugins-base", "GStreamer's own elements are not found")
    found = [line for path in files() for line in missing(path, read(path))]
    tap.check(not found, "\n".join(found))


def test_elements_of_programs_exist():
    """Not of tests/unit, which have no pipelines but small languages of their own."""
    unknown = [f"{path}: there is no element {name}" for path in files() if path.endswith((".c", ".h", ".py")) and "tests/unit/" not in path
        for name in sorted(named_in_code(read(path)) - plugins().keys())]
    tap.check(not unknown, "\n".join(unknown))


def test_element_of_another_package_is_found():
    """That the above find what they are there for."""
    line = 'gst_parse_launch ("videotestsrc ! timeoverlay ! " "fakesink", NULL);'
    said = missing("tests/elements/test-a.c", line)
    tap.check(len(said) == 1 and "timeoverlay is in gstreamer1.0-x," in said[0], f"{said}")
    tap.check(not missing("bench/a.c", line), "what bench installs has it")
    tap.check(named_in_code(line) == {"timeoverlay"}, f"{named_in_code(line)}")
    tap.check(missing("docs/a.md", "videotestsrc ! fakesink", there={"bash"}), "no package is there, and nothing is said")


if __name__ == "__main__":
    sys.exit(tap.run_tests(dict(globals())))
