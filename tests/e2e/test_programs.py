"""The worker as an operator meets it: options, configuration, signals, its own port."""

import os
import subprocess
from pathlib import Path

import pytest
from env import commands
from env.paths import ADMIN, WORKER, free_port
from env.programs import ENVIRONMENT, run, write_properties
from env.sanitizer import SANITIZED
from env.wait import until


@pytest.fixture
def config(tmp_path, fresh_world):
    def write(**changes):
        own = {"worker.data.dir": tmp_path / "data", "worker.http.listen": f"127.0.0.1:{free_port()}"}
        settings = fresh_world.settings | own | changes
        return write_properties(tmp_path / "worker.properties", {k: v for k, v in settings.items() if v is not None})

    return write


def check(config, *arguments, **options):
    return run(WORKER, "--config", config, *arguments, "--check-config", **options)


def test_help_and_version():
    help = run(WORKER, "--help")
    assert help.code == 0 and "--config" in help.out and "delivery.retry.schedule" in help.out and not help.err
    version = run(WORKER, "--version")
    assert version.code == 0 and version.out.startswith("posthorn-worker ")


def test_good_configuration(config):
    answer = check(config())
    assert answer.code == 0, answer


BAD = [
    ("kafka.bootstrap.servers", None, "required"),
    ("worker.master.key.file", None, "required"),
    ("worker.master.key.file", "/nonexistent/key", "/nonexistent/key"),
    ("delivery.timeout", "5", "delivery.timeout"),
    ("delivery.timeout", "-5s", "delivery.timeout"),
    ("delivery.retry.schedule", "5s,,1m", "delivery.retry.schedule"),
    ("delivery.retry.jitter", "1.5", "delivery.retry.jitter"),
    ("delivery.threads", "0", "delivery.threads"),
    ("batch.max.records", "many", "batch.max.records"),
    ("endpoint.allow.http", "yes", "endpoint.allow.http"),
    ("endpoint.allow.networks", "10.0.0.0/33", "endpoint.allow.networks"),
    ("signature.formats", "rfc9421,hmac", "signature.formats"),
    ("worker.http.listen", "nowhere", "worker.http.listen"),
    ("log.level", "loud", "log.level"),
    ("delivery.tiemout", "5s", "delivery.tiemout"),
    ("kafka.isolation.level", "read_uncommitted", "isolation.level"),
]


@pytest.mark.parametrize("key, value, word", BAD, ids=[f"{key}={value}" for key, value, _ in BAD])
def test_bad_configuration_is_named(config, key, value, word):
    answer = check(config(**{key: value}))
    assert answer.code == 2 and key in answer.err and word in answer.err, answer


def test_every_problem_is_named_at_once(config):
    answer = check(config(**{"delivery.timeout": "x", "log.level": "loud", "no.such.key": "1"}))
    assert answer.code == 2 and all(key in answer.err for key in ("delivery.timeout", "log.level", "no.such.key"))


def test_a_master_key_that_others_can_read_is_refused(config, fresh_world):
    fresh_world.master_key.chmod(0o644)
    answer = check(config())
    assert answer.code == 2 and str(fresh_world.master_key) in answer.err


def test_environment_wins_over_the_file_and_set_over_both(config):
    file = config(**{"log.level": "info"})
    assert check(file, environment={"POSTHORN_LOG_LEVEL": "loud"}).code == 2
    assert check(file, "--set", "log.level=loud", environment={"POSTHORN_LOG_LEVEL": "debug"}).code == 2


@pytest.mark.parametrize("arguments", [["--nothing"], ["--set"], ["--set", "x"], ["--config", "/nonexistent"], ["leftover"]])
def test_wrong_usage(arguments):
    answer = run(WORKER, *arguments)
    assert answer.code == 2 and answer.err, answer


def test_sigterm_drains(fresh_world):
    world = fresh_world
    tenant, endpoint = world.tenant(), world.receivers.endpoint().answers({"delay": 1.0})
    worker = world.worker()
    world.webhook(tenant, endpoint)
    ids = [world.issue(tenant) for _ in range(10)]
    endpoint.wait(10)
    worker.stop()
    world.results.catch_up()
    assert all(len(world.results.by_command[id]) == 2 for id in ids)
    kinds = world.results.deliveries(tenant)
    assert len(kinds) == 10 and all(types[-1] == "WEBHOOK_EVENT_PROCESS_SUCCESS" for types in kinds.values()), kinds
    assert not world.state.kind("delivery"), "what was in flight has ended and is committed"
    world.worker("worker-1")
    extra = world.issue(tenant)
    world.results.end(extra)
    assert len(endpoint.wait(11)) == 11, "nothing is sent twice"


def test_two_workers_may_not_share_a_data_folder(fresh_world):
    world = fresh_world
    first = world.worker()
    second = world.worker("worker-2", ready=False, worker_data_dir=first.replica.parent)
    second.expect_error(".*")
    assert second.wait_end() != 0


def test_readiness_and_liveness(fresh_world):
    worker = fresh_world.worker()
    assert worker.get("/livez").code == worker.get("/readyz").code == 200
    assert worker.get("/nothing").code == 404


SERIES = {
    "commands by topic and outcome": "posthorn_commands_total",
    "transactions": "posthorn_transactions_total",
    "their seconds": "posthorn_transaction_seconds_sum",
    "deliveries by outcome": "posthorn_deliveries_total",
    "attempts' seconds": "posthorn_attempt_seconds_bucket",
    "pending": "posthorn_deliveries_pending",
    "in flight": "posthorn_attempts_in_flight",
    "lag per partition": "posthorn_consumer_lag",
    "restore progress": "posthorn_restore_",
}


def test_metrics(fresh_world):
    world = fresh_world
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    worker = world.worker()
    world.webhook(tenant, endpoint)
    world.ask(tenant, commands.create("nowhere"))
    world.results.end(world.issue(tenant))
    world.delivered(endpoint.wait()[0].id)
    until(lambda: "posthorn_consumer_lag{" in worker.get("/metrics").out, what="the lag to be known")
    text = worker.get("/metrics").out
    missing = {what: name for what, name in SERIES.items() if f"\n{name}" not in text}
    assert not missing, text
    assert all(line.startswith(("#", "posthorn_", "process_")) for line in text.splitlines() if line)
    worker.wait_metric(1, "posthorn_deliveries_total", outcome="succeeded")
    worker.wait_metric(0, "posthorn_deliveries_pending")


def test_too_few_descriptors_are_a_warning(config, tmp_path):
    """How many there are, how many it wants, and what follows."""
    log = tmp_path / "worker.log"
    with open(log, "wb") as file:
        process = subprocess.Popen(["prlimit", "--nofile=1000:1000", WORKER, "--config", config(**{"delivery.threads": 1})], stderr=file, env=ENVIRONMENT)
    try:
        until(lambda: "worker started" in log.read_text(), what="the worker to start")
        assert "level=warn" in log.read_text() and "limit=1000 needed=4482 in_flight_max=614" in log.read_text()
    finally:
        process.kill()
        process.wait()


def test_hardly_any_descriptors_are_an_error(config):
    answer = run("prlimit", "--nofile=260:260", WORKER, "--config", config(**{"delivery.threads": 1}))
    assert answer.code == 1 and "too few file descriptors" in answer.err and "limit=260 needed=4482" in answer.err


# By what the process may use, not by the machine: here, one of 64 CPUs.

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
        return sum(file.read_text().startswith(stem) for file in Path(f"/proc/{self.process.pid}/task").glob("*/comm"))

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
    """A group of ours without a quota, in one that has half a CPU; of v2, or of v1 where that has the controller."""
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
        (refused, *_) = [line for line in gateway.log.read_text().splitlines() if "fewer are tried" in line]
        assert "key=gateway.listen threads=16" in refused and "level=warn" in refused


@no_preload
def test_many_threads_need_few_descriptors(config, tmp_path, machine, report):
    with Bounded(tmp_path, config(), **machine, ALL_ALLOWED="1") as worker:
        report(f"64 CPUs allowed: {worker.delivery_threads()} delivery threads, {worker.descriptors()} descriptors")
        assert worker.delivery_threads() == 63 and worker.descriptors() < 63 * 18 + 100 and not worker.warnings()


def test_few_descriptors_are_fewer_threads(config, tmp_path):
    """And that is said once."""
    with Bounded(tmp_path, config(**{"delivery.threads": 64}), "prlimit", "--nofile=1024:1024") as worker:
        assert worker.delivery_threads() == 10
        (warning,) = worker.warnings()
        assert "too few file descriptors for delivery.threads" in warning and "limit=1024" in warning and "threads=10 wanted=64" in warning


@pytest.mark.skipif(bool(SANITIZED), reason="a sanitizer takes terabytes of address space")
def test_little_memory_is_fewer_threads(config, tmp_path):
    """What a thread's stack does not fit into."""
    with Bounded(tmp_path, config(**{"delivery.threads": 256}), "prlimit", f"--as={1 << 30}") as worker:
        assert 1 <= worker.delivery_threads() < 128
        (refused,) = [warning for warning in worker.warnings() if "fewer threads than delivery.threads" in warning]
        assert "wanted=256" in refused
