"""worker.data.dir: who may write to it, a system on which nothing else may be written, and one
without room.
"""

import os
import re
import subprocess

import pytest
from env.paths import BIN, OWN_MOUNTS, WORKER
from env.programs import ENVIRONMENT, run
from env.sanitizer import SANITIZED
from env.unprivileged import FS_GROUP, GROUP, ROOT, USER, Unprivileged, needs_root
from env.wait import until
import itertools

pytestmark = needs_root


def deliver(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    world.results.end(world.issue(tenant))
    endpoint.wait()


# Who may write to it


def link_elsewhere(folder):
    (folder / "replica.db").rename(folder / "elsewhere.db")
    (folder / "replica.db").symlink_to("elsewhere.db")


def link_twice(folder):
    (folder / "also.db").hardlink_to(folder / "replica.db")


def put_journal(folder):
    (folder / "replica.db-journal").write_bytes(b"x" * 512)
    os.chown(folder / "replica.db-journal", USER, GROUP)


# What is done to a worker's folder, and the file or folder that is named with the rule.
REFUSED = {
    "folder of another user": (lambda folder: os.chown(folder, USER, GROUP), "", f"is owned by user {USER}"),
    "folder that others may write to": (lambda folder: folder.chmod(0o777), "", "can be written to by others"),
    "sticky one": (lambda folder: folder.chmod(0o1777), "", "can be written to by others"),
    "file of another user": (lambda folder: os.chown(folder / "replica.db", USER, GROUP), "/replica.db", f"is owned by user {USER}"),
    "file that others may write to": (lambda folder: (folder / "replica.db").chmod(0o666), "/replica.db", "can be written to by others"),
    "symbolic link": (link_elsewhere, "/replica.db", "is a symbolic link"),
    "hard link": (link_twice, "/replica.db", "has another name elsewhere"),
    "journal of another user": (put_journal, "/replica.db-journal", f"is owned by user {USER}"),
}


def test_a_folder_that_cannot_be_trusted(make_world):
    with make_world() as world:
        for what, (spoil, name, rule) in REFUSED.items():
            worker = world.worker("worker-" + what.replace(" ", "-"))
            worker.stop()
            folder = worker.replica.parent
            spoil(folder)
            for arguments in (["--check-config"], []):
                answer = run(WORKER, "--config", worker.config, *arguments)
                assert answer.code == 2 and f"worker.data.dir: {folder}{name} {rule}" in answer.err, (what, arguments, answer)


def test_a_check_makes_and_changes_nothing(fresh_world):
    folder = fresh_world.directory / "data"
    folder.mkdir()
    folder.chmod(0o770)
    (folder / "replica.db").touch(0o644)
    for directory, rule in ((folder, None), (folder / "new", None), (folder / "no/new", f"{folder / 'no/new'} cannot be made in {folder / 'no'}")):
        before = sorted((path, path.stat().st_mode) for path in folder.rglob("*"))
        answer = run(WORKER, "--config", fresh_world.admin.config, "--set", f"worker.data.dir={directory}", "--check-config")
        assert answer.code == (2 if rule else 0) and (rule or "") in answer.err, answer
        assert folder.stat().st_mode & 0o777 == 0o770 and sorted((path, path.stat().st_mode) for path in folder.rglob("*")) == before


def test_a_folder_that_cannot_be_written_to(fresh_world):
    them = Unprivileged(fresh_world)
    key = them.folder("keys") / "master.key"
    key.write_bytes(fresh_world.master_key.read_bytes())
    os.chown(key, USER, GROUP)
    key.chmod(0o600)
    folder = them.folder("data", mode=0o500)
    settings = [f"--set={name}={value}" for name, value in {**fresh_world.settings, "worker.master.key.file": key, "worker.data.dir": folder}.items()]
    answer = run(*them.command(WORKER, *settings, "--check-config"))
    assert answer.code == 2 and f"worker.data.dir: {folder}: Permission denied" in answer.err, answer


def test_a_replica_that_others_may_read_is_closed(fresh_world):
    worker = fresh_world.worker()
    worker.stop()
    worker.replica.chmod(0o644)
    worker.start()
    assert worker.replica.stat().st_mode & 0o777 == 0o600 and worker.log.read_text().count("made anew") == 1


def mount_again(volume):
    """As the kubelet does at each mount for a pod with fsGroup."""
    for path in (volume, *volume.rglob("*")):
        os.chown(path, -1, FS_GROUP)
        path.chmod(path.stat().st_mode & 0o7777 | (0o2770 if path.is_dir() else 0o660))


@pytest.mark.parametrize("folder", ["", "data"], ids=["the volume itself", "a folder in it"])
def test_a_volume_with_fs_group_is_mounted_again(fresh_world, folder):
    """The volume's root is root's, and after a mount its group may write to all. The replica is
    made anew: a member may have written to it.
    """
    world, them = fresh_world, Unprivileged(fresh_world)
    volume = them.folder("volume", ROOT, FS_GROUP, 0o2775)
    key = them.secret_volume("secrets", {"master.key": world.master_key.read_bytes()}) / "master.key"
    worker = them.worker(worker_data_dir=volume / folder, worker_master_key_file=key)
    deliver(world)
    worker.stop()
    assert not list(volume.rglob("etilqs_*"))
    mount_again(volume)
    worker.start()
    assert "the replica's group could write to it, so it is made anew" in worker.log.read_text()
    assert (volume / folder / "replica.db").stat().st_mode & 0o777 == 0o600
    deliver(world)
    worker.stop()
    worker.start()
    assert worker.log.read_text().count("the replica's group could write") == 1, "once it is closed it is kept"


# What else may be written


def in_namespace(world, worker, mounts):
    """Starts the worker behind `mounts`, shell lines that it alone sees the effect of."""
    script = world.directory / "in-namespace"
    script.write_text(f'#!/bin/sh\nset -e\n[ "$1" = inside ] || exec {OWN_MOUNTS} "$0" inside "$@"\nshift\n{mounts}\ncd /\nexec {WORKER} "$@"\n')
    script.chmod(0o755)
    worker.program = script
    return worker.start(ready=False)


def stopped(world):
    """A worker that has a configuration and a folder, and does not run."""
    worker = world.worker(ready=False)
    worker.kill()
    worker.log.unlink()
    worker.replica.parent.mkdir(exist_ok=True)
    worker.forget()
    return worker


def fill_state(world, records, *urls):
    answer = run(BIN / "bench_fill_state", world.bootstrap, world.prefix + "webhook-state", world.partitions, records, world.master_key, *urls, timeout=120)
    assert answer.code == 0, answer.err


READ_ONLY = """
mount --bind {folder} {folder}
mount -o remount,bind,ro /
for place in /dev/shm /run; do mount -t tmpfs -o ro none $place || true; done
! touch /tmp/posthorn-x /var/tmp/posthorn-x 2>/dev/null
"""


@pytest.mark.skipif(SANITIZED, reason="350,000 webhooks: many minutes there")
def test_nothing_else_may_be_written(fresh_world):
    """A restore so large that SQLite sorts in files: they are in the folder too, and nothing of
    them is left there.
    """
    world = fresh_world
    worker = stopped(world)
    fill_state(world, 420_000, world.receivers.endpoint().url)
    in_namespace(world, worker, READ_ONLY.format(folder=worker.replica.parent)).wait_ready(180)
    deliver(world)
    names = {path.name for path in worker.replica.parent.iterdir()}
    assert names <= {"lock", "replica.db", "replica.db-wal", "replica.db-shm"}


def test_what_was_left_behind_is_removed(fresh_world):
    worker = stopped(fresh_world)
    left = worker.replica.parent / "etilqs_0123456789abcdef"
    left.write_bytes(b"x")
    worker.start()
    assert not left.exists()


# Room


@pytest.mark.parametrize("records", [0, 60_000], ids=["not even a file", "too small for what is restored"])
def test_a_folder_without_room(fresh_world, records):
    """`failing`, with growing pauses; once there is room the worker goes on by itself."""
    world = fresh_world
    worker = stopped(world)
    worker.expect_error("replica")
    if records:
        fill_state(world, records)
    folder, size = worker.replica.parent, "4m" if records else "16k"
    in_namespace(world, worker, f"mount -t tmpfs -o size={size},mode=700 none {folder}")
    until(lambda: worker.get("/readyz") == (503, "failing\n", ""), 90, "the worker to say that it fails")
    until(lambda: "failures=5" in worker.log.read_text(), 60, "a few more tries")
    log = worker.log.read_text()
    told = re.findall(r"the replica fails again and again: .*free_bytes=\d+ free_files=\d+ pause_ms=(\d+)", log)
    assert [int(a) < int(b) for a, b in itertools.pairwise(told)] and sorted(map(int, told)) == list(map(int, told)), told
    assert worker.get("/livez").code == 200
    subprocess.run(["nsenter", "-t", str(worker.process.pid), "-m", "-r", "mount", "-o", "remount,size=512m", folder], check=True, env=ENVIRONMENT)
    worker.wait_ready(120)
    deliver(world)
