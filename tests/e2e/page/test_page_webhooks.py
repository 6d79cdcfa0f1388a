"""Webhooks and their deliveries on the page: shown, made, changed, tested, recovered."""

import time

from env.commands import ISSUED, SUMMARY
from env.wait import until
from selenium.webdriver.common.keys import Keys

WEBHOOKS = "/v1/webhooks"
NOWHERE = "http://127.0.0.1:9/hook"
OWN = ["DegreeRevoked", "degree.renewed_v2"]
LATER = {"status": 503, "headers": {"retry-after": "3600"}}


def send(client, webhook):
    return client("POST", f"{WEBHOOKS}/{webhook['id']}/test").json["deliveryId"]


def held(client, webhook, **counts):
    def there():
        known = client("GET", f"{WEBHOOKS}/{webhook['id']}/deliveries").json
        return all(known.get(name) == count for name, count in counts.items())

    until(there, 10, f"{counts}")


def test_states_and_counts(world, page, client):
    healthy, failing, disabled, waiting = (world.receivers.endpoint(stem) for stem in ("healthy", "failing", "disabled", "waiting"))
    made = [client("POST", WEBHOOKS, {"events": [ISSUED, SUMMARY], "url": each.url}).json for each in (healthy, failing, waiting)]
    client("POST", WEBHOOKS, {"events": [ISSUED], "url": disabled.url, "disabled": True})
    failing.answers(500)
    waiting.answers(LATER)
    for webhook in made:
        send(client, webhook)
    held(client, made[1], dead=1, pending=0), held(client, made[2], pending=1)
    waiting.wait(1)
    until(lambda: "WEBHOOK_EVENT_RETRY" in client("GET", "/v1/events").body.decode(), 5)
    page.open().enter(client.token)
    assert page.wait_row(healthy.url, "Healthy", "0", "0")[0] == ISSUED + SUMMARY
    page.wait_row(failing.url, "Failing", "0", "1")
    page.wait_row(waiting.url, "Failing", "1", "0")
    page.wait_row(disabled.url, "Disabled", "0", "0")
    assert list(page.rows()) == [healthy.url, failing.url, waiting.url, disabled.url], "in the order of creation"


def test_all_actions_are_in_sight(page, client):
    """A webhook with a secret has the most of them. The list does not scroll sideways."""
    events = [ISSUED, SUMMARY, OWN[0]]
    client("POST", WEBHOOKS, {"events": events, "url": NOWHERE, "signatures": ["standard-webhooks-hmac"]})
    page.open().enter(client.token).wait_row(NOWHERE, pending="0")
    assert page.button(f"Secret {NOWHERE}").is_displayed()
    assert page.script("const box = document.querySelector('.scroll'); return box.scrollWidth - box.clientWidth") <= 0


def test_more_than_a_page(page, client):
    urls = [client("POST", WEBHOOKS, {"events": [ISSUED], "url": f"{NOWHERE}/{n}"}).json["url"] for n in range(27)]
    page.open().enter(client.token).wait_row(urls[24], pending="0")
    assert list(page.rows()) == urls[:25]
    page.button("More").click()
    page.wait_row(urls[26])
    assert list(page.rows()) == urls and not page.find("#more").is_displayed()


def test_none_yet(page, client):
    page.open().enter(client.token).wait_text("#none", "no webhook yet")


def test_create(page, client):
    page.open().enter(client.token)
    page.button("New webhook").click()
    assert page.dialog.accessible_name == "New webhook"
    page.fill("URL", NOWHERE)
    page.field("OpenIdCredentialIssuedSummary: without it").click()
    page.button("Save").click()
    page.wait_text("#said", "was created")
    page.wait_row(NOWHERE)
    (made,) = client("GET", WEBHOOKS).json["data"]
    assert (made["url"], made["events"], made["disabled"]) == (NOWHERE, [ISSUED, SUMMARY], False)


def test_create_what_is_wrong(page, client):
    """What the API says stands beside the field, in the dialog that stays."""
    page.open().enter(client.token)
    page.button("New webhook").click()
    page.fill("URL", "ftp://example.com")
    page.field("OpenIdCredentialIssued: with the credential").click()
    page.button("Save").click()
    said = page.wait_text("#edit .error", "url:")
    assert "events:" in said and page.field("URL").get_attribute("aria-invalid") == "true"
    page.button("Cancel").click()
    page.wait_closed()
    assert client("GET", WEBHOOKS).json["data"] == []


def test_edit(entered, client, webhook):
    entered.act("Edit", webhook["url"])
    assert entered.field("URL").get_property("value") == webhook["url"]
    entered.fill("URL", NOWHERE)
    entered.field("OpenIdCredentialIssued: with the credential").click()
    entered.field("OpenIdCredentialIssuedSummary: without it").click()
    entered.button("Save").click()
    entered.wait_row(NOWHERE)
    assert list(entered.rows()) == [NOWHERE]
    changed = client("GET", f"{WEBHOOKS}/{webhook['id']}").json
    assert (changed["url"], changed["events"]) == (NOWHERE, [SUMMARY])


def listed(page, url):
    """The lines below the url in its row, at one moment: a refresh replaces the rows."""
    read = """return [...document.querySelectorAll('#rows tr')].filter(row => row.querySelector('.url span').textContent === arguments[0])
        .map(row => [...row.querySelectorAll('.url p, .url li')].map(line => line.innerText))"""
    (lines,) = page.script(read, url)
    return lines


def test_description_events_filter_and_rate(page, client):
    """As they are given, shown, refused, and taken away."""
    page.open().enter(client.token)
    page.button("New webhook").click()
    page.fill("URL", NOWHERE)
    page.fill("Description", "The registry's \u00dcbergabe")
    page.field("OpenIdCredentialIssued: with the credential").click()
    page.fill("Events of your own", f"{OWN[0]}, {OWN[1]}")
    page.fill("Formats", "jwt_vc_json\n\n dc+sd-jwt ")
    page.fill("Subjects", "degree-1")
    page.fill("Requests a second, at most", "5")
    page.button("Save").click()
    page.wait_text("#said", "was created")
    assert page.wait_row(NOWHERE)[0] == "".join(OWN)
    assert listed(page, NOWHERE) == ["The registry's \u00dcbergabe", "Filter: format, subject", "At most 5 a second"]
    (made,) = client("GET", WEBHOOKS).json["data"]
    members = {
        "events": OWN, "description": "The registry's \u00dcbergabe", "rateLimit": 5,
        "filter": {"format": ["jwt_vc_json", "dc+sd-jwt"], "subject": ["degree-1"]},
    }  # fmt: skip
    assert made == {"id": made["id"], "url": NOWHERE, "disabled": False} | members

    page.act("Edit", NOWHERE)
    names = ("Description", "Events of your own", "Formats", "Subjects", "Credential profiles", "Requests a second, at most")
    shown = [page.field(name).get_property("value") for name in names]
    assert shown == [members["description"], ", ".join(OWN), "jwt_vc_json\ndc+sd-jwt", "degree-1", "", "5"]
    page.fill("Events of your own", "Nothing")
    page.fill("Formats", "x" * 1025)
    page.button("Save").click()
    said = page.wait_text("#edit .error", "events[0]:")
    assert "filter.format[0]: " in said
    assert [page.field(name).get_attribute("aria-invalid") for name in names] == ["false", "true", "true", "false", "false", "false"]
    for name in names:
        page.fill(name, "")
    page.field("OpenIdCredentialIssued: with the credential").click()
    page.button("Save").click()
    page.wait_text("#said", "was changed")
    assert client("GET", f"{WEBHOOKS}/{made['id']}").json == {"id": made["id"], "events": [ISSUED], "url": NOWHERE, "disabled": False}
    assert listed(page, NOWHERE) == []


def test_values_that_the_page_cannot_write_stay(entered, client, webhook):
    """A value with blanks at its ends or with two lines, where nobody touches its field."""
    path, odd = f"{WEBHOOKS}/{webhook['id']}", {"filter": {"subject": [" a ", "b\nc"], "format": ["f"]}}
    assert client("PUT", path, {"url": webhook["url"], "events": [ISSUED]} | odd).status == 200
    entered.button("Refresh").click()
    until(lambda: listed(entered, webhook["url"]) == ["Filter: format, subject"], 10, "the filter to be shown")
    entered.act("Edit", webhook["url"])
    entered.fill("Formats", "g")
    entered.button("Save").click()
    entered.wait_text("#said", "was changed")
    assert client("GET", path).json["filter"] == {"format": ["g"], "subject": [" a ", "b\nc"]}


def test_headers_signatures_and_the_secret(entered, client, webhook):
    """A header's value is never shown; the secret is, and another one after it is rotated."""
    path = f"{WEBHOOKS}/{webhook['id']}"
    entered.act("Edit", webhook["url"])
    entered.fill("Headers", "x-key: v: 1\nAuthorization: Bearer x")
    entered.field("Standard Webhooks with a secret (v1)").click()
    entered.button("Save").click()
    entered.wait_text("#said", "was changed")
    members = {"headers": [{"name": "x-key"}, {"name": "Authorization"}], "signatures": ["standard-webhooks-hmac"]}
    assert client("GET", path).json == webhook | members
    assert listed(entered, webhook["url"]) == ["Headers: x-key, Authorization", "Signatures: standard-webhooks-hmac"]
    entered.act("Disable", webhook["url"])
    entered.wait_row(webhook["url"], "Disabled")
    assert client("GET", path).json == webhook | members | {"disabled": True}, "what was given stays"
    entered.act("Edit", webhook["url"])
    assert entered.field("Headers").get_property("value") == "x-key\nAuthorization"
    assert "Bearer" not in entered.driver.page_source
    entered.fill("Headers", "x-key")
    entered.button("Save").click()
    entered.wait_text("#said", "was changed")
    assert client("GET", path).json["headers"] == [{"name": "x-key"}]
    entered.act("Secret", webhook["url"])
    secret = entered.wait_text("#secret-text", "whsec_")
    assert secret == client("GET", f"{path}/secret").json["secret"]
    entered.button("New secret").click()
    entered.wait_text("#secret-said", "A new secret. The former one signs, too, until")
    assert entered.text("#secret-text") == client("GET", f"{path}/secret").json["secret"] != secret
    entered.press(Keys.ESCAPE)
    entered.wait_closed()
    assert "whsec_" not in entered.driver.page_source, "it is not kept"


def test_disable_and_enable(entered, client, webhook):
    entered.act("Disable", webhook["url"])
    entered.wait_row(webhook["url"], "Disabled")
    assert client("GET", f"{WEBHOOKS}/{webhook['id']}").json == webhook | {"disabled": True}
    entered.act("Enable", webhook["url"])
    entered.wait_row(webhook["url"], "Nothing sent lately")
    assert client("GET", f"{WEBHOOKS}/{webhook['id']}").json == webhook


def test_delete_asks_first(entered, client, webhook):
    entered.act("Delete", webhook["url"])
    assert entered.text("#remove-url") == webhook["url"]
    entered.button("Cancel").click()
    entered.wait_closed()
    entered.act("Delete", webhook["url"])
    entered.press(Keys.ESCAPE)
    entered.wait_closed()
    assert client("GET", f"{WEBHOOKS}/{webhook['id']}").status == 200
    entered.act("Delete", webhook["url"])
    entered.button("Delete").click()
    entered.wait_text("#said", "was deleted")
    assert client("GET", f"{WEBHOOKS}/{webhook['id']}").status == 404 and not entered.rows()


def test_a_test_and_its_result(entered, endpoint, webhook):
    entered.act("Test", webhook["url"])
    entered.wait_text("#test-result", "Answered 200 OK after")
    assert endpoint.wait(1)[0].json["event"]["type"] == "WebhookTest"
    entered.button("Close").click()
    entered.wait_row(webhook["url"], "Healthy")
    endpoint.answers(500)
    entered.act("Test", webhook["url"])
    said = entered.wait_text("#test-result", "Failed: 500 Internal Server Error after")
    assert "next attempt" in said or "not tried again" in said


def test_a_test_of_what_is_disabled(page, client, endpoint):
    client("POST", WEBHOOKS, {"events": [ISSUED], "url": endpoint.url, "disabled": True})
    page.open().enter(client.token).act("Test", endpoint.url)
    page.wait_text("#test .error", "disabled")
    assert page.text("#test-result") == "" and not endpoint.requests


def test_what_is_not_delivered(entered, client, endpoint, webhook):
    """The numbers in a webhook's view lead to the deliveries."""
    endpoint.answers(500, 500, LATER)
    dead = send(client, webhook)
    held(client, webhook, dead=1)
    waiting = send(client, webhook)
    until(lambda: client("GET", f"/v1/deliveries/{waiting}").json.get("attemptCount") == 1, 10, "the attempt")
    held(client, webhook, dead=1, pending=1)
    entered.view(f"#/webhooks/{webhook['id']}")
    until(lambda: entered.texts("#webhook-tiles dd")[-2:] == ["1", "1"], 10, "the numbers")
    assert entered.texts("#webhook-failures .what strong") == ["503 Service Unavailable", *["500 Internal Server Error"] * 2]
    for number, id, answer in ((-2, waiting, "503 Service Unavailable"), (-1, dead, "500 Internal Server Error")):
        entered.view(f"#/webhooks/{webhook['id']}")
        click = "const link = [...document.querySelectorAll('#webhook-tiles a')].at(arguments[0]); link?.click(); return link !== undefined"
        until(lambda number=number, click=click: entered.script(click, number), 10, "the numbers")
        rows = "return [...document.querySelectorAll('#delivery-table tbody tr')].map(row => [row.querySelector('a').hash, row.lastChild.innerText])"
        until(lambda rows=rows, shown=[f"#/story/{id}", answer]: entered.script(rows) == [shown], 10, id)


def test_recover(entered, client, endpoint, webhook):
    endpoint.answers(500, 500, 200)
    id = send(client, webhook)
    held(client, webhook, dead=1)
    entered.button("Refresh").click()
    entered.wait_row(webhook["url"], "Failing", dead="1")
    entered.act("Recover", webhook["url"])
    entered.set_time("Dead since", time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + 3600)))
    entered.button("Recover").click()
    entered.wait_text("#said", "0 deliveries are due again")
    entered.act("Recover", webhook["url"])
    entered.button("Recover").click()
    entered.wait_text("#said", "1 delivery is due again")
    assert endpoint.wait(3)[2].id == id
    held(client, webhook, dead=0)
    entered.button("Refresh").click()
    entered.wait_row(webhook["url"], "Healthy", "0", "0")
