"""Posthorn beside a worker in Go and beside the floor: what a delivery costs whoever runs it, of
the worker's CPU and of the broker's, and how many there are a second.

All get the same work: records that lie in Kafka when a contestant starts, bodies of the same form
and length, two signatures, 16 endpoints with 16 connections to each. The first half of the records
warms a contestant up, and the second is measured. In each round every contestant is measured once,
one after the other; a ratio is of one round, and the median of the rounds counts. Before the first
round callbacks of each are verified, each once and none missing.

With `hung` one of the endpoints takes 10 s for an answer, with `down` it answers 503. Then the time
counts until the other 15 have theirs, of that in the same round without it.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

from env.receiver import Receivers
from env.verifier import verify
from env.wait import until

from .burst import broker_pids, cpu_s
from .contestants import DOWN, ENDPOINTS, FAST, HUNG, Course, Floor, GoWorker, Posthorn, tenants
from .stand import Receiver, make_broker
from .table import Table, number

CONTESTANTS = {kind.name: kind for kind in (Floor, GoWorker, Posthorn)}
TENANTS, CHECKED_TENANTS, CHECKED_EACH = 1024, 64, 4
LIMIT_S = 600  # for one half of the records
RETRIES_S = 17  # the last of three retries comes 15 s after the first attempt
BEHAVIOUR = {FAST: ("answer", 200, 0), HUNG: ("answer", 200, 10_000), DOWN: ("answer", 503, 0)}
CPU_MOST, BROKER_CPU_MOST, RATE_LEAST, MEMORY_MOST = 1.65, 0.35, 0.80, 110


def one_of(known):
    def parse(text):
        chosen = text.split(",")
        if unknown := [word for word in chosen if word not in known]:
            raise argparse.ArgumentTypeError(f"none of {', '.join(known)}: {', '.join(unknown)}")
        return chosen

    return parse


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000, help=f"of a measurement, a multiple of {TENANTS} tenants (default %(default)s or so)")
    parser.add_argument("--rounds", type=int, default=5, help="default %(default)s")
    parser.add_argument("--contestants", type=one_of(CONTESTANTS), default=list(CONTESTANTS), help="default: floor,go,posthorn")
    parser.add_argument("--scenario", type=one_of(BEHAVIOUR), default=[FAST], help="hung, down, or both: besides that in which all answer at once")
    parser.add_argument("--json", action="store_true", help="a line a figure")
    options = parser.parse_args()
    if options.rounds < 1 or options.records < 1:
        parser.error("--rounds and --records: at least 1")
    options.records = max(round(options.records / TENANTS), 1) * TENANTS
    return options


@dataclass
class Result:
    """Of the second half of the records, but for `seconds`, `memory_mib` and `tries`."""

    cpu_us: float  # per delivery to an endpoint that answers
    rate: float
    memory_mib: float  # at its peak
    broker_us: float = 0.0
    request_bytes: float = 0.0
    connections: int = 0  # at most, to all endpoints together
    seconds: float = 0.0  # from the first to the last request, of all endpoints but the last
    tries: float = 0.0  # for a delivery to the endpoint that is down


class Mark(NamedTuple):
    requests: int
    time_s: float
    cpu_s: float
    broker_s: float


class Race:
    def __init__(self, options, stack):
        self.options = options
        self.contestants = [CONTESTANTS[name]() for name in options.contestants]
        for contestant in self.contestants:
            contestant.prepare()
        self.broker = stack.enter_context(make_broker())
        self.receiver = stack.enter_context(closing(Receiver()))
        ports = self.receiver.open(ENDPOINTS)
        self.course = Course(self.broker, ports, tenants(ports, TENANTS), options.records)

    # Before the first round

    def check(self):
        """Posthorn is always checked, and as the first: its callbacks are everybody's measure."""
        for contestant in [Posthorn(), *(each for each in self.contestants if each.name != Posthorn.name)]:
            with tempfile.TemporaryDirectory(prefix="posthorn-bench.") as directory, closing(Receivers(Path(directory), ENDPOINTS)) as hooks:
                self.check_one(contestant, hooks)

    def check_one(self, contestant, hooks):
        count = CHECKED_TENANTS * CHECKED_EACH
        course = Course(self.broker, hooks.ports, tenants(hooks.ports, CHECKED_TENANTS), count, self.course.event, self.course.request_bytes)
        with contestant.running(course) as running:
            until(lambda: hooks.count("/hook") >= count and running.settled(), 60, f"{count} callbacks of {contestant.name}")
            jwks = running.jwks()
        hooks.read()
        requests = hooks.by_path["/hook"]
        for request in requests:
            verify(request, jwks)
        if contestant.name == Floor.name:
            return
        assert len(requests) == len({request.id for request in requests}) == count, f"{contestant.name}: {len(requests)} callbacks for {count} records"
        if contestant.name == Posthorn.name:
            self.course.event = event_of(requests[0].body)
            self.course.request_bytes = round(sum(len(request.head) + len(request.body) for request in requests) / count)
        else:
            assert event_of(requests[0].body) == self.course.event

    # A measurement

    def run(self, contestant, scenario):
        if contestant.name == Floor.name:
            return self.run_floor(contestant)
        bad = [] if scenario == FAST else self.course.ports[-1:]
        self.set_out(scenario)
        with contestant.running(self.course) as running:
            result = self.measure(running.process, [port for port in self.course.ports if port not in bad])
            if scenario == FAST:
                self.check_all_came(contestant, running)
            if scenario == DOWN:
                time.sleep(RETRIES_S)
                result.tries = self.receiver.requests(bad) / (self.course.records / ENDPOINTS)
        return result

    def set_out(self, scenario):
        """Once the connections of the one before are closed."""
        until(lambda: not any(count["connections"] for count in self.receiver.counts().values()), 60, "connections to be closed")
        self.receiver.behave(self.course.ports[-1], *BEHAVIOUR[scenario])
        self.receiver.tell("reset")

    def run_floor(self, floor):
        self.set_out(FAST)
        found = floor.send(self.course)
        counts = self.receiver.counts().values()
        return Result(
            cpu_us=found["cpu_us_per_delivery"],
            rate=1e6 / found["wall_us_per_delivery"],
            memory_mib=found["peak_memory_mib"],
            request_bytes=sum(count["bytes"] for count in counts) / sum(count["requests"] for count in counts),
            connections=sum(count["connections_peak"] for count in counts),
        )

    def measure(self, process, healthy):
        """Ends with the last callback. The contestant has as much left to record then as when half
        of them had come.
        """
        wanted = self.course.records * len(healthy) // ENDPOINTS
        half, end = self.mark(process, healthy, wanted // 2), self.mark(process, healthy, wanted)
        counts, measured = self.receiver.counts(), max(end.requests - half.requests, 1)
        others = [counts[port] for port in self.course.ports[:-1]]
        return Result(
            cpu_us=(end.cpu_s - half.cpu_s) / measured * 1e6,
            broker_us=(end.broker_s - half.broker_s) / measured * 1e6,
            rate=measured / max(max(counts[port]["last_us"] for port in healthy) / 1e6 - half.time_s, 1e-6),
            memory_mib=peak_memory_mib(process.pid),
            request_bytes=sum(counts[port]["bytes"] for port in healthy) / sum(counts[port]["requests"] for port in healthy),
            connections=sum(count["connections_peak"] for count in counts.values()),
            seconds=(max(count["last_us"] for count in others) - min(count["first_us"] for count in others)) / 1e6,
        )

    def mark(self, process, ports, count):
        """Once that many requests have come to these."""

        def there():
            assert process.poll() is None, f"ended with {process.returncode}"
            return self.receiver.requests(ports) >= count

        until(there, LIMIT_S, f"{count} callbacks")
        return Mark(self.receiver.requests(ports), time.monotonic(), cpu_s(process.pid), sum(map(cpu_s, broker_pids(self.broker))))

    def check_all_came(self, contestant, running):
        until(running.settled, 60, f"{contestant.name} to record every outcome")
        came = self.receiver.requests(self.course.ports)
        assert came == self.course.records, f"{contestant.name}: {came} callbacks for {self.course.records} records"

    # All of them

    def rounds(self, show):
        """{(contestant, scenario): its results, one a round}. Every contestant is the first of a
        round by turns.
        """
        scenarios, results = sorted({FAST, *self.options.scenario}, key=list(BEHAVIOUR).index), {}
        for n in range(self.options.rounds):
            first = n % len(self.contestants)
            for contestant in self.contestants[first:] + self.contestants[:first]:
                for scenario in (each for each in scenarios if each in contestant.scenarios):
                    result = self.run(contestant, scenario)
                    results.setdefault((contestant.name, scenario), []).append(result)
                    show(contestant.name, scenario, result)
        return results


def event_of(body):
    """Its bytes, which are the last of a callback's body."""
    return body[body.index(b'"event":') + len(b'"event":') : -1]


def peak_memory_mib(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) / 1024


class Report:
    """The figures of all rounds."""

    def __init__(self, table, results):
        self.table, self.results = table, results

    def values(self, contestant, key, scenario=FAST):
        return [getattr(result, key) for result in self.results.get((contestant, scenario), [])]

    def ratios(self, one, other, key, base_key=None):
        """One's, of the other's in the same round; none where one of them did not take part."""
        return [mine / its for mine, its in zip(self.values(one, key), self.values(other, base_key or key))]

    def add(self, scenario, measure, values, unit="", most=None, least=None):
        if values:
            self.table.add(scenario, measure, values, unit, most, least)

    def figures(self):
        ours, gos, floors = Posthorn.name, GoWorker.name, Floor.name
        self.add(FAST, "cpu_per_delivery_vs_floor", self.ratios(ours, floors, "cpu_us"), most=CPU_MOST)
        self.add(FAST, "broker_cpu_per_delivery_vs_floor", self.ratios(ours, floors, "broker_us", "cpu_us"), most=BROKER_CPU_MOST)
        self.add(FAST, "deliveries_per_s_vs_go", self.ratios(ours, gos, "rate"), least=RATE_LEAST)
        self.add(FAST, "peak_memory", self.values(ours, "memory_mib"), "MiB", most=MEMORY_MOST)
        self.add(FAST, "go_cpu_per_delivery_vs_floor", self.ratios(gos, floors, "cpu_us"))
        self.add(FAST, "go_broker_cpu_per_delivery_vs_floor", self.ratios(gos, floors, "broker_us", "cpu_us"))
        self.add(FAST, "go_peak_memory", self.values(gos, "memory_mib"), "MiB")
        for name in CONTESTANTS:
            prefix = "" if name == ours else f"{name}_"
            self.add(FAST, f"{prefix}cpu_us_per_delivery", self.values(name, "cpu_us"), "us")
            if name != floors:
                self.add(FAST, f"{prefix}broker_cpu_us_per_delivery", self.values(name, "broker_us"), "us")
            self.add(FAST, f"{prefix}deliveries_per_s", self.values(name, "rate"), "1/s")
            self.add(FAST, f"{prefix}bytes_of_a_request", self.values(name, "request_bytes"))
            self.add(FAST, f"{prefix}connections", self.values(name, "connections"))
            for scenario in (HUNG, DOWN):
                self.beside_bad(name, scenario, prefix)

    def beside_bad(self, name, scenario, prefix):
        pairs = zip(self.values(name, "seconds", scenario), self.values(name, "seconds"))
        self.add(scenario, f"{prefix}time_of_the_others_of_that_without", [beside / without for beside, without in pairs])
        self.add(scenario, f"{prefix}cpu_us_per_delivery", self.values(name, "cpu_us", scenario), "us")
        if scenario == DOWN:
            self.add(scenario, f"{prefix}tries_of_a_failing_delivery", self.values(name, "tries", scenario))

    def markdown(self):
        """The table that README.md quotes."""
        yield "| | worker's CPU per delivery | broker's CPU per delivery | deliveries/s | peak memory |"
        yield "|---|---|---|---|---|"
        floor = self.values(Floor.name, "cpu_us")
        for name, what in ((Floor.name, "floor: no Kafka"), (GoWorker.name, "Go worker"), (Posthorn.name, "posthorn")):
            if not (rates := self.values(name, "rate")):
                continue
            cpu, broker = self.ratios(name, Floor.name, "cpu_us"), self.ratios(name, Floor.name, "broker_us", "cpu_us")
            cells = [
                f"{median(floor):.1f} µs" if name == Floor.name else f"{median(cpu):.2f} of the floor's" if cpu else "",
                f"{median(broker):.2f} of the floor's" if broker and name != Floor.name else "",
                f"{median(rates):,.0f}",
                f"{median(self.values(name, 'memory_mib')):.0f} MiB",
            ]
            yield f"| {what} | {' | '.join(cells)} |"


def main():
    options = arguments()
    with ExitStack() as stack:
        race, table = Race(options, stack), Table(options.json)
        table.say(f"{options.records} records, {TENANTS} tenants, {ENDPOINTS} endpoints; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        race.check()
        table.say(f"callbacks of {', '.join(options.contestants)} verified; a request of posthorn's has {race.course.request_bytes} bytes")

        def show(name, scenario, result):
            table.say(f"{name} {scenario}: {result.cpu_us:.1f} us, broker {result.broker_us:.1f} us, {number(result.rate)}/s, {result.memory_mib:.0f} MiB")

        report = Report(table, race.rounds(show))
    report.figures()
    if not options.json:
        print("\n" + "\n".join(report.markdown()))
    sys.exit(1 if table.exceeded else 0)


if __name__ == "__main__":
    main()
