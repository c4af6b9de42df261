#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""changelog.py [--date SECONDS]: docs/changelog.md as debian/changelog, on stdout.

The version is meson.build's. The newest entry of docs/changelog.md must be that version's; its heading is "## VERSION (DATE)",
or "## VERSION (unreleased)": then the package's version is VERSION~YYYYMMDDHHMMSS of --date (seconds since 1970), so that a
package of the release replaces it.
"""
import argparse
import datetime
import email.utils
import os
import re
import sys
import textwrap

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MAINTAINER = "amshls developers <amshls@users.noreply.github.com>"
HEADING = re.compile(r"^## (\d+(?:\.\d+)+) \((unreleased|\d{4}-\d\d-\d\d)\)$")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def project_version():
    return re.search(r"^\s*version: '([^']+)'", read("meson.build"), re.M).group(1)


def entries(text):
    """(version, date, paragraphs) of each entry, the newest first. A bullet is a paragraph."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("## "):
            heading = HEADING.match(line)
            if not heading:
                raise SystemExit(f"docs/changelog.md:{number}: “{line}” is not “## VERSION (YYYY-MM-DD)” or “## VERSION (unreleased)”.")
            found.append((*heading.groups(), []))
        elif found:
            paragraphs = found[-1][2]
            text = line.strip()
            if not text:
                paragraphs.append("")
            elif text.startswith("* ") or not paragraphs or not paragraphs[-1]:
                paragraphs.append(text.removeprefix("* "))
            else:
                paragraphs[-1] += " " + text
    return [(version, date, [p for p in paragraphs if p and not p.startswith("#")]) for version, date, paragraphs in found]


def plain(text):
    """Markdown's links and code as one reads them aloud."""
    return re.sub(r"`([^`]*)`", r"\1", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)).replace("**", "")


def debian_version(version, date, seconds):
    if date != "unreleased":
        return version
    return version + "~" + datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y%m%d%H%M%S")


def debian_entry(version, date, paragraphs, seconds):
    when = seconds
    if date != "unreleased":
        when = datetime.datetime.fromisoformat(date + "T12:00:00+00:00").timestamp()
    lines = [f"amshls ({debian_version(version, date, seconds)}) unstable; urgency=medium", ""]
    for paragraph in paragraphs:
        lines += textwrap.wrap(plain(paragraph), 79, initial_indent="  * ", subsequent_indent="    ", break_long_words=False,
            break_on_hyphens=False)
    signed = email.utils.format_datetime(datetime.datetime.fromtimestamp(when, datetime.timezone.utc))
    return "\n".join(lines + ["", f" -- {MAINTAINER}  {signed}", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--date", type=int, default=0, help="seconds since 1970: when an unreleased version was made")
    options = parser.parse_args()
    found = entries(read("docs", "changelog.md"))
    version = project_version()
    if not found or found[0][0] != version:
        raise SystemExit(f"meson.build says version {version}, the newest entry of docs/changelog.md "
            f"{found[0][0] if found else 'is missing'}: make them the same.")
    print("\n".join(debian_entry(*entry, options.date) for entry in found), end="")


if __name__ == "__main__":
    sys.exit(main())
