"""How fast an empty replica is restored, and how soon a worker with a warm one is ready."""

import argparse
import datetime
import re
import statistics
import subprocess
import time

from env.paths import BIN
from env.programs import Worker
from env.wait import until

from .stand import Figures, make_world

RECORDS_A_SECOND, WARM_READY_S = 200_000, 1.5
PARTITIONS = 12
RESTORED = re.compile(r'time=(\S+) .*message="partition restored".* ms=(\d+)')


def fill(world, records, urls=()):
    """With urls: tenants with five webhooks, of which one is enabled and has one of them. Returns
    the records' bytes.
    """
    command = [BIN / "bench_fill_state", world.bootstrap, world.prefix + "webhook-state", world.partitions, records, world.master_key, *urls]
    return int(subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout)


def restore_seconds(log, partitions):
    """From the beginning of the first partition's restore to the end of the last one's, by the
    worker's log.
    """
    ends = [(datetime.datetime.fromisoformat(at).timestamp(), int(ms) / 1000) for at, ms in RESTORED.findall(log)]
    assert len(ends) == partitions, f"{len(ends)} partitions restored\n{log[-4000:]}"
    return max(end for end, _ in ends) - min(end - took for end, took in ends)


def start_until_ready(worker, step_s):
    """Seconds. Looks as often as that: a worker that restores for seconds would feel it if that
    were much.
    """
    begin = time.monotonic()
    worker.start(ready=False)
    ready = lambda: not worker.running or worker.get("/readyz").code == 200
    until(ready, 600, "the worker to be ready", step=lambda: time.sleep(step_s))
    assert worker.running, f"the worker ended\n{worker.log.read_text()[-4000:]}"
    return time.monotonic() - begin


def cold(world, worker, records, figures):
    ready = start_until_ready(worker, 0.1)
    cpu, peak = worker.usage()
    metrics = worker.metrics()
    seconds = restore_seconds(worker.log.read_text(), world.partitions)
    assert metrics["posthorn_restored_records_total"] >= records, metrics["posthorn_restored_records_total"]
    figures.figure("restore: records a second", records / seconds, "records/s", least=RECORDS_A_SECOND)
    figures.figure("restore: first begun to last restored", seconds, "s")
    figures.figure("restore: process start to ready", ready, "s")
    if "posthorn_restore_longest_step_seconds" in metrics:
        figures.figure("restore: longest step between two turns", metrics["posthorn_restore_longest_step_seconds"], "s")
    figures.figure("restore: CPU of the worker", cpu, "s")
    figures.figure("restore: peak memory of the worker", peak, "MiB")
    figures.figure("replica: size of the file", worker.replica.stat().st_size / 2**20, "MiB")


def warm(worker, restarts, figures):
    times = []
    for _ in range(restarts):
        worker.stop()
        times.append(start_until_ready(worker, 0.005))
        restored = worker.metric("posthorn_restored_records_total")
        assert restored <= worker.metric("posthorn_restore_target_offset"), restored
    figures.figure("warm: process start to ready, min", min(times), "s")
    figures.figure("warm: process start to ready, median", statistics.median(times), "s")
    figures.figure(f"warm: process start to ready, max of {restarts}", max(times), "s", most=WARM_READY_S)
    figures.figure("warm: peak memory of the worker", worker.usage()[1], "MiB")


def measure(world, records, restarts, figures):
    begin = time.monotonic()
    size = fill(world, records)
    took = time.monotonic() - begin
    figures.say(f"{records:,} live records, {size / 2**20:,.0f} MiB, in {world.partitions} partitions; filled in {took:.0f} s")
    worker = Worker(world.directory, "worker-1", world.settings)
    world.workers.append(worker)
    cold(world, worker, records, figures)
    warm(worker, restarts, figures)
    worker.stop()
    world.check()


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run restore", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000, help="live records in the changelog (default 1,000,000)")
    parser.add_argument("--restarts", type=int, default=7, help="starts with a warm replica (default 7)")
    parser.add_argument("--json", action="store_true", help="one JSON line a figure")
    arguments = parser.parse_args()
    figures = Figures("restore", arguments.json)
    with make_world(partitions=PARTITIONS) as world:
        measure(world, arguments.records, arguments.restarts, figures)
    figures.end()


if __name__ == "__main__":
    main()
