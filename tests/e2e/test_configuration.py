"""What is wrong with kafka.* is said when the configuration is read: by both programs, without a
broker, and without a secret.
"""

import pytest
from env.paths import ADMIN, WORKER
from env.programs import run

SECRET = "hunter2"
SSL, SASL = {"kafka.security.protocol": "SSL"}, {"kafka.security.protocol": "SASL_PLAINTEXT"}
PASSWORD = {"kafka.sasl.username": "user", "kafka.sasl.password": SECRET}

WRONG = {
    "a misspelt password": ({"kafka.sasl.pasword": SECRET}, ["kafka.sasl.pasword", "did you mean kafka.sasl.password?"]),
    "an unknown setting": ({"kafka.service.host": "10.0.0.1"}, ["kafka.service.host: librdkafka"]),
    "a value that is none": ({"kafka.security.protocol": "TLS"}, ["kafka.security.protocol: Invalid value"]),
    "no such authority": (SSL | {"kafka.ssl.ca.location": "/nonexistent.pem"}, ["kafka.ssl.ca.location: cannot be read: No such file"]),
    "an authority that is none": (SSL | {"kafka.ssl.ca.location": "/dev/null"}, ["ssl.ca.location failed"]),
    "a private key that is none": (SSL | {"kafka.ssl.key.pem": SECRET}, ["ssl.key.pem failed"]),
    "an unknown mechanism": (SASL | PASSWORD | {"kafka.sasl.mechanism": "XX"}, ["Unsupported SASL mechanism: XX"]),
    "a mechanism and no SASL": (PASSWORD | {"kafka.sasl.mechanism": "PLAIN"}, ["kafka.sasl.mechanism: needs kafka.security.protocol=SASL_SSL"]),
    "a mechanism without its password": (SASL | {"kafka.sasl.mechanism": "PLAIN"}, ["sasl.username and sasl.password must be set"]),
    "nobody who fetches tokens": (SASL | {"kafka.sasl.mechanism": "OAUTHBEARER"}, ["kafka.sasl.mechanism: OAUTHBEARER needs"]),
    "what is ours": ({"kafka.message.max.bytes": 5}, ["kafka.message.max.bytes: cannot be set: "]),
    "limits that contradict ours": ({"kafka.fetch.max.bytes": 1000, "kafka.linger.ms": 20000}, ["`fetch.max.bytes`", "`linger.ms`"]),
    "timeouts that contradict each other": ({"kafka.heartbeat.interval.ms": 9000}, ["kafka.heartbeat.interval.ms: is 9000"]),
    "all at once": (
        {"kafka.sasl.pasword": SECRET, "kafka.acks": 1, "kafka.debug": "everything"},
        ["kafka.sasl.pasword", "kafka.acks", "kafka.debug"],
    ),
}


@pytest.fixture
def settings(tmp_path):
    """What both programs need beside kafka.*; nothing listens there."""
    key = tmp_path / "master.key"
    key.write_text("A" * 43 + "\n")
    key.chmod(0o600)
    return {"kafka.bootstrap.servers": "127.0.0.1:1", "worker.master.key.file": key, "worker.data.dir": tmp_path / "data"}


def arguments(settings):
    return [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]


PROGRAMS = {
    "check": lambda settings: (WORKER, *arguments(settings), "--check-config"),
    "worker": lambda settings: (WORKER, *arguments(settings)),
    "admin": lambda settings: (ADMIN, "topics", "check", *arguments(settings)),
}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("wrong, words", WRONG.values(), ids=WRONG)
def test_wrong_settings_are_named_at_once(settings, program, wrong, words):
    answer = run(*PROGRAMS[program](settings | wrong))
    assert answer.code == 2, answer
    assert all(word in answer.err for word in words), answer.err
    assert SECRET not in answer.err + answer.out, answer


def test_a_service_of_kubernetes_is_no_setting(settings):
    variables = {
        "POSTHORN_KAFKA_SERVICE_HOST": "10.0.0.1",
        "POSTHORN_KAFKA_SERVICE_PORT": "9092",
        "POSTHORN_KAFKA_PORT": "tcp://10.0.0.1:9092",
        "POSTHORN_KAFKA_PORT_9092_TCP_ADDR": "10.0.0.1",
    }
    answer = run(*PROGRAMS["check"](settings), environment=variables)
    assert answer.code == 0, answer
    assert all(f'unknown environment variable" name="{name}"' in answer.err for name in variables), answer.err
    assert run(*PROGRAMS["check"](settings), environment={"POSTHORN_KAFKA_ACKS": "1"}).code == 2
