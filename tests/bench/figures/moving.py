"""How long the state of a pool takes to move: export, import into twice as many partitions, start
of the first worker there. By the cutover of docs/operating.md, without the producers.
"""

import argparse
import os
import subprocess
import time

from env.paths import ADMIN
from env.programs import Worker

from .restore import fill, start_until_ready
from .stand import Figures, make_broker, make_world

PARTITIONS = 12
# A tenant of bench_fill_state: a signing key and five webhooks.
TENANT_WEBHOOKS, TENANT_RECORDS = 5, 6
URL = "http://127.0.0.1:9/"


def timed(world, *command):
    """(seconds, peak of the memory in MiB)"""
    begin = time.monotonic()
    process = subprocess.Popen([ADMIN, "--config", world.admin.config, *map(str, command)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command}: exit status {process.returncode}"
    return time.monotonic() - begin, usage.ru_maxrss / 1024


def measure(old, new, webhooks, figures):
    records = webhooks // TENANT_WEBHOOKS * TENANT_RECORDS
    size = fill(old, records, [URL])
    file = old.directory / "state.jsonl"
    figures.say(f"{webhooks:,} webhooks in {records:,} records of {size / 2**20:,.0f} MiB")
    total = 0
    for world, what in ((old, "export"), (new, "import")):
        seconds, peak = timed(world, "state", what, file)
        total += seconds
        figures.figure(f"{what}", seconds, "s")
        figures.figure(f"{what}: records a second", records / seconds, "records/s", digits=0)
        figures.figure(f"{what}: peak memory", peak, "MiB")
    figures.figure("size of the file", file.stat().st_size / 2**20, "MiB")
    worker = Worker(new.directory, "worker-1", new.settings)
    new.workers.append(worker)
    ready = start_until_ready(worker, 0.1)
    total += ready
    figures.figure("start of the first worker to ready", ready, "s")
    figures.figure("all of it, a million webhooks", total / webhooks * 1_000_000, "s")
    worker.stop()
    new.check()


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run moving", description=__doc__)
    parser.add_argument("--webhooks", type=int, default=1_000_000, help="webhooks that move (default 1,000,000)")
    parser.add_argument("--json", action="store_true", help="one JSON line a figure")
    arguments = parser.parse_args()
    figures = Figures("moving", arguments.json)
    with make_broker() as broker, make_world(broker=broker, partitions=PARTITIONS) as old:
        settings = {"worker.master.key.file": old.master_key}
        with make_world(broker=broker, partitions=2 * PARTITIONS, settings=settings) as new:
            measure(old, new, arguments.webhooks, figures)
    figures.end()


if __name__ == "__main__":
    main()
