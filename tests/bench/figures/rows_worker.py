"""Rows of whole workers on a real Kafka that are asked for all they can do: d, f, g, l, m."""

from argparse import Namespace
from dataclasses import dataclass
from statistics import median

from env import commands
from env.partitioner import partition_of
from env.programs import Worker
from env.wait import until

from . import burst, hung
from .burst import Preloader
from .senders import floor, in_turns
from .stand import Issuer, stand

PORTS, TENANTS = 16, 200
SCALING, TWO_WORKERS_REPEATS = 1.7, 3
# A worker that neither broker nor receiver nor cores bound: a few slow requests in flight.
BOUND_IN_FLIGHT, BOUND_ANSWER_MS = 64, 20
# Webhooks' members that cost something in each delivery. The filter takes what the bench issues.
PRICED = {
    "hmac_alone": {"signatures": ["standard-webhooks-hmac"]},
    "sealed_headers": {"headers": [{"name": "x-api-key", "value": "k" * 40}, {"name": "authorization", "value": "Bearer " + "t" * 200}]},
    "filter": {"filter": {"credentialConfigurationId": ["Other", "UniversityDegree_jwt_vc_json"], "format": ["jwt_vc_json"]}},
}


class Bench:
    """A world with tenants, each with one webhook, who are spread evenly over the partitions."""

    def __init__(self, run, on, webhooks=None, ports=None, preloader=None, **members):
        """Of tenants and webhooks that are there, where they are given: {tenant: id}, whose urls
        are at those ports. `members`: more of each webhook that is made. A world has one preloader.
        """
        self.run, self.on, self.receiver = run, on, on.receiver
        self.workers = [on.worker]
        self.ports = ports or on.receiver.open(PORTS)
        self.webhooks = webhooks or on.webhooks(self.tenant_urls(TENANTS), **members)
        self.tenants = list(self.webhooks)
        self.preloader = preloader or Preloader(on.world)
        self.issuer = Issuer(on.world, self.preloader)

    def tenant_urls(self, count):
        """{tenant: url}: the same number of each partition."""
        partitions, tenants = self.on.world.partitions, {}
        for n in range(count):
            tenant = self.on.world.tenant("bench")
            while partition_of(tenant.encode(), partitions) != n % partitions:
                tenant = self.on.world.tenant("bench")
            tenants[tenant] = f"http://127.0.0.1:{self.ports[n // partitions % len(self.ports)]}/hook"
        return tenants

    def start_another(self):
        """A second worker, which takes half of the partitions."""
        world = self.on.world
        self.workers.append(Worker(world.directory, f"worker-{len(self.workers) + 1}", self.on.worker_settings))
        world.workers.append(self.workers[-1])
        self.workers[-1].start()
        share = world.partitions // len(self.workers)
        until(lambda: all(len(worker.partitions()) == share for worker in self.workers), 60, "the partitions to be shared")

    def deliver(self, count):
        each = max(count // len(self.tenants), 1)
        self.preloader.begin()
        for _ in range(each):
            for tenant in self.tenants:
                self.issuer.issue(tenant)
            self.preloader.producer.poll(0)
        self.preloader.load()
        return burst.callbacks(self.run.broker, self.workers, self.receiver, self.preloader, self.ports, each * len(self.tenants))

    def operate(self, count):
        """Admin commands: half of them updates, a quarter each retrieves one or all."""
        encode = self.on.world.schemas.command.encode
        self.preloader.begin()
        for n in range(count):
            turn, index = divmod(n, len(self.tenants))
            tenant = self.tenants[index]
            self.preloader.raw("webhook-admin", tenant, encode(commands.command(tenant, self.operation(tenant, turn, index))))
            if n % 1000 == 0:
                self.preloader.producer.poll(0)
        self.preloader.load()
        return burst.commands(self.run.broker, self.workers, self.receiver, self.preloader, count)

    def operation(self, tenant, turn, index):
        if turn % 2 == 0:
            return commands.update(self.webhooks[tenant], f"http://127.0.0.1:{self.ports[index % len(self.ports)]}/hook")
        return commands.retrieve(self.webhooks[tenant]) if turn % 4 == 1 else commands.retrieve_all()


def floor_beside(bench, found, deliveries):
    """The floor with requests as long as those, and as many connections."""
    connections = max(round(found.connections / len(bench.ports)), 1)
    options = dict(hosts=len(bench.ports), connections=connections, deliveries=deliveries, bytes=round(found.bytes))
    return floor(bench.ports, **options)["cpu_us_per_delivery"]


@dataclass
class BesideFloor:
    """One worker and the floor by turns, then two workers."""

    pairs: list  # (its burst, the floor's CPU per delivery)
    memory_mib: float  # of one worker, at its peak
    two: list  # bursts of two workers

    @property
    def one(self):
        return [found for found, _ in self.pairs]

    @property
    def worker_ratios(self):
        return [found.cpu_us / its for found, its in self.pairs]

    @property
    def broker_ratios(self):
        return [found.broker_us / its for found, its in self.pairs]


def beside_floor(run):
    """Of rows f and l, measured once for both."""
    count = run.size(60_000, least=TENANTS)
    with stand(broker=run.broker, partitions=run.partitions) as on:
        on.start()
        bench = Bench(run, on)
        # The measurements find their connections open, and the floor sends requests like these.
        last = bench.deliver(count)
        pairs = in_turns(run.repeats, lambda: bench.deliver(count), lambda: floor_beside(bench, last, count))
        memory = on.worker.usage()[1]
        return BesideFloor(pairs, memory, two_workers(run, bench, count))


def row_f(run):
    found = run.beside_floor
    run.table.add("f", "cpu_per_delivery_vs_floor", found.worker_ratios, most=2.0)
    run.table.add("f", "broker_cpu_per_delivery_vs_floor", found.broker_ratios)
    run.table.add("f", "worker_cpu_us_per_delivery", [each.cpu_us for each in found.one], "us")
    run.table.add("f", "broker_cpu_us_per_delivery", [each.broker_us for each in found.one], "us")
    run.table.add("f", "floor_cpu_us_per_delivery", [its for _, its in found.pairs], "us")
    run.table.add("f", "peak_memory", found.memory_mib, "MiB")
    show_rates(run, "", found.one)
    show_rates(run, "_two_workers", found.two)
    run.table.add("f", "two_workers_vs_one_all_cores_busy", median(each.rate for each in found.two) / median(each.rate for each in found.one))
    bounded(run)


def row_l(run):
    """The price of a delivery: of the worker, and of the broker, which its user pays for too."""
    run.table.add("l", "cpu_per_delivery_vs_floor", run.beside_floor.worker_ratios, most=1.65)
    run.table.add("l", "broker_cpu_per_delivery_vs_floor", run.beside_floor.broker_ratios, most=0.35)


def two_workers(run, bench, count):
    bench.start_another()
    bench.deliver(count)  # so that both have their connections
    return [bench.deliver(count) for _ in range(min(run.repeats, TWO_WORKERS_REPEATS))]


def show_rates(run, suffix, found):
    run.table.add("f", f"deliveries_per_s{suffix}", [each.rate for each in found], "1/s")
    for who in found[0].cores:
        run.table.add("f", f"cores_of_{who}{suffix}", [each.cores[who] for each in found])


def bounded(run):
    """Whether one worker is in the other's way: each has all that it needs, and is bounded by what
    it may have in flight.
    """
    count = run.size(12_000, least=TENANTS)
    with stand(broker=run.broker, partitions=run.partitions) as on:
        on.start(delivery_max_in_flight=BOUND_IN_FLIGHT)
        bench = Bench(run, on)
        for port in bench.ports:
            on.receiver.behave(port, "answer", 200, BOUND_ANSWER_MS)
        bench.deliver(count)
        one = [bench.deliver(count) for _ in range(run.repeats)]
        two = two_workers(run, bench, count)
    show_rates(run, "_bounded", one)
    show_rates(run, "_two_workers_bounded", two)
    middle = median(found.rate for found in one)
    run.table.add("f", "two_workers_vs_one", [found.rate / middle for found in two], least=SCALING)


def row_g(run):
    with stand(broker=run.broker, partitions=run.partitions) as on:
        on.start()
        bench = Bench(run, on)
        bench.operate(run.size(10_000))
        found = [bench.operate(run.size(50_000)) for _ in range(run.repeats)]
    run.table.add("g", "cpu_us_per_command", [each.cpu_us for each in found], "us", most=25)
    run.table.add("g", "commands_per_s", [each.rate for each in found], "1/s")


def row_m(run):
    """The price of members of a webhook, by turns with one that has none; of one worker."""
    count = run.size(30_000, least=TENANTS)
    with stand(broker=run.broker, partitions=run.partitions) as on:
        on.start()
        without = Bench(run, on)
        made = {name: Bench(run, on, ports=without.ports, preloader=without.preloader, **members) for name, members in PRICED.items()}
        for bench in (without, *made.values()):
            bench.deliver(count)
        rounds = [(without.deliver(count), {name: bench.deliver(count) for name, bench in made.items()}) for _ in range(run.repeats)]
    run.table.add("m", "worker_cpu_us_per_delivery", [plain.cpu_us for plain, _ in rounds], "us")
    for name in PRICED:
        run.table.add("m", f"worker_cpu_us_per_delivery_{name}", [found[name].cpu_us for _, found in rounds], "us")
        run.table.add("m", f"cpu_per_delivery_{name}_vs_without", [found[name].cpu_us / plain.cpu_us for plain, found in rounds])
        run.table.add("m", f"broker_cpu_per_delivery_{name}_vs_without", [found[name].broker_us / plain.broker_us for plain, found in rounds])


def row_d(run):
    options = Namespace(hung=run.size(8000, least=50), healthy=64, each=run.size(800, least=5), rounds=run.repeats)
    # A hung attempt ends with its timeout, not earlier.
    hung.whole_worker(options, run.figures("d"), run.broker, delivery_timeout=f"{run.size(15, least=2)}s")
