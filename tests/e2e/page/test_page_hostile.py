"""Hostile text on the page is text, and the page asks nobody else for anything."""

import json

from env.commands import ISSUED
from env.wait import until
from selenium.webdriver.common.keys import Keys

WEBHOOKS = "/v1/webhooks"
SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def is_quiet(page):
    """No script of somebody else's ran, and none was refused."""
    return page.alert() is None and not page.all("main img, main script, dialog img, dialog script") and not page.logs("browser")


def test_script_in_a_url_is_text(page, client, endpoint):
    """The address takes some of it as it is; the rest is escaped by the API."""
    made = client("POST", WEBHOOKS, {"events": [ISSUED], "url": f"{endpoint.url}?{SCRIPT};&lt;'\"{{{{JWKS}}}}"}).json
    page.open().enter(client.token).wait_row(made["url"])
    for action, place in (("Delete", "#remove-url"), ("Recover", "#recover-url")):
        page.act(action, made["url"])
        assert page.text(place) == made["url"]
        page.press(Keys.ESCAPE)
        page.wait_closed()
    assert is_quiet(page)


def test_script_in_what_the_api_answers_is_text(page, client, webhook):
    """Whatever an answer holds, in every place where the page shows it: even what no gateway would
    say.
    """
    page.open()
    stranger = {
        "id": webhook["id"], "url": SCRIPT, "events": [SCRIPT], "disabled": False, "completeSince": SCRIPT, "pending": SCRIPT, "dead": SCRIPT,
        "failingSince": None, "complete": True, "deliveryId": SCRIPT, "keys": [SCRIPT], "description": SCRIPT, "headers": [{"name": SCRIPT}],
        "signatures": [SCRIPT, "standard-webhooks-hmac"], "filter": {SCRIPT: [SCRIPT], "subject": [SCRIPT]}, "rateLimit": 7, "secret": SCRIPT,
        "succeeded": 1, "failed": 1, "durationMs": {"p50": 1, "p99": 2},
        "hours": [{"from": SCRIPT, "succeeded": 1, "failed": 1, "durationMs": {"p50": 1, "p99": 2}}] * 24,
    }  # fmt: skip
    members = "id deliveryId eventType subject commandId eventId status attemptCount attempt reason lastReason createdAt endedAt nextAttemptAt attemptedAt"
    delivery = dict.fromkeys(members.split(), SCRIPT) | {"webhookId": webhook["id"], "attempts": []}
    delivery |= {"durationMs": 1, "response": dict.fromkeys(("body", "address", "httpVersion", "tlsVersion"), SCRIPT)}
    event = {"type": "WEBHOOK_EVENT_PROCESS_FAIL", "timestamp": SCRIPT, "tenantId": SCRIPT, "commandId": SCRIPT, "status": SCRIPT, "data": delivery}
    stranger["failures"] = [event]
    problem = {"message": SCRIPT, "details": [{"param": SCRIPT, "msg": SCRIPT}]}
    page.script(
        """const [webhook, delivery, event, problem] = arguments;
        window.fetch = async (path, { method } = {}) => method === "POST" || method === "PUT" ? Response.json(problem, { status: 400 })
            : Response.json({ ...webhook, data: path.includes("/events") ? [event, { ...event, type: SCRIPT, data: { message: SCRIPT } }]
                : path.includes("/deliveries") ? [delivery] : [webhook] });""".replace("SCRIPT", json.dumps(SCRIPT).replace("/", "\\/")),
        stranger, delivery, event, problem,
    )  # fmt: skip
    page.enter("any").wait_row(SCRIPT)
    page.wait_text("#tenant", SCRIPT)
    for view, places in {
        "keys": ["#jwks"], "deliveries": ["#delivery-table", "#query-webhookId"], f"story/{webhook['id']}": ["#story-list", "#story-list .excerpt"],
        f"webhooks/{webhook['id']}": ["#webhook-url", "#webhook-failures", "#webhook-failures .excerpt"], "webhooks": ["#rows"],
    }.items():  # fmt: skip
        page.view(f"#/{view}")
        for place in places:
            page.wait_text(place, SCRIPT)
    assert is_quiet(page)
    page.act("Test", SCRIPT)
    page.wait_text("#test .error", SCRIPT)
    page.press(Keys.ESCAPE)
    page.act("Secret", SCRIPT)
    page.wait_text("#secret-text", SCRIPT)
    page.press(Keys.ESCAPE)
    page.act("Edit", SCRIPT)
    assert all(page.field(name).get_property("value") == SCRIPT for name in ("Description", "Headers", "Subjects", "Events of your own"))
    page.press(Keys.ESCAPE)
    page.act("Disable", SCRIPT)
    page.wait_text("#wrong", SCRIPT)
    assert is_quiet(page)


def test_script_in_an_error_is_text(page, client):
    page.open().enter(client.token)
    page.button("New webhook").click()
    page.fill("URL", SCRIPT)
    page.button("Save").click()
    page.wait_text("#edit .error", "url:")
    assert page.alert() is None and not page.all("main img, dialog img, dialog script")


def test_nothing_from_elsewhere(entered, client, webhook):
    """Not one request leaves for another host, and the token goes into the API's header and nowhere
    else.
    """
    entered.view(f"#/webhooks/{webhook['id']}").wait_text("#webhook-none", "No attempt")
    entered.go("Deliveries").wait_text("#delivery-count", "No delivery")
    entered.go("Signing keys").wait_text("#code", "http")
    requests = entered.requests()
    assert len(requests) >= 8 and not [request["url"] for request in requests if entered.is_foreign(request["url"])]
    assert not [request["url"] for request in requests if client.token in request["url"]]
    carrying = {request["url"] for request in requests if client.token in json.dumps(request["headers"])}
    assert carrying and all("/v1/" in url for url in carrying)


def test_the_policy_is_obeyed(entered):
    """Script, style and pictures that are put into it do nothing; it cannot ask other hosts; nobody
    can frame it.
    """
    entered.script(
        """document.body.insertAdjacentHTML("beforeend", '<img src="data:," onerror="window.ran = 1"><b id="red" style="color: red">x</b>');
        document.body.append(Object.assign(document.createElement("script"), { textContent: "window.ran = 1" }));"""
    )
    refused = lambda: [entry["message"] for entry in entered.logs("browser") if "Content Security Policy" in entry["message"]]
    assert until(refused, 5, "what was refused")
    assert entered.script("return window.ran === undefined && getComputedStyle(document.getElementById('red')).color !== 'rgb(255, 0, 0)'")
    ask = "fetch('http://127.0.0.2:9/').then(() => arguments[0]('answered'), error => arguments[0](error.name))"
    assert entered.driver.execute_async_script(ask) == "TypeError" and refused()
    framed = "const frame = document.body.appendChild(document.createElement('iframe')); frame.src = '/';"
    entered.script(framed)
    assert until(refused, 5, "the frame to be refused")
