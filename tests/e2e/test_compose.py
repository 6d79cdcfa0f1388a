"""Kafka as compose/kafka starts it, and what else compose/ has."""

import os
import signal
import subprocess

from env.kafka import VERSION
from env.paths import KAFKA, ROOT


def test_the_drop_in_with_kafkas_password_is_for_every_unit():
    folder = ROOT / "compose/systemd"
    units = [path.name.removesuffix(".in") for path in folder.glob("*.service.in")]
    text = (folder / "kafka-password.conf").read_text()
    assert len(units) == 3 and all(f"/etc/systemd/system/{unit}.d/kafka.conf" in text for unit in units), units


def test_brokers_that_start_at_once_fetch_kafka_once(tmp_path):
    """A second fetching would take the jars from the brokers that run from the first."""
    folders = [tmp_path / f"kafka-{n}" for n in range(3)]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    starts = [
        subprocess.Popen([KAFKA, "start", "--port", "0", "--dir", folder, *VERSION], stderr=subprocess.PIPE, text=True, env=environment) for folder in folders
    ]
    try:
        told = [start.communicate()[1] for start in starts]
        assert [start.returncode for start in starts] == [0, 0, 0], told
        assert "".join(told).count("fetching") == 1, told
    finally:
        for folder in folders:
            subprocess.run([KAFKA, "stop", "--dir", folder], check=True)


def test_a_broker_that_does_not_start_leaves_the_others_up(tmp_path):
    def pid(node):
        return int((tmp_path / f"node-{node}/pid").read_text())

    def start():
        command = [KAFKA, "start", "--brokers", "3", "--port", "0", "--dir", tmp_path, *VERSION]
        return subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)

    try:
        assert start().returncode == 0
        others = [pid(1), pid(3)]
        os.kill(pid(2), signal.SIGKILL)
        identity = tmp_path / "node-2/data/meta.properties"
        kept = identity.read_text()
        identity.write_text(kept.replace("node.id=2", "node.id=9"))
        failed = start()
        assert failed.returncode == 1 and "a broker ended while it started" in failed.stderr, failed
        assert [pid(1), pid(3)] == others
        for other in others:
            os.kill(other, 0)
        identity.write_text(kept)
        assert start().returncode == 0
        assert [pid(1), pid(3)] == others
    finally:
        subprocess.run([KAFKA, "stop", "--dir", tmp_path], check=True)
