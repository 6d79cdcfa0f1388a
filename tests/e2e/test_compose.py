"""Kafka as compose/kafka starts it."""

import os
import subprocess

from env.kafka import VERSION
from env.paths import KAFKA


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
