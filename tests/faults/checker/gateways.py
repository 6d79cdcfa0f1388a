"""The answers of a gateway that goes on with the history that the run's left behind, and of one
that reads the topic anew.
"""

import shutil
from urllib.parse import quote

from env.http import Client
from env.kafka import login
from env.programs import Admin, Gateway, write_properties
from env.wait import until

from .history import Told
from .run import read_properties
from .told import STORIES_MAX, shown_event

PAGE = 1000
READ_WITHIN_S = 300  # the topic's past
KEPT, ANEW = "check-gateway", "check-gateway-anew"
OWN = ("kafka.bootstrap.servers", "gateway.listen", "gateway.operations.listen", "gateway.data.dir", "gateway.tokens.file")


def _start(run, name, tokens):
    settings = {key: value for key, value in read_properties(run.path(run.gateway["config"])).items() if key not in OWN}
    settings |= {"kafka.bootstrap.servers": run.bootstrap, "gateway.tokens.file": tokens} | login(run.bootstrap, "gateway")
    shutil.rmtree(run.directory / name, ignore_errors=True)
    gateway = Gateway(run.directory, name, settings)
    gateway.program = run.path(run.admin)
    if name == KEPT:
        shutil.copytree(run.path(run.gateway["data_dir"]), gateway.data)
    return gateway.start()


def _pages(client, path, found):
    """Adds all items; returns completeSince."""
    cursor = ""
    while True:
        answer = client("GET", f"{path}?limit={PAGE}{cursor}")
        assert answer.status == 200, f"{path}: {answer.status} {answer.body[:300]!r}"
        page = answer.json
        found += page["data"]
        if "nextCursor" not in page:
            return page["completeSince"]
        cursor = f"&cursor={page['nextCursor']}"


def _ask(client):
    told, events = Told(), []
    until(lambda: client("GET", "/v1/deliveries?limit=1").status == 200, READ_WITHIN_S, "the gateway to have read the past")
    told.complete_since = _pages(client, "/v1/deliveries", told.deliveries)
    _pages(client, "/v1/events", events)
    told.events = [shown_event(event) for event in events]
    for row in [row for row in told.deliveries if row["attemptCount"] > 1][:STORIES_MAX]:
        told.attempts[row["id"]] = client("GET", f"/v1/deliveries/{quote(row['id'])}").json["attempts"]
    return told


def told(run, tenants):
    """{gateway: {tenant: Told}}; None for a run without one."""
    if "gateway" not in run.members:
        return None
    tokens = run.directory / "check-tokens"
    tokens.unlink(missing_ok=True)
    settings = run.properties | {"kafka.bootstrap.servers": run.bootstrap, "gateway.tokens.file": tokens} | login(run.bootstrap, "operator")
    admin = Admin(write_properties(run.path("check-tokens.properties"), settings))
    admin.program = run.path(run.admin)
    secrets = {tenant: admin.json("token", "create", "--tenant", tenant)["token"] for tenant in tenants}
    found = {}
    for name in (KEPT, ANEW):
        gateway = _start(run, name, tokens)
        try:
            found[name] = {tenant: _ask(Client(gateway.api, secret)) for tenant, secret in secrets.items()}
            gateway.stop()
        finally:
            if gateway.running:
                gateway.kill()
        assert not gateway.reports(), gateway.reports()
    return found
