"""posthorn-admin against a living worker: its output, its stream, and its exit status."""

import json
import stat
import subprocess

import pytest
from env import commands
from env.commands import ISSUED, SUMMARY
from env.paths import ADMIN
from env.programs import ENVIRONMENT, run, write_properties
from env.sanitizer import reports
from env.verifier import Jwks, verify
from env.wait import until

SUCCESS, REFUSED, USAGE, NO_OUTCOME = range(4)


@pytest.fixture
def tenant(world):
    return world.tenant("admin")


def create(world, tenant, url, *flags):
    return world.admin.json("webhook", "create", "--tenant", tenant, "--url", url, "--events", ISSUED, *flags)


def test_help_and_version():
    for arguments in (["--help"], ["webhook", "create", "--help"], ["state", "dump", "--help"]):
        answer = run(ADMIN, *arguments)
        assert answer.code == SUCCESS and "usage: posthorn-admin" in answer.out, answer
    assert run(ADMIN, "--version").out.startswith("posthorn-admin ")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nothing"],
        ["webhook"],
        ["webhook", "nothing"],
        ["webhook", "create", "--nothing"],
        ["webhook", "get", "--tenant", "a"],
        ["webhook", "list"],
    ],
    ids=" ".join,
)
def test_wrong_usage(world, arguments):
    answer = world.admin(*arguments)
    assert answer.code == USAGE and answer.err and not answer.out


def test_topics(world):
    assert world.admin("topics", "check").code == SUCCESS
    report = world.admin.json("topics", "create")
    assert report["good"] and {topic["partitions"] for topic in report["topics"] if "results" not in topic["topic"]} >= {4}


def test_topics_have_a_retention(make_world):
    settings = {"topic.retention.inputs": "2d", "topic.retention.results": "3d"}
    with make_world(settings=settings) as world:
        longer = lambda topic, value: world.admin("--set", f"topic.retention.{topic}={value}", "topics", "check")
        assert longer("dead.letters", "14d").code == SUCCESS
        answer = longer("results", "4d")
        assert answer.code == REFUSED and f"{world.prefix}webhook-results: retention.ms is 259200000, must be at least 345600000" in answer.out
        assert world.admin("--set", "topic.retention.results=4d", "topics", "create") == answer._replace(code=SUCCESS)
        world.configure("webhook-results", "retention.ms", -1)
        until(lambda: longer("results", "4d").code == SUCCESS, what="the broker to know it")


def test_master_key(world, tmp_path):
    file = tmp_path / "new.key"
    config = ["--config", world.admin.config, "--set", f"worker.master.key.file={file}"]
    assert run(ADMIN, *config, "master-key", "generate").code == SUCCESS
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    again = run(ADMIN, *config, "master-key", "generate")
    assert again.code == USAGE and again.err and file.read_bytes() == before, "never over one that exists"


def test_master_key_of_several(world, tmp_path):
    """The first one that is configured is written; or the one that is named, which needs no
    configuration.
    """
    first, second, named = (tmp_path / name for name in ("first.key", "second.key", "named.key"))
    answer = run(ADMIN, "--set", f"worker.master.key.file={first}, {second}", "master-key", "generate", "--json")
    assert json.loads(answer.out)["file"] == str(first) and first.exists() and not second.exists()
    answer = run(ADMIN, "master-key", "generate", "--file", named)
    assert answer.code == SUCCESS and str(named) in answer.out and stat.S_IMODE(named.stat().st_mode) == 0o600
    again = run(ADMIN, "--config", world.admin.config, "master-key", "generate", "--file", named)
    assert again.code == USAGE and str(named) in again.err and not again.out, "never over one that exists"
    assert run(ADMIN, "master-key", "generate").code == USAGE
    nowhere = run(ADMIN, "master-key", "generate", "--file", tmp_path / ("x" * 300))
    assert nowhere.code == USAGE and "File name too long" in nowhere.err


def test_webhooks_round_trip(world, tenant):
    url = "http://127.0.0.1:9/a"
    webhook = create(world, tenant, url)
    assert {key: webhook[key] for key in ("events", "url", "disabled")} == {"events": [ISSUED], "url": url, "disabled": False}
    id = webhook["id"]
    assert world.admin.json("webhook", "get", id, "--tenant", tenant) == webhook
    updated = world.admin.json("webhook", "update", id, "--tenant", tenant, "--url", url, "--events", f"{ISSUED},{SUMMARY}", "--disabled")
    assert (updated["events"], updated["disabled"]) == ([ISSUED, SUMMARY], True)
    assert world.admin.json("webhook", "list", "--tenant", tenant)["data"] == [updated]
    assert world.admin("webhook", "delete", id, "--tenant", tenant).code == SUCCESS
    assert world.admin.json("webhook", "list", "--tenant", tenant)["data"] == []


def test_list_pages(world, tenant):
    ids = [create(world, tenant, f"http://127.0.0.1:9/{n}")["id"] for n in range(3)]
    first = world.admin.json("webhook", "list", "--tenant", tenant, "--limit", "2")
    second = world.admin.json("webhook", "list", "--tenant", tenant, "--limit", "2", "--cursor", first["nextCursor"])
    assert [item["id"] for item in first["data"] + second["data"]] == ids and "nextCursor" not in second
    assert [item["id"] for item in world.admin.json("webhook", "list", "--tenant", tenant, "--all", "--limit", "1")["data"]] == ids


def test_refused(world, tenant):
    answer = world.admin("webhook", "create", "--tenant", tenant, "--url", "nowhere", "--events", ISSUED, "--json")
    assert answer.code == REFUSED and not answer.out
    problem = json.loads(answer.err)
    assert problem["code"] == "BadRequest" and problem["details"][0]["param"] == "url"


def test_command_id_makes_it_repeatable(world, tenant):
    flags = ["--command-id", "the-same"]
    assert create(world, tenant, "http://127.0.0.1:9/", *flags) == create(world, tenant, "http://127.0.0.1:9/", *flags)
    other = world.admin("webhook", "create", "--tenant", tenant, "--url", "http://127.0.0.1:9/2", "--events", ISSUED, "--json", *flags)
    assert other.code == REFUSED and json.loads(other.err)["code"] == "Conflict"


def test_jwks_verifies_a_callback(world, tenant):
    endpoint = world.receivers.endpoint()
    assert world.admin.jwks(tenant) == {"keys": []}
    create(world, tenant, endpoint.url)
    issue = [
        "--credential-id",
        "c-1",
        "--credential-configuration-id",
        "Degree",
        "--credential-profile",
        "OpenID4VCI",
        "--format",
        "ldp_vc",
    ]
    outcome = world.admin.json("credential", "issue", "--tenant", tenant, *issue, "--credential", '{"a":1}', "--claims", '{"b":2}')
    assert outcome == {"credentialId": "c-1", "deliveries": 1}
    request = endpoint.wait()[0]
    jwks = world.admin.jwks(tenant)
    assert verify(request, Jwks(jwks)) and jwks == world.state.jwks(tenant)
    assert request.json["event"]["payload"]["credential"] == {"a": 1}


def test_a_commands_trace_reaches_the_callback(world, tenant):
    endpoint = world.receivers.endpoint()
    id = create(world, tenant, endpoint.url)["id"]
    trace = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-00", "tracestate": "congo=1,rojo=2"}
    world.workers[0].wait_metric(0, "posthorn_group_older_workers", timeout=40)
    world.admin.ok("webhook", "test", id, "--tenant", tenant, *(part for name, value in trace.items() for part in (f"--{name}", value)))
    sent = endpoint.wait()[0].headers
    assert {name: sent[name] for name in trace} == trace


def test_issue_json_lines(world, tenant):
    endpoint = world.receivers.endpoint()
    create(world, tenant, endpoint.url)
    value = commands.issuance(tenant)
    fields = {key: item for key, item in value.items() if key not in ("commandId", "timestamp", "claims", "credential") and item is not None}
    lines = "".join(json.dumps({**fields, "credentialId": f"c-{n}", "claims": {"n": n}, "credential": {"n": n}}) + "\n" for n in range(50))
    answer = world.admin("credential", "issue", "--file", "-", input=lines)
    assert answer.code == SUCCESS, answer
    numbers = {request.json["event"]["payload"]["claims"]["n"] for request in endpoint.wait(50)}
    assert numbers == set(range(50))


def test_results_tail(world, tenant, tmp_path):
    with open(tmp_path / "events", "w+") as events, open(tmp_path / "errors", "w+") as errors:
        tail = subprocess.Popen(
            [ADMIN, "--config", world.admin.config, "results", "tail", "--follow", "--tenant", tenant, "--json"],
            stdout=events,
            stderr=errors,
            env=ENVIRONMENT,
        )
        try:
            # It shows what comes after it has started, and nothing says when that is.
            until(lambda: create(world, tenant, "http://127.0.0.1:9/") and (tmp_path / "events").read_text(), what="an event")
        finally:
            tail.terminate()
            tail.wait(10)
    assert not reports((tmp_path / "errors").read_text())
    lines = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert {line["tenantId"] for line in lines} == {tenant}
    assert {line["type"] for line in lines} <= {"WEBHOOK_CREATE_START", "WEBHOOK_CREATE_SUCCESS"}


def test_state_dump(world, tenant):
    """The same as a reader of the changelog sees; from the replica of a living worker too."""
    webhook = create(world, tenant, "http://127.0.0.1:9/")
    dump = world.admin.dump()
    lines = [json.loads(line) for line in dump.splitlines()]
    keys = [(line["key"], line["partition"]) for line in lines]
    assert keys == sorted(keys) and all(set(line) == {"key", "partition", "value"} for line in lines)
    world.wait_in_replica(world.workers[0])
    assert dump == world.admin.dump(world.workers[0].replica)
    world.state.catch_up()
    assert {key for key, _ in keys} - {"position"} == {key for key in world.state.values if isinstance(key, str)}
    (mine,) = [line["value"] for line in lines if line["key"] == f"webhook/{tenant}/{webhook['id']}"]
    assert mine["type"] == "Webhook" and mine["url"] == "http://127.0.0.1:9/"


def test_no_outcome_in_time(fresh_world):
    """No worker is there to answer."""
    answer = fresh_world.admin("webhook", "list", "--tenant", "nobody", "--timeout", "500ms")
    assert answer.code == NO_OUTCOME and answer.err


def test_no_broker(world, tmp_path):
    answer = run(ADMIN, "--set", "kafka.bootstrap.servers=127.0.0.1:1", "--timeout", "2s", "topics", "check", timeout=30)
    assert answer.code == NO_OUTCOME and answer.err


def test_topics_can_be_read_as_soon_as_they_are_made(world, tmp_path):
    """Their leaders are elected a moment later than they exist."""
    for _ in range(8):
        settings = world.settings | {"topic.prefix": commands.unique("new") + "-"}
        config = ["--config", write_properties(tmp_path / "new.properties", settings)]
        assert run(ADMIN, *config, "topics", "create").code == SUCCESS
        answer = run(ADMIN, *config, "results", "tail", "--json")
        assert answer == (SUCCESS, "", "")
