"""Commands that lie in Kafka before a worker sees the first of them, and the worker's cost for
them.

They are written in one transaction, and a warm worker waits for its commit. The measurement begins
with the commit. It counts the CPU (user and system) of whole worker processes, librdkafka and
SQLite included, until every command is processed, every callback answered, and every outcome
committed. The worker's answers to the bench's requests for metrics count too.
"""

import time
from dataclasses import dataclass

from env.kafka import CommandWriter
from env.wait import until


class Preloader:
    """The part of a CommandWriter that Issuer and rows use, inside a transaction."""

    def __init__(self, world):
        self.writer = CommandWriter(world.bootstrap, world.prefix, world.schemas, **{"transactional.id": f"{world.prefix}bench", "log_level": 3})
        self.writer.producer.init_transactions(60)
        self.producer, self.failures, self.raw = self.writer.producer, self.writer.failures, self.writer.raw

    def begin(self):
        self.producer.begin_transaction()

    def load(self):
        until(lambda: self.producer.flush(1) == 0, 120, "the broker to take the commands")
        assert not self.failures, self.failures

    def commit(self):
        self.producer.commit_transaction(60)


@dataclass
class Burst:
    """The cost of one burst."""

    items: int
    wall_s: float  # from the commit until the last callback, or the last command processed
    lasted_s: float  # until the last outcome was committed too
    spent: dict  # CPU seconds meanwhile: {"worker", "broker", "receiver"}
    bytes: float = 0  # of a request
    connections: int = 0  # to all ports, at most

    @property
    def cpu_us(self):
        """Of the workers, for an item."""
        return self.spent["worker"] / self.items * 1e6

    @property
    def broker_us(self):
        return self.spent["broker"] / self.items * 1e6

    @property
    def cores(self):
        return {who: cpu / self.lasted_s for who, cpu in self.spent.items()}

    @property
    def rate(self):
        return self.items / self.wall_s


def cpu_s(pid):
    """To the nanosecond, threads that ended included. Source: Linux,
    include/linux/posix-timers_types.h, CPUCLOCK_SCHED of a process.
    """
    return time.clock_gettime(~pid << 3 | 2)


def broker_pids(broker):
    return [int(path.read_text()) for path in broker.directory.glob("node-*/pid")]


class Watch:
    """CPU of all who take part, since it was begun."""

    def __init__(self, broker, workers, receiver):
        self.pids = {"worker": [worker.process.pid for worker in workers], "receiver": [receiver.process.pid]}
        self.pids["broker"] = broker_pids(broker)
        self.before, self.begun = self.now(), time.monotonic()

    def now(self):
        return {who: sum(map(cpu_s, pids)) for who, pids in self.pids.items()}

    def spent(self):
        return {who: cpu - self.before[who] for who, cpu in self.now().items()}


def total(workers, name, **labels):
    return sum(worker.metric(name, **labels) for worker in workers)


def callbacks(broker, workers, receiver, preloader, ports, items):
    """Of issuance commands that were written: one callback each."""
    receiver.tell("reset")
    wanted = total(workers, "posthorn_deliveries_total", outcome="succeeded") + items
    watch = Watch(broker, workers, receiver)
    preloader.commit()
    until(lambda: receiver.requests(ports) >= items, 300, f"{items} callbacks")
    until(lambda: total(workers, "posthorn_deliveries_total", outcome="succeeded") >= wanted, 60, "the last outcomes")
    lasted, spent, counts = time.monotonic() - watch.begun, watch.spent(), [receiver.counts()[port] for port in ports]
    return Burst(
        items=items,
        wall_s=max(count["last_us"] for count in counts) / 1e6 - watch.begun,
        lasted_s=lasted,
        spent=spent,
        bytes=sum(count["bytes"] for count in counts) / sum(count["requests"] for count in counts),
        connections=sum(count["connections_peak"] for count in counts),
    )


def commands(broker, workers, receiver, preloader, items):
    """Of admin commands that were written."""
    wanted = total(workers, "posthorn_commands_total", topic="webhook-admin") + items
    watch = Watch(broker, workers, receiver)
    preloader.commit()
    until(lambda: total(workers, "posthorn_commands_total", topic="webhook-admin") >= wanted, 300, f"{items} commands")
    lasted, spent = time.monotonic() - watch.begun, watch.spent()
    return Burst(items, lasted, lasted, spent)
