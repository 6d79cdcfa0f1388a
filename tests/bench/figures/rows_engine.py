"""Rows of the delivery engine alone: a, b, c, e. Its jobs come from memory; it signs and posts as
in a worker.
"""

import tempfile
from contextlib import closing
from pathlib import Path

from env.tls import Authority

from .senders import engine, floor, in_turns
from .stand import Receiver

PORTS, HOSTS, CONNECTIONS = 16, 16, 16
MANY_HOSTS, MANY_WEBHOOKS = 10_000, 10_000


def compare(run, row, ports, deliveries, most=None, **options):
    """The engine and the floor in turns, with the same hosts and connections and requests of the
    same length.
    """
    options = dict(hosts=HOSTS, connections=CONNECTIONS, deliveries=deliveries) | options
    length = {}

    def one():
        run.receiver.tell("reset")
        figures = engine(ports, **options)
        counts = [run.receiver.counts()[port] for port in ports]
        length["bytes"] = round(sum(count["bytes"] for count in counts) / sum(count["requests"] for count in counts))
        return figures

    def other():
        return floor(ports, **(options | length))

    pairs = [(mine["cpu_us_per_delivery"], its["cpu_us_per_delivery"], mine) for mine, its in in_turns(run.repeats, one, other)]
    run.table.add(row, "cpu_per_delivery_vs_floor", [mine / its for mine, its, _ in pairs], most=most)
    run.table.add(row, "cpu_us_per_delivery", [mine for mine, _, _ in pairs], "us")
    run.table.add(row, "floor_cpu_us_per_delivery", [its for _, its, _ in pairs], "us")
    run.table.add(row, "deliveries_per_s_and_core", [1e6 / mine for mine, _, _ in pairs], "1/s")
    run.table.add(row, "deliveries_per_s", [1e6 / figures["wall_us_per_delivery"] for _, _, figures in pairs], "1/s")


def row_a(run):
    compare(run, "a", run.receiver.open(PORTS), run.size(50_000), most=1.5)


def row_b(run):
    with tempfile.TemporaryDirectory(prefix="posthorn-bench.") as directory:
        authority = Authority(Path(directory), "authority")
        ports = run.receiver.open(PORTS, authority.issue("receiver", ["*.bench.test"]))
        compare(run, "b", ports, run.size(40_000), most=1.4, authorities=authority.file)


def row_c(run):
    """As many webhooks and as many in flight either way; the receiver is the same."""
    ports, hosts = run.receiver.open(PORTS), run.size(MANY_HOSTS, least=100)
    options = dict(deliveries=run.size(60_000), webhooks=run.size(MANY_WEBHOOKS, least=100), connections=run.size(256, least=4))
    few_and_many = in_turns(run.repeats, lambda: engine(ports, hosts=HOSTS, **options), lambda: engine(ports, hosts=hosts, **options))
    pairs = [(few["cpu_us_per_delivery"], many["cpu_us_per_delivery"]) for few, many in few_and_many]
    run.table.add("c", "cpu_per_delivery_vs_few_hosts", [many / few for few, many in pairs], most=1.3)
    run.table.add("c", "cpu_us_per_delivery", [many for _, many in pairs], "us")


def row_e(run):
    """A receiver that ends the connection with each answer."""
    with closing(Receiver()) as receiver:
        ports = receiver.open(PORTS)
        for port in ports:
            receiver.behave(port, "part")
        options = dict(hosts=HOSTS, connections=CONNECTIONS, deliveries=run.size(15_000))
        pairs = in_turns(run.repeats, lambda: engine(ports, **options), lambda: floor(ports, **options))
    run.table.add("e", "cpu_us_per_delivery", [mine["cpu_us_per_delivery"] for mine, _ in pairs], "us")
    run.table.add("e", "floor_cpu_us_per_delivery", [its["cpu_us_per_delivery"] for _, its in pairs], "us")
    run.table.add("e", "cpu_per_delivery_vs_floor", [mine["cpu_us_per_delivery"] / its["cpu_us_per_delivery"] for mine, its in pairs])
