"""The price of `delivery.succeeded.retention`: what succeeded stays in the changelog.

Two workers deliver the same commands in turns: one that keeps nothing, and one that keeps all. Then
the second one's replica is restored from nothing, and at last what it keeps is let go.
"""

import argparse
import sqlite3
from argparse import Namespace
from contextlib import ExitStack, closing
from statistics import median

from env.programs import Worker
from env.wait import until

from .burst import Watch
from .restore import restore_seconds, start_until_ready
from .rows_worker import TENANTS, Bench
from .senders import in_turns
from .stand import Figures, make_broker, stand

PARTITIONS = 12
GONE, KEPT = "not kept", "kept"
MIB = 2**20
MILLION = 1_000_000
SUCCEEDED = 2  # as worker/replica/schema.sql has it


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run kept", description=__doc__.split("\n")[0])
    parser.add_argument("--commands", type=int, default=30_000, help="of a measurement (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="the median counts (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="a line a figure")
    return parser.parse_args()


def changelog_bytes(on, broker):
    """Of the log segments, as they were written; none is compacted so soon."""
    logs = broker.directory.glob(f"node-*/data/{on.world.prefix}webhook-state-*/*.log")
    return sum(log.stat().st_size for log in logs)


def kept_in(replica):
    with closing(sqlite3.connect(f"file:{replica}?mode=ro", uri=True)) as db:
        return db.execute("SELECT count(*) FROM delivery WHERE status <> 0 AND status = ?", (SUCCEEDED,)).fetchone()[0]


class Side:
    """A world whose worker keeps what succeeded, or does not."""

    def __init__(self, broker, on, retention):
        self.on, self.broker, self.written, self.count = on, broker, 0, 0
        on.start(delivery_succeeded_retention=retention)
        on.worker.wait_metric(0, "posthorn_group_older_workers", timeout=60)
        self.bench = Bench(Namespace(broker=broker), on)

    def deliver(self, commands):
        before = changelog_bytes(self.on, self.broker)
        burst = self.bench.deliver(commands)
        self.written += changelog_bytes(self.on, self.broker) - before
        self.count += burst.items
        return burst

    def changelog(self):
        """Bytes that were written for a delivery."""
        return self.written / self.count


def show_price(figures, pairs, sides):
    for who, cpu in (("worker", lambda burst: burst.cpu_us), ("broker", lambda burst: burst.broker_us)):
        for name, found in zip((GONE, KEPT), zip(*pairs)):
            figures.figure(f"{who}'s CPU per delivery, {name}", median(map(cpu, found)), "us")
        figures.figure(f"{who}'s CPU per delivery, {KEPT}, of that {GONE}", median(cpu(other) / cpu(one) for one, other in pairs))
    for name, found in zip((GONE, KEPT), zip(*pairs)):
        figures.figure(f"rate, {name}", median(burst.rate for burst in found), "1/s", digits=0)
    for name, side in zip((GONE, KEPT), sides):
        figures.figure(f"changelog, written for a delivery, {name}", side.changelog(), "bytes", digits=0)


def restore(figures, side):
    """With nothing but what is kept, webhooks and keys."""
    on, worker = side.on, side.on.worker
    worker.stop()
    count, size = kept_in(worker.replica), worker.replica.stat().st_size
    figures.figure("deliveries kept", count, digits=0)
    figures.figure("replica, for a million kept", size / count * MILLION / MIB, "MiB", digits=0)
    figures.figure("changelog, for a million kept", side.changelog() * MILLION / MIB, "MiB", digits=0)
    worker.forget()
    worker.log.write_text("")
    start_until_ready(worker, 0.1)
    seconds = restore_seconds(worker.log.read_text(), on.world.partitions)
    figures.figure("restore, for a million kept", seconds / count * MILLION, "s")
    figures.figure("restore, peak memory of the worker", worker.usage()[1], "MiB")
    return count


def let_go(figures, side, count):
    """Its time is over: each is deleted, from the replica and from the changelog."""
    on, worker = side.on, side.on.worker
    worker.stop()
    short = Worker(on.world.directory, worker.id, on.worker_settings | {"delivery.succeeded.retention": "1s"})
    on.world.workers.append(short)
    watch = Watch(side.broker, [short.start()], on.receiver)
    until(lambda: kept_in(short.replica) == 0, 600, "all that was kept to leave")
    spent = watch.spent()
    for who in ("worker", "broker"):
        figures.figure(f"{who}'s CPU per delivery that is let go", spent[who] / count * 1e6, "us")
    short.stop()


def main():
    options = arguments()
    options.commands = max(options.commands, TENANTS)
    figures = Figures("kept", options.json)
    with ExitStack() as stack:
        broker = stack.enter_context(make_broker())
        sides = [Side(broker, stack.enter_context(stand(broker=broker, partitions=PARTITIONS)), retention) for retention in ("0s", "1d")]
        for side in sides:  # the measurements find their connections open
            side.deliver(options.commands)
        one, other = (lambda side=side: side.deliver(options.commands) for side in sides)
        show_price(figures, in_turns(options.rounds, one, other), sides)
        count = restore(figures, sides[1])
        let_go(figures, sides[1], count)
    figures.end()


if __name__ == "__main__":
    main()
