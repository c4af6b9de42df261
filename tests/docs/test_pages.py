#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can be said of the documentation without running it: links lead somewhere, properties, messages and statistics
are those of the code, the reference is what the elements say."""
import functools
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import documents  # noqa: E402
import tap  # noqa: E402

ELEMENTS = ("amshlssink", "amsfileput", "amshttpput", "amss3put")
# GstObject's, and what gst-launch-1.0 and splitmuxsink take in the place of a property.
GENERAL = {"name", "parent", "async-handling", "message-forward"}
# Properties of other elements, and settings of other programs, that are named alone.
OTHERS = set("add-reference-timestamp-meta async-finalize muxer-factory sink-factory sink-properties streamable fragment-duration "
    "is-live key-int-max num-buffers latency protocols hlsflags stream-format".split())
# mpegtsmux's, which amshlssink.md answers.
MPEGTSMUX = set("pat-interval pmt-interval si-interval pcr-interval bitrate alignment m2ts-mode prog-map scte-35-pid scte-35-null-interval "
    "start-time start-time-selection latency min-upstream-latency emit-signals".split())
# Words with a hyphen on the pages below that are no names of ours.
WORDS = set("given-up http-status-code fragment-duration us-east-1 us-west-2 public-read open-gop".split()) | MPEGTSMUX
USERS_PAGES = [f"docs/{name}.md" for name in (*ELEMENTS, "tutorial", "operating", "security")]
SOURCES = ("gst/ams/files", "gst/ams/hls", "gst/ams/playlist", "gst/ams/recording", "gst/ams/transfer", "gst/ams/transfer/spool", "gst/ams/local", "gst/ams/http",
    "gst/ams/s3")
# What a user of Ant Media Server has to find on the page for them.
ANT_MEDIA = ("hlsMuxingEnabled hlsTime hlsListSize hlsPlayListType hlsflags append_list delete_segments program_date_time "
    "hlsSegmentType hlsSegmentFileSuffixFormat addDateTimeToHlsFileName deleteHLSFilesOnEnded hlsHttpEndpoint "
    "hlsEncryptionKeyInfoFile id3TagEnabled fileNameFormat subFolder s3RecordingEnabled s3AccessKey s3SecretKey s3BucketName "
    "s3RegionName s3Endpoint s3Permission s3StorageClass s3CacheControl s3PathStyleAccessEnabled s3StreamsFolderPath "
    "s3TransferBufferSizeInBytes uploadExtensionsToS3 muxerFinishScript vodUploadFinishScript").split()


@functools.cache
def pages():
    return {page.path: page for page in documents.pages()}


@functools.cache
def properties(element):
    """The element's properties, with the values of those that have a list of them; as its reference has them."""
    text = pages()[f"docs/reference/{element}.md"].section("Properties")
    found = {}
    for name, body in re.findall(r"^### (\S+)\n(.*?)(?=^### |\Z)", text, re.M | re.S):
        found[name] = [row[0].strip("`") for row in documents.rows(body)][1:]
    return found


@functools.cache
def children():
    """CHILD::PROPERTY of amshlssink."""
    text = pages()["docs/reference/amshlssink.md"].section("Children")
    return {row[0].strip("`"): re.findall(r"`([^`]+)`", row[1]) for row in documents.rows(text)}


def fail_with(problems):
    tap.check(not problems, "\n".join(problems))


def test_links_relative_lead_somewhere():
    problems = []
    for page in pages().values():
        for line, target in page.links():
            if re.match(r"^[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            full = os.path.normpath(os.path.join(os.path.dirname(page.path), path)) if path else page.path
            if not os.path.exists(os.path.join(tap.SOURCE_ROOT, full)):
                problems.append(f"{page.path}:{line}: there is no {full}")
            elif anchor and full in pages() and anchor not in pages()[full].anchors():
                problems.append(f"{page.path}:{line}: {full} has no heading #{anchor}")
    fail_with(problems)


def test_paths_named_are_there():
    """Files and folders of the project, named in code."""
    problems = []
    for page in pages().values():
        for line, code in page.code():
            for path in re.findall(r"(?:^|[\s(=])((?:tools|tests|docs|gst/ams|examples|bench)/[\w./-]+[\w/])", code):
                if not os.path.exists(os.path.join(tap.SOURCE_ROOT, path)) and not re.search(r"NAME|FOLDER", path):
                    problems.append(f"{page.path}:{line}: there is no {path}")
    fail_with(problems)


def test_pages_all_in_the_list():
    listed = {os.path.normpath(os.path.join("docs", t.partition("#")[0])) for _, t in pages()["docs/README.md"].links()}
    fail_with([f"docs/README.md does not lead to {path}" for path in pages()
        if path.startswith("docs/") and path not in listed | {"docs/README.md"}])


def test_pages_nothing_left_to_do():
    problems = []
    for page in pages().values():
        for number, line in enumerate(page.text.splitlines(), 1):
            if re.search(r"\b(TODO|FIXME|XXX|TBD)\b", line):
                problems.append(f"{page.path}:{number}: {line.strip()}")
    fail_with(problems)


def without_format(text):
    """What videotestsrc leads to in its launch lines, up to the encoder, where the format is left to them. x264enc's choice is then 4:4:4
    with 10 bits, which few players have."""
    chains = re.findall(r"\bvideotestsrc\b(.*?)\b(?:x264enc|x265enc|openh264enc|nvh264enc|vaapih264enc)\b", text.replace("\\\n", " "), re.S)
    return [chain.strip() for chain in chains if "\n\n" not in chain and "format=I420" not in chain and "!" in chain]


def test_test_pictures_have_a_format_that_all_play():
    problems = []
    for folder in ("README.md", "docs", "examples", "tools", "bench", "gst", "tests"):
        for path in [folder] if folder.endswith(".md") else glob.glob(folder + "/**/*", root_dir=tap.SOURCE_ROOT, recursive=True):
            full = os.path.join(tap.SOURCE_ROOT, path)
            if os.path.isfile(full) and "node_modules" not in path and not full.endswith((os.path.basename(__file__), ".pyc")):
                with open(full, encoding="utf-8", errors="replace") as file:
                    problems += [f"{path}: videotestsrc {chain} leaves the format open" for chain in without_format(file.read())]
    fail_with(problems)
    tap.check(without_format("videotestsrc ! x264enc") and not without_format("videotestsrc ! video/x-raw,format=I420 ! x264enc"),
        "a line without a format is not found")


def test_blocks_data_can_be_read():
    problems = []
    for page in pages().values():
        for block in page.blocks:
            try:
                if block.language == "json":
                    json.loads(block.text)
                elif block.language == "xml":
                    xml.etree.ElementTree.fromstring(block.text)
                elif block.language == "python":
                    compile(block.text, block.where(), "exec")
            except (ValueError, SyntaxError, xml.etree.ElementTree.ParseError) as error:
                problems.append(f"{block.where()}: {error}")
    fail_with(problems)


def given(code):
    """Element, property and value, of all that a piece of a pipeline sets."""
    for part in re.split(r"\s!\s|\s!$|^!\s", code.replace("\\\n", " ")):
        for element, settings in re.findall(rf"(?<![=\w])({'|'.join(ELEMENTS)})((?:\s+[a-z][a-z0-9:-]*=(?:'[^']*'|\"[^\"]*\"|\S+))+)", part):
            for name, value in re.findall(r"([a-z][a-z0-9:-]*)=('[^']*'|\"[^\"]*\"|\S+)", settings):
                yield element, name, value.strip("'\"")


def problem_with(element, name, value):
    if "::" in name:
        child, _, name = name.partition("::")
        known = element == "amshlssink" and name in children().get(child, ())
        return "" if known else f"{element} has no {child}::{name}"
    if name in GENERAL:
        return ""
    if name not in properties(element):
        return f"{element} has no property {name}"
    values = properties(element)[name]
    plain = re.match(r"^[a-z0-9-]+$", value)
    return f"{element} {name} is one of {', '.join(values)}, not {value}" if values and plain and value not in values else ""


def test_properties_named_are_there():
    problems = []
    for page in pages().values():
        for line, code in page.code():
            problems += [f"{page.path}:{line}: {p}" for p in (problem_with(*found) for found in given(code)) if p]
    fail_with(problems)


def named_alone(page):
    """Line, name and value of settings that stand in a line of text without an element: `fsync=false`."""
    for line, text in page.prose:
        for code in re.findall(r"`([^`]+)`", text):
            if re.match(r"^(?:[a-z][a-z0-9-]*=(?:'[^']*'|\S+)\s*)+$", code):
                for name, value in re.findall(r"([a-z][a-z0-9-]*)=('[^']*'|\S+)", code):
                    yield line, name, value


def test_properties_named_alone_are_those_of_an_element():
    problems = []
    fields = set().union(*messages().values())
    for page in pages().values():
        for line, name, value in named_alone(page):
            found = [problem_with(element, name, value) for element in ELEMENTS]
            if all(found) and name not in OTHERS | fields:
                problems.append(f"{page.path}:{line}: {name}={value} is a setting of no element")
    fail_with(problems)


def test_names_with_a_hyphen_are_known():
    """Properties, values, messages, fields, statistics, children: on the users' pages."""
    known = set(ELEMENTS) | set(messages()).union(*messages().values()) | WORDS
    for element in ELEMENTS:
        known |= set(properties(element)).union(*properties(element).values())
        known |= {row[0].strip("`") for row in documents.rows(pages()[f"docs/reference/{element}.md"].text)}
    known.update(*children().values())
    fail_with([f"{path}:{line}: {code} is nothing that the elements know" for path in USERS_PAGES for line, text in pages()[path].prose
        for code in re.findall(r"`([a-z][a-z0-9]*(?:-[a-z0-9]+)+)`", text) if code not in known])


@functools.cache
def messages():
    """Name and fields of each element message that the code makes."""
    found = {}
    for folder in SOURCES:
        for path in glob.glob(os.path.join(tap.SOURCE_ROOT, folder, "*.c")):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            for name, rest in re.findall(r'gst_structure_new \(\s*"((?:ams-file-|ams-recording-|hls-)[a-z-]+)"(.*?)NULL\)', text, re.S):
                if not name.endswith("stats"):
                    fields = set(re.findall(r'"([a-z-]+)",\s*G(?:ST)?_TYPE_', rest))
                    found[name] = fields | ({"name", "role"} if name.startswith("ams-file-") else set())
    return found


def test_messages_of_the_code_are_those_of_the_operators_page():
    named = {row[0].strip("`") for row in documents.rows(pages()["docs/operating.md"].section("Messages"))
        if re.match(r"^`(ams|hls)-", row[0])}
    fail_with([f"docs/operating.md, Messages, lacks {name}" for name in sorted(set(messages()) - named)]
        + [f"docs/operating.md has {name}, which no element posts" for name in sorted(named - set(messages()))])


@functools.cache
def strings():
    """All text in the code, strings that follow each other joined."""
    found = []
    for folder in SOURCES:
        for path in glob.glob(os.path.join(tap.SOURCE_ROOT, folder, "*.c")):
            with open(path, encoding="utf-8") as file:
                found.append(re.sub(r'"\s*\n\s*"', "", file.read()).replace('\\"', '"'))
    return "\n".join(found)


def test_sentences_quoted_are_those_of_the_code():
    problems = []
    for quoted in re.findall("“([^”]+)”", pages()["docs/operating.md"].section("Messages")):
        problems += [f"docs/operating.md: no element says “{part}”" for part in (p.strip() for p in quoted.split("…")) if part not in strings()]
    fail_with(problems)


def test_messages_fields_are_those_of_the_code():
    problems, looked_at = [], set()
    for element in ELEMENTS:
        path = f"docs/{element}.md"
        for row in documents.rows(pages()[path].section("Messages")):
            name = row[0].strip("`")
            if name not in messages() or "…" in row[2]:
                continue
            looked_at.add(name)
            fields = set(re.findall(r"`([^`]+)`", row[2]))
            if fields != messages()[name]:
                problems.append(f"{path}: {name} has {', '.join(sorted(messages()[name]))}, not {', '.join(sorted(fields))}")
    problems += [f"{name}: no page says its fields" for name in sorted(set(messages()) - looked_at)]
    fail_with(problems)


def test_statistics_of_the_elements_are_those_of_the_operators_page():
    there = {"store"}
    for element in ELEMENTS:
        there |= {row[0].strip("`") for row in documents.rows(pages()[f"docs/reference/{element}.md"].section("Statistics"))
            if not row[0].startswith("field")}
    named = {name for row in documents.rows(pages()["docs/operating.md"].section("Statistics")) for name in re.findall(r"`([a-z-]+)`", row[0])}
    fail_with([f"docs/operating.md, Statistics, lacks {name}" for name in sorted(there - named)]
        + [f"docs/operating.md has the statistic {name}, which no element has" for name in sorted(named - there)])


def test_ant_media_settings_are_all_answered():
    text = pages()["docs/from-ant-media.md"].text
    fail_with([f"docs/from-ant-media.md does not say what becomes of {name}" for name in ANT_MEDIA if name not in text])


def test_mpegtsmux_properties_are_all_answered():
    text = pages()["docs/amshlssink.md"].section("The MPEG-TS inside")
    fail_with([f"docs/amshlssink.md does not say what takes the place of mpegtsmux's {name}" for name in MPEGTSMUX if f"`{name}`" not in text])


def python_with_gstreamer():
    for python in ("/usr/bin/python3", sys.executable, shutil.which("python3")):
        if python and subprocess.run([python, "-c", "import gi; gi.require_version('Gst', '1.0')"], stderr=subprocess.DEVNULL,
                check=False).returncode == 0:
            return python
    raise tap.Skip("no Python has GStreamer (python3-gi, gir1.2-gstreamer-1.0)")


def test_reference_is_what_the_elements_say():
    python = python_with_gstreamer()
    tap.have_element()
    with tap.folder() as folder:
        tap.run([python, os.path.join(tap.SOURCE_ROOT, "tools", "reference"), folder])
        for element in ELEMENTS:
            there = os.path.join(tap.SOURCE_ROOT, "docs", "reference", element + ".md")
            said = tap.run(["diff", "-u", there, os.path.join(folder, element + ".md")], ok=None)
            tap.check(not said, f"docs/reference/{element}.md is not what the element says. Write it anew:\n"
                f"GST_PLUGIN_PATH={os.environ.get('GST_PLUGIN_PATH_1_0', 'build/gst/ams')} tools/reference\n{said[:2000]}")


if __name__ == "__main__":
    sys.exit(tap.run_tests(globals()))
