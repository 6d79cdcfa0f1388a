"""Brokers that can be killed one at a time, and the proxy before them."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from env.kafka import Logins, connection, session
from env.paths import KAFKA
from env.wait import until

BROKERS = 3
TRANSACTION_LOG_PARTITIONS = 4  # as compose/kafka sets it


def java_hash(text):
    """String.hashCode made positive as Kafka's Utils.abs does. Source: Java SE API,
    String.hashCode.
    """
    value = 0
    for letter in text:
        value = (value * 31 + ord(letter)) & 0xFFFFFFFF
    return value & 0x7FFFFFFF


def free_row(count):
    """The first of a row of free ports, below those that the system gives away."""
    # Java listens on sockets of IPv6 even where the address is of IPv4.
    lines = [line for table in ("tcp", "tcp6") for line in open(f"/proc/net/{table}").readlines()[1:]]
    used = {int(line.split()[1].split(":")[1], 16) for line in lines}
    while True:
        first = random.randrange(12000, 19000)
        if not used & set(range(first, first + count)):
            return first


class Proxy:
    """`secrets` is the folder with the certificates of a locked Kafka, or None."""

    def __init__(self, port, targets, log, secrets=None):
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("proxy.py"), *(["--tls", secrets] if secrets else []), str(port), *map(str, targets)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        self.process.stdout.readline()

    def order(self, what, **how):
        self.process.stdin.write(json.dumps({"do": what} | how) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Cluster:
    """`proxied` is the way to the brokers through the proxy; without one, `bootstrap` is the only
    way. A locked one is that of the whole process.
    """

    def __init__(self, directory, brokers=BROKERS, with_proxy=True, is_locked=False):
        self.directory, self.brokers, self.proxy = directory, brokers, None
        directory.mkdir(parents=True)
        port = free_row(brokers)
        self._kafka("start", "--brokers", str(brokers), "--port", "0", *(["--proxy", str(port)] if with_proxy else []), *(["--secure"] if is_locked else []))
        first = int((directory / "cluster").read_text().split()[1])
        self.bootstrap = self._addresses(first)
        if is_locked:
            session.locked = Logins(directory, self.bootstrap)
        if with_proxy:
            self.proxied = self._addresses(port)
            targets = [first + 2 * brokers + n for n in range(brokers)]
            self.proxy = Proxy(port, targets, open(directory / "log/proxy.log", "wb"), directory / "secure" if is_locked else None)
        self.client = self._client()

    def _client(self):
        return AdminClient(connection(self.bootstrap) | {"log_level": 0})

    def _addresses(self, first):
        return ",".join(f"127.0.0.1:{first + n}" for n in range(self.brokers))

    def _kafka(self, *arguments):
        answer = subprocess.run([KAFKA, *arguments, "--dir", self.directory], capture_output=True, text=True, check=False)
        assert answer.returncode == 0, f"compose/kafka {arguments[0]}: {answer.stderr[-2000:]}"

    def kill(self, broker):
        os.kill(int((self.directory / f"node-{broker}/pid").read_text()), signal.SIGKILL)

    def restart(self):
        """Starts the killed brokers again, and waits until all replicas are in sync: otherwise a
        second death could leave too few.
        """
        self._kafka("start")
        until(self.in_sync, 60, "all replicas in sync")

    def in_sync(self):
        topics = self.client.list_topics(timeout=10).topics.values()
        return all(len(p.isrs) == self.brokers and p.leader > 0 for topic in topics for p in topic.partitions.values())

    def leader(self, topic, partition):
        return self.client.list_topics(topic, timeout=10).topics[topic].partitions[partition].leader

    def group_coordinator(self, group):
        # A client that has known brokers since they were killed may ask the wrong one, or none: a
        # new one each time.
        def ask():
            client = self._client()
            try:
                return client.describe_consumer_groups([group])[group].result(5).coordinator
            except (KafkaException, TimeoutError):
                return None

        return until(ask, 60, "a group coordinator").id

    def transaction_coordinator(self, transactional_id):
        return self.leader("__transaction_state", java_hash(transactional_id) % TRANSACTION_LOG_PARTITIONS)

    def configure(self, kind, name, settings):
        entries = [ConfigEntry(key, str(value), incremental_operation=AlterConfigOpType.SET) for key, value in settings.items()]
        for future in self.client.incremental_alter_configs([ConfigResource(kind, name, incremental_configs=entries)]).values():
            future.result(10)

    def configure_topic(self, topic, settings):
        self.configure(ResourceType.TOPIC, topic, settings)

    def configure_brokers(self, settings):
        for broker in range(1, self.brokers + 1):
            self.configure(ResourceType.BROKER, str(broker), settings)

    def close(self):
        if self.proxy:
            self.proxy.close()
        self._kafka("stop")
