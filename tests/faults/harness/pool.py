"""The workers and their supervisor: a worker that ends unasked is started again, and its end is
written down.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from env.programs import ENVIRONMENT, Worker
from env.wait import until

FAULT_EXIT_STATUS = 70
WHERE_FAKETIME_IS = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"

# A harness that is killed takes its workers along: setpriv's signal comes when the thread that
# started them ends, so one starts them all.
SPAWNER = ThreadPoolExecutor(1)


def spawn(program, options, log, environment=ENVIRONMENT, note=""):
    """Starts it, with its output behind what the log has; it dies with the harness."""
    with open(log, "ab") as file:
        file.write(f"--- started {program}{note}\n".encode())
        file.flush()
        command = ["setpriv", "--pdeathsig", "KILL", program, *options]
        return SPAWNER.submit(subprocess.Popen, command, stdout=file, stderr=file, env=environment).result()


class Member(Worker):
    """A worker to which one thread at a time does things: the holder of `lock`."""

    def __init__(self, directory, id, settings, released=None):
        """`released` is the worker of a release, where some take part."""
        super().__init__(directory, id, settings)
        self.today, self.released = self.program, released
        self.lock = threading.RLock()
        self.wanted = False
        self.clock = None  # a file that says by how much its clock is off, where that is done

    def start(self, ready=False, fault=None):
        environment = ENVIRONMENT | self.faketime() | ({"POSTHORN_FAULT": fault} if fault else {})
        program = self.today if fault else self.program  # a release dies at no step
        self.process = spawn(program, ("--config", self.config), self.log, environment, f" with {fault}" if fault else "")
        self.wanted = fault is None
        if ready:
            self.wait_ready()
        return self

    @property
    def is_released(self):
        return self.program == self.released

    def change_release(self):
        """From its next start on."""
        self.program = self.today if self.is_released else self.released

    def faketime(self):
        if self.clock is None:
            return {}
        return {
            "LD_PRELOAD": WHERE_FAKETIME_IS,
            "FAKETIME_TIMESTAMP_FILE": str(self.clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def step_clock(self, seconds):
        self.clock.write_text(f"{seconds:+d}s\n")

    def kill(self):
        self.wanted = False
        if self.running:
            super().kill()

    def stop(self, timeout=60):
        self.wanted = False
        if self.running:
            # Before it has come so far a signal just ends it.
            until(lambda: not self.running or self.get("/livez").code, 20, f"{self.id} to answer")
            super().stop(timeout)

    def signal(self, number):
        if self.running:
            os.kill(self.process.pid, number)

    def wait_exit(self, timeout):
        """Its exit status, or None when it goes on. Of the schedule's time, which is the same under
        a sanitizer.
        """
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def write_stacks(self):
        """Into its log, where there is gdb: of all threads of a worker that does not end."""
        with open(self.log, "ab") as log, contextlib.suppress(FileNotFoundError):
            command = ["gdb", "--batch", "--pid", str(self.process.pid), "-ex", "thread apply all backtrace"]
            subprocess.run(command, stdout=log, stderr=subprocess.DEVNULL, timeout=60, check=False)

    def tail(self, lines=15):
        return self.log.read_text(errors="replace").splitlines()[-lines:]


class Pool:
    def __init__(self, directory, settings, count, released=None):
        """With the worker of a release, every second one begins as that."""
        self.directory, self.settings, self.released = directory, settings, released
        self.members = {}
        self.crashes = []  # (time, id, exit status, last lines of the log)
        self.over = threading.Event()
        for n in range(count):
            self.add(f"worker-{n + 1}")
        self.thread = threading.Thread(target=self.supervise)

    def add(self, id):
        if id not in self.members:
            self.members[id] = Member(self.directory, id, self.settings, self.released)
            if self.released and len(self.members) % 2:
                self.members[id].change_release()
        return self.members[id]

    def __iter__(self):
        return iter(list(self.members.values()))

    def __getitem__(self, id):
        return self.members[id]

    def begin(self):
        for member in self:
            member.start()
        for member in self:
            member.wait_ready()
        self.thread.start()

    def supervise(self):
        while not self.over.wait(0.5):
            for member in self:
                if member.lock.acquire(blocking=False):
                    try:
                        self.look_after(member)
                    finally:
                        member.lock.release()

    def look_after(self, member):
        if not member.wanted or member.running:
            return
        self.crashes.append((time.monotonic(), member.id, member.process.returncode, member.tail()))
        time.sleep(1)
        member.start()

    def upgrade(self):
        """The last one of the release goes: its replica could not be compared with the others."""
        for member in self:
            with member.lock:
                if member.is_released:
                    if was_running := member.running:
                        member.stop()
                    member.change_release()
                    if was_running:
                        member.start()

    def rest(self):
        """No more is looked after."""
        self.over.set()
        if self.thread.ident:
            self.thread.join()

    def stop(self):
        """All at once, as when everything is shut down; they must end by themselves with 0."""
        running = [member for member in self if member.running]
        for member in running:
            member.wanted = False
            member.signal(signal.SIGTERM)
        ends = {member.id: member.wait_exit(60) for member in running}
        for member in running:
            if ends[member.id] is None:
                member.write_stacks()
                member.kill()
        return {id: code for id, code in ends.items() if code != 0}

    def close(self):
        self.rest()
        for member in self:
            member.kill()
