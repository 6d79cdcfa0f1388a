"""The workers of one pool, on one machine: how they share the partitions, and what they take."""

import re
import time
from pathlib import Path

from env.paths import free_ports
from env.programs import Worker
from env.threads import threads_of
from env.wait import until

from .burst import cpu_s

LOOK_S = 0.25
# The thread of the broker that keeps the groups, as the JVM shortens its name for the system.
# Source: Apache Kafka 4.1, GroupCoordinatorService, "group-coordinator-event-processor-".
COORDINATOR = "group-c"


class Members:
    def __init__(self, world, most):
        self.world, self.all, self.behind, self.owners = world, [], None, {}
        first = free_ports(most)
        self.addresses = [f"127.0.0.1:{first + n}" for n in range(most)]

    def start(self, count):
        """So many more, all at once."""
        for address in self.addresses[len(self.all) : len(self.all) + count]:
            number = len(self.all) + 1
            worker = Worker(self.world.directory, f"worker-{number:02}", self.world.settings | {"worker.http.listen": address})
            worker.address = address
            self.world.workers.append(worker)
            self.all.append(worker.start(ready=False))

    def settled(self, running):
        """Whether every partition is served, by workers whose shares differ by one at most. The
        worker that was behind at the last look is asked first.
        """
        least = self.world.partitions // len(running)
        owners = {}
        for worker in sorted(running, key=lambda worker: worker is not self.behind):
            assert worker.running, f"{worker.id} ended\n{worker.log.read_text()[-4000:]}"
            mine = worker.partitions()
            if len(mine) not in (least, least + 1):
                self.behind = worker
                return False
            owners |= dict.fromkeys(mine, worker.id)
        if len(owners) < self.world.partitions:
            return False
        self.owners = owners
        return True

    def wait_settled(self, running=None, timeout=300):
        running = running or self.all
        until(lambda: self.settled(running), timeout, f"{len(running)} workers to share the partitions", step=lambda: time.sleep(LOOK_S))

    def cpu_s(self):
        return sum(cpu_s(worker.process.pid) for worker in self.all)

    def memory(self):
        """Resident memory of each, in MiB."""
        return [kib(worker, "Rss") / 1024 for worker in self.all]

    def memory_together(self):
        """In MiB. Pages that several of them share count once."""
        return sum(kib(worker, "Pss") for worker in self.all) / 1024


def kib(worker, field):
    rollup = Path(f"/proc/{worker.process.pid}/smaps_rollup").read_text()
    return int(re.search(rf"^{field}:\s*(\d+)", rollup, re.MULTILINE)[1])


class BrokerWatch:
    """CPU of the brokers since it was begun, and of it the group coordinator's."""

    def __init__(self, broker):
        self.pids = [int(path.read_text()) for path in broker.directory.glob("node-*/pid")]
        self.before, self.begun = self.now(), time.monotonic()

    def now(self):
        return sum(map(cpu_s, self.pids)), sum(map(self.coordinator_s, self.pids))

    @staticmethod
    def coordinator_s(pid):
        """Source: Linux, Documentation/scheduler/sched-stats.rst, /proc/PID/schedstat."""
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads_of(pid, COORDINATOR)) / 1e9

    def cores(self):
        """(the brokers', of them the coordinator's), CPU seconds a second"""
        lasted = time.monotonic() - self.begun
        return tuple((now - before) / lasted for now, before in zip(self.now(), self.before))
