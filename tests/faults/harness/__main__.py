"""run [--seed N] [--minutes N] [--faults a,b,...] [--secure] [--released]: load and faults, then
quiet, then the judgement. README.md says more.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .faults import Missed, happen
from .flood import Flood
from .judge import duplicates, leaks, problems
from .load import SECRET, Load
from .schedule import KINDS, draw
from .stand import FAULTS, Stand
from .whereabouts import forget_unwritten

RATE = 100  # commands a second
AFTERMATH_S = 20  # how long after its end a fault is held to account for what stands still
SHOWN = 25  # lines of each log, after a failure


def arguments():
    description = "Load, and faults drawn from a seed; then everything that posthorn promises must hold."
    parser = argparse.ArgumentParser(prog="run", description=description)
    seed = random.randrange(1_000_000)
    parser.add_argument("--seed", type=int, default=seed, help="draws the schedule; the same seed, the same schedule")
    parser.add_argument("--minutes", type=float, default=3, help="of faults; starting and becoming quiet come on top (default %(default)s)")
    parser.add_argument("--faults", help=f"of these kinds only (default all, but registry only with --secure, release only with --released: {','.join(KINDS)})")
    parser.add_argument("--secure", action="store_true", help="on a locked Kafka: TLS, SASL, and exactly the documented rights")
    parser.add_argument("--released", action="store_true", help="with workers of the release before among today's; then nothing newer is in the load")
    parser.add_argument("--rate", type=float, default=RATE, help="commands a second (default %(default)s)")
    parser.add_argument("--dir", type=Path, help="the run directory to make; kept (default: a temporary one, kept after a failure)")
    given = parser.parse_args()
    off = {kind for kind, is_on in (("registry", given.secure), ("release", given.released)) if not is_on}
    given.faults = given.faults.split(",") if given.faults else [kind for kind in KINDS if kind not in off]
    if unknown := set(given.faults) - set(KINDS):
        parser.error(f"no such faults: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    if "release" in given.faults and not given.released:
        parser.error("--faults release needs --released")
    return given


class Incidents:
    """Lets the faults happen at their times, each in a thread, and keeps their results."""

    def __init__(self, stand):
        self.stand = stand
        self.began = time.monotonic()
        self.done = []  # (fault, begin, end)
        self.missed = []  # (fault, why)
        self.failed = []  # (fault, exception)

    def say(self, line):
        print(f"[{time.monotonic() - self.began:6.1f}] {line}", flush=True)

    def happen(self, fault):
        begin = time.monotonic()
        self.say(f"{fault.kind} {fault.variant} {fault.worker}")
        try:
            happen(self.stand, fault)
            self.done.append((fault, begin, time.monotonic()))
        except Missed as why:
            self.missed.append((fault, str(why)))
            self.say(f"missed: {fault.kind} {fault.variant}: {why}")
        except Exception as problem:
            self.failed.append((fault, problem))
            self.say(f"failed: {fault.kind} {fault.variant}: {problem!r}")

    def run(self, faults, seconds):
        with ThreadPoolExecutor(8) as threads:
            try:
                for fault in faults:
                    self.stand.over.wait(max(0, self.began + fault.at - time.monotonic()))
                    threads.submit(self.happen, fault)
                self.stand.over.wait(max(0, self.began + seconds - time.monotonic()))
            finally:
                self.stand.over.set()


def report(incidents, stand, load, loaded_until):
    kinds = defaultdict(list)
    for fault, begin, end in incidents.done:
        kinds[fault.kind, fault.variant].append(stand.watch.stall(begin, min(end + AFTERMATH_S, loaded_until)))
    print(f"\n{'fault':36} {'times':>5}  longest time in which some partition stood still")
    for (kind, variant), stalls in sorted(kinds.items(), key=lambda item: list(KINDS).index(item[0][0])):
        print(f"{kind + ' ' + variant:36} {len(stalls):5}  {max(stalls):5.1f} s")
    callbacks, again = duplicates(stand.receivers)
    floods = [(begin, end) for fault, begin, end in incidents.done if fault.kind == "flood"]
    if floods:
        waits = [stand.watch.longest_wait(begin, end) for begin, end in floods]
        print(f"while one tenant flooded, the commands of the others waited {max(waits):.1f} s at most")
    print(f"{len(incidents.done)} faults, {len(incidents.missed)} missed, {len(stand.pool.crashes)} ends of workers that nobody asked for")
    for at, id, status, _ in stand.pool.crashes:
        print(f"  {id} ended with {status} at {at - incidents.began:.1f} s")
    print(f"{sum(load.sent.values())} commands, {load.dead_letters} records that are none, {len(stand.watch.ids)} events")
    print(f"{len(stand.watch.deliveries)} deliveries, {callbacks} callbacks, {again} of them taken by their receiver before", flush=True)


def show_logs(stand):
    for member in (*stand.pool, stand.gateway):
        print(f"--- {member.log}", *member.tail(SHOWN), sep="\n")
    for _, id, status, tail in stand.pool.crashes:
        print(f"--- {id} ended with {status}; its log then:", *tail, sep="\n")


def check(directory):
    program = FAULTS / "check"
    return not program.exists() or subprocess.run([program, directory], check=False).returncode == 0


def released_worker():
    """The one of the release before, built from the history."""
    answer = subprocess.run([FAULTS.parent / "released"], stdout=subprocess.PIPE, text=True, check=True)
    return Path(answer.stdout.strip()) / "posthorn-worker"


def experience(given, directory):
    """Returns whether all was well."""
    faults = draw(given.seed, given.minutes, given.faults)
    print(f"seed {given.seed}, {given.minutes:g} minutes, faults {','.join(given.faults)}, in {directory}")
    print(*faults, sep="\n", flush=True)
    released = released_worker() if given.released else None
    with Stand(directory, given.seed, given.faults, given.secure, released) as stand:
        load = Load(stand, given.seed, given.rate)
        stand.flood = Flood(stand, given.seed, load.sent)
        try:
            load.begin()
            incidents = Incidents(stand)
            incidents.run(faults, given.minutes * 60)
            load.end()
            stand.flood.end()
            loaded_until = time.monotonic()
            load.appease()
            stand.flood.appease()
            stand.heal()
            if unwritten := sum(forget_unwritten(stand, writer, load.sent) for writer in (load.writer, stand.flood.writer)):
                incidents.say(f"{unwritten} commands were lost by the load's own librdkafka: they are in no topic")
            stand.pool.upgrade()
            incidents.say("waiting for quiet")
            stand.wait_quiet(load.sent)
            incidents.say("quiet")
            bad_ends = stand.rest()
            report(incidents, stand, load, loaded_until)
            found = list(problems(stand.watch, load.sent))
            found += [f"{id} ended with {status}" for id, status in bad_ends.items()]
            found += [f"a sanitizer reports in {member.log}: {lines[0]}" for member in (*stand.pool, stand.gateway) if (lines := member.reports())]
            found += leaks(stand.pool, stand.gateway, SECRET)
            found += [f"{fault.kind} {fault.variant} could not be done: {problem!r}" for fault, problem in incidents.failed]
            print(*(found or ["the first judgement finds nothing"]), sep="\n", flush=True)
            good = check(directory) and not found
        except BaseException:
            load.over.set()
            stand.over.set()
            show_logs(stand)
            raise
        if not good:
            show_logs(stand)
        return good


def main():
    given = arguments()
    directory = given.dir or Path(tempfile.mkdtemp(prefix="posthorn-faults."))
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    threading.excepthook = lambda args: print(f"thread {args.thread.name}: {args.exc_value!r}", file=sys.stderr)
    try:
        good = experience(given, directory)
    except (AssertionError, subprocess.SubprocessError) as problem:
        print(f"FAILED: {problem}")
        good = False
    flags = "".join(f" --{flag}" for flag in ("secure", "released") if getattr(given, flag))
    again = f"--seed {given.seed} --minutes {given.minutes:g} --faults {','.join(given.faults)}{flags}"
    print(f"{'all is well' if good else 'FAILED'}: {again}; {directory}")
    if good and not given.dir:
        shutil.rmtree(directory)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
