"""Requests over HTTP while a worker and the gateway are killed: no answered request is lost, and an
unanswered one can be repeated.
"""

import http.client
import json
import threading
import uuid
from functools import partial

from env.commands import ISSUED
from env.sanitizer import PATIENCE
from env.wait import until

CLIENTS, GATEWAY_TIMEOUT_S = 8, 1
WEBHOOKS = "/v1/webhooks"


class Creator(threading.Thread):
    """Creates webhook after webhook over one connection, each with a key and a url of its own;
    keeps the answers, and repeats no answered request.
    """

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.told, self.stopping, self.connection = client, {}, threading.Event(), client.connect()

    def run(self):
        while not self.stopping.is_set():
            key = str(uuid.uuid4())
            self.told[key] = None
            self.told[key] = self.ask(key)

    def ask(self, key):
        """The new webhook's id; None where there was no answer, or one that is not a success."""
        headers = {"authorization": f"Bearer {self.client.token}", "content-type": "application/json", "idempotency-key": key}
        try:
            self.connection.request("POST", WEBHOOKS, json.dumps(webhook(key)), headers)
            answer = self.connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()  # and opened again by the next request
            self.stopping.wait(0.01)
            return None
        assert answer.status in (201, 503), (answer.status, body)
        return json.loads(body)["id"] if answer.status == 201 else None

    def answered(self):
        return sum(id is not None for id in list(self.told.values()))


def webhook(key):
    return {"url": f"https://example.com/{key}", "events": [ISSUED]}


def dumped(world):
    """{tenant: [webhook]}, as the changelog has them."""
    found = {}
    for line in world.admin.dump().splitlines():
        value = json.loads(line)["value"]
        if value["type"] == "Webhook":
            found.setdefault(value["tenantId"], []).append(value)
    return found


def test_nothing_is_lost(fresh_world, report):
    world = fresh_world
    worker, gateway = world.worker(), world.gateway(gateway_timeout=f"{GATEWAY_TIMEOUT_S}s")
    tenants = [world.tenant("lost") for _ in range(CLIENTS)]
    creators = [Creator(world.client(gateway, tenant)) for tenant in tenants]

    def more(count=10):
        """Until each of them has been answered so many times more."""
        wanted = [creator.answered() + count for creator in creators]
        until(lambda: all(creator.answered() >= least for creator, least in zip(creators, wanted)), 60, "answers to all clients")

    for creator in creators:
        creator.start()
    more()
    for program in (worker, gateway, worker):
        program.kill()
        if program is worker:
            # So long that some are told that nobody answers.
            until(lambda: gateway.metric("posthorn_gateway_timeouts_total") > 0, 20, "requests without an outcome")
        program.start()
        more()
    for creator in creators:
        creator.stopping.set()
    for creator in creators:
        creator.join(30 * PATIENCE)

    first = {tenant: dict(creator.told) for tenant, creator in zip(tenants, creators)}
    unanswered = [(creator, key) for creator in creators for key, id in creator.told.items() if id is None]
    for creator, key in unanswered:
        creator.told[key] = until(partial(creator.ask, key), 30, f"the outcome of {key}")
    kept = dumped(world)
    for tenant, creator in zip(tenants, creators):
        assert {value["url"]: value["id"] for value in kept[tenant]} == {webhook(key)["url"]: id for key, id in creator.told.items()}
        assert len(kept[tenant]) == len(creator.told), "no webhook twice"
        for key, id in list(first[tenant].items())[:20]:
            assert not id or until(partial(creator.ask, key), 30, f"the outcome of {key}") == id, "the same key, the same outcome"
    assert dumped(world) == kept
    assert unanswered
    report(f"{sum(map(len, first.values()))} requests, {len(unanswered)} of them without an answer until they were repeated")
