#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The structure of the source: who includes whom. A module is a .c file and its header; NAMEprivate.h, which the parts of
a module share, belongs to NAME."""
import functools
import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import tap  # noqa: E402

ROOT = os.path.join(tap.SOURCE_ROOT, "gst", "ams")
LONGEST = 700
# docs/architecture.md, Layout and arrows: what each folder may include, but for the C library, GLib and GStreamer.
ARROWS = {
    "": {"hls", "local", "http", "s3"},
    "files": set(),
    "workers": set(),
    "media": set(),
    "cut": {"media"},
    "package": {"media"},
    "package/ts": {"media", "package"},
    "package/vtt": {"media", "package/ts"},
    "playlist": {"files"},
    "recording": {"playlist", "package/ts", "media"},
    "session": {"media", "cut", "package"},
    "hls": {"session", "media", "cut", "package/ts", "playlist", "recording", "files", "workers", "local"},
    "transfer": {"files", "workers", "transfer/spool"},
    "transfer/spool": {"files", "transfer"},
    "local": {"transfer", "files"},
    "http": {"transfer", "files"},
    "s3": {"http", "transfer", "files"},
}
# These have never heard of GStreamer; of GLib alone.
PURE = ("workers", "media", "cut", "package", "package/ts", "package/vtt", "playlist", "recording", "session")


@functools.cache
def sources():
    """The path below gst/ams → the text."""
    found = {}
    for path in glob.glob(os.path.join(ROOT, "**", "*.[ch]"), recursive=True):
        with open(path, encoding="utf-8") as file:
            found[os.path.relpath(path, ROOT)] = file.read()
    return found


def module(path):
    return re.sub(r"private$", "", os.path.splitext(path)[0])


def included(path, text):
    """Those of our own files that it includes."""
    for name in re.findall(r'^#include "([^"]+)"', text, re.M):
        for candidate in (os.path.join(os.path.dirname(path), name), name):
            if candidate in sources():
                yield candidate
                break


@functools.cache
def arrows():
    """module → those that it includes."""
    found = {module(path): set() for path in sources()}
    for path, text in sources().items():
        found[module(path)] |= {module(other) for other in included(path, text)} - {module(path)}
    return found


def find_circle(graph):
    """A list of modules of which each includes the next, and the last the first; or None."""
    done, way = set(), []

    def visit(name):
        if name in way:
            return way[way.index(name):]
        if name in done:
            return None
        way.append(name)
        for other in sorted(graph.get(name, ())):
            circle = visit(other)
            if circle:
                return circle
        done.add(way.pop())
        return None

    for name in sorted(graph):
        circle = visit(name)
        if circle:
            return circle
    return None


def test_circles_are_found():
    tap.check(find_circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"], "b and c")
    tap.check(find_circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) is None, "two ways are no circle")


def test_nothing_includes_itself_by_way_of_others():
    tap.check(len(arrows()) > 100, f"{len(arrows())} modules")
    circle = find_circle(arrows())
    tap.check(circle is None, f"a circle of includes: {' → '.join((circle or []) + (circle or [])[:1])}")


def test_folders_know_no_more_than_they_should():
    problems = []
    for name, others in sorted(arrows().items()):
        folder = os.path.dirname(name)
        tap.check(folder in ARROWS, f"gst/ams/{folder} is not in docs/architecture.md")
        problems += [f"{name} includes {other}" for other in sorted(others)
            if os.path.dirname(other) not in ARROWS[folder] | {folder}]
    tap.check(not problems, "; ".join(problems))


def test_what_is_pure_has_never_heard_of_gstreamer():
    problems = [path for path, text in sorted(sources().items())
        if os.path.dirname(path) in PURE and re.search(r"\bGst[A-Z]|^#include <gst/", re.sub(r"/\*.*?\*/", "", text, flags=re.S), re.M)]
    tap.check(not problems, ", ".join(problems))


def test_no_file_is_long():
    problems = [f"{path} has {text.count(chr(10))} lines" for path, text in sorted(sources().items())
        if text.count("\n") > LONGEST]
    tap.check(not problems, "; ".join(problems))


if __name__ == "__main__":
    sys.exit(tap.run_tests(globals()))
