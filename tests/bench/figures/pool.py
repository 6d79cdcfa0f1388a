"""A pool of workers as it grows, on one broker and one machine: starts, what it takes at rest, and
how long commands wait when one is killed, when all are restarted, and when more are added.

Each pool has a broker of its own. One worker makes the webhooks before it; then all its workers
start at once, without a replica. While something is done to the pool, each partition gets a command
every second; a command's wait ends when its outcome is committed and read.
"""

import argparse
import re
import threading
import time
from dataclasses import dataclass, field
from statistics import median

from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient
from env import commands
from env.kafka import Reader
from env.partitioner import partition_of
from env.wait import until

from .members import BrokerWatch, Members
from .stand import Figures, make_broker, make_world

POOLS = "10x60,10x240,20x240,40x240"
TENANT_WEBHOOKS, ASK_S = 10, 1.0
# Of each worker at rest: percent of a core, MiB.
IDLE_CPU_MOST, IDLE_MEMORY_MOST = 1.0, 40
# Seconds, after docs/operating.md, "Recovery times". A session ends after 10 s; then a rebalance
# follows, on cores that all workers share here.
READY_MOST_S, KILLED_MOST_S, RESTART_MOST_S, WAIT_MOST_S = 15, 15, 1, 5


def pools(text):
    """[(workers, partitions)]"""
    found = re.findall(r"(\d+)x(\d+)(?:,|$)", text)
    if "".join(f"{workers}x{partitions}," for workers, partitions in found) != text + ",":
        raise argparse.ArgumentTypeError("pools look like 10x60,40x240: workers and partitions")
    if any(int(workers) < 2 or int(partitions) < int(workers) for workers, partitions in found):
        raise argparse.ArgumentTypeError("a pool has two workers at least, and a partition for each")
    return [(int(workers), int(partitions)) for workers, partitions in found]


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run pool", description=__doc__.split("\n\n")[0])
    parser.add_argument("--pools", type=pools, default=POOLS, help="workers and partitions of each (default %(default)s)")
    parser.add_argument("--webhooks", type=int, default=20_000)
    parser.add_argument("--more", type=int, default=10, help="workers that are added at the end")
    parser.add_argument("--idle", type=float, default=30, metavar="SECONDS", help="how long the pool at rest is watched")
    parser.add_argument("--json", action="store_true", help="a line a figure")
    return parser.parse_args()


class Answers(Reader):
    """The outcomes of the questions, found in the records' bytes."""

    QUESTION = re.compile(rb"question-\d{10}")

    def __init__(self, world):
        self.open, self.waits = {}, []
        super().__init__(world.bootstrap, world.prefix + "webhook-results")

    def take(self, message):
        found = self.QUESTION.search(message.value())
        asked = self.open.pop(found[0], None) if found else None
        if asked is not None:
            self.waits.append(time.monotonic() - asked)


class Questions:
    """A thread that asks one tenant of each partition for a webhook, once a second."""

    ID = b"question-0000000000"

    def __init__(self, world, tenants):
        self.writer, self.answers, self.number = world.writer, Answers(world), 0
        encoded = {
            tenant: world.schemas.command.encode(commands.command(tenant, commands.retrieve_all(limit=1), command_id=self.ID.decode())) for tenant in tenants
        }
        self.parts = {tenant: value.split(self.ID, 1) for tenant, value in encoded.items()}
        self.asking, self.ended, self.failure = False, False, None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        due = 0
        try:
            while not self.ended:
                if self.asking and time.monotonic() >= due:
                    due = time.monotonic() + ASK_S
                    self.ask()
                self.writer.producer.poll(0)
                self.answers.poll()
        except Exception as error:  # told by the main thread
            self.failure = error

    def ask(self):
        for tenant, (head, tail) in self.parts.items():
            self.number += 1
            id = b"question-%010d" % self.number
            self.answers.open[id] = time.monotonic()
            self.writer.raw("webhook-admin", tenant, head + id + tail)

    def answered(self):
        assert not self.failure, self.failure
        assert not self.writer.failures, self.writer.failures
        return not self.answers.open

    def begin(self):
        self.answers.waits, self.asking = [], True

    def end(self):
        """The longest wait of all that were asked since the beginning, in seconds."""
        self.asking = False
        until(self.answered, 120, "the answers to all commands")
        return max(self.answers.waits)

    def close(self):
        self.ended = True
        self.thread.join()
        self.answers.close()


@dataclass
class Step:
    """What was done to a pool, and what came of it."""

    seconds: float  # until every partition was served again, by workers with equal shares
    wait_s: float  # the longest of a command
    moved: int  # partitions that got another owner
    broker: tuple  # cores: the broker's, of them the coordinator's


@dataclass
class Row:
    """A pool's figures, for the table at the end."""

    workers: int
    partitions: int
    cells: dict = field(default_factory=dict)


class Bench:
    def __init__(self, world, broker, options, figures, row):
        self.world, self.broker, self.options, self.figures, self.row = world, broker, options, figures, row
        self.members = Members(world, row.workers + options.more)
        self.tenants = self.some_tenants()
        self.questions = None

    def some_tenants(self):
        """Ten webhooks each, and one at least in each partition: {partition: [tenant]}"""
        count, tenants, made = self.options.webhooks // TENANT_WEBHOOKS, {}, 0
        while made < count or len(tenants) < self.world.partitions:
            tenant = self.world.tenant("pool")
            tenants.setdefault(partition_of(tenant.encode(), self.world.partitions), []).append(tenant)
            made += 1
        return tenants

    def figure(self, name, value, unit="", **limits):
        self.row.cells[name] = value
        self.figures.figure(f"{self.row.workers} workers, {self.row.partitions} partitions: {name}", value, unit, **limits)

    def fill(self):
        """One worker makes the webhooks. It leaves the group when its session ends."""
        everyone = [tenant for tenants in self.tenants.values() for tenant in tenants]
        maker = self.world.worker("maker")
        for n in range(self.options.webhooks):
            tenant = everyone[n % len(everyone)]
            self.world.writer.ask(tenant, commands.create(f"https://pool.invalid/{n}"))
            self.world.writer.producer.poll(0)
        self.world.writer.flush()
        maker.wait_metric(self.options.webhooks, "posthorn_commands_total", timeout=300, topic="webhook-admin", outcome="success")
        maker.stop()
        self.world.workers.remove(maker)
        client = AdminClient({"bootstrap.servers": self.world.bootstrap})
        group = self.world.settings["group.id"]
        until(lambda: client.describe_consumer_groups([group])[group].result(10).state == ConsumerGroupState.EMPTY, 60, "the group to be empty")

    def start(self):
        watch, begun = BrokerWatch(self.broker), time.monotonic()
        self.members.start(self.row.workers)
        self.members.wait_settled()
        self.figure("start to all ready", time.monotonic() - begun, "s", most=READY_MOST_S)
        self.figure("start, CPU of all workers", self.members.cpu_s(), "s")
        self.show_broker("start", watch.cores())

    def rest(self):
        """Nobody asks anything, neither commands nor metrics."""
        watch, before = BrokerWatch(self.broker), self.members.cpu_s()
        time.sleep(self.options.idle)
        cores, broker = (self.members.cpu_s() - before) / (time.monotonic() - watch.begun), watch.cores()
        self.figure("idle, CPU of a worker", 100 * cores / self.row.workers, "% of a core", most=IDLE_CPU_MOST)
        self.figure("idle, memory of a worker", median(self.members.memory()), "MiB", most=IDLE_MEMORY_MOST)
        self.figure("idle, memory of all workers", self.members.memory_together(), "MiB", digits=0)
        self.show_broker("idle", broker)

    def show_broker(self, when, cores):
        self.figure(f"{when}, the broker's CPU", 100 * cores[0], "% of a core")
        self.figure(f"{when}, the group coordinator's of it", 100 * cores[1], "% of a core")

    def step(self, act, running=None):
        self.questions.begin()
        watch, owners = BrokerWatch(self.broker), self.members.owners
        act()
        self.members.wait_settled(running)
        seconds, cores = time.monotonic() - watch.begun, watch.cores()
        moved = sum(owner != owners[partition] for partition, owner in self.members.owners.items())
        return Step(seconds, self.questions.end(), moved, cores)

    def show(self, what, step, most_s=None, most_wait_s=WAIT_MOST_S):
        self.figure(f"{what}, until shared again", step.seconds, "s", most=most_s)
        self.figure(f"{what}, longest wait of a command", step.wait_s, "s", most=most_wait_s)
        self.figure(f"{what}, partitions moved", step.moved, digits=0)
        self.show_broker(what, step.broker)

    def kill(self):
        """One from the middle, and starts it again."""
        victim = self.members.all[self.row.workers // 2]
        left = [worker for worker in self.members.all if worker is not victim]
        self.show("kill -9", self.step(victim.kill, left), most_wait_s=KILLED_MOST_S)
        victim.start(ready=False)
        self.members.wait_settled()

    def roll(self):
        """One after the other, as docs/operating.md says."""

        def restart():
            for worker in self.members.all:
                worker.stop()
                worker.start()

        self.show("rolling restart", self.step(restart), most_s=RESTART_MOST_S * self.row.workers)

    def add(self):
        self.show("more workers", self.step(lambda: self.members.start(self.options.more)), most_s=READY_MOST_S)

    def run(self):
        self.fill()
        self.start()
        self.rest()
        self.questions = Questions(self.world, [tenants[0] for tenants in self.tenants.values()])
        try:
            self.kill()
            self.roll()
            self.add()
        finally:
            self.questions.close()


COLUMNS = {
    "start": "start to all ready",
    "idle CPU, %": "idle, CPU of a worker",
    "memory, MiB": "idle, memory of a worker",
    "broker idle, %": "idle, the broker's CPU",
    "kill -9": "kill -9, longest wait of a command",
    "rolling restart": "rolling restart, until shared again",
    "its longest wait": "rolling restart, longest wait of a command",
    "more workers": "more workers, until shared again",
}


def show_table(figures, rows):
    """As docs/operating.md has it."""
    figures.say("\n| workers | partitions | " + " | ".join(COLUMNS) + " |")
    figures.say("|" + "---|" * (2 + len(COLUMNS)))
    for row in rows:
        cells = [f"{row.cells[name]:.1f}" for name in COLUMNS.values()]
        figures.say(f"| {row.workers} | {row.partitions} | " + " | ".join(cells) + " |")


def measure(figures, options, row):
    with make_broker() as broker, make_world(broker=broker, partitions=row.partitions) as world:
        Bench(world, broker, options, figures, row).run()
        world.check()
    return row


def main():
    options = arguments()
    figures = Figures("pool", options.json)
    rows = [measure(figures, options, Row(workers, partitions)) for workers, partitions in options.pools]
    show_table(figures, rows)
    figures.end()


if __name__ == "__main__":
    main()
