"""Thousands of endpoints that hang beside a few that are healthy, and thousands of hosts that are
all healthy.

First with the whole worker: the rate of the healthy endpoints alone, then while the others hang,
then with the others gone; the rate without is the mean of the medians before and after. Hosts are
addresses 127.x.y.z; a hung one takes the connection and the request, and never answers. Then with
the delivery engine alone: CPU per delivery with many hosts and with few, in turns.
"""

import argparse
from statistics import mean, median

from env.wait import until

from .senders import engine
from .stand import Figures, stand

RATE_LEAST, MEMORY_MOST, CPU_MOST = 0.9, 300, 1.3
PER_HUNG = 4  # deliveries queued for each of the hung ones
FEW_HOSTS = 16


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run hung", description=__doc__.split("\n")[0])
    parser.add_argument("--hung", type=int, default=8_000)
    parser.add_argument("--healthy", type=int, default=64)
    parser.add_argument("--each", type=int, default=800, help="deliveries for each healthy endpoint in a measurement")
    parser.add_argument("--rounds", type=int, default=5, help="measurements in each of the three states")
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--deliveries", type=int, default=100_000, help="of a measurement of the engine")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="a line a figure")
    return parser.parse_args()


def urls(count, net, port):
    return [f"http://127.{net}.{n // 250}.{n % 250 + 1}:{port}/hook" for n in range(count)]


class Bench:
    def __init__(self, stand, options, figures):
        self.stand, self.options, self.figures = stand, options, figures
        self.healthy_port, self.hung_port = stand.receiver.open(2)
        stand.receiver.behave(self.hung_port, "silent")
        self.hung = stand.webhooks(urls(options.hung, 2, self.hung_port))
        self.healthy = list(stand.webhooks(urls(options.healthy, 1, self.healthy_port)))

    def rates(self, state):
        """The median rate of the healthy ones, a second."""
        found = []
        for _ in range(self.options.rounds):
            seconds = self.stand.deliver(self.healthy, [self.healthy_port], self.options.each)
            found.append(self.options.each * self.options.healthy / seconds)
        shown = " ".join(f"{rate:.0f}" for rate in found)
        self.figures.say(f"{state}: {shown} deliveries a second, worker {self.stand.memory():.0f} MiB")
        return median(found)

    def hang(self):
        """Until as many of them are in flight as the worker lets be, and its first attempts have
        failed.
        """
        wanted = self.stand.recorded() + self.options.hung * PER_HUNG
        self.stand.issuer.issue_each(list(self.hung), PER_HUNG)
        until(lambda: self.stand.recorded() >= wanted, 120, "the hung ones' deliveries")
        in_flight = self.stand.worker.metric("posthorn_attempts_in_flight")
        self.figures.say(f"{self.options.hung} endpoints hang, {in_flight:.0f} attempts of theirs are in flight")

    def leave(self):
        self.stand.delete(self.hung)
        self.stand.wait_pending(0)


def whole_worker(options, figures, broker=None, **settings):
    with stand(broker=broker) as on:
        on.start(**settings)
        bench = Bench(on, options, figures)
        # A measurement finds its connections open.
        on.deliver(bench.healthy, [bench.healthy_port], options.each)
        before = bench.rates("before")
        bench.hang()
        beside = bench.rates("beside")
        _, peak = on.worker.usage()
        bench.leave()
        after = bench.rates("after")
    figures.figure("healthy rate beside hung endpoints, of that without", beside / mean([before, after]), least=RATE_LEAST, digits=3)
    figures.figure("peak memory of the worker", peak, "MiB", most=MEMORY_MOST, digits=0)


def engine_cpu(options, hosts):
    figures = engine((), deliveries=options.deliveries, webhooks=options.hosts, hosts=hosts, connections=256)
    return figures["cpu_us_per_delivery"]


def hosts(options, figures):
    pairs = [(engine_cpu(options, FEW_HOSTS), engine_cpu(options, options.hosts)) for _ in range(options.pairs)]
    shown = "  ".join(f"{few:.1f}/{many:.1f} {many / few:.2f}" for few, many in pairs)
    figures.say(f"CPU per delivery, µs, {FEW_HOSTS} hosts / {options.hosts} hosts, and their ratio: {shown}")
    ratio = median(many / few for few, many in pairs)
    figures.figure(f"CPU per delivery with {options.hosts} hosts, of that with {FEW_HOSTS}", ratio, most=CPU_MOST)


def main():
    options = arguments()
    figures = Figures("hung", options.json)
    if options.hung:
        whole_worker(options, figures)
    if options.pairs:
        hosts(options, figures)
    figures.end()


if __name__ == "__main__":
    main()
