"""The worker as an operator meets it: options, configuration, signals, its own port."""

import re
import subprocess

import pytest
from env import commands
from env.paths import WORKER
from env.programs import ENVIRONMENT, run
from env.tls import Authority
from env.wait import until


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


@pytest.fixture
def secret_file(tmp_path):
    """Writes a file with the text and mode; returns its path."""

    def write(name, text, mode=0o600):
        file = tmp_path / name
        file.touch(mode)
        file.write_text(text)
        file.chmod(mode)
        return file

    return write


# RFC 8032 section 7.1, test 1.
ED25519 = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
"""
LOGIN = {"endpoint.proxy": "http://user@127.0.0.1:3128"}
FILES = {
    "no-authority": ("endpoint.ca.file", "hunter2", 0o600, {}, "no certificate or crl found"),
    "proxy-password": ("endpoint.proxy.password.file", "hunter2", 0o600, LOGIN, None),
    "open-proxy-password": ("endpoint.proxy.password.file", "hunter2", 0o644, LOGIN, "has mode 0644 and must have 0600 or less"),
    "empty-proxy-password": ("endpoint.proxy.password.file", "", 0o600, LOGIN, "is empty"),
    "no-certificate": ("endpoint.tls.certificate.file", "hunter2", 0o644, {"endpoint.tls.key.file": "pair"}, "no start line"),
    "no-key": ("endpoint.tls.key.file", "hunter2", 0o600, {"endpoint.tls.certificate.file": "pair"}, "unsupported"),
    "another-key": ("endpoint.tls.key.file", ED25519, 0o600, {"endpoint.tls.certificate.file": "pair"}, "no certificate assigned"),
    "open-key": ("endpoint.tls.key.file", "pair", 0o644, {"endpoint.tls.certificate.file": "pair"}, "has mode 0644 and must have 0600 or less"),
    "pair": ("endpoint.tls.key.file", "pair", 0o600, {"endpoint.tls.certificate.file": "pair"}, None),
}


@pytest.mark.parametrize("key, text, mode, others, rule", FILES.values(), ids=FILES)
def test_the_files_of_the_configuration_are_read(config, tmp_path, secret_file, key, text, mode, others, rule):
    pair = Authority(tmp_path, "ours").issue("client", []).read_text()
    file = secret_file("file", pair if text == "pair" else text, mode)
    others = {name: secret_file(name, pair) if value == "pair" else value for name, value in others.items()}
    answer = check(config(**others, **{key: file}))
    assert "hunter2" not in answer.out + answer.err
    if rule is None:
        assert answer.code == 0, answer
    else:
        assert answer.code == 2 and re.search(f'key={key} file="{file}" error="{rule}', answer.err), answer


def test_a_missing_file_is_named(config, tmp_path):
    for key, others in (("endpoint.ca.file", {}), ("endpoint.proxy.password.file", LOGIN)):
        answer = check(config(**others, **{key: tmp_path / "none"}))
        assert answer.code == 2 and re.search(f'key={key} file="{tmp_path}/none" error=".*No such file', answer.err, re.I), answer


def test_the_credentials_for_the_registry_are_read(config, secret_file):
    key, file = "schema.registry.bearer.token.file", secret_file("token", "hunter2\n", 0o644)
    settings = {"schema.registry.url": "http://127.0.0.1:1", key: file}
    answer = check(config(**settings))
    assert answer.code == 2 and f"{key}: {file} has mode 0644" in answer.err and "hunter2" not in answer.err, answer
    file.chmod(0o600)
    assert check(config(**settings)).code == 0


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
    """The present number, the wanted number, and the consequence."""
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


# By the bounds of the process, not of the machine: here, one of 64 CPUs.
