#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings to Ceph's RADOS Gateway by amss3put while the store, the recorder, the clock and the keys fail."""
import functools
import glob
import json
import os
import random
import re
import shlex
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import hlsplay  # noqa: E402
import launch  # noqa: E402
import rgw  # noqa: E402
import serve  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402
import tscheck  # noqa: E402
from test_httpput import check_lost, check_reader, check_recording, check_spool, segments_in  # noqa: E402

HLS = "amshlssink name=h location=stream123_%05d.ts playlist-location=stream123.m3u8 target-duration=1 "
CHROMIUM = threading.Lock()
IN_PARTS = "location=film spool-dir=spool multipart-threshold=6000000 part-size=5242880 "
KEPT = "drain-timeout=500000000 "  # ns that EOS waits for what cannot be delivered
NAMES = iter(f"cam{number}" for number in range(1, 1000))  # of users and buckets: each test has its own


class Shared:
    """One cluster for all tests but those that stop it, and one gateway for those that do not kill theirs."""

    def __init__(self, folder):
        self.folder = folder

    @functools.cached_property
    def ceph(self):
        ceph = rgw.Ceph(self.folder)
        ceph.start()
        return ceph

    @functools.cached_property
    def gateway(self):
        gateway = rgw.Rgw(self.ceph)
        gateway.start()
        return gateway

    def end(self):
        if "gateway" in self.__dict__:
            self.gateway.kill()
        if "ceph" in self.__dict__:
            self.ceph.kill()


def new_bucket(server, user=None):
    name = next(NAMES)
    return server.bucket(name, user or server.ceph.user(name), public=True)


def put(bucket, more="", host="127.0.0.1", site="plain"):
    return f"! amss3put bucket={bucket.name} key-prefix=rec/ endpoint={bucket.server.endpoint(site, host)} {more}"


def keys_of(user):
    """The environment of a recorder with these credentials."""
    return user.environment()


def playlist_in(bucket):
    return bucket.get("rec/stream123.m3u8")


def reader_of(bucket, **more):
    return servers.PollingReader(bucket.url("rec/stream123.m3u8"), **more)


def fetched(bucket, folder):
    """The path of the playlist, in a folder with all that the bucket has."""
    return os.path.join(bucket.fetch(os.path.join(folder, "fetched-" + bucket.name), "rec/"), "stream123.m3u8")


def recorded_in(folder):
    found = {}
    for path in glob.glob(os.path.join(folder, "stream123*")):
        with open(path, "rb") as file:
            found[os.path.basename(path)] = file.read()
    return found


def check_said(said, *texts):
    for text in texts:
        tap.check(text in said, f"“{text}” is not in:\n{said}")


def check_secret(said, user):
    for secret in (user.secret_key, user.token):
        tap.check(not secret or secret not in said, f"a secret is in:\n{said}")


def write_random(path, size):
    data = random.randbytes(size)
    with open(path, "wb") as file:
        file.write(data)
    return data


def test_user_suspended_and_enabled_again_costs_nothing():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        reader = reader_of(bucket)
        with launch.Launch(launch.LIVE + HLS + put(bucket, "spool-dir=spool"), folder, env=keys_of(bucket.user)) as recorder:
            recorder.wait_for("New clock")
            begun = time.monotonic()
            reader.wait_for_version(2)
            SHARED.ceph.suspend(bucket.user)
            recorder.wait_for("WARNING.*the user of the access key is suspended")
            launch.wait_until(lambda: segments_in(os.path.join(folder, "spool")) >= 2, "segments wait in the spool")
            SHARED.ceph.enable(bucket.user)
            seen = reader.looked_at
            reader.wait_for_version(seen + 1, timeout=70)  # it asks once a minute
            # The gateway may remember for a moment that the user is suspended.
            launch.wait_until(lambda: segments_in(os.path.join(folder, "spool")) < 2, "nothing waits in the spool", 70)
            lived = time.monotonic() - begun
            recorder.stop()
            check_secret(recorder.said(), bucket.user)
        check_reader(reader)
        check_recording(fetched(bucket, folder), seconds=lived - 1.5)
        check_spool(os.path.join(folder, "spool"))


def test_quota_used_up_and_raised_costs_nothing():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        SHARED.ceph.quota(bucket.user, max_objects=4)
        with launch.Launch(launch.LIVE + HLS + put(bucket, "spool-dir=spool"), folder, env=keys_of(bucket.user)) as recorder:
            recorder.wait_for("New clock")
            begun = time.monotonic()
            recorder.wait_for(f"WARNING.*the quota of the bucket “{bucket.name}” is used up")
            launch.wait_until(lambda: segments_in(os.path.join(folder, "spool")) >= 2, "segments wait in the spool")
            SHARED.ceph.quota(bucket.user, max_objects=1000)
            recorder.wait_for("INFO", timeout=45)
            lived = time.monotonic() - begun
            recorder.stop()
        check_recording(fetched(bucket, folder), seconds=lived - 1.5)
        check_spool(os.path.join(folder, "spool"))


class Keyring:
    """What a container's service of credentials is: session tokens of a role, each for some seconds."""

    def __init__(self, folder, server, user, seconds):
        self.server, self.user, self.seconds, self.given = server, user, seconds, 0
        self.role = server.ceph.role(f"role-of-{user.name}", user)
        keyring = self

        class Handler(serve.Handler):
            def do_GET(self):
                self.answer("application/json", keyring.credentials())
        self.listener = serve.server(folder)
        self.listener.RequestHandlerClass = lambda *a: Handler(*a, directory=folder)

    def credentials(self):
        session, until = self.server.session(self.role, self.user, self.seconds)
        self.given += 1
        return json.dumps({"AccessKeyId": session.access_key, "SecretAccessKey": session.secret_key, "Token": session.token,
            "Expiration": until}).encode()

    def __enter__(self):
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown()
        self.listener.server_close()

    def environment(self):
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{self.listener.server_address[1]}/role"}


def test_session_tokens_that_expire_are_renewed():
    with tap.folder() as folder, rgw.Rgw(SHARED.ceph, sts=True) as server:
        bucket = new_bucket(server)
        with Keyring(folder, server, bucket.user, 3) as keyring:
            reader = reader_of(bucket)
            with launch.Launch(launch.LIVE + HLS + put(bucket), folder, env=keyring.environment()) as recorder:
                recorder.wait_for("New clock")
                begun = time.monotonic()
                reader.wait_for_version(10)
                lived = time.monotonic() - begun
                recorder.stop()
                tap.check("WARNING" not in recorder.said(), recorder.said())
            tap.check(keyring.given >= 3, f"credentials were asked for {keyring.given} times")
        check_reader(reader)
        check_recording(fetched(bucket, folder), seconds=lived - 1.5)


def test_session_token_that_has_expired_leaves_the_rest_to_the_next_start():
    with tap.folder() as folder, rgw.Rgw(SHARED.ceph, sts=True) as server:
        bucket = new_bucket(server)
        role = SHARED.ceph.role(f"role-of-{bucket.user.name}", bucket.user)
        line = launch.LIVE + HLS + put(bucket, "spool-dir=spool " + KEPT)
        session, _ = server.session(role, bucket.user, 6)
        with launch.Launch(line, folder, env=keys_of(session)) as recorder:
            recorder.wait_for("WARNING.*\\(403 ")
            launch.wait_until(lambda: segments_in(os.path.join(folder, "spool")) >= 2, "segments wait in the spool")
            recorder.stop()
            check_secret(recorder.said(), session)
        session, _ = server.session(role, bucket.user, 60)
        with launch.Launch(line, folder, env=keys_of(session)) as recorder:
            reader_of(bucket).wait_for_version(2)
            recorder.stop()
        check_recording(fetched(bucket, folder), runs=2)
        check_spool(os.path.join(folder, "spool"))


def test_recording_continues_after_a_restart_and_plays_from_the_bucket():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        line = launch.LIVE + HLS + "write-files=always " + put(bucket)
        reader = reader_of(bucket)
        for _ in range(2):
            with launch.Launch(line, folder, env=keys_of(bucket.user)) as recorder:
                reader.wait_for_version(reader.looked_at + 3)
                recorder.stop()
                tap.check("WARNING" not in recorder.said(), recorder.said())
        check_reader(reader)
        report = check_recording(fetched(bucket, folder), runs=2)
        launch.check_same(recorded_in(folder), bucket.objects("rec/"), "the disk and the bucket")
        tap.check(bucket.head("rec/stream123.m3u8")["Content-Type"] == "application/vnd.apple.mpegurl", "the playlist's type")
        tap.check(bucket.head("rec/stream123_00000.ts")["Content-Type"] == "video/mp2t", "the segment's type")
        with CHROMIUM:
            seen = hlsplay.play(bucket.url("rec/stream123.m3u8"), report.playlist.duration - 0.5)
        tap.check(seen["ok"], seen)


def test_recording_in_an_empty_spool_folder_continues_from_what_the_bucket_has():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        for number in range(2):
            home = os.path.join(folder, str(number))  # another computer
            os.mkdir(home)
            launch.run(launch.clip(3) + HLS + put(bucket, "spool-dir=spool"), home, env=keys_of(bucket.user))
        check_recording(fetched(bucket, folder), runs=2, seconds=5.9)


def test_disk_http_and_s3_at_once_have_the_same():
    with tap.folder() as folder, servers.Nginx(folder) as nginx:
        bucket = new_bucket(SHARED.gateway)
        line = (launch.LIVE + HLS + "write-files=always h. ! tee name=t "
            f"t. ! queue ! amshttpput location={nginx.url('/rec/')} t. ! queue {put(bucket)}")
        reader = reader_of(bucket)
        with launch.Launch(line, folder, env=keys_of(bucket.user)) as recorder:
            reader.wait_for_version(3)
            recorder.stop()
        check_reader(reader)
        disk = recorded_in(folder)
        launch.check_same(disk, launch.files_in(nginx.path("rec")), "the disk and nginx")
        launch.check_same(disk, bucket.objects("rec/"), "the disk and the bucket")
        check_recording(fetched(bucket, folder), seconds=2)


def test_live_playlist_takes_away_what_it_lists_no_longer():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        line = launch.LIVE + HLS + "playlist-type=live playlist-length=3 max-files=3 " + put(bucket)
        reader = reader_of(bucket, sliding=True)
        with launch.Launch(line, folder, env=keys_of(bucket.user)) as recorder:
            reader.wait_for_version(4)
            launch.wait_until(lambda: bucket.head("rec/stream123_00002.ts") is None, "three have been taken away")
            recorder.stop()
        check_reader(reader)
        there = [int(key[-8:-3]) for key in bucket.keys("rec/") if key.endswith(".ts")]
        sequence, segments, _ = servers.listed(playlist_in(bucket).decode())
        wanted = list(range(there[0], sequence + len(segments)))
        tap.check(there == wanted and 3 <= there[0] <= sequence, f"the playlist has {sequence} and {segments}, there are {there}")
        report = tscheck.check(fetched(bucket, folder))
        tap.check(not report.findings, "\n".join(report.findings))


def test_gateway_killed_five_times_costs_nothing():
    with tap.folder() as folder, rgw.Rgw(SHARED.ceph) as server:
        bucket = new_bucket(server)
        reader = reader_of(bucket)
        with launch.Launch(launch.LIVE + HLS + "write-files=always " + put(bucket), folder, env=keys_of(bucket.user)) as recorder:
            recorder.wait_for("New clock")
            begun = time.monotonic()
            reader.wait_for_version(1)
            for _ in range(5):
                time.sleep(random.uniform(0.3, 1.2))
                server.kill()
                time.sleep(random.uniform(0.0, 0.6))
                server.start()
            tap.check(recorder.runs(), "the recorder has ended")
            lived = time.monotonic() - begun
            recorder.stop()
        check_reader(reader)
        check_recording(fetched(bucket, folder), seconds=lived - 1.5)
        launch.check_same(recorded_in(folder), bucket.objects("rec/"), "the disk and the bucket")


def test_recording_outlives_the_gateway_and_the_recorder():
    with tap.folder() as folder, rgw.Rgw(SHARED.ceph) as server:
        bucket = new_bucket(server)
        line = launch.LIVE + HLS + put(bucket, "spool-dir=spool")
        spool = os.path.join(folder, "spool")
        reader = reader_of(bucket)
        killed = []
        with launch.Launch(line, folder, env=keys_of(bucket.user)) as recorder:
            reader.wait_for_version(2)
            server.kill()
            launch.wait_until(lambda: segments_in(spool) >= 2, "segments wait in the spool")
            killed.append(time.time())
            recorder.kill()
        waiting = segments_in(spool)
        with launch.Launch(line, folder, env=keys_of(bucket.user)) as recorder:
            launch.wait_until(lambda: segments_in(spool) >= waiting + 2, "the second life's segments wait, too")
            seen = reader.versions
            server.start()
            reader.wait_for_version(seen + 2)
            killed.append(time.time())
            recorder.stop()
        check_reader(reader)
        report = check_recording(fetched(bucket, folder), runs=2)
        check_lost(report.sessions(), killed)
        check_spool(spool)


def test_clock_that_is_wrong_is_corrected():
    library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
    if not library:
        raise tap.Skip("faketime is not installed")
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        clock = os.path.join(folder, "clock")
        env = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

        def set_clock(offset):
            servers.write(clock + ".new", offset + "\n")
            os.replace(clock + ".new", clock)
        set_clock("-20m")
        reader = reader_of(bucket)
        with launch.Launch(launch.LIVE + HLS + put(bucket, "probe=true"), folder, env={**env, **keys_of(bucket.user)}) as recorder:
            recorder.wait_for("New clock")
            begun = time.monotonic()
            for offset in ("-20m", "+0", "+3h"):
                set_clock(offset)
                reader.wait_for_version(reader.looked_at + 3, timeout=15)
            lived = time.monotonic() - begun
            recorder.stop()
            tap.check("ERROR" not in recorder.said(), recorder.said())
        check_reader(reader)
        tap.m3u8_check(fetched(bucket, folder))
        tap.check(tscheck.parse_playlist(fetched(bucket, folder)).duration >= lived - 1.5, "it is too short")


def refused(bucket, folder, name, server=None, user=None, more=""):
    """What a recorder says that cannot record there; it ends at once."""
    there = rgw.Bucket(server or bucket.server, name, user or bucket.user)
    said = launch.run(launch.LIVE + HLS + put(there, "probe=true " + more), folder, env=keys_of(there.user), code=None, timeout=15)
    check_secret(said, there.user)
    errors = re.findall("ERROR: from element (\\S+)", said)
    tap.check(errors[0].endswith("/GstAmsS3Put:amss3put0:") and not any("GstAmsHlsSink" in error for error in errors), said)
    return said


def test_wrong_key_is_said_at_the_start():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        said = refused(bucket, folder, bucket.name, user=rgw.User("", "NOBODY", bucket.user.secret_key))
        check_said(said, "does not know the access key; check access-key (403 InvalidAccessKeyId")


def test_wrong_secret_is_said_at_the_start():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        said = refused(bucket, folder, bucket.name, user=rgw.User("", bucket.user.access_key, "Wrong/secret+of"))
        check_said(said, "the secret does not belong to the access key; check secret-access-key (403 SignatureDoesNotMatch")


def test_bucket_that_is_not_there_is_said_at_the_start():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        said = refused(bucket, folder, "nowhere")
        check_said(said, "has no bucket “nowhere”; create it, or check bucket, region and endpoint (404 NoSuchBucket")


def test_bucket_of_somebody_else_is_said_at_the_start():
    with tap.folder() as folder:
        bucket, other = new_bucket(SHARED.gateway), new_bucket(SHARED.gateway)
        said = refused(bucket, folder, other.name)
        check_said(said, f"the access key may not do that in the bucket “{other.name}”; allow it s3:PutObject (403 AccessDenied")


def test_no_credentials_are_said_at_the_start():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        said = launch.run(launch.LIVE + HLS + put(bucket), folder, code=None, timeout=15)
        check_said(said, "There are no credentials", "AWS_ACCESS_KEY_ID")


def test_without_a_probe_a_wrong_secret_is_said_where_a_recording_may_be():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        said = launch.run(launch.LIVE + HLS + put(bucket), folder, env=keys_of(rgw.User("", bucket.user.access_key, "wrong")), code=None)
        check_said(said, "ERROR", "check secret-access-key")
        tap.check(bucket.keys() == [], bucket.keys())


def test_region_is_not_looked_at_by_a_server_that_has_none():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        launch.run(launch.clip(2) + HLS + put(bucket, "region=eu-west-9 probe=true"), folder, env=keys_of(bucket.user))
        check_recording(fetched(bucket, folder), seconds=1.9)


def test_larger_than_the_server_takes_is_said_and_the_rest_is_recorded():
    with tap.folder() as folder, rgw.Rgw(SHARED.ceph, max_put=100000) as server:
        bucket = new_bucket(server)
        write_random(os.path.join(folder, "large"), 200000)
        write_random(os.path.join(folder, "small"), 90000)
        said = launch.run("filesrc location=large " + put(bucket, "location=large " + KEPT), folder, env=keys_of(bucket.user), code=None)
        check_said(said, f"“{bucket.name}/rec/large” was not stored: the file is larger than", "(400 EntityTooLarge")
        launch.run("filesrc location=small " + put(bucket, "location=small"), folder, env=keys_of(bucket.user))
        tap.check(bucket.keys() == ["rec/small"], bucket.keys())


def test_disk_of_the_store_that_hangs_costs_nothing():
    with tap.folder() as folder, rgw.Ceph(folder) as ceph, rgw.Rgw(ceph) as server:
        bucket = new_bucket(server)
        reader = reader_of(bucket)
        line = launch.LIVE + HLS + "write-files=always " + put(bucket, "timeout=2 stall-timeout=2")
        with launch.Launch(line, folder, env=keys_of(bucket.user)) as recorder:
            recorder.wait_for("New clock")
            begun = time.monotonic()
            reader.wait_for_version(2)
            ceph.stop_disk()
            try:
                recorder.wait_for("WARNING")
                time.sleep(1)
            finally:
                ceph.continue_disk()
            reader.wait_for_version(reader.looked_at + 2)
            lived = time.monotonic() - begun
            recorder.stop()
        check_reader(reader)
        check_recording(fetched(bucket, folder), seconds=lived - 1.5)
        launch.check_same(recorded_in(folder), bucket.objects("rec/"), "the disk and the bucket")


def test_recorder_killed_within_an_upload_of_parts_leaves_none():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        data = write_random(os.path.join(folder, "film"), 32000000)
        line = "filesrc location=film " + put(bucket, IN_PARTS + "max-bitrate=128000000")
        with launch.Launch(line, folder, env=keys_of(bucket.user)) as recorder:
            launch.wait_until(bucket.parts, "a part is there")
            recorder.kill()
        tap.check(len(bucket.uploads()) == 1, f"under way: {bucket.uploads()}")
        launch.run(line, folder, env=keys_of(bucket.user))
        tap.check(bucket.uploads() == [], f"still under way: {bucket.uploads()}")
        tap.check(bucket.get("rec/film") == data, "the film is another")


def test_gateway_killed_within_an_upload_of_parts_costs_nothing():
    with tap.folder() as folder, rgw.Rgw(SHARED.ceph) as server:
        bucket = new_bucket(server)
        data = write_random(os.path.join(folder, "film"), 32000000)
        line = "filesrc location=film " + put(bucket, IN_PARTS + "max-bitrate=128000000")
        with launch.Launch(line, folder, env=keys_of(bucket.user)) as recorder:
            launch.wait_until(bucket.parts, "a part is there")
            server.kill()
            server.start()
            tap.check(recorder.ended() == 0, recorder.said())
        tap.check(bucket.get("rec/film") == data, "the film is another")
        tap.check(bucket.uploads() == [], f"still under way: {bucket.uploads()}")


def test_object_in_parts_is_the_file():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        data = write_random(os.path.join(folder, "film"), 12000000)
        launch.run("filesrc location=film " + put(bucket, IN_PARTS + "verify=size content-type=video/mp4"), folder, env=keys_of(bucket.user))
        tap.check(bucket.get("rec/film") == data, "the film is another")
        head = bucket.head("rec/film")
        tap.check(head["ETag"].endswith('-3"') and head["Content-Type"] == "video/mp4", head)


ODD_KEYS = ["a b/c  d", "plus+and&equals=", "100%", "%41%2F", "tilde~", "Küche/Größe", "camera-🎥", "ﷺ", "a:b;c,d!e*f'(g)@h$i",
    "q?x=y#z", "[a]{b}|^`", "dots..and.a.dot", "x" * 1020]


def test_odd_keys_arrive_as_they_are():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        data = write_random(os.path.join(folder, "file"), 1000)
        wanted = sorted("rec/" + key for key in ODD_KEYS)
        for key in wanted:
            launch.run("filesrc location=file " + put(bucket) + shlex.quote("location=" + key[4:]), folder, env=keys_of(bucket.user))
        tap.check(sorted(bucket.keys()) == wanted, f"there are {bucket.keys()}, not {wanted}")
        for key in wanted:
            tap.check(bucket.get(key) == data, f"{key} is another")


def test_key_that_is_too_long_is_said_at_the_start():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        write_random(os.path.join(folder, "file"), 10)
        said = launch.run(f"filesrc location=file {put(bucket)} location={'x' * 1021}", folder, env=keys_of(bucket.user), code=None)
        check_said(said, "1024")
        tap.check(bucket.keys() == [], bucket.keys())


def record_at(bucket, more, **where):
    with tap.folder() as folder:
        said = launch.run(launch.clip(2) + HLS + put(bucket, more, **where), folder, env=keys_of(bucket.user))
        tap.check("WARNING" not in said, said)
        check_recording(fetched(bucket, folder), seconds=1.9)


def test_bucket_in_the_path_over_tls():
    bucket = new_bucket(SHARED.gateway)
    ca = os.path.join(bucket.server.certificates, "ca.pem")
    record_at(bucket, f"addressing=path probe=true ssl-ca-file={ca}", site="tls")


def test_bucket_in_the_host():
    record_at(new_bucket(SHARED.gateway), "addressing=virtual probe=true", host=rgw.DOMAIN)


def test_bucket_in_the_host_over_tls():
    bucket = new_bucket(SHARED.gateway)
    ca = os.path.join(bucket.server.certificates, "ca.pem")
    record_at(bucket, f"addressing=virtual probe=true ssl-ca-file={ca}", host=rgw.DOMAIN, site="tls")


def test_recording_goes_where_aws_tools_are_told():
    bucket = new_bucket(SHARED.gateway)
    where = {"AWS_ENDPOINT_URL_S3": bucket.server.endpoint("tls"), "AWS_CA_BUNDLE": os.path.join(bucket.server.certificates, "ca.pem")}
    configured = "[services mine]\ns3 =\n  endpoint_url = {AWS_ENDPOINT_URL_S3}\n[default]\nservices = mine\nca_bundle = {AWS_CA_BUNDLE}\n"
    with tap.folder() as folder:
        servers.write(os.path.join(folder, "config"), configured.format(**where))
        for number, more in enumerate((where, {"AWS_CONFIG_FILE": os.path.join(folder, "config")})):
            said = launch.run(launch.clip(2) + HLS + f"! amss3put bucket={bucket.name} key-prefix=rec{number}/ probe=true", folder,
                env={**keys_of(bucket.user), **more})
            tap.check("WARNING" not in said, said)
            tap.check(f"rec{number}/stream123.m3u8" in bucket.keys(), bucket.keys())


def test_certificate_that_nobody_trusts_is_said():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        said = launch.run(launch.LIVE + HLS + put(bucket, "probe=true", site="tls"), folder, env=keys_of(bucket.user), code=None, timeout=15)
        check_said(said, "ERROR", "ertificate")
        tap.check(bucket.keys() == [], bucket.keys())


def test_s3cmd_reads_what_was_recorded():
    tap.need("s3cmd")
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        launch.run(launch.clip(3) + HLS + "write-files=always " + put(bucket), folder, env=keys_of(bucket.user))
        host = f"127.0.0.1:{bucket.server.ports['plain']}"
        got = os.path.join(folder, "got")
        os.mkdir(got)
        tap.run(["s3cmd", "-c", "/dev/null", f"--access_key={bucket.user.access_key}", f"--secret_key={bucket.user.secret_key}",
            f"--host={host}", f"--host-bucket={host}", "--no-ssl", "--no-progress", "--recursive", "get", f"s3://{bucket.name}/rec/", got + "/"])
        launch.check_same(recorded_in(folder), launch.files_in(got), "the disk and what s3cmd got")


def main():
    global SHARED  # pylint: disable=global-statement
    # Nobody's own settings; and no credentials but those that a test gives.
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/nowhere", AWS_SHARED_CREDENTIALS_FILE="/nowhere")
    with tap.folder() as folder:
        SHARED = Shared(folder)
        try:
            tap.have_element("amss3put")
            SHARED.gateway  # pylint: disable=pointless-statement
            return tap.run_tests(launch.beside_each_other(globals(), 5))
        except tap.Skip as reason:
            print(f"1..0 # SKIP {reason}")
            return 0
        except tap.Failed as reason:
            print(f"1..1\nnot ok 1 - {reason}")
            return 1
        finally:
            SHARED.end()


if __name__ == "__main__":
    sys.exit(main())
