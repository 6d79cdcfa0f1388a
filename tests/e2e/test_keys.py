"""Signing keys and master keys: rotation, the overlap, rolling from one master key to the next, and
a worker that has the wrong ones.
"""

import base64
import hashlib
import json
import os
import time

import pytest
from env import commands
from env.programs import run
from env.verifier import Jwks, verify
from env.wait import until

OVERLAP_MS = 4000


@pytest.fixture(scope="module")
def world(make_world):
    settings = {"signing.key.overlap": f"{OVERLAP_MS}ms", "delivery.retry.schedule": "1s,1s,1s", "delivery.retry.jitter": 0}
    with make_world(settings=settings) as world:
        world.worker()
        yield world


def kids(world, tenant):
    """The published keys, the signing key first, as posthorn-admin shows them."""
    return [key["kid"] for key in world.admin.jwks(tenant)["keys"]]


def rotate(world, tenant):
    end = world.ask(tenant, commands.rotate_key())
    assert (end.type, end.status) == ("WEBHOOK_KEY_ROTATE_SUCCESS", 201), end
    return end.data["kid"]


# Rotation


def test_a_rotated_keys_callback_verifies_and_the_old_key_is_listed_until_the_overlap_ends(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    world.issue(tenant)
    old = verify(endpoint.wait(1)[0], Jwks(world.admin.jwks(tenant)))
    new = rotate(world, tenant)
    (retired,) = [key for key in world.state.kind("key", tenant).values() if key["kid"] == old]
    assert kids(world, tenant) == [new, old] and old != new
    world.issue(tenant)
    jwks = Jwks(world.admin.jwks(tenant))
    assert verify(endpoint.wait(2)[1], jwks) == new
    assert verify(endpoint.requests[0], jwks) == old, "sent before the rotation, and verified after it"

    until(lambda: kids(world, tenant) == [new], what="the old key to leave the JWKS")
    assert time.time() * 1000 >= retired["expiresAt"]
    (signing,) = [key for key in world.state.kind("key", tenant).values() if key["kid"] == new]
    assert retired["expiresAt"] - signing["createdAt"] == OVERLAP_MS
    world.state.wait(lambda: list(world.state.kind("key", tenant)) == [f"key/{tenant}/{new}"], what="the end of the old key")
    assert verify(endpoint.requests[1], Jwks(world.admin.jwks(tenant))) == new


def test_pending_deliveries_are_signed_with_the_new_key(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint().answers(500, 200)
    world.webhook(tenant, endpoint)
    world.issue(tenant)
    (first,) = endpoint.wait(1)
    new = rotate(world, tenant)
    second = endpoint.wait(2)[1]
    jwks = Jwks(world.admin.jwks(tenant))
    assert first.id == second.id and verify(first, jwks) != verify(second, jwks) == new


def test_each_rotation_adds_one_and_the_newest_is_first(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    (first,) = kids(world, tenant)
    second, third = rotate(world, tenant), rotate(world, tenant)
    assert kids(world, tenant) == [third, second, first]
    epochs = {key["kid"]: key["epoch"] for key in world.state.kind("key", tenant).values()}
    assert epochs == {first: 1, second: 2, third: 3}


# Master keys


def write_key(path, mode=0o600):
    path.write_bytes(base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=") + b"\n")
    path.chmod(mode)
    return path


@pytest.fixture
def rolled(make_world, tmp_path):
    """A world with an overlap of no length worth waiting for, and two master keys."""
    with make_world(settings={"signing.key.overlap": "1s"}) as world:
        world.old, world.new = world.master_key, write_key(tmp_path / "new.key")
        yield world


def restart(world, *files, **options):
    """The one worker, with these master keys."""
    for worker in world.workers:
        if worker.running:
            worker.stop()
    return world.worker("worker-1", worker_master_key_file=",".join(map(str, files)), **options)


def master_keys(world, tenant):
    """{kid: the master key that it names}, of the tenant's keys."""
    return {key["kid"]: key["masterKeyId"] for key in world.state.kind("key", tenant).values()}


def signed_by(world, tenant, endpoint):
    """Issues, and returns the kid that signed the callback; the public JWKS decides."""
    seen = len(endpoint.requests)
    world.issue(tenant)
    return verify(endpoint.wait(seen + 1)[seen], Jwks(world.admin.jwks(tenant)))


def signing_with(world, master_key_id):
    """The tenants whose key is derived from it, as docs/operating.md asks for them."""
    values = [json.loads(line)["value"] for line in world.admin.dump().splitlines()]
    return {value["tenantId"] for value in values if value.get("masterKeyId") == master_key_id and value["expiresAt"] is None}


def test_rolling_from_one_master_key_to_the_next(rolled):
    world, tenant, later = rolled, rolled.tenant(), rolled.tenant("later")
    endpoint, other = world.receivers.endpoint(), world.receivers.endpoint()
    restart(world, world.old)
    world.webhook(tenant, endpoint)
    kid = signed_by(world, tenant, endpoint)
    ((_, old_id),) = master_keys(world, tenant).items()

    restart(world, world.old, world.new)
    assert signed_by(world, tenant, endpoint) == kid and master_keys(world, tenant) == {kid: old_id}

    restart(world, world.new, world.old)
    assert signed_by(world, tenant, endpoint) == kid, "what there is goes on to be derived from the old one"
    world.webhook(later, other)
    ((later_kid, new_id),) = master_keys(world, later).items()
    assert new_id != old_id and signed_by(world, later, other) == later_kid

    assert (signing_with(world, old_id), signing_with(world, new_id)) == ({tenant}, {later})
    new = rotate(world, tenant)
    assert signed_by(world, tenant, endpoint) == new and master_keys(world, tenant)[new] == new_id
    assert (signing_with(world, old_id), signing_with(world, new_id)) == (set(), {tenant, later})
    until(lambda: kids(world, tenant) == [new], what="the overlap to end")

    restart(world, world.new)
    assert signed_by(world, tenant, endpoint) == new and signed_by(world, later, other) == later_kid


def assert_refused(world, worker, tenant, kid, missing, here):
    worker.expect_error("derived from a master key that this worker does not have")
    assert worker.wait_end() == 3
    (line,) = [line for line in worker.log.read_text().splitlines() if "level=error" in line and kid in line]
    for field in (f'tenant="{tenant}"', f"kid={kid}", f"master_key={missing}", f"master_keys_here={here}", "worker.master.key.file"):
        assert field in line, line


def test_a_worker_without_the_master_key_does_not_serve(rolled):
    """With a warm replica, with none, and as a stranger that takes over; the refused partition is
    unchanged.
    """
    world, tenant, endpoint = rolled, rolled.tenant(), rolled.receivers.endpoint()
    restart(world, world.old)
    world.webhook(tenant, endpoint)
    ((kid, missing),) = master_keys(world, tenant).items()
    here = key_id(world, world.new)

    assert_refused(world, restart(world, world.new, ready=False), tenant, kid, missing, here)
    world.workers[-1].forget()
    world.workers[-1].log.unlink()
    assert_refused(world, restart(world, world.new, ready=False), tenant, kid, missing, here)
    world.workers[-1].log.unlink()

    restart(world, world.old)
    assert signed_by(world, tenant, endpoint) == kid


def test_the_others_serve_what_a_worker_without_the_master_key_cannot(rolled):
    world, count = rolled, 24  # so many that some are in each worker's half of the partitions
    tenants, endpoints = [world.tenant() for _ in range(count)], [world.receivers.endpoint() for _ in range(count)]
    quick = {"kafka_session_timeout_ms": 6000}
    world.worker("worker-1", **quick)
    for tenant, endpoint in zip(tenants, endpoints):
        world.webhook(tenant, endpoint)
    stranger = world.worker("worker-2", ready=False, worker_master_key_file=world.new, **quick)
    stranger.expect_error("derived from a master key that this worker does not have")
    assert stranger.wait_end() == 3
    for tenant in tenants:
        world.issue(tenant)
    for tenant, endpoint in zip(tenants, endpoints):
        assert verify(endpoint.wait(timeout=30)[0], Jwks(world.admin.jwks(tenant)))


def test_a_replaced_keys_master_key_is_needed_for_as_long_as_it_is_listed(make_world, tmp_path):
    with make_world(settings={"signing.key.overlap": "8s"}) as world:
        world.old, world.new = world.master_key, write_key(tmp_path / "new.key")
        tenant, endpoint = world.tenant(), world.receivers.endpoint()
        restart(world, world.old)
        world.webhook(tenant, endpoint)
        ((old, missing),) = master_keys(world, tenant).items()
        restart(world, world.new, world.old)
        new = rotate(world, tenant)

        worker = restart(world, world.new, ready=False)
        assert_refused(world, worker, tenant, old, missing, key_id(world, world.new))
        worker.log.unlink()
        until(lambda: kids(world, tenant) == [new], what="the overlap to end")
        restart(world, world.new)
        assert signed_by(world, tenant, endpoint) == new


def test_partitions_without_keys_need_no_master_key(rolled):
    restart(rolled, rolled.old)
    restart(rolled, rolled.new)


def key_id(world, file):
    """A master key's id by the rule of worker/signature/master_key.h, with code that is not the
    program's.
    """
    key = base64.urlsafe_b64decode(file.read_text().strip() + "=")
    return base64.urlsafe_b64encode(hashlib.blake2b(b"posthorn master key id", digest_size=32, key=key).digest()).decode()[:16]


@pytest.mark.parametrize(
    "files, rule",
    [
        (["old", "old"], "is named twice"),
        (["old", "copy"], "holds the same key as"),
        (["old", "missing"], "does not exist"),
        (["old", "open"], "must have 0600"),
        (["open", "old"], "must have 0600"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else value,
)
def test_a_wrong_file_is_named(world, tmp_path, files, rule):
    old = write_key(tmp_path / "old")
    (tmp_path / "copy").write_bytes(old.read_bytes())
    (tmp_path / "copy").chmod(0o600)
    write_key(tmp_path / "open", 0o644)
    setting = ",".join(str(tmp_path / file) for file in files)
    worker = world.workers[0]
    answer = run(worker.program, "--config", worker.config, "--set", f"worker.master.key.file={setting}", "--check-config")
    wrong = files[1] if files[0] == "old" else files[0]
    assert answer.code == 2 and f"worker.master.key.file: master key file {tmp_path / wrong} " in answer.err and rule in answer.err, answer
