"""Which librdkafka logs in to which Kafka, and how: docs/versions.md has the table. A worker whose
librdkafka cannot says so when it starts, and no other one does.
"""

import pytest
from env.kafka import Broker, Logins
from env.wait import until
from env.world import World

WARNED = "this librdkafka cannot log in to Kafka 4.0 or later with SCRAM"
REFUSED = "the brokers refuse the login"
REMEDY = "SCRAM with Kafka 4.0 or later needs librdkafka 2.6.1"


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    broker = Broker(tmp_path_factory.mktemp("kafka"), arguments=("--port", "0", "--secure"))
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory, broker, receivers, schemas):
    login = Logins(broker.directory, broker.bootstrap).login("admin") | {"kafka.sasl.mechanism": "PLAIN"}
    world = World(tmp_path_factory.mktemp("world"), broker.bootstrap, receivers, schemas, login)
    yield world.create_topics()
    world.check()
    world.close()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_worker_logs_in_or_says_at_its_start_that_it_cannot(world, broker, mechanism, record_property):
    worker = world.worker(id=f"worker-{mechanism}", ready=False, kafka_sasl_mechanism=mechanism)
    log = lambda: worker.log.read_text()
    until(lambda: worker.get("/readyz").code == 200 or REFUSED in log(), 60, "the end of the login")
    if WARNED in log() and broker.version >= (4,):
        worker.expect_error(REFUSED)
        assert worker.get("/readyz").code != 200 and REMEDY in log(), log()
        record_property(mechanism, "refused")
    else:
        assert REFUSED not in log(), log()
        record_property(mechanism, "logs in")
    assert (WARNED in log()) <= mechanism.startswith("SCRAM"), log()
    worker.stop()


def test_a_port_with_tls_that_is_spoken_to_in_plain_text(world):
    worker = world.worker(id="worker-plain", ready=False, kafka_security_protocol="SASL_PLAINTEXT")
    until(lambda: "kafka.security.protocol is not theirs" in worker.log.read_text(), 60, "the words")
    assert worker.get("/readyz").code == 503 and REFUSED not in worker.log.read_text(), worker.log.read_text()
    worker.stop()


def test_the_first_kafka_of_a_machine_may_be_a_locked_one(tmp_path, monkeypatch):
    """Its start fetches the jars, and formats the template of later clusters, which are open."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Broker(tmp_path / "kafka", arguments=("--port", "0", "--secure")).stop()
    assert list(tmp_path.glob("cache/posthorn/kafka-*/template/meta.properties"))
