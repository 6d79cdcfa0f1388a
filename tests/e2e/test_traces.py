"""Spans, as a real collector of OpenTelemetry receives them."""

import json

import pytest
from env import commands
from env.collector import Collector
from env.paths import REFUSING_PORT, WORKER
from env.programs import ENVIRONMENT, run
from env.tls import Authority, TlsReceiver, context
from env.wait import until

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SECRET = "hunter2"
STATE = "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"


@pytest.fixture(scope="module")
def collector(tmp_path_factory):
    collector = Collector(tmp_path_factory.mktemp("collector"))
    yield collector
    collector.close()


@pytest.fixture
def traced(fresh_world, monkeypatch):
    """Starts a worker whose spans go to this url."""

    def start(url, **settings):
        monkeypatch.setitem(ENVIRONMENT, "OTEL_EXPORTER_OTLP_ENDPOINT", url)
        monkeypatch.setitem(ENVIRONMENT, "OTEL_SERVICE_NAME", "hooks")
        return fresh_world.worker(**settings)

    return start


def of_tenant(collector, tenant):
    return [span for span in collector.spans() if span["attributes"].get("posthorn.tenant") == tenant]


def test_a_credential_from_its_command_to_its_callback(fresh_world, collector, traced):
    world, tenant = fresh_world, fresh_world.tenant()
    worker = traced(collector.url, delivery_retry_schedule="100ms")
    endpoint = world.receivers.endpoint().answers(503, 200)
    world.webhook(tenant, endpoint)
    worker.wait_metric(0, "posthorn_group_older_workers", timeout=40)
    world.issue(tenant, headers={"traceparent": SAMPLED, "tracestate": STATE})
    callbacks = endpoint.wait(2)
    until(lambda: len(of_tenant(collector, tenant)) == 3, 30, "three spans of the tenant")
    command, first, second = of_tenant(collector, tenant)
    assert (command["Trace ID"], command["Parent ID"], command["Kind"]) == (TRACE, PARENT, "Consumer")
    assert command["TraceState"] == STATE
    assert command["attributes"]["messaging.destination.name"] == f"{world.prefix}credential-issuance"
    assert command["attributes"]["posthorn.outcome"].endswith("_SUCCESS")
    for span, callback in zip((first, second), callbacks, strict=True):
        assert (span["Trace ID"], span["Parent ID"], span["Kind"], span["Name"]) == (TRACE, command["ID"], "Client", "POST")
        assert callback.headers["traceparent"] == f"00-{TRACE}-{span['ID']}-01"
        assert callback.headers["tracestate"] == span["TraceState"] == STATE
    assert [span["Status code"] for span in (command, first, second)] == ["Unset", "Error", "Unset"]
    assert (first["attributes"]["error.type"], second["attributes"]["posthorn.attempt"]) == ("status-503", "2")
    (transaction,) = [span for span in collector.spans() if span["ID"] in command["links"]]
    assert (transaction["Name"], transaction["links"]) == ("transaction", [command["ID"]])
    assert "service.name: Str(hooks)" in collector.text() and f"service.instance.id: Str({worker.id})" in collector.text()
    worker.wait_metric(4, "posthorn_spans_total", result="sent")


def test_a_repeated_command_has_a_span_of_its_own(fresh_world, collector, traced):
    world, tenant = fresh_world, fresh_world.tenant()
    traced(collector.url)
    value = commands.command(tenant, commands.create(f"http://127.0.0.1:{REFUSING_PORT}/x"))
    for _ in range(2):
        world.writer.command(value, {"traceparent": SAMPLED})
    world.writer.flush()
    world.results.of(value["commandId"], ends=2)
    until(lambda: len(of_tenant(collector, tenant)) == 2, 30, "two spans of the tenant")
    assert len({span["ID"] for span in of_tenant(collector, tenant)}) == 2


def test_a_dead_letter_has_a_span(fresh_world, collector, traced):
    world, tenant = fresh_world, fresh_world.tenant()
    traced(collector.url)
    world.writer.raw("webhook-admin", tenant, b"no command", {"traceparent": SAMPLED})
    world.writer.flush()
    name = f"process {world.prefix}webhook-admin"
    found = lambda: [span for span in collector.spans() if span["Name"] == name]
    (span,) = until(found, 30, "the record's span")
    assert (span["Trace ID"], span["Parent ID"], span["Status code"]) == (TRACE, PARENT, "Error")
    assert span["attributes"]["posthorn.outcome"] == "dead letter"


def test_without_a_sampled_trace_there_is_no_span(fresh_world, collector, traced):
    world, tenant = fresh_world, fresh_world.tenant()
    worker = traced(collector.url)
    endpoint = world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    world.issue(tenant)
    world.issue(tenant, headers={"traceparent": UNSAMPLED})
    sent = {callback.headers.get("traceparent") for callback in endpoint.wait(2)}
    worker.stop()
    assert sent == {None, UNSAMPLED} and not of_tenant(collector, tenant)


def test_a_collector_that_asks_for_a_certificate(fresh_world, traced, monkeypatch, tmp_path):
    ours = Authority(tmp_path, "ours")
    client, receiver = ours.issue("spans"), TlsReceiver(context(ours.issue("collector"), clients=ours.file))
    for name, file in (("CERTIFICATE", ours.file), ("CLIENT_CERTIFICATE", client), ("CLIENT_KEY", client)):
        monkeypatch.setitem(ENVIRONMENT, f"OTEL_EXPORTER_OTLP_{name}", str(file))
    tenant = fresh_world.tenant()
    worker = traced(receiver.url)
    fresh_world.issue(tenant, headers={"traceparent": SAMPLED})
    worker.wait_metric(2, "posthorn_spans_total", timeout=30, result="sent")
    assert set(receiver.clients) == {"spans"} and receiver.last.startswith(b"POST /v1/traces ")
    receiver.close()


@pytest.fixture
def traced_to(traced, monkeypatch):
    """Starts a worker whose spans go to an endpoint of the tests."""

    def start(endpoint):
        monkeypatch.setitem(ENVIRONMENT, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint.url)
        return traced(f"http://127.0.0.1:{REFUSING_PORT}")

    return start


def test_a_collector_has_the_pause_that_it_asks_for(fresh_world, traced_to):
    endpoint = fresh_world.receivers.endpoint().answers({"status": 503, "headers": {"Retry-After": "4"}}, 200)
    worker = traced_to(endpoint)
    fresh_world.issue(fresh_world.tenant(), headers={"traceparent": SAMPLED})
    first, second = endpoint.wait(2)[:2]
    assert second.time - first.time >= 4 and first.json == second.json
    worker.wait_metric(2, "posthorn_spans_total", result="sent")


def test_spans_that_a_collector_rejects_are_dropped(fresh_world, traced_to):
    """One of the two; the answer's message has a number of its own."""
    rejected = {"partialSuccess": {"rejectedSpans": "1", "errorMessage": 'not "rejectedSpans":"9"'}}
    endpoint = fresh_world.receivers.endpoint().answers({"status": 200, "body": json.dumps(rejected)}, 200)
    worker = traced_to(endpoint)
    fresh_world.issue(fresh_world.tenant(), headers={"traceparent": SAMPLED})
    worker.wait_metric(1, "posthorn_spans_total", result="dropped")
    worker.wait_metric(1, "posthorn_spans_total", result="sent")
    assert "the collector rejects spans" in worker.log.read_text()


def test_a_collector_that_is_gone_is_in_nobodys_way(fresh_world, traced):
    world, tenant = fresh_world, fresh_world.tenant()
    worker = traced(f"http://127.0.0.1:{REFUSING_PORT}")
    endpoint = world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    ids = [world.issue(tenant, headers={"traceparent": SAMPLED}) for _ in range(1500)]
    endpoint.wait(len(ids))
    until(lambda: worker.metric("posthorn_spans_total", result="dropped") > 0, 30, "spans to be dropped")
    worker.stop(timeout=10)
    assert "the collector does not take spans" in worker.log.read_text()


WRONG = {
    "no url": ("EXPORTER_OTLP_ENDPOINT", "collector:4318", "must be an http or https url"),
    "another protocol": ("EXPORTER_OTLP_PROTOCOL", "grpc", "grpc is not spoken"),
    "no number": ("EXPORTER_OTLP_TIMEOUT", "soon", "milliseconds"),
    "a header without a value": ("EXPORTER_OTLP_HEADERS", SECRET, "must be name=value"),
    "two headers in one": ("EXPORTER_OTLP_HEADERS", f"x={SECRET}%0d%0ay: z", "must be name=value"),
    "an attribute without a value": ("RESOURCE_ATTRIBUTES", "region", "key=value"),
    "another exporter": ("TRACES_EXPORTER", "console", "only otlp is known"),
}


@pytest.mark.parametrize("name, value, words", WRONG.values(), ids=WRONG)
def test_a_wrong_variable_is_named_and_stops_nothing(config, name, value, words):
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", f"OTEL_{name}": value}
    answer = run(WORKER, "--config", config(), "--check-config", environment=variables)
    assert answer.code == 0 and f"variable=OTEL_{name} " in answer.err and words in answer.err, answer
    assert SECRET not in answer.err


def test_spans_are_sent_where_others_send_protobuf(fresh_world, collector, traced, monkeypatch):
    """To the port that a collector has for both; a variable of others alone is passed over."""
    monkeypatch.setitem(ENVIRONMENT, "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    monkeypatch.setitem(ENVIRONMENT, "OTEL_EXPORTER_OTLP_TIMEOUT", "soon")
    world, tenant = fresh_world, fresh_world.tenant()
    worker = traced(collector.url)
    world.webhook(tenant, world.receivers.endpoint())
    world.issue(tenant, headers={"traceparent": SAMPLED})
    until(lambda: len(of_tenant(collector, tenant)) == 2, 30, "two spans of the tenant")
    assert worker.log.read_text().count("a variable of OpenTelemetry is not followed") == 2
