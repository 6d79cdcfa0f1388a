"""A program's care for its parent's things: descriptors, its log, the environment, its memory."""

import contextlib
import os
import pty
import resource
import signal
import socket
import ssl
import subprocess
import threading

import pytest
from env import commands
from env.http import Client
from env.paths import ADMIN, WORKER
from env.programs import ENVIRONMENT
from env.sanitizer import SANITIZED
from env.tls import Authority, TlsReceiver, context
from env.unprivileged import Unprivileged, needs_root
from env.wait import until

DROPPED = "posthorn_log_lines_dropped_total"
TALKATIVE = {"log_level": "debug", "kafka_debug": "protocol"}


class Odd:
    """A program that is started as `command` says, with the configuration of a world's worker."""

    def __init__(self, world, command, settings=None, **options):
        self.worker = world.worker(ready=False, **(settings or {}))
        self.worker.kill()
        self.process = subprocess.Popen([*command, WORKER, "--config", self.worker.config], env=ENVIRONMENT, **options)
        self.worker.process = self.process

    def __enter__(self):
        return self.worker

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.worker.stop()


def deliver(world, worker, count=1):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    for _ in range(count):
        world.issue(tenant)
    endpoint.wait(count)


# Its log


@pytest.mark.parametrize("kind", ["pipe", "socket", "terminal"])
def test_a_reader_of_the_log_that_stalls(fresh_world, kind):
    """More lines than fit are written while the log's reader stalls; callbacks go out, and
    afterwards the log gives the number of missing lines.
    """
    if kind == "pipe":
        reading, writing = os.pipe()
        os.set_blocking(writing, True)
    elif kind == "terminal":
        reading, writing = pty.openpty()
    else:
        pair = socket.socketpair()
        reading, writing = (end.detach() for end in pair)
    with Odd(fresh_world, ["setpriv", "--pdeathsig", "KILL"], TALKATIVE, stderr=writing) as worker:
        worker.wait_ready()
        blocks_before = os.get_blocking(writing)
        until(lambda: worker.metric(DROPPED) > 0, 120, "the log to be full")
        deliver(fresh_world, worker)
        assert worker.get("/readyz").code == 200
        assert os.get_blocking(writing) == blocks_before, "others who have this pipe keep it as it was"
        text = []
        reader = threading.Thread(target=read_all, args=(reading, text))
        reader.start()
        until(lambda: deliver(fresh_world, worker) or b"log lines were dropped" in b"".join(text), what="the log to say so")
        os.close(writing)
        worker.stop()
        reader.join()
    os.close(reading)
    assert b'message="worker stopped"' in b"".join(text)


def read_all(fd, into):
    with contextlib.suppress(OSError):  # the end of a terminal, on Linux
        while block := os.read(fd, 1 << 16):
            into.append(block)


@pytest.mark.parametrize("closed", ["2", "0 1 2"])
def test_closed_descriptors(fresh_world, closed):
    """They are /dev/null, so that no log goes into a file or connection that would be number 2."""
    close = " ".join(f"{fd}>&-" for fd in closed.split())
    with Odd(fresh_world, ["sh", "-c", f'exec "$@" {close}', "-"]) as worker:
        worker.wait_ready()
        for fd in closed.split():
            assert os.readlink(f"/proc/{worker.process.pid}/fd/{fd}") == "/dev/null"
        deliver(fresh_world, worker)


# Its signals


def only_child(process):
    return open(f"/proc/{process.pid}/task/{process.pid}/children").read().strip()


@needs_root
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_command_ends_as_process_1_too(number):
    """That of a container gets only signals that it has a handler for."""
    ask = [ADMIN, "--set", "kafka.bootstrap.servers=127.0.0.1:1", "--timeout", "5m", "topics", "check"]
    process = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", *ask], env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    try:
        pid = until(lambda: only_child(process), what="the command")
        until(lambda: len(os.listdir(f"/proc/{pid}/task")) > 1, what="the command to be at work")
        os.kill(int(pid), number)
        assert process.wait(20) == 128 + number
    finally:
        process.kill()
        process.wait()


# Its environment


def test_no_library_writes_secrets(fresh_world, receivers, tmp_path):
    """SSLKEYLOGFILE and GNUTLS_DEBUG_LEVEL are ignored by both programs, with a warning: over TLS a
    request is answered and a callback delivered.
    """
    unwanted = {"SSLKEYLOGFILE": str(tmp_path / "keys"), "GNUTLS_DEBUG_LEVEL": "99"}
    authority = Authority(tmp_path, "ours")
    file = authority.issue("gateway")
    file.chmod(0o600)
    tenant = fresh_world.tenant()
    ENVIRONMENT.update(unwanted)
    try:
        gateway = fresh_world.gateway(gateway_tls_certificate_file=file, gateway_tls_key_file=file)
        worker = fresh_world.worker(endpoint_ca_file=authority.file)
    finally:
        for name in unwanted:
            del ENVIRONMENT[name]
    token = fresh_world.token(tenant)["token"]
    client = Client(gateway.api, token, ssl.create_default_context(cafile=authority.file))
    until(lambda: client("GET", "/v1/webhooks").status == 200, 10, "an answer over TLS")
    receiver = TlsReceiver(context(authority.issue("receiver")))
    fresh_world.ask(tenant, commands.create(receiver.url))
    fresh_world.results.end(fresh_world.issue(tenant))
    until(lambda: receiver.requests, what="a callback over TLS")
    receiver.close()
    for program in (gateway, worker):
        log = program.log.read_text(errors="replace")
        assert all(f'environment variable is ignored: a library would write secrets" name={name}' in log for name in unwanted)
        assert "gnutls[" not in log.rpartition("environment variable is ignored")[2], "its constructor's lines come before main"
        assert os.readlink(f"/proc/{program.process.pid}/exe") == str(program.program)
        assert open(f"/proc/{program.process.pid}/comm").read().strip() == program.program.name[:15]
    assert not (tmp_path / "keys").exists()


# Its memory


@pytest.mark.skipif(SANITIZED, reason="builds for developers may dump core")
@needs_root
def test_no_core_is_dumped(fresh_world):
    them = Unprivileged(fresh_world)
    data = them.folder("data")
    key = them.folder("key") / "master.key"
    key.write_bytes(fresh_world.master_key.read_bytes())
    os.chown(key, data.stat().st_uid, -1)
    key.chmod(0o600)
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        worker = them.worker(worker_data_dir=data, worker_master_key_file=key)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    pid = worker.process.pid
    assert "Max core file size        0                    0 " in open(f"/proc/{pid}/limits").read()
    assert os.stat(f"/proc/{pid}/mem").st_uid == 0, "its memory is nobody's to look into"
    os.kill(pid, signal.SIGABRT)
    _, status = os.waitpid(pid, 0)
    worker.process.returncode = -signal.SIGABRT
    assert os.WTERMSIG(status) == signal.SIGABRT and not os.WCOREDUMP(status)
