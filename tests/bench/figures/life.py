"""Ten minutes of real life, or an hour: a rate that varies by ten, endpoints that take 5 ms to 5 s,
one in a hundred that fails, and webhooks that come and go. Memory must stay flat, and nothing may
be left at the end.

A step is a tenth of the time, a minute at most. The rate goes from its lowest to its highest in a
step, and back in the next. One endpoint in ten belongs to the failing ones: they answer 503 by
turns, in each step another hundredth of all endpoints. The others are healthy: quick up to 100 ms,
slow beyond. Every second a tenant gets one webhook more, which is deleted half a step later. A
latency is the time from a producer's call to the arrival of the request at its endpoint. The first
wave, two steps, is not measured: the window of an endpoint opens with its answers. For the same
reason new webhooks have ports of their own, and a figure.
"""

import argparse
import itertools
import json
import math
import time
from collections import deque

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from env import commands
from env.kafka import Reader
from env.wait import until

from .burst import total
from .rows_latency import TimedIssuer
from .stand import Figures, Receiver, make_world

PARTITIONS, INPUTS = 12, ("webhook-admin", "credential-issuance")
TICK_S, BRIEF_S = 0.05, 1.0
QUICKEST_MS, SLOWEST_MS, QUICK_MS = 5, 5000, 100
FAILING_TURNS, FAILING_AT_ONCE = 10, 100  # one in so many
GROWTH_MOST, QUICK_P99_MOST_MS, SLOW_P99_MOST_MS, DRAIN_MOST_S = 1.05, 250, 1000, 90
# State that would grow for a day would be seen as memory; kept for a minute, it is constant soon.
# A delivery outlives the outage of a step, and its retries are over soon after that.
SETTINGS = {"receipt.retention": "1m", "delivery.retry.schedule": "5s,10s,20s,30s,30s,30s,30s"}


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run life", description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=1000, help="commands a second at the highest; a tenth at the lowest (default %(default)s)")
    parser.add_argument("--endpoints", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="a line a figure")
    return parser.parse_args()


class Endpoints:
    """Each a port and an address of its own, with a latency of its own."""

    def __init__(self, receiver, count):
        self.receiver = receiver
        last = max(count - 1, 1)
        self.latencies_ms = [round(QUICKEST_MS * (SLOWEST_MS / QUICKEST_MS) ** (n / last)) for n in range(count)]
        self.groups = ("quick", "slow", "failing", "new")
        members = {group: [n for n in range(count) if self.group(n) == group] for group in self.groups[:-1]}
        self.ports = {n: port for group in members for n, port in zip(members[group], receiver.open(len(members[group])))}
        self.new_ports = receiver.open(count)
        for n in range(count):
            self.behave(self.ports[n], n)
            self.behave(self.new_ports[n], n)
        self.failing, self.turns = [], itertools.cycle(members["failing"])
        self.at_once = max(count // FAILING_AT_ONCE, 1)

    def group(self, n):
        if n % FAILING_TURNS == FAILING_TURNS - 1:
            return "failing"
        return "quick" if self.latencies_ms[n] <= QUICK_MS else "slow"

    def behave(self, port, n, status=200):
        self.receiver.behave(port, "answer", status, self.latencies_ms[n])

    def url(self, n):
        return self.url_at(n, self.ports[n], "hook")

    def new_url(self, n, name):
        """Of one more webhook, which nobody knows yet, and which is as slow."""
        return self.url_at(n, self.new_ports[n], name)

    @staticmethod
    def url_at(n, port, path):
        return f"http://127.1.{n // 250}.{n % 250 + 1}:{port}/{path}"

    def fail_next(self):
        """Those that fail are well again, and the next ones fail."""
        self.mend()
        self.failing = [next(self.turns) for _ in range(self.at_once)]
        for n in self.failing:
            self.behave(self.ports[n], n, 503)

    def mend(self):
        for n in self.failing:
            self.behave(self.ports[n], n)
        self.failing = []

    def latencies(self, group):
        return json.loads(self.receiver.tell("latencies", 1 + self.groups.index(group)))


class Created(Reader):
    """The brief webhooks that were made: (tenant, webhook id). Of all results it decodes only
    theirs.
    """

    MARK = "brief-"

    def __init__(self, world):
        self.schema, self.found = world.schemas.event, deque()
        super().__init__(world.bootstrap, world.prefix + "webhook-results")

    def take(self, message):
        if self.MARK.encode() not in message.value():
            return
        event = self.schema.decode(message.value())
        if (event["commandId"] or "").startswith(self.MARK) and event["type"].endswith("_SUCCESS"):
            self.found.append((event["tenantId"], event["data"][1]["id"]))


class Life:
    def __init__(self, world, endpoints, options, step_s):
        self.world, self.endpoints, self.options, self.step_s = world, endpoints, options, step_s
        self.issuer, self.created = TimedIssuer(world), Created(world)
        self.tenants = [world.tenant("life") for _ in range(options.endpoints)]
        self.turn = itertools.cycle(self.tenants)
        self.brief_turn = itertools.cycle(enumerate(self.tenants))
        self.issued, self.due, self.briefs = 0.0, 0, 0
        self.leaving = deque()  # (when, tenant, webhook id)

    def settle(self):
        """A webhook at each endpoint, of a tenant of its own."""
        asked = [self.world.writer.ask(tenant, commands.create(self.endpoints.url(n))) for n, tenant in enumerate(self.tenants)]
        self.world.writer.flush()
        assert {self.world.results.end(id, timeout=120).status for id in asked} == {201}
        self.world.results.close()  # nobody reads what is to come
        del self.world.readers["results"]

    def rate(self, at_s):
        """From the lowest to the highest in a step, and back in the next."""
        return self.options.rate / 10 ** ((1 + math.cos(math.pi * at_s / self.step_s)) / 2)

    def issue(self, count):
        self.issued += count
        while self.due < int(self.issued):
            self.issuer.issue(next(self.turn))
            self.due += 1

    def come_and_go(self, now):
        """One more webhook, and the end of those that are half a step old."""
        while self.created.found:
            self.leaving.append((now + self.step_s / 2, *self.created.found.popleft()))
        while self.leaving and self.leaving[0][0] <= now:
            _, tenant, webhook = self.leaving.popleft()
            self.world.writer.ask(tenant, commands.delete(webhook))

    def come(self):
        n, tenant = next(self.brief_turn)
        self.briefs += 1
        name = Created.MARK + str(self.briefs)
        self.world.writer.ask(tenant, commands.create(self.endpoints.new_url(n, name)), command_id=name)

    def run_until(self, begin, end):
        """Both monotonic; `begin` is the beginning of everything."""
        next_brief = time.monotonic()
        for due in itertools.count(next_brief, TICK_S):
            if due >= end:
                return
            time.sleep(max(due - time.monotonic(), 0))
            self.issue(self.rate(due - begin) * TICK_S)
            if due >= next_brief:
                next_brief += BRIEF_S
                self.come()
            self.created.poll(0)
            self.come_and_go(due)
            self.world.writer.producer.poll(0)

    def leave(self):
        """The end of all brief webhooks."""
        self.issuer.flush()
        self.created.catch_up()
        self.come_and_go(math.inf)
        self.world.writer.flush()


class Lag:
    """Records of the inputs that the group has not processed, as Kafka knows it."""

    def __init__(self, world):
        self.client = AdminClient({"bootstrap.servers": world.bootstrap})
        self.group = world.settings["group.id"]
        self.inputs = [TopicPartition(world.prefix + topic, partition) for topic in INPUTS for partition in range(world.partitions)]

    def now(self):
        asked = self.client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(self.group, self.inputs)])
        committed = {(at.topic, at.partition): max(at.offset, 0) for at in asked[self.group].result(10).topic_partitions}
        ends = self.client.list_offsets(dict.fromkeys(self.inputs, OffsetSpec.latest()))
        return sum(end.result(10).offset - committed.get((at.topic, at.partition), 0) for at, end in ends.items())


def resident_mib(worker):
    with open(f"/proc/{worker.process.pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Rss:")) / 1024


def show_latencies(figures, endpoints):
    kinds = {
        "quick": ("quick healthy endpoints", QUICK_P99_MOST_MS),
        "slow": ("slow healthy endpoints", SLOW_P99_MOST_MS),
        "failing": ("endpoints that fail by turns", None),
        "new": ("endpoints of new webhooks", None),
    }
    for group, (name, limit) in kinds.items():
        found = endpoints.latencies(group)
        figures.say(f"{found['count']} requests at {name}: p50 {found['p50']:.1f} ms, slowest {found['max']:.0f} ms")
        figures.figure(f"{name}, p99", found["p99"], "ms", most=limit, digits=1)


def show_end(figures, workers, lag, left, since):
    """Everything that was recorded has ended, and is known how."""
    until(lambda: left() == 0, 600, "nothing to be left", step=lambda: time.sleep(0.25))
    figures.figure("until nothing is left", time.monotonic() - since, "s", most=DRAIN_MOST_S, digits=1)
    figures.figure("lag at the end", lag.now(), "records", most=0, digits=0)
    ends = {outcome: total(workers, "posthorn_deliveries_total", outcome=outcome) for outcome in ("recorded", "succeeded", "withdrawn", "dead")}
    figures.say(
        ", ".join(f"{count:.0f} {outcome}" for outcome, count in ends.items())
        + f", {total(workers, 'posthorn_deliveries_total', outcome='retried'):.0f} retries"
    )
    figures.figure("dead deliveries", ends["dead"], most=0, digits=0)
    figures.figure("deliveries without an end", ends["recorded"] - ends["succeeded"] - ends["withdrawn"] - ends["dead"], most=0, digits=0)


def measure(figures, world, receiver, options):
    step_s = min(options.minutes * 6, 60)
    steps = round(options.minutes * 60 / step_s)
    workers = [world.worker(f"worker-{n + 1}") for n in range(options.workers)]
    until(lambda: sum(len(worker.partitions()) for worker in workers) == PARTITIONS, 60, "the partitions to be shared")
    endpoints, lag = Endpoints(receiver, options.endpoints), Lag(world)
    life = Life(world, endpoints, options, step_s)
    life.settle()
    begin, resident = time.monotonic(), []
    for step in range(1, steps + 1):
        endpoints.fail_next()
        if step == 3:
            receiver.tell("time")
        life.run_until(begin, begin + step * step_s)
        resident.append(max(map(resident_mib, workers)))
        figures.figure(f"resident memory, step {step} of {steps}", resident[-1], "MiB", digits=1)
    endpoints.mend()
    life.leave()
    ended = time.monotonic()
    pending = lambda: total(workers, "posthorn_deliveries_pending")
    show_end(figures, workers, lag, lambda: lag.now() + pending(), ended)
    show_latencies(figures, endpoints)
    third = max(steps // 3, 1)
    figures.figure("memory in the last third, of that in the first", max(resident[-third:]) / max(resident[:third]), most=GROWTH_MOST)
    figures.figure("commands", life.due, digits=0)
    figures.figure("CPU of the workers", sum(worker.usage()[0] for worker in workers), "s", digits=1)
    life.created.close()


def main():
    options = arguments()
    figures = Figures("life", options.json)
    receiver = Receiver()
    try:
        with make_world(partitions=PARTITIONS, settings=SETTINGS) as world:
            measure(figures, world, receiver, options)
            for worker in world.workers:
                worker.stop()
            world.check()
    finally:
        receiver.close()
    figures.end()


if __name__ == "__main__":
    main()
