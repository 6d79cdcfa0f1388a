"""recovery [--kills N] [--brokers 1|3]: how long after a worker's death the commands of its
partitions are processed again. README.md says more.
"""

import argparse
import contextlib
import itertools
import json
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import OffsetSpec
from env import commands
from env.avro import Schemas
from env.receiver import Receivers
from env.wait import until
from env.world import World

from .cluster import BROKERS, Cluster
from .pool import FAULT_EXIT_STATUS, Pool
from .schedule import WORKERS
from .watch import Watch

PARTITIONS = 12
RATE = 40  # commands a second
SESSION_TIMEOUT_S = 10  # worker/rdkafka/settings.c; nothing here is configured otherwise
LIMITS_S = {"idle": SESSION_TIMEOUT_S + 3, "open": SESSION_TIMEOUT_S + 5}
DECIDES = "idle"  # the other limit is an aim
DEADLINE_S = 90
TURNS_MAX = 7  # of the turns that a worker commits before the one that it dies in


class Trickle:
    """A little work for each partition in turn, which can be paused."""

    def __init__(self, world, watch):
        self.world, self.watch = world, watch
        self.sent = []  # (tenant, command id)
        self.tenants = {}  # partition: tenant
        while len(self.tenants) < PARTITIONS:
            tenant = world.tenant()
            value = commands.command(tenant, commands.create(world.receivers.endpoint().url))
            partition, _ = world.writer.place("webhook-admin", tenant, world.schemas.command.encode(value))
            self.sent.append((tenant, value["commandId"]))
            self.tenants.setdefault(partition, tenant)
        self.lock = threading.Lock()
        self.flowing, self.over = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        tenants = itertools.cycle(self.tenants.values())
        while not self.over.wait(1 / RATE):
            if self.flowing.wait(0.1):
                self.send(self.world.writer.issuance, commands.issuance(next(tenants)))

    def send(self, write, value):
        with self.lock:
            self.sent.append((value["tenantId"], value["commandId"]))
            write(value)
            self.world.writer.producer.poll(0)
        return value["tenantId"], value["commandId"]

    def ask(self, partitions):
        """A command to each of them, at once."""
        values = [commands.command(self.tenants[partition], commands.retrieve_all()) for partition in partitions]
        return [self.send(self.world.writer.command, value) for value in values]

    def answered(self, keys):
        return not self.watch.unanswered(dict.fromkeys(keys, 1))

    def ended(self):
        """Whether all that was sent has been processed, deliveries included."""
        with self.lock:
            answered = self.answered(self.sent)
        return answered and all(d.succeeded + d.failed for d in list(self.watch.deliveries.values()))

    def close(self):
        self.over.set()
        if self.thread.ident:
            self.thread.join()


class Stage:
    """The pool and its needs, with the default configuration."""

    def __init__(self, directory, brokers, stack):
        self.cluster = Cluster(directory / "kafka", brokers, with_proxy=False)
        stack.callback(self.cluster.close)
        self.receivers = Receivers(directory)
        stack.callback(self.receivers.close)
        self.world = World(directory, self.cluster.bootstrap, self.receivers, Schemas(), partitions=PARTITIONS).create_topics()
        self.pool = Pool(directory, self.world.settings, WORKERS)
        stack.callback(self.pool.close)
        self.watch = Watch(self.cluster.bootstrap, self.world.prefix, self.world.schemas)
        stack.callback(self.watch.close)
        self.load = Trickle(self.world, self.watch)
        stack.callback(self.load.close)
        self.pool.begin()
        self.load.thread.start()

    # What it looks like

    def balanced(self):
        ready = all(member.running and member.get("/readyz").code == 200 for member in self.pool)
        shares = [member.partitions() for member in self.pool] if ready else []
        return sorted(sum(shares, [])) == list(range(PARTITIONS)) and all(len(share) == PARTITIONS // WORKERS for share in shares)

    def with_open_transaction(self, partitions):
        """The partitions of these whose changelog ends are hidden from read_committed readers."""
        ends = [
            self.cluster.client.list_offsets(
                {TopicPartition(self.world.prefix + "webhook-state", p): OffsetSpec.latest() for p in partitions}, isolation_level=level
            )
            for level in (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED)
        ]
        stable, high = ({at.partition: answer.result(10).offset for at, answer in answers.items()} for answers in ends)
        return [p for p in partitions if stable[p] < high[p]]

    def quiet(self):
        return self.load.ended() and not self.with_open_transaction(range(PARTITIONS))

    def settle(self):
        until(self.balanced, DEADLINE_S, "the pool is balanced and ready")
        self.load.flowing.clear()
        until(self.quiet, DEADLINE_S, "nothing is in flight")

    # What is done to it

    def die_idle(self, member):
        died = time.monotonic()
        member.kill()
        return died

    def die_open(self, member):
        """Before the end of a transaction that is whole at the brokers otherwise."""
        self.load.flowing.set()
        assert member.wait_exit(DEADLINE_S) == FAULT_EXIT_STATUS, f"{member.id} did not come by its step"
        return time.monotonic()

    def arm(self, member, turns):
        """Started again with its fault; the others do not notice, because it is back within the
        session timeout.
        """
        member.stop()
        member.start(ready=True, fault=f"before-kafka-commit:{turns}")

    def kill(self, mode, member, turns):
        """One death; returns (how many partitions it had, seconds until commands of all of them
        were processed again).
        """
        with member.lock:
            self.settle()
            if mode == "open":
                self.arm(member, turns)
                self.settle()
            partitions = member.partitions()
            died = self.die_open(member) if mode == "open" else self.die_idle(member)
            asked = self.load.ask(partitions)
            left = self.with_open_transaction(partitions)
            assert bool(left) == (mode == "open"), f"{mode}: {member.id} left transactions open in {left} of {partitions}"
            self.load.flowing.set()
            until(lambda: self.load.answered(asked), DEADLINE_S, f"commands to {partitions} processed again")
            seconds = time.monotonic() - died
            member.start(ready=True)
            return len(partitions), seconds


def arguments():
    description = "How long after the death of one of three workers the commands of its partitions are processed again."
    parser = argparse.ArgumentParser(prog="recovery", description=description)
    parser.add_argument("--kills", type=int, default=20, help="of each mode (default %(default)s)")
    parser.add_argument("--brokers", type=int, choices=(1, BROKERS), default=BROKERS, help="(default %(default)s)")
    parser.add_argument("--json", action="store_true", help="a line a figure")
    return parser.parse_args()


class Figures:
    """Printed as they come, and in short at the end."""

    def __init__(self, as_json):
        self.as_json = as_json
        self.seconds = {mode: [] for mode in LIMITS_S}

    def tell(self, line, **figure):
        print(json.dumps(figure) if self.as_json else line, flush=True)

    def add(self, mode, kill, worker, partitions, seconds):
        self.seconds[mode].append(seconds)
        line = f"{mode:5} {kill:4}  {worker}  {partitions:10}  {seconds:6.2f} s"
        self.tell(line, mode=mode, kill=kill, worker=worker, partitions=partitions, seconds=round(seconds, 3))

    def sum_up(self):
        for mode, seconds in self.seconds.items():
            low, middle, high, limit = min(seconds), statistics.median(seconds), max(seconds), LIMITS_S[mode]
            line = f"{mode:5} {len(seconds):4} kills: min {low:.2f} s, median {middle:.2f} s, max {high:.2f} s; "
            line += f"{'limit' if mode == DECIDES else 'aim'} {limit} s"
            shown = {"min": round(low, 3), "median": round(middle, 3), "max": round(high, 3), "limit": limit}
            self.tell(line, mode=mode, kills=len(seconds), **shown)

    def good(self):
        return max(self.seconds[DECIDES]) <= LIMITS_S[DECIDES]


def measure(given, directory):
    """Returns whether it was quick enough, and nothing ended that should not."""
    figures = Figures(given.json)
    with contextlib.ExitStack() as stack:
        stage = Stage(directory, given.brokers, stack)
        try:
            if not given.json:
                print("mode  kill  worker    partitions  until all of them were processed again", flush=True)
            for kill in range(1, given.kills + 1):
                for mode in LIMITS_S:
                    member = stage.pool[f"worker-{kill % WORKERS + 1}"]
                    figures.add(mode, kill, member.id, *stage.kill(mode, member, 1 + kill % TURNS_MAX))
        except BaseException:
            for member in stage.pool:
                print(f"--- {member.log}", *member.tail(), sep="\n", file=sys.stderr)
            raise
        crashes = [f"{id} ended with {status}, unasked" for _, id, status, _ in stage.pool.crashes]
    figures.sum_up()
    for crash in crashes:
        print(crash, file=sys.stderr)
    return figures.good() and not crashes


def main():
    given = arguments()
    directory = Path(tempfile.mkdtemp(prefix="posthorn-recovery."))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        good = measure(given, directory)
    except (AssertionError, subprocess.SubprocessError) as problem:
        print(f"FAILED: {problem}", file=sys.stderr)
        good = False
    if good:
        shutil.rmtree(directory)
    else:
        print(f"FAILED; {directory}", file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
