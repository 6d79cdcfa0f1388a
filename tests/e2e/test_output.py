"""Where output goes: with --json only JSON on stdout, errors on stderr, and a progress bar only on
a terminal.
"""

import json
import os
import pty
import subprocess

import pytest
from env import commands
from env.commands import ISSUED
from env.paths import ADMIN
from env.programs import ENVIRONMENT
from env.terminal import Terminal
from env.wait import until

URL = "http://127.0.0.1:9/"
ISSUE = "--credential-id c --credential-configuration-id d --credential-profile p --format f --credential {}".split()


@pytest.fixture(scope="module")
def state(world):
    """A tenant with something in every place."""
    tenant = world.tenant()
    webhook = world.ask(tenant, commands.create(URL)).data["id"]
    world.results.end(world.issue(tenant))
    partition, offset = world.writer.place("webhook-admin", tenant, b"nothing")
    world.dead_letters.of(world.prefix + "webhook-admin", offset, partition)
    return {"TENANT": tenant, "WEBHOOK": webhook, "TOKEN": world.token(tenant)["id"]}


# (words, whether it is JSON lines); in this order, since some change what others read.
ROWS = [
    ("topics create", False),
    ("topics check", False),
    ("token create --tenant TENANT", False),
    ("token list", False),
    ("token revoke TOKEN", False),
    (f"webhook create --tenant TENANT --url {URL} --events {ISSUED}", False),
    ("webhook list --tenant TENANT", False),
    ("webhook list --tenant TENANT --all --limit 1", False),
    ("webhook get --tenant TENANT WEBHOOK", False),
    (f"webhook update --tenant TENANT WEBHOOK --url {URL} --events {ISSUED} --signatures rfc9421,standard-webhooks-hmac", False),
    ("webhook secret --tenant TENANT WEBHOOK", False),
    ("webhook rotate-secret --tenant TENANT WEBHOOK", False),
    ("webhook test --tenant TENANT WEBHOOK", False),
    ("webhook recover --tenant TENANT WEBHOOK --since 1h", False),
    ("jwks rotate --tenant TENANT", False),
    ("jwks show --tenant TENANT", False),
    (["credential", "issue", "--tenant", "TENANT", *ISSUE], False),
    ("delivery list --tenant TENANT", True),
    ("results tail --tenant TENANT", True),
    ("results tail --limit 3", True),
    ("dead-letters list --tenant TENANT", True),
    ("dead-letters replay --tenant TENANT --dry-run", True),
    ("dead-letters replay --tenant TENANT", True),
    ("state dump", True),
    ("webhook delete --tenant TENANT WEBHOOK", False),
]


def words_of(row, state):
    words = row if isinstance(row, list) else row.split()
    return [state.get(word, word) for word in words]


def name_of(value):
    words = value if isinstance(value, list) else "" if isinstance(value, bool) else value.split()
    return " ".join(words[:2])


@pytest.mark.parametrize("row, lines", ROWS, ids=name_of)
def test_json_is_all_that_stdout_holds(world, state, row, lines):
    answer = world.admin(*words_of(row, state), "--json")
    assert answer.code == 0 and not answer.err, answer
    assert answer.out.endswith("\n")
    values = [json.loads(line) for line in answer.out.splitlines()] if lines else [json.loads(answer.out)]
    assert values and (lines or len(answer.out.splitlines()) == 1)


@pytest.mark.parametrize(
    "row",
    [
        "webhook get --tenant TENANT 0b8e7f0c-4c1e-4f0f-9a38-0d8f1d1c9a11",
        "webhook get --tenant TENANT no-id",
        "token revoke nothing",
        "dead-letters list --at 0:99999999",
        "results tail --since never",
        "webhook list",
        "delivery list --tenant TENANT --status lost",
    ],
)
@pytest.mark.parametrize("json_flag", [[], ["--json"]], ids=["text", "json"])
def test_what_is_wrong_goes_to_stderr(world, state, row, json_flag):
    answer = world.admin(*words_of(row, state), *json_flag)
    table_head = "AT " if row.startswith("dead-letters") and not json_flag else ""
    assert answer.code in (1, 2) and answer.err and answer.out.startswith(table_head) and (table_head or not answer.out), answer


def test_tables_are_aligned(world, state):
    tables = ("webhook list", "delivery list", "dead-letters list")
    for row in ("token list", "topics check", *(f"{table} --tenant TENANT" for table in tables)):
        head, *rows = world.admin.ok(*words_of(row, state)).splitlines()
        second = head.index(head.split()[1])
        assert rows and all(line[second - 1] == " " and line[second] != " " for line in rows), head


def issue(world, stderr):
    command = [ADMIN, "--config", world.admin.config, "credential", "issue", "--file", "-", "--json"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=ENVIRONMENT)


def item(tenant):
    fields = {key: value for key, value in commands.issuance(tenant).items() if value is not None}
    return (json.dumps(fields | {"claims": {}, "credential": {}, "timestamp": None}) + "\n").replace(', "timestamp": null', "").encode()


def test_progress_is_shown_on_a_terminal_only(world, state):
    """Progress of a long command: the items come until a bar is drawn."""
    ours, theirs = pty.openpty()
    process = issue(world, theirs)
    os.close(theirs)
    os.set_blocking(ours, False)
    drawn = bytearray()

    def is_drawn():
        process.stdin.write(item(state["TENANT"]))
        process.stdin.flush()
        try:
            drawn.extend(os.read(ours, 65536))
        except BlockingIOError:
            pass
        return b"records, " in drawn

    until(is_drawn, what="a bar")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and json.loads(out)["sent"] > 0
    os.close(ours)


def test_no_progress_for_what_is_short(world):
    terminal = Terminal([ADMIN, "--config", world.admin.config, "delivery", "list", "--tenant", "nobody", "--json"], world.directory)
    shown, code = terminal.read_all()
    assert (shown, code) == ("", 0)
