"""A million deliveries pending for one dead endpoint: their cost for the worker and for others, and
the drain when the endpoint is back.

The dead endpoint refuses connections. The worker's memory before is measured after a first load, a
twentieth of the backlog's, for a healthy endpoint. When the dead endpoint is back it takes 5 ms an
answer, so that requests in flight can be counted by its connections, which carry one request each.
"""

import argparse
import time
from statistics import median

from env.wait import until

from .stand import Figures, stand

GROWTH_MOST, IN_FLIGHT, LATENCY_MOST_MS = 32, 64, 500
WARM, PROBE_INTERVAL, ANSWER_MS = 20, "2s", 5


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run backlog", description=__doc__.split("\n")[0])
    parser.add_argument("--deliveries", type=int, default=1_000_000)
    parser.add_argument("--latencies", type=int, default=50, help="deliveries of the healthy endpoint, one after the other")
    parser.add_argument("--json", action="store_true", help="a line a figure")
    return parser.parse_args()


class Bench:
    def __init__(self, stand, options, figures):
        self.stand, self.options, self.figures = stand, options, figures
        self.dead_port, self.healthy_port = stand.receiver.open(2)
        stand.receiver.behave(self.dead_port, "refuse")
        self.dead, _ = stand.webhook(f"http://127.0.0.1:{self.dead_port}/dead")
        self.healthy, _ = stand.webhook(f"http://127.0.0.1:{self.healthy_port}/healthy")

    def warm(self):
        self.stand.deliver([self.healthy], [self.healthy_port], self.options.deliveries // WARM)
        self.stand.wait_pending(0)

    def fill(self):
        start, wanted = time.monotonic(), self.stand.recorded() + self.options.deliveries
        self.stand.issuer.issue_each([self.dead], self.options.deliveries)
        until(lambda: self.stand.recorded() >= wanted, 1200, "the backlog")
        seconds = time.monotonic() - start
        self.figures.say(f"{self.stand.pending():.0f} pending after {seconds:.0f} s, {self.options.deliveries / seconds:.0f} a second")

    def latencies(self):
        return sorted(self.stand.deliver([self.healthy], [self.healthy_port], 1) * 1000 for _ in range(self.options.latencies))

    def drain(self):
        """Seconds from the first answer to the last, and how many the receiver had in flight at
        most.
        """
        self.stand.receiver.tell("reset")
        self.stand.receiver.behave(self.dead_port, "answer", 200, ANSWER_MS)
        until(lambda: self.stand.receiver.requests([self.dead_port]) >= self.options.deliveries, 1200, "the backlog's callbacks")
        self.stand.wait_pending(0)
        return self.stand.receiver.counts()[self.dead_port]


def show_latencies(figures, when, found):
    figures.say(f"a healthy endpoint's delivery {when}: median {median(found):.1f} ms, slowest {found[-1]:.1f} ms")


def main():
    options = arguments()
    figures = Figures("backlog", options.json)
    with stand() as on:
        on.start(delivery_breaker_probe_interval=PROBE_INTERVAL)
        bench = Bench(on, options, figures)
        bench.warm()
        show_latencies(figures, "before", bench.latencies())
        before = on.memory()
        bench.fill()
        beside = bench.latencies()
        after, (_, peak) = on.memory(), on.worker.usage()
        show_latencies(figures, "beside the backlog", beside)
        figures.say(f"memory of the worker: {before:.0f} MiB before, {after:.0f} MiB with it, {peak:.0f} MiB at its peak until then")
        figures.figure("growth of the worker's memory", peak - before, "MiB", most=GROWTH_MOST, digits=1)
        figures.figure("a healthy endpoint's delivery beside the backlog, median", median(beside), "ms", most=LATENCY_MOST_MS, digits=1)
        drained = bench.drain()
        seconds = (drained["last_us"] - drained["first_us"]) / 1e6
        figures.figure("drain", options.deliveries / seconds, "deliveries a second", digits=0)
        figures.figure("in flight while it drains", drained["connections_peak"], most=IN_FLIGHT, digits=0)
        figures.figure("sent more often than once", drained["requests"] - options.deliveries, most=0, digits=0)
    figures.end()


if __name__ == "__main__":
    main()
