"""Rows of whole workers on a real Kafka: f, g."""

from statistics import median

from env import commands
from env.programs import Worker
from env.wait import until

from . import burst
from .burst import Preloader
from .senders import floor, in_turns
from .stand import Issuer, stand

PORTS, TENANTS, PARTITIONS = 16, 200, 12


def partition_of(tenant, partitions):
    """Where a tenant's commands lie. Source: Apache Kafka, org.apache.kafka.common.utils.Utils, murmur2."""
    data, mixed = tenant.encode(), 0x5BD1E995
    value = 0x9747B28C ^ len(data)
    for at in range(0, len(data) - 3, 4):
        piece = int.from_bytes(data[at : at + 4], "little") * mixed & 0xFFFFFFFF
        piece = (piece ^ piece >> 24) * mixed & 0xFFFFFFFF
        value = (value * mixed & 0xFFFFFFFF) ^ piece
    if rest := data[len(data) & ~3 :]:
        value = (value ^ int.from_bytes(rest, "little")) * mixed & 0xFFFFFFFF
    value = (value ^ value >> 13) * mixed & 0xFFFFFFFF
    return ((value ^ value >> 15) & 0x7FFFFFFF) % partitions


class Bench:
    """A world with tenants, each with one webhook, who are spread evenly over the partitions."""

    def __init__(self, run, on, tenants=TENANTS, ports=PORTS):
        self.run, self.on, self.receiver = run, on, on.receiver
        self.workers = [on.worker]
        self.ports = on.receiver.open(ports)
        self.webhooks = on.webhooks(self.tenant_urls(tenants))
        self.tenants = list(self.webhooks)
        self.preloader = Preloader(on.world)
        self.issuer = Issuer(on.world, self.preloader)

    def tenant_urls(self, count):
        """{tenant: url}: the same number of each partition."""
        partitions, tenants = self.on.world.partitions, {}
        for n in range(count):
            tenant = self.on.world.tenant("bench")
            while partition_of(tenant, partitions) != n % partitions:
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

    def stop_another(self):
        """Static members keep their partitions until their session is over: so long they are waited for."""
        self.workers.pop().stop()
        until(lambda: len(self.on.worker.partitions()) == self.on.world.partitions, 60, "the partitions to come back")

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
        encode, world = self.on.world.schemas.command.encode, self.on.world
        self.preloader.begin()
        for n in range(count):
            tenant = self.tenants[n % len(self.tenants)]
            self.preloader.raw("webhook-admin", tenant, encode(commands.command(tenant, self.operation(tenant, n // len(self.tenants)))))
            if n % 1000 == 0:
                self.preloader.producer.poll(0)
        self.preloader.load()
        return burst.commands(self.run.broker, self.workers, self.receiver, self.preloader, count)

    def operation(self, tenant, n):
        webhook = self.webhooks[tenant]
        if n % 2 == 0:
            return commands.update(webhook, f"http://127.0.0.1:{self.ports[0]}/hook?version={n}")
        return commands.retrieve(webhook) if n % 4 == 1 else commands.retrieve_all()


def floor_beside(bench, found, deliveries):
    """The floor with requests as long as those, and as many connections."""
    connections = max(round(found.connections / len(bench.ports)), 1)
    options = dict(hosts=len(bench.ports), connections=connections, deliveries=deliveries, bytes=round(found.bytes))
    return floor(bench.ports, **options)["cpu_us_per_delivery"]


def row_f(run):
    with stand(broker=run.broker, partitions=PARTITIONS) as on:
        on.start()
        bench = Bench(run, on)
        count = run.size(60_000, least=TENANTS)
        last = bench.deliver(count)  # so that what is measured has its connections, and the floor is told what it is to send
        pairs = in_turns(run.repeats, lambda: bench.deliver(count), lambda: floor_beside(bench, last, count))
        memory = on.worker.usage()[1]
        bench.start_another()
        bench.deliver(count)
        two = [bench.deliver(count) for _ in range(run.repeats)]
    one = [found for found, _ in pairs]
    run.table.add("f", "cpu_per_delivery_vs_floor", [found.cpu_us / its for found, its in pairs], most=2.0)
    run.table.add("f", "worker_cpu_us_per_delivery", [found.cpu_us for found in one], "us")
    run.table.add("f", "floor_cpu_us_per_delivery", [its for _, its in pairs], "us")
    run.table.add("f", "deliveries_per_s", [found.rate for found in one], "1/s")
    run.table.add("f", "peak_memory", memory, "MiB")
    run.table.add("f", "deliveries_per_s_two_workers", [found.rate for found in two], "1/s")
    run.table.add("f", "two_workers_vs_one_saturated", median(found.rate for found in two) / median(found.rate for found in one))
    for name, found in (("one", one), ("two", two)):
        shown = ", ".join(f"{who} {median(each.cores[who] for each in found):.2f}" for who in found[0].cores)
        run.table.say(f"{name}: cores in use: {shown}")
