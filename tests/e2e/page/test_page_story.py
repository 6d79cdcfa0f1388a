"""The search, and the story that it tells: by each id, in order, with what was answered."""

import re

import pytest
from env.commands import ISSUED
from env.paths import ROOT
from env.wait import until

LATER = {"status": 429, "headers": {"retry-after": "3600"}}
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\r\n\x1b[2J\u202eover \u200b&lt;b&gt;"
# The worker escapes the control characters of ASCII, and the page those that hide or turn text.
SHOWN = "<img src=x onerror=alert(1)><script>alert(2)</script>\\u000d\\u000a\\u001b[2J\\u202eover \\u200b&lt;b&gt;"


@pytest.fixture(scope="module")
def world(make_world):
    """Dead after the third attempt, a moment later; a Retry-After keeps one pending."""
    settings = {"delivery.retry.schedule": "100ms,100ms", "delivery.retry.jitter": 0, "delivery.succeeded.retention": "1h"}
    with make_world(settings=settings) as world:
        worker = world.worker()
        worker.wait_metric(0, "posthorn_group_older_workers", timeout=40)
        yield world


def listed(client, query):
    return client("GET", f"/v1/deliveries?{query}").json["data"]


def ended(client, query, count=1):
    return until(lambda: (d := listed(client, query)) and len(d) == count and all("endedAt" in one for one in d) and d, 20, "all to end")


# Of each delivery on the page: its head, its steps with their times, and what the answers were.
CARDS = """return Object.fromEntries([...document.querySelectorAll("#story-list article")].map(card => [card.dataset.id, {
    head: card.querySelector("h4").innerText, steps: [...card.querySelectorAll(".what")].map(what => what.innerText.replaceAll("\\n", " ")),
    excerpts: [...card.querySelectorAll(".excerpt")].map(excerpt => excerpt.textContent), times: [...card.querySelectorAll(".step > .when time")].map(time => time.dateTime),
    buttons: [...card.querySelectorAll(".bar > button")].map(button => button.textContent),
}]))"""


def told(page, count):
    return until(lambda: len(cards := page.script(CARDS)) == count and cards, 15, f"{count} deliveries")


def three_webhooks(world, client, tenant, credential):
    """One answers 500 twice, one is dead, one is disabled meanwhile. Returns the command's id and
    the webhooks.
    """
    endpoints = [world.receivers.endpoint(name) for name in ("late", "dead", "disabled")]
    webhooks = [world.webhook(tenant, endpoint) for endpoint in endpoints]
    for endpoint, answers in zip(endpoints, (({"status": 500, "body": "out of order"}, 500, 200), (503,), (LATER,)), strict=True):
        endpoint.answers(*answers)
    command = world.issue(tenant, credential_id=credential)
    until(lambda: any(d.get("lastStatus") == 429 for d in listed(client, f"subject={credential}")), 20, "the attempt that is put off")
    assert client("PUT", f"/v1/webhooks/{webhooks[2]['id']}", {"url": endpoints[2].url, "events": [ISSUED], "disabled": True}).status == 200
    return command, webhooks


def test_the_story_of_a_credential(world, page, client, tenant):
    """By the id of the credential, its command, a delivery, and the event, it is the same."""
    command, webhooks = three_webhooks(world, client, tenant, "c-1")
    deliveries = {d["webhookId"]: d for d in ended(client, "subject=c-1", 3)}
    late, dead, disabled = (deliveries[str(webhook["id"])] for webhook in webhooks)
    page.open().enter(client.token).wait_row(webhooks[0]["url"])
    page.search("c-1")
    cards = told(page, 3)
    assert cards[late["id"]]["head"] == f"Succeeded OpenIdCredentialIssued to {webhooks[0]['url']}"
    assert cards[late["id"]]["steps"] == ["Recorded", *(f"Attempt {n}: 500 Internal Server Error" for n in (1, 2)), "Attempt 3: 200 OK"]
    assert cards[late["id"]]["excerpts"] == ["out of order"]
    assert cards[dead["id"]]["head"] == f"Dead OpenIdCredentialIssued to {webhooks[1]['url']}"
    assert cards[dead["id"]]["steps"] == [
        "Recorded",
        *(f"Attempt {n}: 503 Service Unavailable" for n in (1, 2)),
        "Attempt 3: 503 Service Unavailable Dead: not tried again",
    ]
    assert cards[disabled["id"]]["head"] == f"Withdrawn OpenIdCredentialIssued to {webhooks[2]['url']}"
    assert cards[disabled["id"]]["steps"] == ["Recorded", "Attempt 1: 429 Too Many Requests", "Withdrawn: The webhook was disabled"]
    assert [cards[d["id"]]["buttons"] for d in (late, dead, disabled)] == [["Send again"], ["Send again"], []]
    attempts = client("GET", f"/v1/deliveries/{late['id']}").json["attempts"]
    assert cards[late["id"]]["times"] == [late["createdAt"], *(attempt["at"] for attempt in attempts)] == sorted(cards[late["id"]]["times"])
    assert page.texts(".command > .timeline .what") == ["The issued credential is received", "The issued credential is carried out"]
    assert "3 deliveries: 1 succeeded, 1 dead, 1 withdrawn." in page.text("#story-about")
    for id in (command, dead["id"], dead["eventId"]):
        page.search(id)
        page.wait_text("#story-id", id)
        assert told(page, 3) == cards, id


def test_times_are_relative_with_the_exact_one(world, page, client, tenant):
    world.webhook(tenant, world.receivers.endpoint())
    world.issue(tenant, credential_id="c-2")
    (delivery,) = ended(client, "subject=c-2")
    page.open("/#/story/c-2").enter(client.token)
    told(page, 1)
    time, ago, exact = page.script(
        "const time = document.querySelector('article .when time'); return [time.dateTime, ...[...time.children].map(part => part.innerText)]"
    )
    assert time == delivery["createdAt"] and re.fullmatch(r"now|\d+ (second|minute)s? ago", ago) and time[17:23] in exact
    assert page.script("return document.querySelector('article .when time').title") == time
    words = page.driver.execute_async_script("""const done = arguments[0], at = 1e12, away = [500, -1e3, -59e3, -60e3, 3600e3, -86400e3 * 2];
        import(location.origin + "/times.js").then(({ relative }) => done(away.map(ms => relative(new Date(at + ms).toISOString(), at))))""")
    assert words == ["now", "1 second ago", "59 seconds ago", "1 minute ago", "in 1 hour", "2 days ago"]


def test_every_reason_has_words(page, client):
    """Those of docs/deliveries.md that a tenant is shown, and any other as it is."""
    reasons = re.findall(r"^- \*\*`([a-z-]+)`\*\*", (ROOT / "docs/deliveries.md").read_text(), re.MULTILINE)
    shown = {"no-address", "proxy", *(each for each in reasons if each not in ("dns", "address-refused") and not each.startswith("proxy-"))}
    assert len(shown) == 7
    page.open().enter(client.token)
    ask = "const [reasons, done] = arguments; import(location.origin + '/words.js').then(({ answered }) => done(reasons.map(reason => answered({ reason }))))"
    words = page.driver.execute_async_script(ask, [*shown, "webhook-deleted", "new-one"])
    assert not {each for each in words if re.fullmatch(r"[a-z-]+", each)} - {"new-one"} and words[-1] == "new-one"


def test_resending(world, page, client, tenant):
    """A dead one, and a succeeded one that was kept; the page follows them to their ends."""
    endpoint = world.receivers.endpoint().answers(500, 500, 500, 200)
    world.webhook(tenant, endpoint)
    world.issue(tenant, credential_id="c-3")
    (dead,) = ended(client, "subject=c-3")
    page.open("/#/story/c-3").enter(client.token)
    assert told(page, 1)[dead["id"]]["head"].startswith("Dead")
    for sent in (1, 2):
        page.button(f"Send again: delivery {dead['id']}").click()
        until(lambda sent=sent: told(page, 1)[dead["id"]]["steps"].count("Attempt 1: 200 OK") == sent, 15, "the new attempt")
        assert {request.id for request in endpoint.wait(3 + sent)} == {dead["id"]}
    card = told(page, 1)[dead["id"]]
    assert card["head"].startswith("Succeeded") and card["steps"].count("Sent again by a command") == 2


def test_resending_what_is_pending_and_what_is_gone(world, page, client, tenant):
    """A pending one is due now; where there is none any more, the page says what the API says."""
    endpoint = world.receivers.endpoint().answers(LATER)
    webhook = world.webhook(tenant, endpoint)
    world.issue(tenant, credential_id="c-4")
    until(lambda: listed(client, "subject=c-4") and "lastStatus" in listed(client, "subject=c-4")[0], 20, "the attempt")
    (pending,) = listed(client, "subject=c-4")
    page.open("/#/story/c-4").enter(client.token)
    card = told(page, 1)[pending["id"]]
    assert (card["buttons"], card["steps"][1:]) == (["Send now"], ["Attempt 1: 429 Too Many Requests"])
    page.button(f"Send now: delivery {pending['id']}").click()
    page.wait_text("#said", "is due")
    until(lambda: "Sent again by a command" in told(page, 1)[pending["id"]]["steps"], 15, "the command")
    page.script("window.fetch = (ask => (path, options) => ask(path.replace(/[0-9a-f]{4}(?=.resend$)/, '0000'), options))(window.fetch)")
    page.button(f"Send now: delivery {pending['id']}").click()
    page.wait_text("#wrong", "The delivery does not exist, or is no longer kept.")
    assert str(webhook["url"]) in card["head"]


def test_what_an_endpoint_answers_is_text(world, page, client, tenant):
    endpoint = world.receivers.endpoint().answers({"status": 500, "body": HOSTILE, "headers": {"content-type": "text/html; charset=utf-8"}})
    webhook = world.webhook(tenant, endpoint, description="<b>bold</b>")
    world.issue(tenant, credential_id="<i>c-5</i>\u202e")
    (delivery,) = until(lambda: [d for d in listed(client, "status=dead") if d["webhookId"] == str(webhook["id"])], 20, "the end")
    page.open().enter(client.token).wait_row(endpoint.url)
    page.search(delivery["id"])
    assert told(page, 1)[delivery["id"]]["excerpts"] == [SHOWN] * 3
    assert "<i>c-5</i>\\u202e" in page.text("#story-list")
    page.view(f"#/webhooks/{webhook['id']}")
    until(lambda: page.texts("#webhook-failures .excerpt") == [SHOWN] * 3, 10, "the failures")
    page.view("#/deliveries")
    page.wait_text("#delivery-table", "<i>c-5</i>\\u202e")
    assert page.alert() is None and not page.all("main img, main script, main i, main b") and not page.logs("browser")


def test_nothing_is_known(world, page, client, tenant):
    """Of no such id, and of another tenant's; the id of a webhook leads to it."""
    webhook = world.webhook(tenant, world.receivers.endpoint())
    stranger = world.tenant("stranger")
    world.webhook(stranger, world.receivers.endpoint())
    command = world.issue(stranger, credential_id="c-6")
    world.results.end(command)
    page.open().enter(client.token).wait_row(webhook["url"])
    for id in ("c-6", command, "c-none", "<b>?/#%"):
        page.search(id)
        page.wait_text("#story-list", f"Nothing is known of {id}.")
        assert not page.all("#story-list article, #story-list b")
    page.search(str(webhook["id"]))
    page.wait_text("#story-list", "It is the id of a webhook")
    page.find("#story-list a").click()
    page.wait_text("#webhook-url", webhook["url"])
    page.driver.back()
    page.wait_text("#story-list", "It is the id of a webhook")
