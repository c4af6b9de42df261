# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pages of the documentation, as far as tests look at them: fenced blocks, code in a line, links, headings.

A comment in front of a block says how its commands are run; without one they are run to their end:

    <!-- test: until hls-segment-added 2 -->    endless recordings are ended (Ctrl-C) when they have posted this so often
    <!-- test: background until TEXT -->        goes on beside the blocks that follow, which wait for it to say TEXT
    <!-- test: interrupt after TEXT -->         a program that has said TEXT gets Ctrl-C, and must end well
    <!-- test: fails -->                        the last command has an exit code other than 0
    <!-- test: file NAME -->                    no commands: the block is this file, for the blocks that follow
    <!-- test: skip because REASON -->          is not run
"""
import glob
import os
import re

import tap

FENCE = re.compile(r"^(`{3,})\s*([A-Za-z0-9_-]*)\s*$")
MARKER = re.compile(r"^<!--\s*test:\s*(.*?)\s*-->$")
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
COMMANDS = ("export ", "gst-launch-1.0 ", "gst-inspect-1.0 ", "gst-play-1.0 ", "ffplay ", "ffprobe ", "ffmpeg ", "curl ", "python3 ", "s3cmd ",
    "amshls-recorder ", "hls-upload ", "tools/", "examples/", "meson ", "ninja ", "gcc ", "cd ", "mkdir ", "GST_", "SEED=")


class Block:
    """A fenced block: language, text, the line it begins at, and what the comment before it says."""

    def __init__(self, page, line, language, marker):
        self.page, self.line, self.language, self.marker = page, line, language, marker
        self.lines = []

    @property
    def text(self):
        return "\n".join(self.lines) + "\n"

    def where(self):
        return f"{self.page}:{self.line}"

    def script(self):
        """What is to be run of it, and the lines that are sketches (they have an ellipsis): of those only properties
        are looked at. A block without a language may be anything: its lines that begin with a command are run."""
        if self.language not in ("", "sh", "bash") or (self.marker or "").startswith("file "):
            return "", []
        joined = re.sub(r"\\\n", "\\\\\n\0", self.text).replace("\n\0", "\0")
        run, sketches = [], []
        for line in joined.split("\n"):
            if "…" in re.sub(r"(^|\s)#.*", "", line):
                sketches.append(line.replace("\0", "\n"))
            elif self.language or line.startswith(COMMANDS):
                run.append(line.replace("\0", "\n"))
        return "\n".join(run).strip(), sketches


class Page:
    """A page by its path in the project."""

    def __init__(self, path):
        self.path = path
        with open(os.path.join(tap.SOURCE_ROOT, path), encoding="utf-8") as file:
            self.text = file.read()
        self.blocks, self.prose = [], []  # prose: number and text of each line that is in no block
        self.read()

    def read(self):
        block, fence, marker = None, None, None
        for number, line in enumerate(self.text.splitlines(), 1):
            found = FENCE.match(line)
            if block is None and found:
                block, fence = Block(self.path, number, found[2], marker), found[1]
            elif block is not None and line.strip() == fence:
                self.blocks.append(block)
                block = marker = None
            elif block is not None:
                block.lines.append(line)
            else:
                said = MARKER.match(line.strip())
                marker = said[1] if said else marker if not line.strip() else None
                self.prose.append((number, line))
        tap.check(block is None, f"{self.path}:{block.line if block else 0}: this block has no end")

    def code(self):
        """All code: of blocks and in lines, with the line's number."""
        for block in self.blocks:
            yield block.line, block.text
        for number, line in self.prose:
            for code in re.findall(r"`([^`]+)`", line):
                yield number, code

    def links(self):
        for number, line in self.prose:
            for target in LINK.findall(re.sub(r"`[^`]*`", "", line) if "](" not in line else line):
                yield number, target

    def anchors(self):
        found, seen = set(), {}
        for _, line in self.prose:
            heading = re.match(r"^#{1,6}\s+(.*?)\s*$", line)
            if heading:
                slug = re.sub(r"[^\w\- ]", "", heading[1].replace("`", "").lower()).replace(" ", "-")
                seen[slug] = seen.get(slug, -1) + 1
                found.add(slug if not seen[slug] else f"{slug}-{seen[slug]}")
        return found

    def section(self, heading):
        """The text below a heading, up to the next of its kind."""
        found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^\1 |\Z)", self.text, re.M | re.S)
        tap.check(found, f"{self.path} has no section “{heading}”")
        return found[2]


def rows(text):
    """The cells of each row of the tables in a text."""
    for line in text.splitlines():
        if line.startswith("|") and not re.match(r"^\|[-| :]+\|$", line):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def pages():
    """README.md and all below docs/."""
    found = ["README.md"] + sorted(glob.glob("docs/**/*.md", root_dir=tap.SOURCE_ROOT, recursive=True))
    return [Page(path) for path in found]
