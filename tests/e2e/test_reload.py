"""SIGHUP: what a running program reads again, and what the service manager is told meanwhile."""

import os
import signal
import socket
import ssl

import pytest
from env.paths import REFUSING_PORT
from env.programs import ENVIRONMENT, Admin, run, write_properties
from env.tls import Authority
from env.wait import until


class Manager:
    """A service manager's socket; `said` are the first words of what a program has told it."""

    def __init__(self, path, monkeypatch):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        self.said = []
        monkeypatch.setitem(ENVIRONMENT, "NOTIFY_SOCKET", str(path))
        monkeypatch.setitem(ENVIRONMENT, "WATCHDOG_USEC", "3000000")

    def has_heard(self, *words):
        try:
            while True:
                self.said.append(self.socket.recv(256).decode().split("\n")[0])
        except BlockingIOError:
            return [word for word in self.said if word != "WATCHDOG=1"] == list(words)

    def wait(self, *words):
        until(lambda: self.has_heard(*words), what=f"{words}: {self.said}")


@pytest.fixture
def manager(tmp_path, monkeypatch):
    return Manager(tmp_path / "notify", monkeypatch)


def change(server, **settings):
    lines = dict(line.split("=", 1) for line in server.config.read_text().splitlines())
    write_properties(server.config, lines | {key.replace("_", "."): str(value) for key, value in settings.items()})


def reload(server):
    """The lines that it has logged since."""
    before = len(server.log.read_text())
    server.process.send_signal(signal.SIGHUP)
    done = (f'{server.kind} reloaded"', "configuration is refused")
    return until(lambda: (text := server.log.read_text()[before:]) and any(word in text for word in done) and text, what="the reload")


@pytest.mark.parametrize("kind", ["worker", "gateway"])
def test_the_manager_is_told(fresh_world, manager, kind):
    if kind == "gateway":
        fresh_world.worker()
        manager.wait("READY=1")
        manager.said.clear()
    program = getattr(fresh_world, kind)()
    manager.wait("READY=1")
    until(lambda: manager.has_heard() or "WATCHDOG=1" in manager.said, what="the watchdog's word")
    reload(program)
    manager.wait("READY=1", "RELOADING=1", "READY=1")
    program.stop()
    manager.wait("READY=1", "RELOADING=1", "READY=1", "STOPPING=1")


def test_a_worker_takes_a_master_key(fresh_world):
    """The second step of a roll, and the third: then a new tenant's key is derived from the other.
    What needs a restart is named, and a master key is not given up.
    """
    worker = fresh_world.worker()
    first, second = fresh_world.master_key, fresh_world.directory / "second.key"
    fresh_world.admin.ok("master-key", "generate", "--file", second)
    change(worker, worker_master_key_file=f"{first},{second}", delivery_timeout="9s", kafka_client_id="other")
    text = reload(worker)
    assert 'message="changed keys need a restart" keys=delivery.timeout,kafka.client.id' in text
    ids = text.split("master_keys=")[1].split()[0].split(",")
    assert len(ids) == 2
    change(worker, worker_master_key_file=f"{second},{first}")
    assert f"master_keys={ids[1]},{ids[0]}" in reload(worker)
    tenant = fresh_world.tenant()
    fresh_world.webhook(tenant, fresh_world.receivers.endpoint())
    of_tenant = [line for line in fresh_world.admin.dump().splitlines() if "masterKeyId" in line]
    assert [ids[1] in line for line in of_tenant] == [True]
    worker.expect_error("master keys stay as they were")
    change(worker, worker_master_key_file=first)
    text = reload(worker)
    assert f"master key {ids[1]} is in none of the files" in text
    assert f"master_keys={ids[1]},{ids[0]}" in text


def test_a_refused_configuration_changes_nothing(fresh_world):
    worker = fresh_world.worker()
    change(worker, log_format="json")
    assert '"message":"worker reloaded"' in reload(worker)
    worker.expect_error("configuration is refused")
    change(worker, log_level="loud")
    assert "log.level" in reload(worker)
    assert worker.get("/readyz").code == 200


def test_a_worker_reads_each_file_by_itself(fresh_world, tmp_path):
    """One that cannot be used leaves what was there, and what is said of the other one is true."""
    ours, password = Authority(tmp_path, "ours"), tmp_path / "password"
    password.write_text("open sesame")
    password.chmod(0o600)
    proxy = {"endpoint.proxy": f"http://u@127.0.0.1:{REFUSING_PORT}", "endpoint.proxy.password.file": password}
    worker = fresh_world.worker(**proxy)
    change(worker, endpoint_ca_file=ours.file)
    assert "authorities=read proxy_password=read" in reload(worker)
    worker.expect_error("the password of the proxy cannot be read")
    password.chmod(0o644)
    assert "authorities=read proxy_password=as-before" in reload(worker)
    password.chmod(0o600)
    worker.expect_error("no certificates of authorities")
    change(worker, endpoint_ca_file="/dev/null")
    assert "authorities=as-before proxy_password=read" in reload(worker)


def shown(gateway):
    return ssl.get_server_certificate(gateway.api.split(":"))


def of_file(file):
    return file.read_text().split("-----BEGIN PRIVATE")[0]


def test_a_gateway_shows_another_certificate(fresh_world):
    authority = Authority(fresh_world.directory, "ours")
    files = [authority.issue(name) for name in ("one", "two")]
    for file in files:
        file.chmod(0o600)
    fresh_world.worker()
    gateway = fresh_world.gateway(gateway_tls_certificate_file=files[0], gateway_tls_key_file=files[0])
    assert shown(gateway) == of_file(files[0])
    os.replace(files[1], files[0])
    assert "certificate=read" in reload(gateway)
    assert shown(gateway) == of_file(files[0])
    gateway.expect_error("the certificate stays as it was")
    files[0].write_text("nonsense")
    before = shown(gateway)
    assert "certificate=as-before" in reload(gateway)
    assert shown(gateway) == before
    files[0].chmod(0o644)
    text = reload(gateway)
    assert 'level=error message="the certificate stays as it was"' in text and "has mode 0644" in text
    assert "certificate=as-before" in text and all(line.startswith("time=") for line in text.splitlines())
    assert shown(gateway) == before


def test_a_gateway_takes_a_renewed_certificate_by_itself(fresh_world):
    """As Kubernetes exchanges a Secret: a folder beside the former one, and one link that leads to
    it. One that cannot be used keeps the former one.
    """
    authority, folder = Authority(fresh_world.directory, "ours"), fresh_world.directory / "secret"

    def publish(version):
        data = folder / f"..{version}"
        data.mkdir(parents=True)
        file = authority.issue(version).rename(data / "tls.pem")
        file.chmod(0o600)
        (folder / "..new").symlink_to(data.name)
        (folder / "..new").rename(folder / "..data")
        return file

    first = publish("one")
    link = folder / "tls.pem"
    link.symlink_to("..data/tls.pem")
    fresh_world.worker()
    gateway = fresh_world.gateway(gateway_tls_certificate_file=link, gateway_tls_key_file=link)
    assert shown(gateway) == of_file(first)
    second = publish("two")
    until(lambda: shown(gateway) == of_file(second), what="the renewed certificate")
    renewed = of_file(second)
    second.write_text("nonsense")
    until(lambda: "the changed certificate cannot be used: the former one stays" in gateway.log.read_text(), what="the warning")
    assert shown(gateway) == renewed
    third = publish("three")
    until(lambda: shown(gateway) == of_file(third), what="the next certificate")


def test_programs_tell_their_health(fresh_world):
    """As a container's health check asks: 0 once they are ready, 1 without them."""
    worker, gateway = fresh_world.worker(), fresh_world.gateway()
    admin = Admin(gateway.config)
    assert run(worker.program, "--config", worker.config, "--check-health") == (0, "ok\n", "")
    assert admin("health") == (0, "ok\n", "")
    # Without a configuration, as an image's health check asks.
    assert run(worker.program, "--set", f"worker.http.listen={worker.address}", "--check-health") == (0, "ok\n", "")
    assert run(admin.program, "--set", f"gateway.operations.listen={gateway.address}", "health") == (0, "ok\n", "")
    worker.stop()
    gateway.stop()
    assert run(worker.program, "--config", worker.config, "--check-health") == (1, "", "worker.http.listen: Connection refused\n")
    assert admin("health") == (1, "", "posthorn-admin: gateway.operations.listen: Connection refused\n")
