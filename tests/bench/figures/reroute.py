"""The price of another partitioner: what it costs that a command is handed on to its partition.

One worker delivers the same commands in turns: each from its tenant's partition, and each from the
one behind that, from where it is handed on. Then some at rest, one after the other.
"""

import argparse
from argparse import Namespace
from statistics import median

from env.partitioner import partition_of

from .rows_latency import INTERVAL_S, TimedIssuer, paced
from .rows_worker import TENANTS, Bench
from .senders import in_turns
from .stand import Figures, Issuer, make_broker, stand

PARTITIONS = 12
HANDED_ON, IN_PLACE = "handed on", "in its partition"


class Misplacer:
    """A writer whose records lie in the partition behind that of their key."""

    def __init__(self, writer):
        self.writer, self.producer, self.failures = writer, writer.producer, writer.failures

    def raw(self, topic, key, value):
        self.writer.raw(topic, key, value, partition=(partition_of(key.encode(), PARTITIONS) + 1) % PARTITIONS)


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run reroute", description=__doc__.split("\n")[0])
    parser.add_argument("--commands", type=int, default=30_000, help="of a measurement (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="the median counts (default %(default)s)")
    parser.add_argument("--waits", type=int, default=400, help="commands at rest, 20 a second (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="a line a figure")
    return parser.parse_args()


def deliver(bench, issuer, count):
    bench.issuer = issuer
    return bench.deliver(count)


def show_price(figures, pairs):
    """`pairs`: (the burst in place, the one handed on)."""
    for who, cpu in (("worker", lambda burst: burst.cpu_us), ("broker", lambda burst: burst.broker_us)):
        for where, found in zip((IN_PLACE, HANDED_ON), zip(*pairs)):
            figures.figure(f"{who}'s CPU per command, {where}", median(map(cpu, found)), "us")
        figures.figure(f"{who}'s CPU per command, {HANDED_ON}, of that {IN_PLACE}", median(cpu(other) / cpu(one) for one, other in pairs))
    for where, found in zip((IN_PLACE, HANDED_ON), zip(*pairs)):
        figures.figure(f"rate, {where}", median(burst.rate for burst in found), "1/s", digits=0)


def measure(bench, options, figures):
    world, worker = bench.on.world, bench.on.worker
    in_place, handed_on = bench.issuer, Issuer(world, Misplacer(bench.preloader))
    for issuer in (in_place, handed_on):  # the measurements find their connections open
        deliver(bench, issuer, options.commands)
    one, other = (lambda issuer=issuer: deliver(bench, issuer, options.commands) for issuer in (in_place, handed_on))
    pairs = in_turns(options.rounds, one, other)
    rerouted = worker.metric("posthorn_records_rerouted_total", topic="credential-issuance")
    assert rerouted == (options.rounds + 1) * pairs[0][1].items, f"{rerouted} were handed on"
    show_price(figures, pairs)
    for where, writer in ((IN_PLACE, world.writer), (HANDED_ON, Misplacer(world.writer))):
        found = paced(bench, TimedIssuer(world, writer), options.waits, 1 / INTERVAL_S)
        figures.figure(f"from the producer to the receiver, {where}, p50", found["p50"], "ms")


def main():
    options = arguments()
    options.commands = max(options.commands, TENANTS)
    figures = Figures("reroute", options.json)
    with make_broker() as broker, stand(broker=broker, partitions=PARTITIONS) as on:
        on.start()
        measure(Bench(Namespace(broker=broker), on), options, figures)
    figures.end()


if __name__ == "__main__":
    main()
