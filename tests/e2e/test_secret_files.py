"""Secrets as files: who must own them, who may read them, and how Kubernetes mounts them."""

import os

import pytest
from env.http import Client
from env.paths import WORKER
from env.programs import run
from env.unprivileged import FS_GROUP, ROOT, USER, Unprivileged, needs_root
from env.wait import until

pytestmark = needs_root


@pytest.fixture
def them(fresh_world):
    return Unprivileged(fresh_world)


def test_a_worker_and_a_gateway_with_mounted_secrets(fresh_world, them):
    """Neither is root; the master key, the tokens and the TLS key are of a Secret's volume, and
    root's.
    """
    world, tenant = fresh_world, fresh_world.tenant()
    token = world.token(tenant)["token"]
    files = {"master.key": world.master_key.read_bytes(), "tokens": (world.directory / "tokens").read_bytes()}
    volume = them.secret_volume("secrets", files)
    endpoint = world.receivers.endpoint()
    them.worker(worker_master_key_file=volume / "master.key", worker_data_dir=them.folder("data"))
    world.webhook(tenant, endpoint)
    world.results.end(world.issue(tenant))
    endpoint.wait()
    gateway = them.gateway(gateway_tokens_file=volume / "tokens", gateway_data_dir=them.folder("history"))
    client = Client(gateway.api, token)
    assert len(client("GET", "/v1/webhooks").json["data"]) == 1
    swap(volume, {**files, "tokens": b""})
    until(lambda: client("GET", "/v1/webhooks").status == 401, what="the tokens that were mounted meanwhile")


def swap(volume, files):
    """As the kubelet changes a Secret: another folder, and one rename of `..data`."""
    data, link = volume / "..2026_02_01_12_00_00.987654321", volume / "..data_tmp"
    data.mkdir(0o755)
    for name, content in files.items():
        (data / name).write_bytes(content)
        os.chown(data / name, ROOT, FS_GROUP)
        (data / name).chmod(0o440)
    link.symlink_to(data.name)
    link.rename(volume / "..data")


@pytest.mark.parametrize(
    "owner, group, mode, rule",
    [
        (USER, FS_GROUP, 0o400, None),
        (ROOT, FS_GROUP, 0o440, None),
        (ROOT, FS_GROUP, 0o644, "has mode 0644 and must have 0640 or less"),
        (USER, FS_GROUP, 0o660, "has mode 0660 and must have 0600 or less, since this process's user owns it (chmod 600; where Kubernetes' fsGroup"),
        (ROOT, ROOT, 0o600, "cannot be opened: permission denied"),
        (USER + 1, FS_GROUP, 0o640, f"is owned by user {USER + 1}, and must be by this process's user ({USER}) or root"),
    ],
)
def test_who_may_read_a_master_key(fresh_world, them, owner, group, mode, rule):
    key = them.folder("keys", mode=0o755) / "master.key"
    key.write_bytes(fresh_world.master_key.read_bytes())
    os.chown(key, owner, group)
    key.chmod(mode)
    settings = [
        f"--set={name}={value}" for name, value in {**fresh_world.settings, "worker.master.key.file": key, "worker.data.dir": them.folder("data")}.items()
    ]
    answer = run(*them.command(WORKER, *settings, "--check-config"))
    if rule is None:
        assert answer.code == 0, answer
    else:
        assert answer.code == 2 and f"worker.master.key.file: master key file {key} {rule}" in answer.err, answer


@pytest.mark.parametrize("name", ["ssl.key.location", "ssl.keystore.location"])
def test_a_key_for_kafka_that_others_may_read(fresh_world, tmp_path, name):
    key = tmp_path / "client.key"
    key.write_text("")
    key.chmod(0o644)
    settings = [f"--set={name}={value}" for name, value in {**fresh_world.settings, "worker.data.dir": tmp_path / "data", f"kafka.{name}": key}.items()]
    answer = run(WORKER, *settings, "--check-config")
    assert answer.code == 2 and f"kafka.{name}: has mode 0644 and must have 0600 or less" in answer.err, answer


@pytest.mark.parametrize("mode, rule", [(0o600, None), (0o644, "has mode 0644 and must have 0600 or less")])
def test_a_password_for_kafka_in_a_file(fresh_world, tmp_path, mode, rule):
    """It is read from there, and shown by nobody."""
    password = tmp_path / "password"
    password.write_text("hunter2\n")
    password.chmod(mode)
    login = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "somebody", "sasl.password.file": password}
    settings = {**fresh_world.settings, "worker.data.dir": tmp_path / "data", **{f"kafka.{name}": value for name, value in login.items()}}
    answer = run(WORKER, *(f"--set={name}={value}" for name, value in settings.items()), "--check-config")
    assert "hunter2" not in answer.out + answer.err
    if rule is None:
        assert answer.code == 0, answer
    else:
        assert answer.code == 2 and f"kafka.sasl.password.file: {password} {rule}" in answer.err, answer
