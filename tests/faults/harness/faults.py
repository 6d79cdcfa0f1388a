"""The acts of each fault. Each one ends with things healed: stopped programs go on, killed ones run
again.
"""

import os
import signal
import subprocess
import time

from .pool import FAULT_EXIT_STATUS

SESSION_TIMEOUT_S = 6
STEP_WITHIN_S = 40
STEPS_MAX = 20
FOLDS_WITHIN_S = 20
API_ADD_OFFSETS, API_END_TXN = 25, 26
CLOCK_STEP_S = 3600
OUTAGES = {"cut": "cut", "slow": "slow", "refusing": 401, "failing": 503}


class Missed(Exception):
    """The fault could not happen; says why."""


def pause(stand, seconds):
    stand.over.wait(seconds)


# Workers


def kill(stand, fault, member):
    member.kill()
    # Within the session timeout the others do not notice; past it they have its partitions.
    pause(stand, fault.seconds / 12 * 4 if fault.variant == "short" else SESSION_TIMEOUT_S + fault.seconds)
    member.start()


def step(stand, fault, member):
    member.kill()
    # A turn may take a second while the brokers are busy: it must come by so often in time.
    member.start(fault=f"{fault.variant}:{1 + fault.count % STEPS_MAX}")
    code = member.wait_exit(STEP_WITHIN_S)
    if code is None:
        member.kill()
    pause(stand, fault.seconds)
    member.start()
    if code != FAULT_EXIT_STATUS:
        raise Missed(f"{member.id} ended with {code} (None: not within {STEP_WITHIN_S} s)")


def stop(stand, fault, member):
    member.signal(signal.SIGSTOP)
    pause(stand, SESSION_TIMEOUT_S + 2 + fault.seconds)
    member.signal(signal.SIGCONT)


def scale(stand, fault, member):
    if fault.variant == "out":
        extra = stand.pool.add("worker-4")
        with extra.lock:
            extra.start()
            pause(stand, SESSION_TIMEOUT_S + fault.seconds)
            extra.stop()
        return
    member.stop()
    if fault.variant == "in":
        pause(stand, 2 * SESSION_TIMEOUT_S + fault.seconds)
    member.start()


def release(stand, fault, member):
    """It comes back as a worker of the other release; no sooner than the schedule says."""
    if fault.variant == "kill":
        member.kill()
    else:
        member.stop()
    member.change_release()
    pause(stand, fault.seconds / 12 * 4)
    member.start()


# Brokers


def broker(stand, fault, member):
    with stand.broker_lock:
        cluster = stand.cluster
        if fault.variant == "state-leader":
            victim = cluster.leader(stand.prefix + "webhook-state", fault.count % stand.partitions)
        elif fault.variant == "group-coordinator":
            victim = cluster.group_coordinator(stand.group)
        else:
            victim = cluster.transaction_coordinator(f"{stand.group}-{member.id}")
        cluster.kill(victim)
        pause(stand, fault.seconds)
        cluster.restart()


def net(stand, fault, _):
    proxy = stand.cluster.proxy
    with stand.proxy_lock:
        match fault.variant:
            case "cut":
                proxy.order("cut")
            case "delay":
                proxy.order("delay", s=0.02 * fault.count)
            case "half-open":
                proxy.order("silence")
            case "end-lost-before" | "end-lost-after":
                proxy.order("ambush", api=API_END_TXN, when=fault.variant.rpartition("-")[2])
            case "offsets-lost-after":
                proxy.order("ambush", api=API_ADD_OFFSETS, when="after")
        pause(stand, 1 + fault.seconds)
        if proxy.order("heal")["missed"]:
            raise Missed("no such request came by")


# Files


def replica(stand, fault, member):
    file, running = member.replica, fault.variant.endswith("-running")
    if not running:
        member.kill()
    if not file.exists():
        raise Missed(f"{member.id} has no replica now")
    match fault.variant.removesuffix("-running"):
        case "deleted":
            member.forget()
        case "truncated":
            os.truncate(file, file.stat().st_size * fault.count // 60)
        case "read-only":
            with read_only(stand, member):
                member.start()
                pause(stand, 2 + fault.seconds)
                member.kill()
    if running:
        pause(stand, fault.seconds)
        member.kill()
    member.start()


def gateway(stand, fault, _):
    """Its history goes on where it was, or is made anew. Killed twice: also while it reads what it
    missed.
    """
    folder = stand.gateway
    with folder.lock:
        folder.kill()
        match fault.variant:
            case "deleted":
                folder.forget()
            case "truncated" if folder.history.exists():
                size = folder.history.stat().st_size * fault.count // 60
                for file in folder.files():
                    file.unlink() if file != folder.history else os.truncate(file, size)
        pause(stand, fault.seconds / 2)
        folder.start()
        kill_while_folding(stand, folder)


def kill_while_folding(stand, folder):
    deadline = time.monotonic() + FOLDS_WITHIN_S
    try:
        while not folder.folds():
            if stand.over.is_set() or time.monotonic() > deadline:
                raise Missed(f"the gateway folded nothing within {FOLDS_WITHIN_S} s")
            pause(stand, 0.05)
    finally:
        folder.kill()
        folder.start()


class read_only:
    def __init__(self, stand, member):
        self.folder = member.replica.parent
        if not stand.mounts:
            raise Missed("no file system of its own")

    def __enter__(self):
        mount("-o", "remount,ro", self.folder)

    def __exit__(self, *_):
        mount("-o", "remount,rw", self.folder)


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


def disk(stand, fault, member):
    if not stand.mounts:
        raise Missed("mounting a tmpfs is not permitted here")
    filler = member.replica.parent / "filler"
    if fault.variant == "full-at-start":
        member.kill()
    fill(filler)
    if fault.variant == "full-at-start":
        member.start()
    pause(stand, 3 + fault.seconds)
    filler.unlink()


def fill(file):
    with open(file, "wb", buffering=0) as f:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    f.write(b"\0" * size)
            except OSError:
                pass


# Time


def clock(stand, fault, member):
    if member.clock is None:
        raise Missed("libfaketime is not installed, or does not go together with the build's sanitizer")
    member.step_clock(CLOCK_STEP_S if fault.variant == "forward" else -CLOCK_STEP_S)
    pause(stand, fault.seconds)
    member.step_clock(0)


def compaction(stand, fault, member):
    """Reads what the cleaner, which works all along in such a run, has cleaned."""
    member.kill()
    member.forget()
    member.start()


# Tenants


def flood(stand, fault, _):
    """One tenant does its worst. It is over when that is answered, or the run is."""
    if fault.variant == "resends" and stand.released:
        raise Missed("a worker of the release before keeps nothing that succeeded")
    stand.flood.run(fault.variant)
    while not stand.over.is_set() and stand.flood.unanswered():
        pause(stand, 0.2)


# The schema registry


def registry(stand, fault, _):
    """Commands of new schema ids come all along: their partitions wait."""
    with stand.registry_lock:
        stand.registry.front.fail(OUTAGES[fault.variant])
        pause(stand, 2 + fault.seconds)
        stand.registry.front.mend()


ACTIONS = {action.__name__: action for action in (kill, step, stop, scale, broker, net, replica, disk, clock, compaction, flood, gateway, registry, release)}
OF_A_WORKER = {"kill", "step", "stop", "replica", "disk", "clock", "compaction", "release"}


def happen(stand, fault):
    member = stand.pool[fault.worker]
    if fault.kind in OF_A_WORKER or (fault.kind == "scale" and fault.variant != "out"):
        with member.lock:
            try:
                ACTIONS[fault.kind](stand, fault, member)
            finally:
                member.signal(signal.SIGCONT)
                if not member.running:
                    member.start()
    else:
        ACTIONS[fault.kind](stand, fault, member)
