"""One bad endpoint among sixteen, with far more queued for it than memory may hold: the delay of
the other fifteen.

A measurement is the time from the first command for the fifteen until the last of their callbacks
is with its receiver. A pair is two of them, with the bad endpoint and its backlog and without, in
alternating order; the median of the ratios counts. Without means that the bad webhook does not
exist: the fifteen get exactly the same commands. All pairs use one broker and one warm worker with
default settings.
"""

import argparse
import socket
import time
from statistics import median

from env.wait import until

from .stand import Figures, OfflineWorker, stand

GOOD, LIMIT = 15, 1.05
REST_S = 2
WAYS = ("slow", "silent", "refuses", "name", "503")
MEANING = {
    "slow": "takes 10 s to answer",
    "silent": "never answers",
    "refuses": "refuses connections",
    "name": "its name's server never answers",
    "503": "answers 503",
}


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run isolation", description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--backlog", type=int, default=20_000, help="deliveries queued for the bad endpoint")
    parser.add_argument("--each", type=int, default=3_000, help="deliveries for each of the good ones")
    parser.add_argument("--ways", default=",".join(WAYS), help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="a line a figure")
    return parser.parse_args()


def bad_url(way, port):
    host = "nowhere.invalid" if way == "name" else "127.1.1.1"
    return f"http://{host}:{port}/bad"


def behave(receiver, way, port):
    if way in ("silent", "name"):
        receiver.behave(port, "silent")
    elif way == "refuses":
        receiver.behave(port, "refuse")
    else:
        receiver.behave(port, "answer", *((503, 0) if way == "503" else (200, 10_000)))


class Bench:
    def __init__(self, stand, options):
        self.stand, self.options = stand, options
        self.ports = stand.receiver.open(GOOD)
        self.tenants = list(stand.webhooks([f"http://127.0.0.1:{port}/good" for port in self.ports]))
        [self.bad_port] = stand.receiver.open(1)

    def measure(self):
        """Begins at rest: the broker and the system first write the backlog to their disks."""
        time.sleep(REST_S)
        return self.stand.deliver(self.tenants, self.ports, self.options.each)

    def without(self):
        seconds = self.measure()
        self.stand.wait_pending(0)
        return seconds

    def with_bad(self, way):
        behave(self.stand.receiver, way, self.bad_port)
        tenant, webhook = self.stand.webhook(bad_url(way, self.bad_port))
        wanted = self.stand.recorded() + self.options.backlog
        self.stand.issuer.issue_each([tenant], self.options.backlog)
        until(lambda: self.stand.recorded() >= wanted, 120, "the bad one's deliveries")
        seconds = self.measure()
        self.stand.delete({tenant: webhook})
        self.stand.wait_pending(0)
        return seconds

    def pair(self, way, bad_first):
        if bad_first:
            bad = self.with_bad(way)
            return self.without(), bad
        return self.without(), self.with_bad(way)


def main():
    options = arguments()
    figures = Figures("isolation", options.json)
    name_server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    name_server.bind(("127.0.0.53", 53))
    with stand() as on:
        on.start(OfflineWorker)
        bench = Bench(on, options)
        bench.without()  # so that what is measured has its connections
        figures.say(f"{GOOD} endpoints with {options.each} deliveries each, beside one with {options.backlog} that")
        figures.say(f"{'':>32}   seconds without it / with it, and their ratio")
        found = {}
        for way in options.ways.split(","):
            pairs = [bench.pair(way, n % 2) for n in range(options.pairs)]
            found[way] = median(bad / good for good, bad in pairs)
            shown = "  ".join(f"{good:.2f}/{bad:.2f} {bad / good:.3f}" for good, bad in pairs)
            figures.say(f"{MEANING[way]:>32}   {shown}")
        for way, ratio in found.items():
            figures.figure(way, ratio, most=LIMIT, digits=3)
    name_server.close()
    figures.end()


if __name__ == "__main__":
    main()
