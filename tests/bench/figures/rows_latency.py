"""Row i: the time from a command to its callback, on an idle system and on one at half of its
capacity.

A command and its callback hold the time at which the producer got it; the receiver compares that
with its clock, which is the same. Commands are sent at their times, whether those before them were
answered or not.
"""

import itertools
import json
import time

from env import commands
from env.wait import until

from .rows_worker import Bench
from .stand import Issuer, stand

INTERVAL_S, TICK_S = 0.05, 0.005


class TimedIssuer(Issuer):
    """The user's id holds the time that the receiver reads (latency.h)."""

    MARK = "sent-at-0000000000000000"

    def prepare(self, tenant):
        value = self.encode(commands.issuance(tenant, command_id=self.ID, credential_id="credential", user_id=self.MARK))
        head, rest = value.split(self.ID.encode(), 1)
        self.values[tenant] = (head, *rest.split(self.MARK.encode(), 1))
        return self.values[tenant]

    def issue(self, tenant):
        head, middle, tail = self.values.get(tenant) or self.prepare(tenant)
        self.number += 1
        sent_at = b"sent-at-%016d" % (time.monotonic_ns() // 1000)
        self.writer.raw(self.topic, tenant, head + b"command-%010d" % self.number + middle + sent_at + tail)


def paced(bench, issuer, count, rate):
    """Sends that many commands, one after the other at that rate, or in batches where the rate is
    high. Returns their latencies.
    """
    bench.receiver.tell("reset")
    bench.receiver.tell("time")
    tenants, interval, sent = itertools.cycle(bench.tenants), max(1 / rate, TICK_S), 0
    for due in itertools.count(time.monotonic(), interval):
        if sent >= count:
            break
        time.sleep(max(due - time.monotonic(), 0))
        for _ in range(min(max(round(rate * interval), 1), count - sent)):
            issuer.issue(next(tenants))
            sent += 1
        issuer.writer.producer.poll(0)
    issuer.flush()
    until(lambda: bench.receiver.requests(bench.ports) >= count, 60, f"{count} callbacks")
    return json.loads(bench.receiver.tell("latencies"))


def show(run, when, found, **most):
    for measure in ("p50", "p99", "p999"):
        run.table.add("i", f"{when}_{measure}", found[measure], "ms", most=most.get(measure))


def row_i(run):
    with stand(broker=run.broker, partitions=run.partitions) as on:
        on.start()
        bench, issuer = Bench(run, on), TimedIssuer(on.world)
        rate = bench.deliver(run.size(30_000, least=len(bench.tenants))).rate
        on.wait_pending(0)
        idle = paced(bench, issuer, run.size(800, least=20), 1 / INTERVAL_S)
        loaded = paced(bench, issuer, run.size(round(rate * 5), least=20), rate / 2)
    show(run, "idle", idle, p50=25, p99=60)
    run.table.add("i", "half_load", rate / 2, "1/s")
    show(run, "half_load", loaded, p99=250)
