"""The table of deliveries: filters, thousands of rows, and cards on a telephone."""

import pytest
from env.commands import ISSUED
from env.past import HOUR_MS, Past
from env.wait import until
from selenium.webdriver.common.keys import Keys

WEBHOOKS = "/v1/webhooks"
ROWS = """return [...document.querySelectorAll("#delivery-table tbody tr")].map(row => [...row.cells].map(cell => cell.innerText.replaceAll("\\n", " ")))"""


@pytest.fixture
def other(client, world):
    return client("POST", WEBHOOKS, {"events": [ISSUED], "url": world.receivers.endpoint("other").url}).json


def about(page, count):
    """The subjects of the rows, which come a few at a time."""
    until(lambda: len(page.script(ROWS)) == count and page.text("#delivery-count"), 15, f"{count} rows")
    return [row[3] for row in page.script(ROWS)]


@pytest.fixture
def five(world, client, tenant, webhook, other):
    """c-1 to c-5, one each hour, the newest last."""
    past = Past(world, tenant)
    at = lambda hours: past.now_ms - hours * HOUR_MS
    past.delivery(webhook, at(5), [(200, 10, None)], subject="c-1", command="k-1")
    past.delivery(webhook, at(4), [(500, 10, None), (503, 10, None)], subject="c-2", command="k-2")
    past.delivery(webhook, at(3), [("timeout", 15000, None)], ended=False, subject="c-3", command="k-3")
    past.delivery(other, at(2), [(500, 10, None)], subject="c-4", command="k-4", event="01234567-89ab-4def-8123-456789abcdef")
    past.delivery(other, at(1), [(204, 10, None)], subject="c-5", command="k-5", event_type="DegreeRevoked")
    past.written(client, 5)
    return past


def test_the_table(five, page, client, webhook):
    page.open("/#/deliveries").enter(client.token)
    assert about(page, 5) == ["c-5", "c-4", "c-3", "c-2", "c-1"]
    time, *row = page.script(ROWS)[3]
    assert row == ["Dead", ISSUED, "c-2", webhook["url"], "2", "503 Service Unavailable"] and time.startswith("4 hours ago ")
    assert [row[6] for row in page.script(ROWS)] == ["204 No Content", "500 Internal Server Error", "No answer in time", "503 Service Unavailable", "200 OK"]
    assert page.text("#delivery-count") == "5 deliveries."
    page.find("#delivery-table a").click()
    page.wait_text("#story-list", "c-5")


FILTERS = {
    "state": (lambda page, _: page.choose("State", "Dead"), "status=dead", ["c-4", "c-2"]),
    "webhook": (lambda page, other: page.choose("Webhook", other["url"]), "webhookId=", ["c-5", "c-4"]),
    "status": (lambda page, _: page.fill("Last HTTP status", "503"), "httpStatus=503", ["c-2"]),
    "subject": (lambda page, _: page.fill("Credential, or subject", "c-3"), "subject=c-3", ["c-3"]),
    "command": (lambda page, _: page.fill("Command", " k-1 "), "commandId=k-1", ["c-1"]),
    "event": (lambda page, _: page.fill("Event", "01234567-89ab-4def-8123-456789abcdef"), "eventId=", ["c-4"]),
    "nothing": (lambda page, _: page.fill("Credential, or subject", "c-9"), "subject=c-9", []),
}


def test_filters(five, page, client, other):
    """Each by itself; the address has it, and shows the same again."""
    page.open("/#/deliveries").enter(client.token)
    for name, (set_it, hash, expected) in FILTERS.items():
        about(page, 5)
        set_it(page, other)
        page.button("Filter").click()
        until(lambda hash=hash: hash in page.driver.current_url, 5, hash)
        assert about(page, len(expected)) == expected, name
        page.driver.refresh()
        until(
            lambda expected=expected: (
                page.text("#delivery-count") == (f"{len(expected)} deliver{'y' if len(expected) == 1 else 'ies'}." if expected else "No delivery matches.")
            ),
            10,
        )
        page._named(page.driver, "a", "Clear").click()


def test_filters_by_time_and_together(five, page, client):
    page.open("/#/deliveries").enter(client.token)
    about(page, 5)
    local = "const date = new Date(arguments[0]); return new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, 19)"
    page.set_time("Recorded from", page.script(local, five.now_ms - 4 * HOUR_MS - 60_000))
    page.set_time("Recorded before", page.script(local, five.now_ms - 2 * HOUR_MS + 60_000))
    page.button("Filter").click()
    assert about(page, 3) == ["c-4", "c-3", "c-2"]
    page.choose("State", "Pending")
    page.button("Filter").click()
    assert about(page, 1) == ["c-3"]
    page.fill("Event", "no uuid")
    page.button("Filter").click()
    page.wait_text("#wrong", "eventId: Must be a UUID")


def test_a_telephone_has_cards(five, page, client):
    """At 380 px a row is a card with its columns' names, and nothing scrolls sideways."""
    page.open("/#/deliveries").enter(client.token)
    about(page, 5)
    page.resize(380, 800)
    try:
        assert page.script("return document.documentElement.scrollWidth") <= 380
        boxes = page.script(
            "return [...document.querySelector('#delivery-table tbody tr').cells].filter(cell => cell.innerText).map(cell => cell.getBoundingClientRect().top)"
        )
        assert boxes == sorted(set(boxes)), "one below the other"
        labels = "return [...document.querySelector('#delivery-table tbody tr').cells].map(cell => getComputedStyle(cell, '::before').content)"
        assert page.script(labels) == [f'"{name}"' for name in ("Recorded", "State", "Event", "About", "Webhook", "Attempts", "Last answer")]
        roles = [page.find(f"#delivery-table {css}").aria_role for css in ("tbody", "tbody tr", "tbody td")]
        assert roles == ["rowgroup", "row", "cell"], "still a table for who hears it"
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


MANY = 10_000
# Scrolls to the end as a wheel does, a step in each frame; more rows come meanwhile. Frames and
# long tasks are those of the browser's own clock. Source: W3C Long Tasks API. In each eighth frame,
# a look into the middle of the window tells whether a row is there.
SCROLL = """const done = arguments[0], frames = [], tasks = [];
const observer = new PerformanceObserver(list => tasks.push(...list.getEntries().map(entry => entry.duration)));
observer.observe({ entryTypes: ["longtask"] });
let last = performance.now(), still = 0, blank = 0;
const step = now => {
    frames.push(now - last);
    last = now;
    scrollBy(0, 400);
    blank += frames.length % 8 === 0 && !document.elementFromPoint(innerWidth / 2, innerHeight / 2).closest("tr");
    still = scrollY + innerHeight >= document.documentElement.scrollHeight - 1 ? still + 1 : 0;
    if (still < 60) requestAnimationFrame(step);
    else { observer.disconnect(); done([frames, tasks, blank, document.querySelector("#delivery-count").innerText]); }
};
requestAnimationFrame(step);"""


def is_smooth(page, token, report):
    """Whether a scroll to the end is, in a browser that saw nothing of the page before."""
    # By its id: once a name is asked for, the browser keeps a tree for screen readers.
    page.forget().open("/#/deliveries").find("#token").send_keys(token, Keys.ENTER)
    until(lambda: page.find("#delivery-more").is_displayed(), 20, "the first rows")
    frames, tasks, blank, told = page.driver.execute_async_script(SCROLL)
    frames.sort()
    p95, longest = frames[len(frames) * 95 // 100], max(tasks, default=0)
    report(
        f"{told} {len(frames)} frames: p95 {p95:.0f} ms, worst {frames[-1]:.0f} ms; {len(tasks)} tasks of more than 50 ms, the longest {longest:.0f} ms; "
        f"no row to be seen in {blank} of {len(frames) // 8}"
    )
    assert told == f"{MANY:,} deliveries."
    assert page.script(ROWS)[-1][3] == f"c-{MANY - 1}", "the oldest, at the end"
    return p95 < 50 and longest < 150 and blank < len(frames) // 8 / 20


SCROLLS = 3  # a stutter of the page is in each; one of the machine's, which serves others, is not


@pytest.mark.alone
def test_ten_thousand_rows_without_a_stutter(world, page, client, tenant, webhook, report):
    past = Past(world, tenant)
    for number in range(MANY):
        past.delivery(webhook, past.now_ms - number * 1000, [(503, 40, None), (200, 40, None)], subject=f"c-{number}")
    past.written(client, MANY)
    assert any(is_smooth(page, client.token, report) for _ in range(SCROLLS))


@pytest.fixture
def six_hundred(world, page, client, tenant, webhook):
    """The view, with its first page."""
    past = Past(world, tenant)
    for number in range(600):
        past.delivery(webhook, past.now_ms - number * 1000, [(200, 40, None)], subject=f"c-{number}")
    past.written(client, 600)
    page.open().enter(client.token).wait_row(webhook["url"])
    page.go("Deliveries")
    until(lambda: page.find("#delivery-more").is_displayed(), 20, "the first rows")
    return page


def all_six_hundred(page):
    until(lambda: page.text("#delivery-count") == "600 deliveries." and not page.find("#delivery-more").is_displayed(), 10, "the end")


def test_rows_out_of_sight(six_hundred):
    """They are not there, and come back; one that has the focus stays. A screen reader is told the
    place of each.
    """
    page = six_hundred
    subjects = lambda: [row[3] for row in page.script(ROWS)]
    height = lambda: page.script("return document.documentElement.scrollHeight")
    until(lambda: "c-0" in subjects(), 5)
    assert page.script("return document.querySelector('#delivery-table').ariaRowCount") == "-1", "nobody knows yet"
    page.script("window.scrollTo(0, document.documentElement.scrollHeight)")
    all_six_hundred(page)
    page.script("window.scrollTo(0, document.documentElement.scrollHeight)")
    until(lambda: "c-599" in subjects() and "c-0" not in subjects(), 10, "the last rows alone")
    assert len(subjects()) < 300
    first, last = page.script("const rows = [...document.querySelectorAll('#delivery-table tr')]; return [rows[1], rows.at(-1)].map(row => +row.ariaRowIndex)")
    assert last == 601 and last - first == len(subjects()) - 1
    assert page.script("return document.querySelector('#delivery-table').ariaRowCount") == "601"
    page.script("[...document.querySelectorAll('#delivery-table a')].at(-1).focus()")
    before = height()
    page.script("window.scrollTo(0, 0)")
    until(lambda: subjects()[:1] == ["c-0"], 10, "the first rows again")
    assert subjects()[-1] == "c-599" and page.script("return document.activeElement.closest('tr').ariaRowIndex") == "601"
    assert abs(height() - before) < before / 20, "what is not there has its height"


def test_more_by_the_keyboard(six_hundred):
    """The table is passed over by its own link, and who comes to its end gets more."""
    page = six_hundred
    page.script("arguments[0].focus()", page.button("Filter"))
    page.press(Keys.TAB)
    assert page.focused() == ("Skip the table", True)
    page.press(Keys.ENTER)
    assert page.script("return document.activeElement.id") == "delivery-end"
    all_six_hundred(page)
