"""Threads and descriptors follow the bounds of the process, not the size of the machine."""

import os
import subprocess
import threading
from pathlib import Path

import pytest
from env import commands
from env.paths import ADMIN, WORKER
from env.programs import ENVIRONMENT
from env.sanitizer import SANITIZED
from env.threads import threads_of
from env.wait import until

MACHINE = """#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
long sysconf(int name) {
	long (*real)(int) = dlsym(RTLD_NEXT, "sysconf");
	return name == _SC_NPROCESSORS_ONLN || name == _SC_NPROCESSORS_CONF ? 64 : real(name);
}
int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *mask) {
	int (*real)(pid_t, size_t, cpu_set_t *) = dlsym(RTLD_NEXT, "sched_getaffinity");
	if (!getenv("ALL_ALLOWED"))
		return real(pid, size, mask);
	CPU_ZERO_S(size, mask);
	for (int cpu = 0; cpu < 64; cpu++)
		CPU_SET_S(cpu, size, mask);
	return 0;
}
/* Of the program's own threads the eleventh and the twelfth are refused, as the kernel refuses: `*thread` is written to all the same. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = dlsym(RTLD_NEXT, "pthread_create");
	static int own;
	Dl_info info;
	int is_own = dladdr((void *)start, &info) && !strstr(info.dli_fname, ".so");
	if (!getenv("THREADS_REFUSED") || !is_own || ++own <= 10 || own > 12)
		return real(thread, attributes, start, argument);
	*thread = 1;
	return EAGAIN;
}
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """The environment in which there are 64 CPUs."""
    library = tmp_path_factory.mktemp("machine") / "machine.so"
    library.with_suffix(".c").write_text(MACHINE)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, library.with_suffix(".c"), "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}


class Bounded:
    """A worker, or another program, that is started by a command which bounds it."""

    program, started = (WORKER,), "worker started"

    def __init__(self, directory, config, *bound, **environment):
        self.log = directory / "program.log"
        with open(self.log, "wb") as log:
            command = [*bound, self.program[0], "--config", config, *self.program[1:]]
            self.process = subprocess.Popen(command, stderr=log, env=ENVIRONMENT | environment)

    def __enter__(self):
        until(lambda: self.started in self.log.read_text() or self.process.poll() is not None, what="the program to start")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def threads(self, stem):
        return len(threads_of(self.process.pid, stem))

    def delivery_threads(self):
        return self.threads("delivery-")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def warnings(self):
        return [line for line in self.log.read_text().splitlines() if "level=warn" in line]


class BoundedGateway(Bounded):
    program, started = (ADMIN, "serve"), "gateway started"


@pytest.fixture
def control_group():
    """A group of ours without a quota, in one that has half a CPU; of v2, or of v1 where that has
    the controller.
    """
    v1 = Path("/sys/fs/cgroup/cpu")
    outer = (v1 if v1.exists() else Path("/sys/fs/cgroup")) / commands.unique("posthorn-test")
    inner = outer / "inner"
    try:
        outer.mkdir()
        if v1.exists():
            (outer / "cpu.cfs_quota_us").write_text("50000")
        else:
            (outer / "cpu.max").write_text("50000 100000")
        inner.mkdir()
    except OSError as why:
        if outer.exists():
            outer.rmdir()
        pytest.skip(f"no control group with a quota can be made here: {why}")
    yield inner
    until(lambda: not (inner / "cgroup.procs").read_text(), what="the group to be empty")
    inner.rmdir()
    outer.rmdir()


@pytest.fixture
def churn():
    """Threads of this process that begin and end, as those of a JVM do."""
    end = threading.Event()

    def begin_and_end():
        while not end.is_set():
            thread = threading.Thread(target=lambda: None)
            thread.start()
            thread.join()

    churning = threading.Thread(target=begin_and_end)
    churning.start()
    yield
    end.set()
    churning.join()


@pytest.mark.usefixtures("churn")
def test_threads_that_end_while_they_are_counted_are_left_out():
    assert all(threads_of(os.getpid(), "") for _ in range(1000))


no_preload = pytest.mark.skipif(bool(SANITIZED), reason="a sanitizer wants to be the first library")


@no_preload
def test_threads_follow_the_affinity(config, tmp_path, machine, report):
    cpu = min(os.sched_getaffinity(0))
    with Bounded(tmp_path, config(), "taskset", "-c", str(cpu), **machine) as worker:
        report(f"one CPU of 64 allowed: {worker.delivery_threads()} delivery threads, {worker.descriptors()} descriptors")
        assert worker.delivery_threads() == 1 and not worker.warnings()


@no_preload
def test_threads_follow_the_quota_of_the_control_group(config, tmp_path, machine, control_group):
    """Half a CPU's time, which is the limit of the parent of the group that the process is in."""
    join = f'echo $$ >{control_group}/cgroup.procs && exec "$@"'
    with Bounded(tmp_path, config(), "sh", "-c", join, "sh", **machine, ALL_ALLOWED="1") as worker:
        assert worker.delivery_threads() == 1 and not worker.warnings()


@no_preload
def test_threads_of_the_gateway_follow_too(config, tmp_path, machine, report):
    """Its API has sixteen at most, and on one CPU one."""
    addresses = {"gateway.listen": "127.0.0.1:0", "gateway.operations.listen": "127.0.0.1:0"}
    cpu = min(os.sched_getaffinity(0))
    with BoundedGateway(tmp_path, config(**addresses), "taskset", "-c", str(cpu), **machine) as gateway:
        narrow = gateway.threads("")
    with BoundedGateway(tmp_path, config(**addresses), **machine, ALL_ALLOWED="1") as gateway:
        wide = gateway.threads("")
    report(f"{narrow} threads with one CPU of 64, {wide} with all of them")
    assert wide - narrow in (15, 16)


@no_preload
def test_a_gateway_that_is_refused_threads_has_fewer(config, tmp_path, machine):
    addresses = {"gateway.listen": "127.0.0.1:0", "gateway.operations.listen": "127.0.0.1:0"}
    with BoundedGateway(tmp_path, config(**addresses), **machine, ALL_ALLOWED="1", THREADS_REFUSED="1") as gateway:
        until(lambda: gateway.started in gateway.log.read_text(), 10, "a start")
        assert gateway.process.poll() is None and gateway.threads("http") in range(2, 16)
        (refused, *_) = [line for line in gateway.log.read_text().splitlines() if "cannot start all HTTP threads" in line]
        assert "key=gateway.listen threads=16" in refused and "level=warn" in refused


@no_preload
def test_many_threads_need_few_descriptors(config, tmp_path, machine, report):
    with Bounded(tmp_path, config(), **machine, ALL_ALLOWED="1") as worker:
        report(f"64 CPUs allowed: {worker.delivery_threads()} delivery threads, {worker.descriptors()} descriptors")
        assert worker.delivery_threads() == 64 and worker.descriptors() < 64 * 18 + 100 and not worker.warnings()


def test_few_descriptors_are_fewer_threads(config, tmp_path):
    """And that is said once."""
    with Bounded(tmp_path, config(**{"delivery.threads": 64}), "prlimit", "--nofile=1024:1024") as worker:
        assert worker.delivery_threads() == 10
        (warning,) = worker.warnings()
        assert "too few file descriptors for delivery.threads" in warning and "limit=1024" in warning and "threads=10 wanted=64" in warning


@pytest.mark.skipif(bool(SANITIZED), reason="a sanitizer takes terabytes of address space")
def test_little_memory_is_fewer_threads(config, tmp_path):
    """A memory limit into which a thread's stack does not fit."""
    with Bounded(tmp_path, config(**{"delivery.threads": 256}), "prlimit", f"--as={1 << 30}") as worker:
        assert 1 <= worker.delivery_threads() < 128
        (refused,) = [warning for warning in worker.warnings() if "fewer threads than delivery.threads" in warning]
        assert "wanted=256" in refused
