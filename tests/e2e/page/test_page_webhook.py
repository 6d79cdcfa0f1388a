"""A webhook's last 24 hours and its last failures, by charts that a table repeats."""

import pytest
from env.past import HOUR_MS, Past
from env.wait import until


@pytest.fixture
def past(world, client, tenant, webhook):
    """Each hour 20 attempts of 40 ms to 50 ms; in the hour 3 hours ago 5 failed ones besides."""
    past = Past(world, tenant)
    this_hour_ms = past.now_ms - past.now_ms % HOUR_MS
    for hour in range(24):
        for number in range(20):
            past.delivery(webhook, this_hour_ms - hour * HOUR_MS + number, [(200, 40 + number % 10, None)])
    for number in range(5):
        past.delivery(webhook, this_hour_ms - 3 * HOUR_MS + number, [(500, 900, f"sorry {number}"), ("timeout", 15000, None), ("connect", 3, None)])
    past.written(client, 485)
    return past


def shown(page, webhook):
    page.view(f"#/webhooks/{webhook['id']}")
    return until(lambda: page.texts("#webhook-tiles dd"), 10, "the numbers")


def test_the_last_day(past, page, client, webhook):
    """Tiles, charts and table say what the API says."""
    page.open().enter(client.token).wait_row(webhook["url"])
    statistics = client("GET", f"/v1/webhooks/{webhook['id']}/statistics").json
    assert (statistics["succeeded"], statistics["failed"]) == (480, 15)
    assert page.texts("#rows .sparkline") == ["97 %"] and len(page.all("#rows .spark .succeeded")) == 24
    rate, attempts, failed, p50, p99, pending, dead = shown(page, webhook)
    assert (rate, attempts, failed, pending, dead) == ("97 %", "495", "15", "0", "0")
    assert (p50, p99) == (f"{statistics['durationMs']['p50']} ms", "15 s")
    page.script("document.querySelector('#webhook-charts details').open = true")
    rows = page.script(
        "return [...document.querySelectorAll('#webhook-charts tbody tr')].map(row => [...row.cells].slice(1, 3).map(cell => Number(cell.textContent)))"
    )
    assert rows == [[hour["succeeded"], hour["failed"]] for hour in statistics["hours"]] and [20, 15] in rows
    heights = page.script(
        """return [...document.querySelectorAll('#webhook-charts figure:first-of-type g')]
        .map(hour => ['succeeded', 'failed'].map(name => Math.round(hour.querySelector('.' + name).getBBox().height)))"""
    )
    assert len(heights) == 24 and heights[20][0] == heights[0][0] > 0 == heights[0][1] and heights[20][1] == pytest.approx(heights[20][0] * 15 / 20, abs=2)
    titles = [each.accessible_name for each in page.all("#webhook-charts svg")]
    assert titles[0].startswith("Attempts in each of the last 24 hours 480 attempts succeeded and 15 failed; the most in an hour, 35")
    assert titles[1].startswith("Latency in each of the last 24 hours, p50 and p99")


def test_the_last_failures(past, page, client, webhook):
    """Ten, newest first, each with what was answered and the way to its story."""
    page.open().enter(client.token).wait_row(webhook["url"])
    shown(page, webhook)
    failures = client("GET", f"/v1/webhooks/{webhook['id']}/statistics").json["failures"]
    texts = {
        "status-500": "500 Internal Server Error",
        "timeout": "No answer in time",
        "connect": "Connection refused, unreachable, or closed before an answer",
    }
    assert page.texts("#webhook-failures .what") == [f"OpenIdCredentialIssued about c-1: {texts[each['data']['reason']]}" for each in failures]
    assert len(failures) == 10 and page.texts("#webhook-failures .excerpt") == [each["data"]["response"]["body"] for each in failures if each["data"]["status"]]
    page.find("#webhook-failures a").click()
    page.wait_text("#story-id", failures[0]["data"]["deliveryId"])


def test_nothing_was_sent(page, client, webhook):
    page.open().enter(client.token).wait_row(webhook["url"], "Nothing sent lately")
    assert page.texts("#rows .day") == ["No attempts"]
    assert shown(page, webhook)[:4] == ["\u2013", "0", "0", "\u2013"]
    assert page.text("#webhook-charts") == "No attempts in the last 24 hours." and page.text("#webhook-none") == "No attempt has failed."


def test_actions_are_there_too(page, client, webhook):
    """What is changed in this view is seen in it; a webhook that is deleted leads to the list."""
    page.open(f"/#/webhooks/{webhook['id']}").enter(client.token)
    page.button(f"Disable {webhook['url']}").click()
    page.wait_text("#webhook-about", "Disabled")
    page.button(f"Delete {webhook['url']}").click()
    page.button("Delete").click()
    page.wait_text("#said", "was deleted")
    assert page.find("#webhooks").is_displayed() and not page.rows()
