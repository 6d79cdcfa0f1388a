"""Whether a worker's memory grows while it has always the same to do."""

import argparse
import itertools
import re
import time

from env import commands

from .stand import Figures, make_world

TENANTS, PORTS, PARTITIONS = 40, 16, 12
WEBHOOK_OPERATIONS = 10  # one in so many commands
GROWTH_MAX = 1.05
# State that would grow for a day would be seen as memory; kept for a minute, it is constant after
# the second.
SETTINGS = {"receipt.retention": "1m"}


class Load:
    """Issuance commands, and between them updates and questions about the tenants' webhooks, at a
    rate.
    """

    def __init__(self, world, rate):
        self.world, self.rate = world, rate
        self.tenants = [world.tenant("steady") for _ in range(TENANTS)]
        self.endpoints = {tenant: world.receivers.endpoint("steady", port=n % PORTS) for n, tenant in enumerate(self.tenants)}
        created = {tenant: world.writer.ask(tenant, commands.create(endpoint.url)) for tenant, endpoint in self.endpoints.items()}
        world.writer.flush()
        self.webhooks = {tenant: world.results.end(id, timeout=60).data["id"] for tenant, id in created.items()}
        world.close_reader("results")  # nobody reads what is to come
        self.sent = self.issued = 0

    def send(self):
        tenant = self.tenants[self.sent % TENANTS]
        self.sent += 1
        if self.sent % WEBHOOK_OPERATIONS:
            self.world.writer.issuance(commands.issuance(tenant))
            self.issued += 1
        elif self.sent % (2 * WEBHOOK_OPERATIONS):
            self.world.writer.ask(tenant, commands.update(self.webhooks[tenant], self.endpoints[tenant].url))
        else:
            self.world.writer.ask(tenant, commands.retrieve_all())
        self.world.writer.producer.poll(0)

    def run(self, end):
        """In portions of a twentieth of a second, until `end` (monotonic)."""
        for due in itertools.count(time.monotonic(), 0.05):
            if due >= end:
                return
            time.sleep(max(due - time.monotonic(), 0))
            for _ in range(max(self.rate // 20, 1)):
                self.send()


def resident_mib(worker):
    status = open(f"/proc/{worker.process.pid}/status").read()
    return int(re.search(r"VmRSS:\s*(\d+)", status)[1]) / 1024


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run steady", description=__doc__)
    parser.add_argument("--minutes", type=int, default=30, help="how long (default 30); memory at the end is compared with that at a third")
    parser.add_argument("--rate", type=int, default=160, help="commands a second (default 160)")
    parser.add_argument("--json", action="store_true", help="one JSON line a figure")
    arguments = parser.parse_args()
    if arguments.minutes < 3:
        parser.error("--minutes: at least 3")
    figures = Figures("steady", arguments.json)
    resident = []
    with make_world(receivers=PORTS, partitions=PARTITIONS, settings=SETTINGS) as world:
        worker = world.worker()
        load = Load(world, arguments.rate)
        begin = time.monotonic()
        for minute in range(1, arguments.minutes + 1):
            load.run(begin + minute * 60)
            assert worker.running, worker.log.read_text()[-4000:]
            resident.append(resident_mib(worker))
            figures.figure(f"resident memory, minute {minute}", resident[-1], "MiB")
        delivered = worker.metric("posthorn_deliveries_total", outcome="succeeded")
        assert delivered > 0.9 * load.issued, f"{delivered} delivered of {load.issued}: not steady"
        figures.figure("deliveries", delivered)
        figures.figure("CPU of the worker", worker.usage()[0], "s")
        third = arguments.minutes // 3
        figures.figure(f"memory at minute {arguments.minutes} by minute {third}", resident[-1] / resident[third - 1], most=GROWTH_MAX)
        worker.stop()
        world.check()
    figures.end()


if __name__ == "__main__":
    main()
